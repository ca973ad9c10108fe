"""Foreign ZIP files, read strictly and within bounds: never more of an entry than it declares."""

import hashlib
import os
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO, Final

from storycore.exports.checking import archive_records as records
from storycore.exports.checking.archive_index import Entry, Index
from storycore.exports.checking.verdict import Defect, Finding, Findings

CHUNK_BYTES: Final = 256 * 1024


class Archive:
    """An open ZIP file: its entries in the order of their data, and its SHA-256.

    Everything that is wrong with the structure is told to `findings` when it is opened. `entries` is empty if the
    fault concerns the whole: then nothing of it must be read.

    Args:
        file: open for reading and seeking; stays open.
        findings: is told what is wrong or odd.
        max_entries: more entries are refused unread.
        only: see `Index`; then no SHA-256 of the file is made, and no more is read of it than these entries need.
    """

    def __init__(
        self, file: BinaryIO, findings: Findings, *, max_entries: int, only: Callable[[str], bool] | None = None
    ) -> None:
        self._file = file
        self._size = file.seek(0, os.SEEK_END)
        self._digest = hashlib.sha256()
        self._digested = 0
        self._in_parts = only is not None
        self.entries = Index(file, findings, only).entries(max_entries=max_entries)

    def chunks(self, entry: Entry) -> Iterator[bytes]:
        """The content of a sound entry, never more than it declares, checked to its end.

        Raises:
            Defect: size_mismatch, crc_mismatch, data_damaged, truncated.
            ValueError: the entry is none of `only`.
        """
        if entry.data_offset < 0:
            raise ValueError("an entry that is not sound, or was not looked at, has no content")
        crc = size = 0
        for chunk in self._stored(entry) if entry.method == records.STORED else self._inflated(entry):
            size += len(chunk)
            if size > entry.size_bytes:
                raise Defect(Finding.SIZE_MISMATCH, f"It unpacks to more than the {entry.size_bytes} bytes declared.")
            crc = zlib.crc32(chunk, crc)
            yield chunk
        if size < entry.size_bytes:
            raise Defect(Finding.SIZE_MISMATCH, f"It unpacks to {size} bytes, not to the {entry.size_bytes} declared.")
        if crc != entry.crc:
            raise Defect(Finding.CRC_MISMATCH, "Its content was changed after it was packed (CRC-32 differs).")

    def checksum(self) -> Iterator[int]:
        """Reads what was not read yet, telling how many bytes at a time; `hexdigest` is complete afterwards."""
        while self._digested < self._size:
            block = self._read(self._digested, min(CHUNK_BYTES, self._size - self._digested))
            if not block:
                return
            yield len(block)

    @property
    def hexdigest(self) -> str:
        """SHA-256 of the file as far as it was read without gaps."""
        return self._digest.hexdigest()

    def _stored(self, entry: Entry) -> Iterator[bytes]:
        place, end = entry.data_offset, entry.data_offset + entry.packed_bytes
        while place < end:
            block = self._read(place, min(CHUNK_BYTES, end - place))
            if not block:
                raise Defect(Finding.TRUNCATED, "The archive ends inside it.")
            place += len(block)
            yield block

    def _inflated(self, entry: Entry) -> Iterator[bytes]:
        inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        for block in self._stored(entry):
            rest = block
            while rest and not inflate.eof:
                try:
                    chunk = inflate.decompress(rest, CHUNK_BYTES)
                except zlib.error:
                    raise Defect(Finding.DATA_DAMAGED, "Its packed data is damaged.") from None
                rest = inflate.unconsumed_tail
                if chunk:
                    yield chunk
            if rest or inflate.unused_data:
                raise Defect(Finding.HIDDEN_DATA, "Bytes follow its packed data that do not belong to it.")
        while not inflate.eof:
            chunk = inflate.decompress(b"", CHUNK_BYTES)
            if not chunk:
                raise Defect(Finding.DATA_DAMAGED, "Its packed data has no end.")
            yield chunk

    def _read(self, offset: int, size: int) -> bytes:
        """Bytes of the file; on the way, what precedes them is digested once, so that one pass is enough."""
        while self._digested < offset and not self._in_parts:
            self._file.seek(self._digested)
            before = self._file.read(min(CHUNK_BYTES, offset - self._digested))
            if not before:
                break
            self._digest.update(before)
            self._digested += len(before)
        self._file.seek(offset)
        block = self._file.read(size)
        if offset == self._digested and not self._in_parts:
            self._digest.update(block)
            self._digested += len(block)
        return block
