"""An unpacked package: the files of a folder, read without following a link or waiting for a pipe."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from storycore.exports.checking.archive_names import Twins, is_storable
from storycore.exports.checking.verdict import Defect, Finding, Findings
from storycore.project.content import open_regular

CHUNK_BYTES: Final = 256 * 1024
_MAX_DEPTH: Final = 200


@dataclass(frozen=True, slots=True)
class FolderFile:
    """One regular file of a folder, as it was when the folder was listed.

    Attributes:
        name: POSIX path relative to the folder.
        size_bytes: its size.
        identity: device and inode; (0, 0) where there are none.
    """

    name: str
    size_bytes: int
    identity: tuple[int, int]


class Folder:
    """The files and folders below a folder, sorted by path.

    Links, pipes, devices and names that are not text are told as faults; names that Windows can't store or keep
    apart, as warnings.

    Args:
        root: the folder.
        findings: is told what is wrong or odd.
        max_files: more are refused.
    """

    def __init__(self, root: Path, findings: Findings, *, max_files: int) -> None:
        self._root = root
        self._findings = findings
        self.folders: set[str] = set()
        files: list[FolderFile] = []
        for file in self._walk():
            files.append(file)
            if len(files) + len(self.folders) > max_files:
                findings.fault("", Finding.TOO_MANY_FILES, f"The folder holds more than {max_files} files and folders.")
                break
        self.files = tuple(sorted(files, key=lambda file: file.name))
        self._check_names()

    def chunks(self, file: FolderFile) -> Iterator[bytes]:
        """The content of a file.

        Raises:
            Defect: unreadable: it can't be read, or is another file or of another size than when the folder was listed.
        """
        try:
            with open_regular(self._root / file.name) as opened:
                facts = os.fstat(opened.fileno())
                if file.identity not in ((facts.st_dev, facts.st_ino), (0, 0)):
                    raise Defect(Finding.UNREADABLE, "It was replaced while the folder was checked.")
                left = file.size_bytes
                while chunk := opened.read(min(CHUNK_BYTES, left + 1)):
                    left -= len(chunk)
                    if left < 0:
                        break
                    yield chunk
        except OSError as fault:
            why = os.strerror(fault.errno) if fault.errno else "it is no regular file any more"
            raise Defect(Finding.UNREADABLE, f"It can't be read: {why}.") from None
        if left:
            raise Defect(Finding.UNREADABLE, "Its size changed while it was read.")

    def _walk(self) -> Iterator[FolderFile]:
        waiting = [""]
        while waiting:
            prefix = waiting.pop()
            try:
                with os.scandir(self._root / prefix) as entries:
                    for entry in entries:
                        yield from self._visit(entry, prefix, waiting)
            except OSError as fault:
                message = f"The folder can't be read: {os.strerror(fault.errno or 0)}."
                self._findings.fault(prefix, Finding.UNREADABLE, message)

    def _visit(self, entry: "os.DirEntry[str]", prefix: str, waiting: list[str]) -> Iterator[FolderFile]:
        name = prefix + entry.name
        if entry.is_symlink() or getattr(entry, "is_junction", bool)():
            self._findings.fault(name, Finding.LINK, "It is a link; links are not followed.")
        elif not _is_text(name):
            self._findings.fault(name, Finding.NAME_NOT_TEXT, "The name is not valid Unicode.")
        elif entry.is_dir(follow_symlinks=False):
            self._enter(name, waiting)
        else:
            facts = os.stat(entry.path, follow_symlinks=False)  # noqa: PTH116 - unlike entry.stat(), has the inode on Windows
            if stat.S_ISREG(facts.st_mode):
                yield FolderFile(name, facts.st_size, (facts.st_dev, facts.st_ino))
            else:
                self._findings.fault(name, Finding.NOT_A_FILE, "It is a pipe, a socket or a device.")

    def _enter(self, name: str, waiting: list[str]) -> None:
        if name.count("/") >= _MAX_DEPTH:
            self._findings.fault(name, Finding.UNREADABLE, f"It is more than {_MAX_DEPTH} folders deep.")
            return
        self.folders.add(name)
        waiting.append(name + "/")

    def _check_names(self) -> None:
        twins = Twins()
        for file in self.files:
            if not is_storable(file.name):
                self._findings.warn(file.name, Finding.NAME_NOT_PORTABLE, "Windows can't store a file of this name.")
            for reason, message in twins.add(file.name):
                self._findings.warn(file.name, reason, message)


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
