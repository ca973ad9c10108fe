"""An object in a store as a file that is read and sought in, within bounded memory."""

import io
import os
from typing import Final

from typing_extensions import Buffer, override

from storycore.errors import NotFound, Reason
from storycore.storage.store import Facts, Gets, Holds

BLOCK_BYTES: Final = 4 * 1024 * 1024
"""Asked of a store at a time, where all of an object is read."""


class StoredFile(io.RawIOBase):
    """An object, read in ranges; every range is of the same content, or reading fails.

    Args:
        store: that it is in.
        key: of the object.
        facts: of the object as it was opened.
    """

    def __init__(self, store: Gets, key: str, facts: Facts) -> None:
        super().__init__()
        self._store, self._key = store, key
        self._place = 0
        self.facts = facts

    @override
    def readinto(self, buffer: Buffer, /) -> int:
        view = memoryview(buffer).cast("B")
        end = min(self._place + len(view), self.facts.size_bytes)
        if end <= self._place:
            return 0
        data = self._store.read(self._key, self._place, end, self.facts.tag)
        view[: len(data)] = data
        self._place += len(data)
        return len(data)

    @override
    def readall(self) -> bytes:
        rest = bytearray(max(0, self.facts.size_bytes - self._place))
        view, done = memoryview(rest), 0
        while done < len(rest):
            done += self.readinto(view[done : done + BLOCK_BYTES])
        return bytes(rest)

    @override
    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self.facts.size_bytes}[whence]
        if start + offset < 0:
            raise OSError("before the start")
        self._place = start + offset
        return self._place

    @override
    def tell(self) -> int:
        return self._place

    @override
    def readable(self) -> bool:
        return True

    @override
    def seekable(self) -> bool:
        return True


def open_stored(store: Holds, key: str, name: str, *, block_bytes: int = BLOCK_BYTES) -> io.BufferedReader:
    """An object open for reading, `block_bytes` at a time at least.

    Raises:
        NotFound: file_not_found.
        Conflict: source_changed, while it is read.
        DependencyFailed: store_unavailable, now or while it is read.
    """
    facts = store.facts(key)
    if facts is None:
        raise NotFound(f"File not found: {name}", reason=Reason.FILE_NOT_FOUND)
    return io.BufferedReader(StoredFile(store, key, facts), block_bytes)
