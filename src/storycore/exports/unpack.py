"""Unpacks a package: only one that is whole, only into a new folder, and exactly the bytes that were checked."""

import contextlib
import hashlib
import os
import time
from pathlib import Path
from typing import Final

from storycore.errors import Conflict, InvalidInput, Reason
from storycore.exports.checking.archive_names import is_storable
from storycore.exports.checking.scan import Scan
from storycore.exports.checking.verdict import Defect, Verdict
from storycore.exports.verify import ArchiveFile, CheckedArchive, check_archive, open_package
from storycore.observe.progress import Progress
from storycore.settings import Settings
from storycore.storage.local import new_folder
from storycore.storage.place import StorePlace

_NEW: Final = (
    os.O_WRONLY
    | os.O_CREAT
    | os.O_EXCL  # never through a link, never over anything
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_CLOEXEC", 0)
)
_CHECKED: Final = 0.5
"""Checking and unpacking read the same bytes; each is about half of the work."""


def unpack(path: Path | StorePlace, target: Path, *, settings: Settings, progress: Progress) -> Verdict:
    """Checks a package and, if it is valid, unpacks it: the folder `target` becomes the bag.

    Guarantee: atomic; `target` appears whole or not at all, and after an error or a cancellation nothing is left.
    The package is opened once, and each file is hashed again while it is written: what was checked is what is
    unpacked. Files get mode 0644 and folders 0755, whatever the package says, and files keep their times.

    Args:
        path: the ZIP, here or in a store.
        target: a folder that does not exist yet; the top folder of the ZIP is not repeated in it.
        settings: see `verify_package`.
        progress: is told of bytes, and can cancel.

    Returns:
        The verdict; nothing is written unless it is valid.

    Raises:
        Conflict: output_exists: something stands there; source_changed: the package changed after it was checked.
        InvalidInput: path_invalid: the package is a folder already, or this system can't store a name in it.
        NotFound, AccessDenied, Unavailable: reading or writing is not possible.
        Cancelled: the work was asked to stop.
    """
    if os.path.lexists(target):
        raise Conflict(f"There is already something there: {target.name}", reason=Reason.OUTPUT_EXISTS)
    if isinstance(path, Path) and path.is_dir():
        raise _refused("It is a folder already; there is nothing to unpack.", "Check it without unpack_to.")
    try:
        with open_package(path, check=progress.check) as file:
            checked = check_archive(file, settings=settings, progress=progress, until=_CHECKED)
            if checked.verdict.valid:
                _write(checked, target, progress)
            return checked.verdict
    except Defect as defect:
        raise _refused(defect.message, "Name a ZIP file.") from None


def _refused(message: str, remediation: str) -> InvalidInput:
    return InvalidInput(message, reason=Reason.PATH_INVALID, remediation=remediation)


def _write(checked: CheckedArchive, target: Path, progress: Progress) -> None:
    names = [*checked.folders, *(file.path for file in checked.files)]
    if os.name == "nt" and not all(is_storable(name) for name in names):
        raise _refused("The package holds names that Windows can't store.", "Unpack it on another system.")
    progress.begin("unpacking", total=checked.verdict.bytes_checked, unit="bytes", until=0.999)
    with new_folder(target) as folder:
        made: set[str] = {""}
        for name in checked.folders:
            _make(folder, name, made)
        for file in checked.files:
            _make(folder, file.path.rpartition("/")[0], made)
            _write_file(folder / file.path, file, checked.scan, progress)


def _make(folder: Path, name: str, made: set[str]) -> None:
    """Makes a folder below `folder` and those above it, as far as that was not done."""
    missing = []
    while name not in made:
        missing.append(name)
        name = name.rpartition("/")[0]
    for path in reversed(missing):
        (folder / path).mkdir(mode=0o755)
        made.add(path)


def _write_file(path: Path, file: ArchiveFile, scan: Scan, progress: Progress) -> None:
    digest = hashlib.sha256()
    with os.fdopen(os.open(path, _NEW, 0o644), "wb") as written:
        try:
            for chunk in file.chunks():
                digest.update(chunk)
                written.write(chunk)
                progress.advance(len(chunk))
        except Defect as defect:
            raise _changed(file) from defect
    if digest.digest() != scan.digest(file.path, "sha256"):
        raise _changed(file)
    instant = _modified(file)
    if instant is not None:
        with contextlib.suppress(OSError, OverflowError):  # a time that this file system can't hold is no fault
            os.utime(path, (instant, instant))


def _changed(file: ArchiveFile) -> Conflict:
    return Conflict(
        f"The package changed while it was unpacked, at {file.path!a}; nothing was kept.", reason=Reason.SOURCE_CHANGED
    )


def _modified(file: ArchiveFile) -> float | None:
    """Seconds since 1970; times without a zone are local, as every ZIP program takes them."""
    if file.entry.modified is not None:
        return file.entry.modified
    date, clock = file.entry.dos_time >> 16, file.entry.dos_time & 0xFFFF
    parts = ((date >> 9) + 1980, date >> 5 & 15, date & 31, clock >> 11, clock >> 5 & 63, (clock & 31) * 2)
    if not (1 <= parts[1] <= 12 and 1 <= parts[2] <= 31):
        return None
    with contextlib.suppress(OverflowError, ValueError):
        return time.mktime((*parts, 0, 0, -1))
    return None
