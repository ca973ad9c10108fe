"""Headers of TIFF, and of the EXIF block inside other pictures.

Source: TIFF 6.0 §2 (image file directories), §8 (Orientation); CIPA DC-008 (Exif) §4.5.
"""

import struct
from collections.abc import Callable

from storycore.project.headers.facts import HeaderFault, MediaFacts, picture
from storycore.project.headers.window import Window

Reader = Callable[[int, int], bytes]
"""Gives `length` bytes from `offset` on, counted from the start of the TIFF structure."""

_WIDTH, _HEIGHT, _BITS, _PHOTOMETRIC, _ORIENTATION, _SAMPLES = 256, 257, 258, 262, 274, 277
_TYPES = {1: ("B", 1), 3: ("H", 2), 4: ("I", 4)}
_COLORS = {0: "grey", 1: "grey", 2: "rgb", 3: "palette", 5: "cmyk", 6: "ycbcr", 8: "lab", 9: "lab"}
_MOST_ENTRIES = 512


def read_tiff(window: Window, media_type: str) -> MediaFacts:
    """Size, depth, colour and orientation of the first picture of a TIFF."""
    tags = _directory(window.at)
    if _WIDTH not in tags or _HEIGHT not in tags:
        raise HeaderFault("a TIFF without a size")
    color = _COLORS.get(tags.get(_PHOTOMETRIC, -1))
    if color in ("rgb", "grey") and tags.get(_SAMPLES, 0) in (2, 4):
        color += "+alpha"
    return picture(
        media_type,
        tags[_WIDTH],
        tags[_HEIGHT],
        bit_depth=tags.get(_BITS, 1),
        color=color,
        orientation=_turn(tags),
    )


def orientation_of(block: bytes) -> int:
    """The orientation (1-8) that an EXIF block names; 1 if it names none or is broken."""

    def at(offset: int, length: int) -> bytes:
        if offset < 0 or offset + length > len(block):
            raise HeaderFault("cut short")
        return block[offset : offset + length]

    try:
        return _turn(_directory(at))
    except (HeaderFault, struct.error):
        return 1  # a broken EXIF block does not spoil the picture


def _turn(tags: dict[int, int]) -> int:
    found = tags.get(_ORIENTATION, 1)
    return found if 1 <= found <= 8 else 1


def _directory(at: Reader) -> dict[int, int]:
    """First value of each whole-number tag in the first directory."""
    mark = at(0, 4)
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(mark)
    if order is None:
        raise HeaderFault("not a TIFF structure")
    (start,) = struct.unpack(order + "I", at(4, 4))
    (count,) = struct.unpack(order + "H", at(start, 2))
    found: dict[int, int] = {}
    for index in range(min(count, _MOST_ENTRIES)):
        tag, kind, values, inline = struct.unpack(order + "HHI4s", at(start + 2 + 12 * index, 12))
        if kind not in _TYPES or values == 0:
            continue
        code, width = _TYPES[kind]
        if values * width <= 4:
            (found[tag],) = struct.unpack_from(order + code, inline)
        elif tag == _BITS:
            (place,) = struct.unpack(order + "I", inline)
            (found[tag],) = struct.unpack(order + code, at(place, width))
    return found
