"""Headers of OpenEXR, single and multi part.

Source: OpenEXR documentation, "OpenEXR File Layout" (header, attributes, channel list).
"""

import struct

from storycore.project.headers.facts import HeaderFault, MediaFacts, picture
from storycore.project.headers.window import Window

_DEPTHS = {0: 32, 1: 16, 2: 32}
_MOST_ATTRIBUTES = 512
_MOST_CHANNELS = 256


def read_exr(window: Window, media_type: str) -> MediaFacts:
    """Size of the display window, depth and colour of the first part."""
    at = 8
    size: tuple[int, int] | None = None
    channels: dict[str, int] = {}
    for _ in range(_MOST_ATTRIBUTES):
        name, at = _text(window, at)
        if not name:
            break
        _, at = _text(window, at)
        (length,) = struct.unpack("<I", window.at(at, 4))
        at += 4
        if name == "displayWindow":
            left, top, right, bottom = struct.unpack("<iiii", window.at(at, 16))
            size = (right - left + 1, bottom - top + 1)
        elif name == "channels":
            channels = _channels(window, at, at + length)
        at += length
    if size is None:
        raise HeaderFault("an EXR without a display window")
    depth = max((_DEPTHS.get(kind, 0) for kind in channels.values()), default=0) or None
    return picture(media_type, *size, bit_depth=depth, color=_color(set(channels)))


def _channels(window: Window, at: int, end: int) -> dict[str, int]:
    found: dict[str, int] = {}
    while at < end and len(found) < _MOST_CHANNELS:
        name, at = _text(window, at)
        if not name:
            break
        (found[name],) = struct.unpack("<I", window.at(at, 4))
        at += 16
    return found


def _color(names: set[str]) -> str | None:
    if {"R", "G", "B"} <= names:
        return "rgb+alpha" if "A" in names else "rgb"
    return "grey" if "Y" in names else None


def _text(window: Window, at: int) -> tuple[str, int]:
    block = window.at(at, min(256, window.size - at))
    end = block.find(b"\0")
    if end < 0:
        raise HeaderFault("an EXR name that does not end")
    return block[:end].decode("latin-1"), at + end + 1
