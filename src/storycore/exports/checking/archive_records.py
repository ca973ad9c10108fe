"""The records of a ZIP file as bytes: end records, list of contents, headers of entries. Pure, and strict.

Source: PKWARE APPNOTE.TXT 6.3.10, sections 4.3 (records), 4.4 (fields), 4.5 (extra fields); Info-ZIP extra fields
0x5455 (times) and 0x7075 (Unicode path).
"""

import struct
import zlib
from collections.abc import Iterator
from typing import Final, NamedTuple

from storycore.exports.checking.verdict import Defect, Finding

END: Final = struct.Struct("<4s4H2LH")
END_SIGNATURE: Final = b"PK\5\6"
LOCATOR: Final = struct.Struct("<4sLQL")
LOCATOR_SIGNATURE: Final = b"PK\6\7"
END64: Final = struct.Struct("<4sQ2H2L4Q")
END64_SIGNATURE: Final = b"PK\6\6"
CENTRAL: Final = struct.Struct("<4s6H3L5H2L")
CENTRAL_SIGNATURE: Final = b"PK\1\2"
LOCAL: Final = struct.Struct("<4s5H3L2H")
LOCAL_SIGNATURE: Final = b"PK\3\4"
DESCRIPTOR_SIGNATURE: Final = b"PK\7\10"
MAX_COMMENT: Final = 0xFFFF
TAIL_BYTES: Final = END.size + MAX_COMMENT
"""The end record stands in the last so many bytes."""
NEWEST_VERSION: Final = 63
"""Version of the format that the newest writers ask for, 6.3."""

UTF8: Final = 1 << 11
STREAMED: Final = 1 << 3
_ENCRYPTED: Final = 1 << 0 | 1 << 6 | 1 << 13
_PATCH: Final = 1 << 5
STORED, DEFLATED = 0, 8
_FULL16, _FULL32 = 0xFFFF, 0xFFFFFFFF
_LIMIT: Final = 1 << 63
_ZIP64, _TIMES, _UNICODE_PATH = 0x0001, 0x5455, 0x7075


class End(NamedTuple):
    """What the end of an archive says about its list of contents.

    Attributes:
        entries: how many entries there are.
        directory_size: bytes of the list.
        directory_offset: where the list begins, as written.
        directory_end: where the list ends, as found: the end records follow.
        comment_bytes: length of the archive's comment.
    """

    entries: int
    directory_size: int
    directory_offset: int
    directory_end: int
    comment_bytes: int


class Central(NamedTuple):
    """One entry as the list of contents describes it."""

    raw_name: bytes
    flags: int
    method: int
    crc: int
    packed_bytes: int
    size_bytes: int
    offset: int
    external: int
    version: int
    dos_time: int
    modified: int | None
    other_name: bytes | None


class Local(NamedTuple):
    """One entry as its own header describes it; sizes are None where a descriptor follows."""

    raw_name: bytes
    flags: int
    method: int
    crc: int | None
    packed_bytes: int | None
    size_bytes: int | None
    version: int
    dos_time: int
    modified: int | None
    data_offset: int


def locate_end(tail: bytes, file_size: int) -> tuple[int, tuple[Defect, ...]]:
    """Where the end record stands in the file, given its last `TAIL_BYTES`, and what is wrong about it.

    Raises:
        Defect: truncated: there is none.
    """
    start = file_size - len(tail)
    marked = list(_places(tail, END_SIGNATURE))
    whole = [place for place in marked if place + END.size <= len(tail)]
    exact = [place for place in whole if _after_comment(tail, place) == len(tail)]
    if not whole:
        raise Defect(Finding.TRUNCATED, "The end of the archive is missing; it was probably cut off.")
    if not exact:
        cut = _after_comment(tail, whole[-1]) > len(tail)
        defect = (
            Defect(Finding.TRUNCATED, "The archive ends inside its comment.")
            if cut
            else Defect(Finding.TRAILING_DATA, "Bytes follow the end of the archive.")
        )
        return start + whole[-1], (defect,)
    chosen = exact[-1]
    if len(exact) > 1 or marked[-1] > chosen:
        return start + chosen, (Defect(Finding.AMBIGUOUS_END, "The archive has two ends; programs would disagree."),)
    return start + chosen, ()


def _places(data: bytes, signature: bytes) -> Iterator[int]:
    place = data.find(signature)
    while place >= 0:
        yield place
        place = data.find(signature, place + 1)


def _after_comment(tail: bytes, place: int) -> int:
    return place + END.size + int(END.unpack_from(tail, place)[7])


def read_end(record: bytes, place: int) -> End:
    """The end record that stands at `place`.

    Raises:
        Defect: several_disks.
    """
    _, disk, directory_disk, here, entries, size, offset, comment = END.unpack(record)
    if (disk, directory_disk) not in ((0, 0), (_FULL16, _FULL16), (0, _FULL16)) or here != entries:
        raise Defect(Finding.SEVERAL_DISKS, "It is one part of an archive that was split over several files.")
    return End(entries, size, offset, place, comment)


def read_locator(record: bytes) -> int:
    """Where the end record for large archives stands, as written.

    Raises:
        Defect: several_disks.
    """
    _, disk, offset, disks = LOCATOR.unpack(record)
    if disk != 0 or disks > 1:
        raise Defect(Finding.SEVERAL_DISKS, "It is one part of an archive that was split over several files.")
    return int(offset)


def read_end64(record: bytes, place: int, narrow: End) -> End:
    """The end record for large archives, that must not contradict the `narrow` one.

    Raises:
        Defect: zip64_invalid, several_disks.
    """
    signature, length, _, _, disk, directory_disk, here, entries, size, offset = END64.unpack(record)
    if signature != END64_SIGNATURE or length != END64.size - 12:
        raise Defect(Finding.ZIP64_INVALID, "The end record for large archives is not where it should be.")
    if disk or directory_disk or here != entries:
        raise Defect(Finding.SEVERAL_DISKS, "It is one part of an archive that was split over several files.")
    pairs = (
        (narrow.entries, entries, _FULL16),
        (narrow.directory_size, size, _FULL32),
        (narrow.directory_offset, offset, _FULL32),
    )
    if any(small not in (full, large) for small, large, full in pairs) or max(entries, size, offset) >= _LIMIT:
        raise Defect(Finding.ZIP64_INVALID, "The two end records contradict each other.")
    return End(entries, size, offset, place, narrow.comment_bytes)


def central_lengths(fixed: bytes) -> tuple[int, int, int]:
    """Lengths of name, extra fields and comment that follow the fixed part.

    Raises:
        Defect: archive_malformed.
    """
    fields = CENTRAL.unpack(fixed)
    if fields[0] != CENTRAL_SIGNATURE:
        raise Defect(Finding.ARCHIVE_MALFORMED, "The list of contents is damaged.")
    return fields[10], fields[11], fields[12]


def read_central(fixed: bytes, raw_name: bytes, extra: bytes) -> Central:
    """One entry of the list of contents.

    Raises:
        Defect: zip64_invalid, several_disks, archive_malformed.
    """
    (_, _, version, flags, method, time, date, crc, packed, size, _, _, _, disk, _, external, offset) = CENTRAL.unpack(
        fixed
    )
    fields = _extra(extra)
    wide = _wide(fields.get(_ZIP64), (size == _FULL32, packed == _FULL32, offset == _FULL32))
    if wide is not None:
        size, packed, offset = (
            new if new is not None else old for new, old in zip(wide, (size, packed, offset), strict=True)
        )
    if disk not in (0, _FULL16):
        raise Defect(Finding.SEVERAL_DISKS, "The entry is in another part of a split archive.")
    return Central(
        raw_name, flags, method, crc, packed, size, offset, external, version,
        date << 16 | time, _unix_time(fields.get(_TIMES)), _unicode_path(fields.get(_UNICODE_PATH), raw_name),
    )  # fmt: skip


def read_local(fixed: bytes, rest: bytes, offset: int) -> Local:
    """The header of an entry at `offset`; `rest` holds its name and extra fields.

    Raises:
        Defect: zip64_invalid, archive_malformed.
    """
    _, version, flags, method, time, date, crc, packed, size, name_bytes, _ = LOCAL.unpack(fixed)
    raw_name, extra = rest[:name_bytes], rest[name_bytes:]
    fields = _extra(extra)
    wide = _wide(fields.get(_ZIP64), (size == _FULL32, packed == _FULL32, False))
    if wide is not None:
        size, packed = (new if new is not None else old for new, old in zip(wide[:2], (size, packed), strict=True))
    later = bool(flags & STREAMED)
    return Local(
        raw_name, flags, method,
        None if later and crc == 0 else crc,
        None if later and packed == 0 else packed,
        None if later and size == 0 else size,
        version, date << 16 | time, _unix_time(fields.get(_TIMES)), offset + len(fixed) + len(rest),
    )  # fmt: skip


def local_rest(fixed: bytes) -> int:
    """How many bytes of name and extra fields follow the fixed part of a header.

    Raises:
        Defect: header_mismatch: no header stands here.
    """
    fields = LOCAL.unpack(fixed)
    if fields[0] != LOCAL_SIGNATURE:
        raise Defect(Finding.HEADER_MISMATCH, "There is no entry where the list of contents says.")
    return int(fields[9] + fields[10])


def descriptor_lengths(after: bytes, entry: Central) -> tuple[int, ...]:
    """Lengths of data descriptor that `after`, what follows an entry's data, can be read as, shortest first."""
    found = []
    for sizes in ("2L", "2Q"):
        if sizes == "2L" and max(entry.packed_bytes, entry.size_bytes) > _FULL32:
            continue
        body = struct.pack(f"<L{sizes}", entry.crc, entry.packed_bytes, entry.size_bytes)
        found += [len(form) for form in (body, DESCRIPTOR_SIGNATURE + body) if after.startswith(form)]
    return tuple(sorted(found))


def flag_defect(flags: int) -> Defect | None:
    """What the flags of an entry say that can't be accepted."""
    if flags & _ENCRYPTED:
        return Defect(Finding.ENCRYPTED, "It is encrypted.")
    if flags & _PATCH:
        return Defect(Finding.METHOD_UNSUPPORTED, "It holds changes to another file, not a file.")
    return None


def _extra(data: bytes) -> dict[int, bytes]:
    fields: dict[int, bytes] = {}
    place = 0
    while place + 4 <= len(data):
        kind, length = struct.unpack_from("<2H", data, place)
        place += 4
        if place + length > len(data):
            raise Defect(Finding.ARCHIVE_MALFORMED, "An extra field is longer than its place.")
        if kind in fields and kind in (_ZIP64, _UNICODE_PATH):
            raise Defect(Finding.ARCHIVE_MALFORMED, "An extra field stands twice.")
        fields[kind] = data[place : place + length]
        place += length
    if data[place:].strip(b"\0"):  # writers that align data leave up to three zeros
        raise Defect(Finding.ARCHIVE_MALFORMED, "An extra field is incomplete.")
    return fields


def _wide(field: bytes | None, needed: tuple[bool, bool, bool]) -> tuple[int | None, int | None, int | None] | None:
    """Size, packed size and offset from the Zip64 field, where they are `needed`."""
    if not any(needed):
        return None
    if field is None or len(field) < 8 * sum(needed):
        raise Defect(Finding.ZIP64_INVALID, "The field for large entries is missing or too short.")
    values = iter(struct.unpack_from(f"<{sum(needed)}Q", field))
    size, packed, offset = (next(values) if need else None for need in needed)
    if any(value is not None and value >= _LIMIT for value in (size, packed, offset)):
        raise Defect(Finding.ZIP64_INVALID, "A size or place is beyond 2^63 bytes.")
    return size, packed, offset


def _unix_time(field: bytes | None) -> int | None:
    if field is None or len(field) < 5 or not field[0] & 1:
        return None
    return int(struct.unpack_from("<l", field, 1)[0])


def _unicode_path(field: bytes | None, raw_name: bytes) -> bytes | None:
    if (
        field is None
        or len(field) < 5
        or field[0] != 1
        or struct.unpack_from("<L", field, 1)[0] != zlib.crc32(raw_name)
    ):
        return None  # stale or of a later version; Info-ZIP ignores it then too
    return field[5:]
