"""What a ZIP file holds: its structure, checked down to the last byte, before any content is read.

`zipfile` believes the list of contents and forgives much; programs that read a ZIP from its start see something
else. Here an archive is accepted only if both readings agree: every byte belongs to exactly one entry, the list of
contents or the end records. What no entry owns is a fault and not a warning, before, between and after the entries
alike: no checksum of the bag covers it, and common tools never make it.
"""

import os
import re
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from storycore.exports.checking import archive_records as records
from storycore.exports.checking.archive_names import Twins, is_storable, unsafe
from storycore.exports.checking.archive_records import Central, End, Local
from storycore.exports.checking.verdict import Defect, Finding, Findings, shown
from storycore.units import MEBIBYTE

MAX_RATIO: Final = 200
"""How many times its packed size an entry, and all of them together, may unpack to, over the floors below."""
ENTRY_FLOOR_BYTES: Final = 256 * MEBIBYTE
"""Entries up to this size may have any ratio: silence and black frames shrink a thousandfold."""
TOTAL_FLOOR_BYTES: Final = 4096 * MEBIBYTE
"""Archives that unpack to no more than this may have any ratio: a project may be full of silence."""
MAX_TOTAL_BYTES: Final = 1 << 44
"""No archive may unpack to more than 16 TiB."""

MAX_DIRECTORY_BYTES: Final = 256 * MEBIBYTE
"""Of the list of contents, whose names are held in memory together; 100,000 files take some 20 MiB."""

_WRONG, _UNSEEN = -1, -2
_FOLDER_ATTRIBUTE, _VOLUME_ATTRIBUTE, _REPARSE_ATTRIBUTE = 0x10, 0x08, 0x400
_DESCRIPTOR_BYTES = 24
_NOT_TEXT = re.compile("[\udc80-\udcff]")
"""What bytes that are not UTF-8 were read as."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry, described alike in both places if it is sound.

    Attributes:
        name: as text; folders end with `/`.
        method: 0 stored, 8 deflate.
        crc: CRC-32 of the content.
        size_bytes: of the content.
        packed_bytes: in the archive.
        offset: where its header begins.
        data_offset: where its data begins; -1 if it must not be read, since something about it is wrong; -2 if that is
            not known, since its own header was not looked at.
        end: where its data, and a descriptor if there is one, ends.
        modified: seconds since 1970 UTC if the archive says so; None if it only has local time.
        dos_time: date and time as MS-DOS packs them, local time.
    """

    name: str
    method: int
    crc: int
    size_bytes: int
    packed_bytes: int
    offset: int
    data_offset: int
    end: int
    modified: int | None
    dos_time: int

    @property
    def is_folder(self) -> bool:
        """Whether it only stands for a folder."""
        return self.name.endswith("/")

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong with its description, as far as it was looked at, so that it may be read."""
        return self.data_offset != _WRONG


class Index:
    """Reads the structure of one open ZIP file.

    Args:
        file: open for reading and seeking; stays open.
        findings: is told what is wrong or odd.
        only: says by its name whether an entry will be read. The headers of others are left alone, which in a store
            would be one call for each: they are judged by the list of contents, and what stands between two is not.
    """

    def __init__(self, file: BinaryIO, findings: Findings, only: Callable[[str], bool] | None = None) -> None:
        self._file = file
        self._findings = findings
        self._only = only
        self._size = file.seek(0, os.SEEK_END)
        self._unmarked: list[bytes] = []

    def entries(self, *, max_entries: int) -> tuple[Entry, ...]:
        """The entries in the order of their data; none if the fault concerns the whole."""
        try:
            return self._read(max_entries)
        except Defect as defect:
            self._findings.fault("", defect.reason, defect.message)
            return ()

    def _read(self, max_entries: int) -> tuple[Entry, ...]:
        end = self._end()
        start = end.directory_end - end.directory_size
        shift = start - end.directory_offset
        if start < 0 or shift < 0:
            raise Defect(Finding.ARCHIVE_MALFORMED, "The list of contents is not where the end of the archive says.")
        if end.directory_size > MAX_DIRECTORY_BYTES:
            raise Defect(
                Finding.ARCHIVE_MALFORMED,
                f"Its list of contents takes {end.directory_size} bytes; at most {MAX_DIRECTORY_BYTES} are read.",
            )
        if shift:
            self._findings.fault("", Finding.LEADING_DATA, f"{shift} bytes stand before the archive proper.")
        if end.comment_bytes:
            self._findings.warn("", Finding.COMMENT, "The archive carries a comment, which nothing checks.")
        described = list(self._directory(start, end, max_entries))
        if not described:
            raise Defect(Finding.NOT_A_PACKAGE, "It is an empty archive.")
        described.sort(key=lambda central: central.offset)
        self._check_totals(described, start)
        return self._locate(described, start, shift)

    def _end(self) -> End:
        tail = self._peek(max(0, self._size - records.TAIL_BYTES), min(self._size, records.TAIL_BYTES))
        if (
            self._peek(0, 4) not in (records.LOCAL_SIGNATURE, records.END_SIGNATURE)
            and records.END_SIGNATURE not in tail
        ):
            raise Defect(Finding.NOT_A_PACKAGE, "It is not a ZIP file.")
        place, defects = records.locate_end(tail, self._size)
        for defect in defects:
            self._findings.fault("", defect.reason, defect.message)
        end = records.read_end(self._peek(place, records.END.size), place)
        before = place - records.LOCATOR.size
        locator = self._peek(before, records.LOCATOR.size) if before >= 0 else b""
        if not locator.startswith(records.LOCATOR_SIGNATURE):
            return end
        written = records.read_locator(locator)
        at = before - records.END64.size
        if at < written or at < 0:
            raise Defect(Finding.ZIP64_INVALID, "The end record for large archives is not where it should be.")
        return records.read_end64(self._peek(at, records.END64.size), at, end)

    def _directory(self, start: int, end: End, max_entries: int) -> Iterator[Central]:
        if end.entries > max_entries:
            raise Defect(Finding.TOO_MANY_FILES, f"It lists {end.entries} entries; at most {max_entries} are read.")
        self._file.seek(start)
        left, count = end.directory_size, 0
        while left:
            fixed = self._file.read(min(left, records.CENTRAL.size))
            if len(fixed) < records.CENTRAL.size:
                raise Defect(Finding.ARCHIVE_MALFORMED, "The list of contents is cut off.")
            lengths = records.central_lengths(fixed)
            left -= len(fixed) + sum(lengths)
            if left < 0:
                raise Defect(Finding.ARCHIVE_MALFORMED, "The list of contents is cut off.")
            raw_name, extra, _ = (self._file.read(length) for length in lengths)
            count += 1
            if count > max_entries:
                raise Defect(Finding.TOO_MANY_FILES, f"It lists more than {max_entries} entries.")
            yield records.read_central(fixed, raw_name, extra)
        if count != end.entries:
            self._findings.fault(
                "", Finding.COUNT_MISMATCH, f"The archive says it has {end.entries} entries, but lists {count}."
            )

    def _check_totals(self, described: list[Central], start: int) -> None:
        total = 0
        for central in described:
            total += central.size_bytes
            if central.size_bytes > max(ENTRY_FLOOR_BYTES, MAX_RATIO * central.packed_bytes):
                path = central.raw_name.decode(errors="backslashreplace")
                raise Defect(
                    Finding.BOMB, f"{shown(path, most=100)} unpacks to more than {MAX_RATIO} times its packed size."
                )
        if total > MAX_TOTAL_BYTES or total > max(TOTAL_FLOOR_BYTES, MAX_RATIO * start):
            raise Defect(Finding.BOMB, f"It unpacks to {total} bytes, more than {MAX_RATIO} times its size or 16 TiB.")

    def _locate(self, described: list[Central], start: int, shift: int) -> tuple[Entry, ...]:
        found: list[Entry] = []
        twins = Twins()
        position = shift
        for number, central in enumerate(described):
            following = described[number + 1].offset + shift if number + 1 < len(described) else start
            offset = min(central.offset + shift, start)
            if self._only is None or not number:
                self._check_gap(position, offset, shift)
            entry = self._entry(central, offset, min(following, start), twins)
            position = entry.end
            found.append(entry)
        if self._only is None:
            self._check_gap(position, start, shift)
        if self._unmarked:  # Info-ZIP on Linux never marks names; one warning for all of them is enough
            path = self._unmarked[0].decode(errors="backslashreplace")
            message = f"{len(self._unmarked)} names do not say that they are UTF-8; old programs show them garbled."
            self._findings.warn(path, Finding.NAME_UNMARKED, message)
        return tuple(found)

    def _check_gap(self, position: int, offset: int, shift: int) -> None:
        if offset > position:
            reason = Finding.LEADING_DATA if position == shift else Finding.HIDDEN_DATA
            self._findings.fault("", reason, f"{offset - position} bytes at {position} belong to no entry.")

    def _entry(self, central: Central, offset: int, limit: int, twins: Twins) -> Entry:
        """The entry, and how far it may be read."""
        name = self._name(central)
        sound = self._check_name(name, twins)
        for defect in _defects(central, name):
            self._findings.fault(name, defect.reason, defect.message)
            sound = False
        data_offset, end = _WRONG, limit
        try:
            if self._only is None or self._only(name):
                data_offset, end = self._extent(central, offset, limit)
            else:
                data_offset = _unseen(central, offset, limit)
        except Defect as defect:
            self._findings.fault(name, defect.reason, defect.message)
        return Entry(
            name, central.method, central.crc, central.size_bytes, central.packed_bytes, offset,
            data_offset if sound else _WRONG, end, central.modified, central.dos_time,
        )  # fmt: skip

    def _extent(self, central: Central, offset: int, limit: int) -> tuple[int, int]:
        """Where the data of an entry begins, and where it and its descriptor end."""
        fixed = self._peek(offset, records.LOCAL.size)
        if len(fixed) < records.LOCAL.size:
            raise Defect(Finding.HEADER_MISMATCH, "There is no entry where the list of contents says.")
        local = records.read_local(fixed, self._peek(offset + len(fixed), records.local_rest(fixed)), offset)
        _compare(central, local)
        end = local.data_offset + central.packed_bytes
        if end > limit:
            raise _overlap()
        if central.flags & records.STREAMED:
            lengths = records.descriptor_lengths(self._peek(end, min(_DESCRIPTOR_BYTES, limit - end)), central)
            if not lengths:
                raise Defect(Finding.HEADER_MISMATCH, "What follows its data disagrees with the list of contents.")
            end = limit if limit - end in lengths else end + lengths[0]
        return local.data_offset, end

    def _name(self, central: Central) -> str:
        raw = central.raw_name
        marked = bool(central.flags & records.UTF8)
        if central.other_name is not None and central.other_name != raw:
            if not (marked or raw.isascii()):
                return central.other_name.decode(errors="surrogateescape")
            path = raw.decode(errors="backslashreplace")
            self._findings.fault(path, Finding.HEADER_MISMATCH, "It carries a second, different name.")
        elif not (marked or raw.isascii() or central.other_name):
            self._unmarked.append(raw)
        return raw.decode(errors="surrogateescape")

    def _check_name(self, name: str, twins: Twins) -> bool:
        if _NOT_TEXT.search(name):
            self._findings.fault(name, Finding.NAME_NOT_TEXT, "The name is not UTF-8.")
            return False
        fault = unsafe(name)
        if fault:
            self._findings.fault(name, Finding.UNSAFE_NAME, f"The name is not safe to unpack: {fault}.")
            return False
        if not is_storable(name):
            self._findings.warn(name, Finding.NAME_NOT_PORTABLE, "Windows can't store a file of this name.")
        found = list(twins.add(name))
        for reason, message in found:
            self._findings.fault(name, reason, message)
        return not found

    def _peek(self, offset: int, size: int) -> bytes:
        self._file.seek(offset)
        return self._file.read(max(0, size))


def _unseen(central: Central, offset: int, limit: int) -> int:
    """The place of data behind a header that is not looked at; at least there must be room for both."""
    if offset + records.LOCAL.size + len(central.raw_name) + central.packed_bytes > limit:
        raise _overlap()
    return _UNSEEN


def _overlap() -> Defect:
    return Defect(Finding.OVERLAP, "Its data reaches into what follows it.")


def _defects(central: Central, name: str) -> Iterator[Defect]:
    """What can't be accepted about an entry by the list of contents alone."""
    flags = records.flag_defect(central.flags)
    if flags:
        yield flags
    if central.method not in (records.STORED, records.DEFLATED) or central.version & 0xFF > records.NEWEST_VERSION:
        yield Defect(Finding.METHOD_UNSUPPORTED, f"It is packed by method {central.method}, which is not read here.")
    elif central.method == records.STORED and central.size_bytes != central.packed_bytes:
        yield Defect(Finding.SIZE_MISMATCH, "It is stored, yet its packed size is not its size.")
    special = _special(central, name)
    if special:
        yield Defect(Finding.SPECIAL_ENTRY, special)


def _special(central: Central, name: str) -> str | None:
    """Why an entry is neither a plain file nor a plain folder.

    The mode of Unix is looked at whatever system the archive names: a reader may believe it all the same.
    """
    kind = stat.S_IFMT(central.external >> 16)
    is_folder = name.endswith("/")
    if stat.S_ISLNK(kind) or central.external & _REPARSE_ATTRIBUTE:
        return "It is a link; packages hold none."
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR) or central.external & _VOLUME_ATTRIBUTE:
        return "It is a pipe, a device or another special file."
    marked_folder = kind == stat.S_IFDIR or bool(central.external & _FOLDER_ATTRIBUTE)
    if marked_folder and not is_folder:
        return "It is marked as a folder but named as a file."
    if is_folder and (central.size_bytes or kind == stat.S_IFREG):
        return "It is named as a folder but holds data or is marked as a file."
    return None


def _compare(central: Central, local: Local) -> None:
    """Refuses an entry whose own header and the list of contents disagree."""
    pairs = (
        ("name", central.raw_name, local.raw_name),
        ("flags", central.flags, local.flags),
        ("method", central.method, local.method),
        ("time", central.dos_time, local.dos_time),
        (
            "UTC time",
            central.modified if local.modified is not None else None,
            local.modified if central.modified is not None else None,
        ),
        ("CRC", central.crc, central.crc if local.crc is None else local.crc),
        (
            "packed size",
            central.packed_bytes,
            central.packed_bytes if local.packed_bytes is None else local.packed_bytes,
        ),
        ("size", central.size_bytes, central.size_bytes if local.size_bytes is None else local.size_bytes),
    )
    different = [what for what, listed, own in pairs if listed != own]
    if different or local.version & 0xFF > records.NEWEST_VERSION:
        raise Defect(
            Finding.HEADER_MISMATCH,
            f"Its own header and the list of contents disagree about: {', '.join(different) or 'version'}.",
        )
