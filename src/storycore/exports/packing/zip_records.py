"""The records of a ZIP file as bytes.

Source: PKWARE APPNOTE 6.3.10, sections 4.3.7 (local header), 4.3.9 (data descriptor), 4.3.12 (central directory),
4.3.14-4.3.16 (ends), 4.5.3 (Zip64).
"""

import struct
import time
from functools import lru_cache
from typing import NamedTuple

STORED = 0
DEFLATED = 8

_FACTS = struct.Struct("<3H4L2H")  # what a local header and a line of the directory have in common
_MADE_BY = struct.Struct("<H")
_PLACE = struct.Struct("<3H2L")
_OFFSET = struct.Struct("<L")
_DESCRIPTOR = struct.Struct("<4s3L")
_DESCRIPTOR64 = struct.Struct("<4sL2Q")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR64 = struct.Struct("<4sLQL")
_END = struct.Struct("<4s4H2LH")

_UTF8 = 0x800
_LATER = 0x8  # size and checksum follow in a data descriptor
_MADE_ON_UNIX = 3 << 8
_REGULAR_0644 = 0o100644 << 16
_PLAIN_LINE = b"PK\1\2" + _MADE_BY.pack(_MADE_ON_UNIX | 20)
_PLAIN_PLACE = _PLACE.pack(0, 0, 0, _REGULAR_0644, 0)[: -_OFFSET.size]
_FULL16, FULL32 = 0xFFFF, 0xFFFF_FFFF

_FIRST_INSTANT = 315_532_800  # 1980-01-01T00:00:00Z, before which a ZIP knows no time
_LAST_INSTANT = 4_354_819_198  # 2107-12-31T23:59:58Z


class Entry(NamedTuple):
    """One file of a ZIP.

    Attributes:
        name: UTF-8, `/` between folders.
        method: STORED or DEFLATED.
        modified: its time, seconds since 1970.
        crc: CRC-32 of the content.
        packed: bytes in the ZIP.
        size: bytes of the content.
        offset: where its local header begins.
        zip64: whether its local header has room for sizes beyond 4 GiB.
        later: whether a data descriptor holds its sizes and checksum.
    """

    name: bytes
    method: int
    modified: int
    crc: int
    packed: int
    size: int
    offset: int
    zip64: bool = False
    later: bool = False


@lru_cache(maxsize=1024)
def _moment(modified: int) -> int:
    """DOS date and time of an instant, in UTC, even seconds, clamped to 1980-2107; the date is in the upper half.

    The field that would tell the time zone takes 18 bytes an entry, too much where there are 20,000 small ones.
    """
    if not _FIRST_INSTANT <= modified <= _LAST_INSTANT:
        modified = _FIRST_INSTANT if modified < _FIRST_INSTANT else _LAST_INSTANT
    year, month, day, hour, minute, second, *_ = time.gmtime(modified)
    return ((year - 1980) << 9 | month << 5 | day) << 16 | hour << 11 | minute << 5 | second // 2


def headers(  # noqa: PLR0913, PLR0917 - the fields of an entry, one by one: this is a hot path
    name: bytes, method: int, modified: int, crc: int, packed: int, size: int, offset: int
) -> tuple[bytes, bytes]:
    """Local header and line of the directory of an `Entry` whose sizes are known."""
    if size >= FULL32 or packed >= FULL32 or offset >= FULL32:
        entry = Entry(name, method, modified, crc, packed, size, offset)
        return local_header(entry), central_header(entry)
    # Nearly all there are: the facts that stand in both are packed once.
    facts = _FACTS.pack(20, _UTF8, method, _moment(modified), crc, packed, size, len(name), 0)
    return b"PK\3\4" + facts + name, _PLAIN_LINE + facts + _PLAIN_PLACE + _OFFSET.pack(offset) + name


def local_header(entry: Entry) -> bytes:
    """What stands before the content; always the same length for the same name and `zip64`."""
    name, method, modified, crc, packed, size, _, zip64, later = entry
    if later:
        crc = packed = size = 0
    extra, version = b"", 20
    if zip64:
        extra, version = struct.pack("<2H2Q", 1, 16, size, packed), 45
        packed = size = FULL32
    flags = _UTF8 | _LATER if later else _UTF8
    facts = _FACTS.pack(version, flags, method, _moment(modified), crc, packed, size, len(name), len(extra))
    return b"PK\3\4" + facts + name + extra


def data_descriptor(entry: Entry) -> bytes:
    """What stands after content whose sizes were not known before."""
    form = _DESCRIPTOR64 if entry.zip64 else _DESCRIPTOR
    return form.pack(b"PK\7\10", entry.crc, entry.packed, entry.size)


def central_header(entry: Entry) -> bytes:
    """The line of the directory at the end."""
    name, method, modified, crc, packed, size, offset, zip64, later = entry
    extra, version = b"", 45 if zip64 else 20
    if size >= FULL32 or packed >= FULL32 or offset >= FULL32:
        large = [value for value in (size, packed, offset) if value >= FULL32]
        extra = struct.pack(f"<2H{len(large)}Q", 1, 8 * len(large), *large)
        size, packed, offset, version = min(size, FULL32), min(packed, FULL32), min(offset, FULL32), 45
    flags = _UTF8 | _LATER if later else _UTF8
    facts = _FACTS.pack(version, flags, method, _moment(modified), crc, packed, size, len(name), len(extra))
    made_by, place = _MADE_BY.pack(_MADE_ON_UNIX | version), _PLACE.pack(0, 0, 0, _REGULAR_0644, offset)
    return b"PK\1\2" + made_by + facts + place + name + extra


def end_records(*, count: int, directory_size: int, directory_offset: int) -> bytes:
    """What stands last; with the Zip64 forms only where a number does not fit otherwise."""
    large = count >= _FULL16 or directory_size >= FULL32 or directory_offset >= FULL32
    ends = b""
    if large:
        ends = _END64.pack(
            b"PK\6\6", 44, _MADE_ON_UNIX | 45, 45, 0, 0, count, count, directory_size, directory_offset
        ) + _LOCATOR64.pack(b"PK\6\7", 0, directory_offset + directory_size, 1)
    count = min(count, _FULL16)
    return ends + _END.pack(
        b"PK\5\6", 0, 0, count, count, min(directory_size, FULL32), min(directory_offset, FULL32), 0
    )
