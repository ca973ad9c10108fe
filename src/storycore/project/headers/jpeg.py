"""Headers of JPEG: baseline, progressive, lossless, with EXIF orientation.

Source: ITU-T T.81 Annex B (markers, frame header); CIPA DC-008 (Exif) §4.7; Adobe Technical Note 5116 (APP14).
"""

import struct

from storycore.project.headers.facts import HeaderFault, MediaFacts, picture
from storycore.project.headers.tiff import orientation_of
from storycore.project.headers.window import Window

_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})
_MOST_SEGMENTS = 1000
_LONGEST_EXIF = 65_533


def read_jpeg(window: Window, media_type: str) -> MediaFacts:
    """Size, depth, colour and orientation, from the segments before the first scan."""
    at, orientation, adobe = 2, 1, None
    for _ in range(_MOST_SEGMENTS):
        mark = _marker(window, at)
        if mark in (0xD9, 0xDA):
            raise HeaderFault("a JPEG that shows no frame before its scan")
        if mark in _ALONE or mark == 0xFF:
            at += 1 if mark == 0xFF else 2  # FF may be repeated as filling
            continue
        (length,) = struct.unpack(">H", window.at(at + 2, 2))
        if length < 2:
            raise HeaderFault("a JPEG segment shorter than its own length")
        if mark in _FRAMES:
            return _frame(window, media_type, at + 4, orientation, adobe)
        if mark == 0xE1 and length > 8 and window.at(at + 4, 6) == b"Exif\0\0":
            orientation = orientation_of(window.at(at + 10, min(length - 8, _LONGEST_EXIF)))
        elif mark == 0xEE and length >= 14 and window.at(at + 4, 5) == b"Adobe":
            adobe = window.at(at + 15, 1)[0]
        at += 2 + length
    raise HeaderFault("a JPEG of endless segments")


def _marker(window: Window, at: int) -> int:
    lead, mark = window.at(at, 2)
    if lead != 0xFF:
        raise HeaderFault("a JPEG whose segments are out of step")
    return mark


def _frame(window: Window, media_type: str, at: int, orientation: int, adobe: int | None) -> MediaFacts:
    depth, height, width, components = struct.unpack(">BHHB", window.at(at, 6))
    color = {1: "grey", 3: "ycbcr", 4: "cmyk"}.get(components)
    if components == 3 and (adobe == 0 or (adobe is None and window.at(at + 6, 7)[::3] == b"RGB")):
        color = "rgb"
    return picture(media_type, width, height, bit_depth=depth, color=color, orientation=orientation)
