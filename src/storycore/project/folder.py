"""The folder of a project: which files stand in it, and what its JSON files say. Nothing is ever written here.

Each folder is listed once and each JSON file read once. Links are followed only where they stay inside; pipes and
devices are never opened.
"""

import errno
import os
import stat
import unicodedata
from collections.abc import Iterator
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from storycore.errors import AccessDenied, InvalidInput, Reason
from storycore.json_text import BadJson, Reading, read
from storycore.project.draft import Notes
from storycore.project.paths import inside, is_text, relative_inside
from storycore.settings import Settings

_OPEN = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NONBLOCK", "O_NOFOLLOW", "O_BINARY", "O_CLOEXEC"))
_SIDE_FILES_AS_MUCH = 4
"""Side files together may hold this many times what one may hold."""


class ProjectFolder:
    """One project folder, while it is read.

    Attributes:
        path: absolute, links resolved.
        read_files: POSIX paths of the JSON files that were read, in order.
    """

    def __init__(self, path: Path, settings: Settings, notes: Notes) -> None:
        self.path = path
        self.notes = notes
        self.read_files: list[str] = []
        self._settings = settings
        self._listings: dict[str, _Listing] = {}
        self._values: dict[str, Any] = {}
        self._budget = settings.max_project_json_bytes * _SIDE_FILES_AS_MUCH

    def find(self, text: str) -> str | None:
        """POSIX path, relative to the project, of the regular file that `text` names, or None.

        Names match whichever way their accents are composed.
        """
        relative = relative_inside(text)
        if relative is not None and (quick := self._walk(relative)) is not None:
            return quick
        found = inside(self.path, text)
        return found.relative_to(self.path).as_posix() if found else None

    def names(self, folder: str) -> Iterator[str]:
        """Names of the regular files in a folder of the project, sorted."""
        for name, entry in self._listing(folder).entries.items():
            if entry.is_file(follow_symlinks=False):
                yield name

    def folders(self, folder: str) -> Iterator[str]:
        """Names of the folders in a folder of the project, sorted; links are left out."""
        for name, entry in self._listing(folder).entries.items():
            if entry.is_dir(follow_symlinks=False):
                yield name

    def head(self, path: str, size: int) -> bytes:
        """The first bytes of a regular file.

        Raises:
            OSError: it can't be read.
        """
        return self._bytes(path, size)

    def main(self, name: str) -> Reading | None:
        """What the project file `name` says, or None if there is no such file.

        Raises:
            InvalidInput: project_invalid with line and column in `details`; project_too_large.
            AccessDenied: permission_denied.
        """
        if not os.path.lexists(self.path / name):
            return None
        if (found := self.find(name)) is None:
            raise _invalid(name, f"{name} is not a regular file of this project.")
        limit = self._settings.max_project_json_bytes
        try:
            data = self._bytes(found, limit + 1)
        except PermissionError:
            raise AccessDenied(f"{name} can't be read.", reason=Reason.PERMISSION_DENIED) from None
        except OSError as fault:
            raise _invalid(name, f"{name} can't be read: {os.strerror(fault.errno or 0)}.") from None
        if len(data) > limit:
            raise InvalidInput(
                f"{name} is larger than {limit:,} bytes.",
                reason=Reason.PROJECT_TOO_LARGE,
                remediation="Split the project, or raise max_project_json_bytes.",
                details={"file": name},
            )
        if not data.strip():
            raise _invalid(name, f"{name} is empty (line 1, column 1).", 1, 1)
        try:
            reading = read(data, max_depth=self._settings.max_json_depth)
        except BadJson as fault:
            raise _invalid(name, f"{name}: {fault}", fault.line, fault.column) from None
        if not isinstance(reading.value, dict):
            raise _invalid(name, f"{name} does not hold one JSON object (line 1, column 1).", 1, 1)
        self._tell_oddities(name, reading)
        return reading

    def load(self, path: str) -> Any:
        """What the side file `path` says, or None if it is absent or broken; a broken one is told and left alone."""
        if path not in self._values:
            self._values[path] = self._load(path)
        return self._values[path]

    def _load(self, path: str) -> Any:
        found = self.find(path)
        if found is None:
            if os.path.lexists(self.path / path):
                self._broken(path, "it is no regular file of this project")
            return None
        limit = min(self._settings.max_project_json_bytes, self._budget)
        try:
            data = self._bytes(found, limit + 1)
            if len(data) > limit:
                self._broken(path, "it is too large")
                return None
            reading = read(data, max_depth=self._settings.max_json_depth)
        except BadJson as fault:
            self._broken(path, str(fault))
            return None
        except OSError as fault:
            self._broken(path, os.strerror(fault.errno or 0))
            return None
        self._budget -= len(data)
        self.read_files.append(found)
        self._tell_oddities(found, reading)
        return reading.value

    def _broken(self, path: str, why: str) -> None:
        self.notes.warn(path, "", "side_file_broken", f"It was not read: {why}.")

    def _tell_oddities(self, file: str, reading: Reading) -> None:
        for name in dict.fromkeys(reading.duplicates):
            self.notes.warn(file, "", "duplicate_key", f"The key {name!r} stands twice in one object; the last counts.")
        if reading.repaired:
            count = "1 text" if reading.repaired == 1 else f"{reading.repaired} texts"
            self.notes.warn(file, "", "text_repaired", f"{count} held half a surrogate pair, replaced by U+FFFD.")

    def _bytes(self, path: str, most: int) -> bytes:
        # Not blocking and checked after opening, in case a pipe takes the file's place meanwhile.
        descriptor = os.open(self.path / path, _OPEN)
        with open(descriptor, "rb") as file:  # noqa: PTH123 - a descriptor has no path
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise OSError(errno.EINVAL, "not a regular file")
            return file.read(most)

    def _walk(self, relative: PurePosixPath) -> str | None:
        folder = ""
        *parents, last = relative.parts
        for name in parents:
            entry = self._listing(folder).entry(name)
            if entry is None or not entry.is_dir(follow_symlinks=False):
                return None
            folder = f"{folder}{entry.name}/"
        entry = self._listing(folder).entry(last)
        return f"{folder}{entry.name}" if entry is not None and entry.is_file(follow_symlinks=False) else None

    def _listing(self, folder: str) -> "_Listing":
        path = PurePosixPath(folder)
        key = "" if folder in ("", ".") else f"{path.as_posix()}/"
        if key not in self._listings:
            self._listings[key] = self._scan(path, key)
        return self._listings[key]

    def _scan(self, path: PurePosixPath, key: str) -> "_Listing":
        if key:
            entry = self._listing(path.parent.as_posix()).entry(path.name)
            if entry is None or not entry.is_dir(follow_symlinks=False):
                return _Listing({}, {})
        try:
            with os.scandir(self.path / key) as entries:
                listed = list(islice(entries, self._settings.max_project_files))
        except OSError:
            return _Listing({}, {})
        found = {entry.name: entry for entry in listed if is_text(entry.name)}
        composed = {_composed(name): entry for name, entry in found.items() if not name.isascii()}
        return _Listing(dict(sorted(found.items())), composed)


class _Listing(NamedTuple):
    entries: dict[str, "os.DirEntry[str]"]
    composed: dict[str, "os.DirEntry[str]"]

    def entry(self, name: str) -> "os.DirEntry[str] | None":
        return self.entries.get(name) or (None if name.isascii() else self.composed.get(_composed(name)))


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _invalid(file: str, message: str, line: int | None = None, column: int | None = None) -> InvalidInput:
    place = {} if line is None else {"line": line, "column": column}
    return InvalidInput(message, reason=Reason.PROJECT_INVALID, details={"file": file, **place})
