"""A pipe between who writes and who sends: parts of equal size, few of them waiting.

Who writes faster than is sent waits. Either side can end it, and the other hears of it. The memory of a part is used
again once nobody holds it: to get new memory from the system for each would cost more than to fill it.
"""

import hashlib
import queue
import threading
from collections import deque
from collections.abc import Callable

_LOOK_SECONDS = 0.1


class Broken(Exception):  # noqa: N818 - it is a state, told to the other side, and nobody's error
    """The other side has gone."""


class Pipe:
    """Bytes written by one thread, read as parts by another.

    Memory: one part that is filled, one that waits, and whatever the reader holds.

    Args:
        part_bytes: size of every part but the last.
        check: called while the writer waits; what it raises ends the waiting.
        begun: called before the first part is handed over.

    Attributes:
        size_bytes: written so far.
        part_digests: MD5 of each part read so far; a checksum against accidents, as stores use it.
        is_finished: whether the reader can come to the end of it all.
    """

    def __init__(self, part_bytes: int, *, check: Callable[[], None], begun: Callable[[], None]) -> None:
        self.size_bytes = 0
        self.part_digests: list[bytes] = []
        self.is_finished = False
        self._part_bytes = part_bytes
        self._check, self._begun = check, begun
        self._part, self._filled = bytearray(), 0
        self._parts: queue.Queue[bytearray | None] = queue.Queue(maxsize=1)
        self._read: bytearray | None = None
        self._used: deque[bytearray] = deque()
        self._has_begun = False
        self._broken = threading.Event()
        self._reader_gone = threading.Event()

    # Who writes

    def write(self, data: bytes | memoryview, /) -> int:
        """Takes all of it; waits while the reader is behind.

        Raises:
            Broken: the reader has gone.
        """
        view = memoryview(data).cast("B")
        size = len(view)
        while view:
            if self._filled == self._part_bytes:  # only when more comes: a last part that is full is told by `finish`
                self._hand_over()
            if not self._part:
                self._part = self._room()
            taken = min(self._part_bytes - self._filled, len(view))
            self._part[self._filled : self._filled + taken] = view[:taken]
            self._filled += taken
            view = view[taken:]
        self.size_bytes += size
        return size

    @property
    def rest(self) -> bytearray:
        """What was written and not handed over yet; all of it, if that is at most one part."""
        del self._part[self._filled :]
        return self._part

    def finish(self) -> None:
        """Hands over the rest; the reader comes to its end.

        Raises:
            Broken: the reader has gone.
        """
        self._hand_over()
        self.is_finished = True
        self._put(None)

    def break_off(self) -> None:
        """The reader meets `Broken` at its next part."""
        self._broken.set()

    def _hand_over(self) -> None:
        if not self._has_begun:
            self._has_begun = True
            self._begun()
        part, self._part, self._filled = self.rest, bytearray(), 0  # the reader's from now on
        self._put(part)

    def _room(self) -> bytearray:
        """Memory for a part: that of a used one which nobody holds any more, else new."""
        for _ in range(len(self._used)):
            part = self._used.popleft()
            if len(part) == self._part_bytes and _is_free(part):
                return part
            self._used.append(part)
        return bytearray(self._part_bytes)  # in one piece: one that grows takes more while it does

    def _put(self, part: bytearray | None) -> None:
        while True:
            if self._reader_gone.is_set():
                raise Broken
            try:
                self._parts.put(part, timeout=_LOOK_SECONDS)
            except queue.Full:
                self._check()
            else:
                return

    # Who reads

    def __iter__(self) -> "Pipe":
        return self

    def __next__(self) -> memoryview:
        """The next part; its bytes stay as they are for as long as this view, or one made of it, is held.

        Raises:
            Broken: who writes has broken off.
        """
        if self._read is not None:
            self._used.append(self._read)
            self._read = None
        while True:
            if self._broken.is_set():
                raise Broken
            try:
                part = self._parts.get(timeout=_LOOK_SECONDS)
            except queue.Empty:
                continue
            if part is None and not self._broken.is_set():
                raise StopIteration
            if part is not None:
                self.part_digests.append(hashlib.md5(part, usedforsecurity=False).digest())
                self._read = part
                return memoryview(part)

    def leave(self) -> None:
        """The reader reads no more; who writes meets `Broken`."""
        self._reader_gone.set()


def _is_free(part: bytearray) -> bool:
    """Whether nobody holds a view of it: while somebody does, it can't change its length."""
    try:
        part.append(part.pop())
    except BufferError:
        return False
    return True
