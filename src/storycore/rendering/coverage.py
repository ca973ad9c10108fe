"""Which characters a font has, read from its character map.

Only the fonts that come with StoryCore are read, none of a project's.
Source: OpenType 1.9.1, "cmap", subtable formats 4 and 12, and "ttcf".
"""

import struct
from bisect import bisect_right
from pathlib import Path
from typing import Any, BinaryIO


class Coverage:
    """A set of characters.

    Args:
        ranges: first and last code point of each range, in order.
    """

    def __init__(self, ranges: list[tuple[int, int]]) -> None:
        self._firsts = [first for first, _ in ranges]
        self._lasts = [last for _, last in ranges]

    def __contains__(self, letter: str) -> bool:
        """Whether a character is in it."""
        place = bisect_right(self._firsts, ord(letter)) - 1
        return place >= 0 and ord(letter) <= self._lasts[place]


def read_coverage(path: Path, index: int = 0) -> Coverage:
    """The characters of a font.

    Args:
        path: of the file.
        index: of the font in a collection.
    """
    with path.open("rb") as file:
        begin = 0
        if file.read(4) == b"ttcf":
            file.seek(12 + 4 * index)
            (begin,) = _read(file, ">I")
        file.seek(begin + 4)
        (count,) = _read(file, ">H6x")
        tables = [_read(file, ">4s4xII") for _ in range(count)]
        start, size = next((start, size) for tag, start, size in tables if tag == b"cmap")
        file.seek(start)
        data = file.read(size)
    (count,) = struct.unpack_from(">H", data, 2)
    offsets = [struct.unpack_from(">I", data, 8 + 8 * number)[0] for number in range(count)]
    found = {struct.unpack_from(">H", data, offset)[0]: offset for offset in offsets}
    return Coverage(_format_12(data, found[12]) if 12 in found else _format_4(data, found[4]))


def _read(file: BinaryIO, layout: str) -> tuple[Any, ...]:
    return struct.unpack(layout, file.read(struct.calcsize(layout)))


def _format_12(data: bytes, offset: int) -> list[tuple[int, int]]:
    (count,) = struct.unpack_from(">I", data, offset + 12)
    return sorted(
        (first, last) for first, last, _ in struct.iter_unpack(">III", data[offset + 16 : offset + 16 + 12 * count])
    )


def _format_4(data: bytes, offset: int) -> list[tuple[int, int]]:
    """Ranges; none of our fonts has holes in one of them."""
    (doubled,) = struct.unpack_from(">H", data, offset + 6)
    layout = f">{doubled // 2}H"
    lasts = struct.unpack_from(layout, data, offset + 14)
    firsts = struct.unpack_from(layout, data, offset + 16 + doubled)
    return [(first, last) for first, last in zip(firsts, lasts, strict=True) if first != 0xFFFF]
