"""A bounded view of a file: the only way in which header readers touch it."""

from typing import BinaryIO

from storycore.project.headers.facts import HeaderFault

MAX_BYTES = 512 * 1024
"""Most bytes of one file that are read for its headers."""

MAX_PLACES = 4096
"""Most places of one file that are looked at."""

_BLOCK = 4096


class Window:
    """Reads of one open file, counted.

    Args:
        file: open for reading; can seek.
        size: of the file in bytes.
        most_bytes: so many bytes are read at most.

    Attributes:
        size: of the file in bytes.
    """

    def __init__(self, file: BinaryIO, size: int, *, most_bytes: int = MAX_BYTES) -> None:
        self.size = size
        self._file = file
        self._most_bytes = most_bytes
        self._bytes = self._places = 0
        self._start, self._block = 0, b""

    def head(self, length: int) -> bytes:
        """The first bytes of the file, fewer if it is shorter."""
        return self.at(0, min(length, self.size))

    def at(self, offset: int, length: int) -> bytes:
        """Exactly `length` bytes from `offset` on.

        Raises:
            HeaderFault: they are not all there, or the file makes us read more than headers need.
        """
        if offset < 0 or length < 0 or offset + length > self.size:
            raise HeaderFault("cut short, or it points outside itself")
        self._places += 1
        if self._places > MAX_PLACES:
            raise HeaderFault("its headers are scattered over too many places")
        if not self._start <= offset <= offset + length <= self._start + len(self._block):
            self._load(offset, max(length, _BLOCK))
        found = self._block[offset - self._start : offset - self._start + length]
        if len(found) < length:
            raise HeaderFault("it got shorter while it was read")
        return found

    def tail(self, length: int) -> bytes:
        """The last bytes of the file, fewer if it is shorter."""
        wanted = min(length, self.size)
        return self.at(self.size - wanted, wanted)

    def _load(self, offset: int, length: int) -> None:
        self._bytes += length
        if self._bytes > self._most_bytes:
            raise HeaderFault("its headers are larger than any reader needs")
        self._file.seek(offset)
        self._start, self._block = offset, self._file.read(length)
