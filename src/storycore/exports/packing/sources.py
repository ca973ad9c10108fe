"""Reads the files of a project as they were listed, or not at all.

A file that is gone, is another one, or has another size or time than when the project was listed is refused, and so
is one that changes while it is read. Nothing is reached through a link, from nothing but a regular file anything
is taken, and nothing blocks, whoever swaps what meanwhile.
"""

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self

from storycore.errors import AccessDenied, Conflict, Reason
from storycore.exports.packing.compression import SAMPLE_BYTES
from storycore.project.content import HEAD_BYTES
from storycore.project.files import SourceFile
from storycore.units import MEBIBYTE

_BY_DESCRIPTOR = os.open in os.supports_dir_fd
_FILE_FLAGS = os.O_RDONLY
_FOLDER_FLAGS = os.O_RDONLY
for _name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY", "O_NOINHERIT"):  # what this system knows of them
    _FILE_FLAGS |= getattr(os, _name, 0)
for _name in ("O_NOFOLLOW", "O_DIRECTORY", "O_CLOEXEC"):
    _FOLDER_FLAGS |= getattr(os, _name, 0)

_AHEAD_BYTES = MEBIBYTE // 2
_AHEAD_FILES = 32
_SAMPLE_PARTS = 4


class SourceFolder:
    """A project folder whose files are read for packing; use it as a context manager.

    Files that stand in the same folder should be asked for one after the other.

    Args:
        folder: absolute path of the project, links resolved.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._root = -1
        self._current, self._current_name = -1, ""
        self._buffer = bytearray(0)

    def __enter__(self) -> Self:
        if _BY_DESCRIPTOR:
            try:
                self._root = os.open(self._folder, _FOLDER_FLAGS)
            except OSError as fault:
                _refuse("The project folder", fault)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()
        if self._root >= 0:
            os.close(self._root)
            self._root = -1

    def read(self, file: SourceFile) -> bytes:
        """All of a file, which should be small.

        Raises:
            Conflict: source_changed: it is not what was listed.
            AccessDenied: permission_denied: it can't be read.
        """
        descriptor, size = self._open(file), file.size_bytes
        try:
            data = _read_at(descriptor, size + 1, 0)
            while data and len(data) < size and (more := _read_at(descriptor, size, len(data))):
                data += more
            after = os.fstat(descriptor)
        except OSError as fault:
            _refuse(file.path, fault)
        finally:
            os.close(descriptor)
        _check(file, after)
        if len(data) != size:
            raise _changed(file.path)
        return data

    def read_ahead(self, files: Iterable[SourceFile], *, most_bytes: int) -> Iterator[tuple[SourceFile, bytes | None]]:
        """Each file with all of it, in order, or with None if it is larger than `most_bytes` and is to be opened.

        Small ones are read some at a time: a processor that goes to and fro between the system and other work is
        slower at both. Memory: `most_bytes` and half a MiB.

        Raises:
            Conflict, AccessDenied: see `read`.
        """
        for group in _groups(files):
            read = self.read
            yield from [(file, read(file) if file.size_bytes <= most_bytes else None) for file in group]

    @contextlib.contextmanager
    def open(self, file: SourceFile) -> Iterator["OpenSource"]:
        """A file of any size, read in parts; at the end of the block it is looked at once more.

        Raises:
            Conflict: source_changed: it is not what was listed.
            AccessDenied: permission_denied: it can't be read.
        """
        if not self._buffer:
            self._buffer = bytearray(MEBIBYTE)
        descriptor = self._open(file)
        try:
            _check(file, os.fstat(descriptor))
            if hasattr(os, "posix_fadvise"):
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_SEQUENTIAL)
            yield OpenSource(file, descriptor, self._buffer)
            _check(file, os.fstat(descriptor))
        finally:
            os.close(descriptor)

    def _open(self, file: SourceFile) -> int:
        try:
            if not _BY_DESCRIPTOR:
                return self._open_by_path(file)
            folder, _, name = file.path.rpartition("/")
            if folder != self._current_name or self._current < 0:
                self._go_to(folder)
            return os.open(name, _FILE_FLAGS, dir_fd=self._current)
        except OSError as fault:
            _refuse(file.path, fault)

    def _go_to(self, folder: str) -> None:
        """Opens a folder name by name, so that no name on the way can be a link."""
        self._leave()
        here = os.dup(self._root)
        for name in folder.split("/") if folder else ():
            try:
                below = os.open(name, _FOLDER_FLAGS, dir_fd=here)
            finally:
                os.close(here)
            here = below
        self._current, self._current_name = here, folder

    def _leave(self) -> None:
        if self._current >= 0:
            os.close(self._current)
            self._current = -1

    def _open_by_path(self, file: SourceFile) -> int:
        """For systems without descriptors of folders: the path is resolved once more after opening."""
        path = self._folder / file.path
        descriptor = os.open(path, _FILE_FLAGS)
        if path.resolve() != path:
            os.close(descriptor)
            raise _changed(file.path)
        return descriptor


class OpenSource:
    """A large file that is open for reading."""

    def __init__(self, file: SourceFile, descriptor: int, buffer: bytearray) -> None:
        self._file, self._descriptor, self._buffer = file, descriptor, buffer

    @property
    def size_bytes(self) -> int:
        """How large it was when it was listed, and still is."""
        return self._file.size_bytes

    def head(self) -> bytes:
        """The first `HEAD_BYTES`."""
        return self._at(0, HEAD_BYTES)

    def sample(self) -> bytes:
        """Four parts spread over all of it, `SAMPLE_BYTES` together."""
        length = SAMPLE_BYTES // _SAMPLE_PARTS
        step = max(self.size_bytes - length, 0) // (_SAMPLE_PARTS - 1)
        return b"".join(self._at(part * step, length) for part in range(_SAMPLE_PARTS))

    def parts(self) -> Iterator[memoryview]:
        """All of it from the start, a MiB at a time; each part is valid until the next is asked for.

        Raises:
            Conflict: source_changed: it shrank or grew.
            AccessDenied: permission_denied: it can't be read.
        """
        view, left = memoryview(self._buffer), self.size_bytes
        try:
            os.lseek(self._descriptor, 0, os.SEEK_SET)
            with open(self._descriptor, "rb", buffering=0, closefd=False) as raw:
                while count := raw.readinto(view):
                    left -= count
                    if left < 0:
                        break
                    yield view[:count]
        except OSError as fault:
            _refuse(self._file.path, fault)
        if left:
            raise _changed(self._file.path)

    def _at(self, position: int, length: int) -> bytes:
        try:
            os.lseek(self._descriptor, position, os.SEEK_SET)
            return os.read(self._descriptor, length)
        except OSError as fault:
            _refuse(self._file.path, fault)


def _groups(files: Iterable[SourceFile]) -> Iterator[list[SourceFile]]:
    """Files that stand one after the other; together they are small, but for the last one in each group."""
    group: list[SourceFile] = []
    size = 0
    for file in files:
        group.append(file)
        size += file.size_bytes
        if size >= _AHEAD_BYTES or len(group) >= _AHEAD_FILES:
            yield group
            group, size = [], 0
    yield group


if hasattr(os, "pread"):
    _read_at = os.pread
    """Reads at a position, which pipes refuse: so none loses anything to who looks afterwards what it was."""
else:  # Windows, where no pipe stands in a folder

    def _read_at(descriptor: int, length: int, _position: int, /) -> bytes:
        return os.read(descriptor, length)


def _check(file: SourceFile, facts: os.stat_result) -> None:
    _, _, size, modified_ns, inode, device = file
    same = (
        facts.st_size == size
        and facts.st_mtime_ns == modified_ns
        and (not inode or (facts.st_ino == inode and facts.st_dev == device))
        and stat.S_ISREG(facts.st_mode)
    )
    if not same:
        raise _changed(file.path)


def _changed(path: str) -> Conflict:
    return Conflict(
        f"{path} changed while the project was packed.", reason=Reason.SOURCE_CHANGED, details={"path": path}
    )


def _refuse(path: str, fault: OSError) -> NoReturn:
    """Tells why a source can't be read, in words that are not about the target."""
    if isinstance(fault, PermissionError):
        raise AccessDenied(
            f"{path} can't be read: {fault.strerror}.",
            reason=Reason.PERMISSION_DENIED,
            remediation="Give StoryCore the right to read it, or move it out of the project.",
            details={"path": path},
        ) from fault
    raise Conflict(
        f"{path} can't be read any more: {fault.strerror}.", reason=Reason.SOURCE_CHANGED, details={"path": path}
    ) from fault
