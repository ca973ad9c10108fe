"""Writes a ZIP in one pass over its contents, with the SHA-256 of each.

Small contents are tried in memory and come out complete. Large ones flow through one buffer: where the sink can be
patched, sizes and checksum are put into the header afterwards; where it can't, a data descriptor follows, and what is
not worth deflating is wrapped into stored deflate blocks, because readers of streams can't find the end of a stored
entry.
"""

import struct
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from typing import Protocol

from storycore.exports.packing.compression import FREE_BYTES, Compressor, Deflate, crc32, deflate, fitting, tempered
from storycore.exports.packing.zip_records import (
    DEFLATED,
    FULL32,
    STORED,
    Entry,
    central_header,
    data_descriptor,
    end_records,
    headers,
    local_header,
)
from storycore.observe.progress import Progress
from storycore.units import MEBIBYTE, SECOND_NS

SMALL_BYTES = 8 * MEBIBYTE
"""Largest content that is tried in memory."""

_BATCH_BYTES = MEBIBYTE
_LARGE_PIECE = 65_536
_TOLD_BYTES = 262_144
_LINES = 512  # of the directory, written together
_BLOCK_BYTES = 65_535  # RFC 1951, 3.2.4: the most a stored block can hold
_LAST_BLOCK = b"\1\0\0\xff\xff"


class Content(Protocol):
    """Large content, read in parts, more than once if need be."""

    @property
    def size_bytes(self) -> int:
        """How much there is."""
        ...

    def sample(self) -> bytes:
        """Parts spread over all of it."""
        ...

    def parts(self) -> Iterator[memoryview]:
        """All of it from the start; each part is valid until the next is asked for."""
        ...


class Sink(Protocol):
    """Where a ZIP goes that is never patched."""

    def write(self, data: bytes | memoryview, /) -> int:
        """Takes all of it."""
        ...


class SeekableSink(Sink, Protocol):
    """Where a ZIP goes whose headers are patched."""

    def seek(self, offset: int, /) -> int:
        """Goes to a place."""
        ...

    def truncate(self) -> int:
        """Forgets what follows."""
        ...


Written = tuple[int, str]
"""What was packed: its size in bytes, and the SHA-256 of the content, 64 hex digits."""


class ZipWriter:
    """A ZIP file in the making.

    Memory: at most a few times `SMALL_BYTES`, however large the contents are; about 150 bytes for each entry.

    Args:
        sink: where the bytes go.
        level: 0-9, see `compression`.
        patch: `sink` again if it can seek and truncate, else None; the bytes differ, the contents don't.
        progress: advanced by the bytes of the contents, at least once a MiB.
    """

    def __init__(self, sink: Sink, *, level: int, patch: SeekableSink | None, progress: Progress) -> None:
        self._crc32 = crc32()
        self._sink, self._progress = sink, progress
        self._level, self._deflate = level, deflate(level)
        self._patch = patch
        self._directory: list[bytes] = []
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._untold = 0
        self._offset = 0
        self._unpacked_bytes = 0

    def add(self, name: str, data: bytes, modified_ns: int, *, compressed: bool = False) -> Written:
        """Adds content that is in memory.

        Args:
            name: with `/` between folders, unique, portable.
            data: the content.
            modified_ns: its time, nanoseconds since 1970.
            compressed: whether it is known not to shrink.
        """
        return self._add(name, data, modified_ns, None if compressed else self._deflate)

    def add_list(self, name: str, data: bytes, modified_ns: int) -> Written:
        """Adds a list of names and checksums; see `add`.

        Hexadecimal digits have no repetitions worth looking for: the fastest compressor makes them smallest.
        """
        return self._add(name, data, modified_ns, self._deflate and deflate(1))

    def _add(self, name: str, data: bytes, modified_ns: int, packer: Deflate | None) -> Written:
        size, body, method = len(data), data, STORED
        self._unpacked_bytes += size
        if packer and size:
            deflated = packer.whole(data) if size <= MEBIBYTE else self._in_steps(data, packer)
            if self._unpacked_bytes > FREE_BYTES:
                deflated = tempered(data, deflated, packer)
            if len(deflated) < size:
                body, method = deflated, DEFLATED
        packed, offset = len(body), self._offset
        header, line = headers(name.encode(), method, modified_ns // SECOND_NS, self._crc32(data), packed, size, offset)
        self._directory.append(line)
        if packed < _LARGE_PIECE:  # as `_put` does it, both at once
            self._waiting += (header, body)
            self._waiting_bytes += len(header) + packed
            self._offset = offset + len(header) + packed
            if self._waiting_bytes >= _BATCH_BYTES:
                self._flush()
        else:
            self._put(header)
            self._put(body)
        self._untold += size
        if self._untold >= _TOLD_BYTES:
            self._tell()
        return size, sha256(data).hexdigest()

    def add_large(self, name: str, content: Content, modified_ns: int, *, compressed: bool = False) -> Written:
        """Adds content of any size through one buffer; see `add`."""
        self._unpacked_bytes += content.size_bytes
        packer = None if compressed or not self._level else fitting(self._level, content.sample(), self._unpacked_bytes)
        entry = Entry(
            name=name.encode(),
            method=STORED if packer is None and self._patch else DEFLATED,
            modified=modified_ns // SECOND_NS,
            crc=0,
            packed=0,
            size=content.size_bytes,
            offset=self._offset,
            zip64=self._needs_zip64(content.size_bytes),
            later=not self._patch,
        )
        done, written = self._stream(entry, content, packer)
        if packer and self._patch and done.packed >= done.size:
            self._take_back(done, self._patch)  # the sample promised too much
            done, written = self._stream(entry._replace(method=STORED), content, None)
        self._finish(done)
        return written

    def close(self) -> None:
        """Writes the directory and the end; nothing may follow. The sink stays open."""
        self._tell()
        start = self._offset
        count = len(self._directory)
        for first in range(0, count, _LINES):
            self._put(b"".join(self._directory[first : first + _LINES]))
        size = self._offset - start
        self._put(end_records(count=count, directory_size=size, directory_offset=start))
        self._flush()

    def _needs_zip64(self, size: int) -> bool:
        # Deflate can make a stream larger than its content; a patched file is stored then, so there the size decides.
        return size + (0 if self._patch else size // 4) >= FULL32

    def _stream(self, entry: Entry, content: Content, make: Callable[[], Compressor] | None) -> tuple[Entry, Written]:
        self._put(local_header(entry))
        start = self._offset
        digest, crc, size = sha256(), 0, 0
        if make is None and entry.method == DEFLATED:
            make = _StoredBlocks
        packer = make() if make else None
        for part in content.parts():
            digest.update(part)
            crc = self._crc32(part, crc)
            size += len(part)
            if packer is None:
                self._write(part)
            else:
                self._put(packer.compress(part))
                if entry.later:
                    self._flush()  # who waits at the other end shall not wait for a whole batch
            self._progress.advance(len(part))
        if packer is not None:
            self._put(packer.flush())
        done = entry._replace(crc=crc, packed=self._offset - start, size=size)
        return done, (size, digest.hexdigest())

    def _in_steps(self, data: bytes, deflate: Deflate) -> bytes:
        """Deflates what takes a moment, and can be stopped meanwhile."""
        packer, view, parts = deflate.stream(), memoryview(data), []
        for start in range(0, len(data), MEBIBYTE):
            parts.append(packer.compress(view[start : start + MEBIBYTE]))
            self._progress.check()
        return b"".join((*parts, packer.flush()))

    def _tell(self) -> None:
        told, self._untold = self._untold, 0
        self._progress.advance(told)

    def _finish(self, entry: Entry) -> None:
        if self._patch is None:
            self._put(data_descriptor(entry))
        else:
            self._flush()
            self._patch.seek(entry.offset)
            self._patch.write(local_header(entry))
            self._patch.seek(self._offset)
        self._directory.append(central_header(entry))

    def _take_back(self, entry: Entry, patch: SeekableSink) -> None:
        self._flush()
        self._offset = entry.offset
        patch.seek(self._offset)
        patch.truncate()

    def _put(self, data: bytes) -> None:
        """Writes small pieces with the next ones, in one call of the system for many, and large ones as they are."""
        size = len(data)
        if size >= _LARGE_PIECE:
            self._flush()
            self._sink.write(data)
        else:
            self._waiting.append(data)
            self._waiting_bytes += size
        self._offset += size
        if self._waiting_bytes >= _BATCH_BYTES:
            self._flush()

    def _write(self, data: memoryview) -> None:
        self._flush()
        self._sink.write(data)
        self._offset += len(data)

    def _flush(self) -> None:
        if self._waiting:
            self._sink.write(b"".join(self._waiting))
            self._waiting, self._waiting_bytes = [], 0


class _StoredBlocks:
    """Deflate without compression, for readers that can't find the end of a stored entry."""

    def compress(self, data: bytes | memoryview, /) -> bytes:
        return b"".join(_blocks(memoryview(data)))

    def flush(self) -> bytes:
        return _LAST_BLOCK


def _blocks(data: memoryview) -> Iterable[bytes | memoryview]:
    for start in range(0, len(data), _BLOCK_BYTES):
        block = data[start : start + _BLOCK_BYTES]
        yield struct.pack("<B2H", 0, len(block), len(block) ^ 0xFFFF)
        yield block
