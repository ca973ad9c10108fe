"""What a finished ZIP file is, read from the file itself and not from what its writer remembers."""

import hashlib
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO

from storycore.errors import Unexpected
from storycore.observe.progress import Progress
from storycore.units import MEBIBYTE

_END, _END64 = struct.Struct("<4x6xHLL2x"), struct.Struct("<4x28xQQQ")
_LOCATOR64 = struct.Struct("<4s4xQ4x")
_LINE = struct.Struct("<4s16x2L3H12x")
_FULL32 = 0xFFFF_FFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A ZIP file as it stands on the disk.

    Attributes:
        size_bytes: of the file.
        sha256: of the file, 64 hex digits.
        entries: name of each entry with the size of its content, in order.
    """

    size_bytes: int
    sha256: str
    entries: Mapping[str, int]


def read_back(file: BinaryIO, progress: Progress) -> Finished:
    """Reads a ZIP file that was just written, every byte of it.

    Raises:
        Unexpected: it has no directory that can be read.
    """
    digest, buffer, size = hashlib.sha256(), bytearray(MEBIBYTE), 0
    file.seek(0)
    while count := file.readinto(buffer):  # type: ignore[attr-defined]  # every binary file that seeks has it
        digest.update(memoryview(buffer)[:count])
        size += count
        progress.advance(count)
    try:
        entries = _entries(file, size)
    except (struct.error, UnicodeDecodeError) as fault:
        raise Unexpected("The finished package has no readable directory.") from fault
    return Finished(size_bytes=size, sha256=digest.hexdigest(), entries=entries)


def _entries(file: BinaryIO, size: int) -> dict[str, int]:
    count, length, offset = _END.unpack(_at(file, size - _END.size, _END.size))
    locator = _at(file, max(0, size - _END.size - _LOCATOR64.size), _LOCATOR64.size)
    signature, end64 = _LOCATOR64.unpack(locator)
    if signature == b"PK\6\7":
        count, length, offset = _END64.unpack(_at(file, end64, _END64.size))
    directory = _at(file, offset, length)
    entries: dict[str, int] = {}
    place = 0
    for _ in range(count):
        _, _, content, name, extra, comment = _LINE.unpack_from(directory, place)
        start = place + _LINE.size
        if content == _FULL32:  # the first thing in a Zip64 field
            (content,) = struct.unpack_from("<4xQ", directory, start + name)
        entries[directory[start : start + name].decode()] = content
        place = start + name + extra + comment
    return entries


def _at(file: BinaryIO, place: int, length: int) -> bytes:
    file.seek(place)
    return file.read(length)
