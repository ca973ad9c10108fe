"""Headers of pictures that say their size in a fixed place: PNG, GIF, BMP, PSD, WebP.

Source: W3C PNG (third edition) §11.2.1; GIF89a §18; Microsoft BITMAPINFOHEADER; Adobe Photoshop File Formats, "File
Header Section"; RFC 9649 (WebP), RFC 6386 §9.1 (VP8).
"""

import struct

from storycore.project.headers.facts import HeaderFault, MediaFacts, picture
from storycore.project.headers.window import Window

_PNG_COLORS = {0: "grey", 2: "rgb", 3: "palette", 4: "grey+alpha", 6: "rgb+alpha"}
_PSD_COLORS = {0: "mono", 1: "grey", 2: "palette", 3: "rgb", 4: "cmyk", 7: "multichannel", 8: "duotone", 9: "lab"}


def read_png(window: Window, media_type: str) -> MediaFacts:
    """Size, depth and colour of a PNG."""
    length, name, width, height, depth, color = struct.unpack(">I4sIIBB", window.at(8, 18))
    if name != b"IHDR" or length != 13:
        raise HeaderFault("a PNG that does not begin with IHDR")
    if color not in _PNG_COLORS:
        raise HeaderFault(f"a PNG of the unknown colour type {color}")
    return picture(media_type, width, height, bit_depth=depth, color=_PNG_COLORS[color])


def read_gif(window: Window, media_type: str) -> MediaFacts:
    """Size of the screen of a GIF."""
    width, height, flags = struct.unpack("<HHB", window.at(6, 5))
    return picture(media_type, width, height, bit_depth=(flags & 7) + 1, color="palette")


def read_bmp(window: Window, media_type: str) -> MediaFacts:
    """Size, depth and colour of a BMP; a negative height means that rows run from the top."""
    if struct.unpack("<I", window.at(14, 4))[0] == 12:
        width, height, _, bits = struct.unpack("<HHHH", window.at(18, 8))
    else:
        width, height, _, bits = struct.unpack("<iiHH", window.at(18, 12))
    color = "palette" if bits <= 8 else "rgb"
    depth = bits if bits <= 8 else 5 if bits == 16 else 8
    return picture(media_type, width, abs(height), bit_depth=depth, color=color)


def read_psd(window: Window, media_type: str) -> MediaFacts:
    """Size, depth and colour of a Photoshop document, large ones (PSB) too."""
    height, width, depth, mode = struct.unpack(">IIHH", window.at(14, 12))
    return picture(media_type, width, height, bit_depth=depth, color=_PSD_COLORS.get(mode))


def read_webp(window: Window, media_type: str) -> MediaFacts:
    """Size of a WebP: lossy (VP8), lossless (VP8L) or extended (VP8X)."""
    name = window.at(12, 4)
    if name == b"VP8X":
        flags, *_ = window.at(20, 1)
        width, height = (1 + int.from_bytes(window.at(at, 3), "little") for at in (24, 27))
        return picture(media_type, width, height, bit_depth=8, color="rgb+alpha" if flags & 0x10 else "rgb")
    if name == b"VP8L":
        mark, bits = struct.unpack("<BI", window.at(20, 5))
        if mark != 0x2F:
            raise HeaderFault("a lossless WebP without its signature")
        width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        return picture(media_type, width, height, bit_depth=8, color="rgb+alpha" if bits >> 28 & 1 else "rgb")
    if name == b"VP8 ":
        mark, width, height = struct.unpack("<3sHH", window.at(23, 7))
        if mark != b"\x9d\x01\x2a":
            raise HeaderFault("a lossy WebP that does not begin with a key frame")
        return picture(media_type, width & 0x3FFF, height & 0x3FFF, bit_depth=8, color="ycbcr")
    raise HeaderFault("a WebP without a picture")
