"""Sound on the disk, added to in any order; what nothing was added to is silence and takes no room."""

from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from storycore.rendering.gain import Samples

_STORED = np.dtype("<f4")


class StemFile:
    """Interleaved float32 samples in a file, little-endian, without a header.

    Attributes:
        path: absolute.
        samples: how many there are of each channel.
        channels: 1-8.
    """

    # `new`: an empty one, written over what stands there; else one that stands there, to be read.
    def __init__(self, path: Path, *, samples: int, channels: int, new: bool = True) -> None:
        self.path = path
        self.samples = samples
        self.channels = channels
        self._frame = channels * _STORED.itemsize
        self._file = path.open("w+b" if new else "rb", buffering=0)
        if new:
            self._file.truncate(samples * self._frame)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of the file."""
        self._file.close()

    def add(self, first: int, sound: Samples) -> None:
        """Adds a sound to what is there, from sample `first` on; it must lie inside."""
        self.write(first, self.read(first, len(sound)) + sound)

    def read(self, first: int, count: int) -> Samples:
        """A part; silence before the start and beyond the end."""
        begin, end = max(0, first), min(self.samples, first + count)
        found = np.zeros((count, self.channels), np.float32)
        if begin < end:
            part = np.empty((end - begin, self.channels), _STORED)
            self._file.seek(begin * self._frame)
            self._fill(part.data.cast("B"))
            found[begin - first : end - first] = part
        return found

    def write(self, first: int, sound: Samples) -> None:
        """Replaces what is there, from sample `first` on; it must lie inside."""
        self._file.seek(first * self._frame)
        left = np.ascontiguousarray(sound, _STORED).data.cast("B") if len(sound) else memoryview(b"")
        while left:
            left = left[self._file.write(left) :]

    def _fill(self, room: memoryview) -> None:
        while room:
            count = self._file.readinto(room)
            if not count:
                raise OSError(f"{self.path.name} was cut short")
            room = room[count:]
