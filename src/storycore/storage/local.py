"""Files on this machine, written whole or not at all."""

import contextlib
import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NoReturn

from storycore.errors import AccessDenied, Conflict, InvalidInput, NotFound, Reason, Unavailable
from storycore.storage import traces
from storycore.units import human_bytes

_FULL = frozenset({errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})
_DENIED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


@contextlib.contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """A binary file, open for writing, reading and seeking, that appears under `path` when the block ends well.

    Guarantee: atomic. Until the end the bytes stand under a temporary name in the same folder; then they are synced
    to the disk and renamed. After an error nothing is left, neither the temporary file nor folders that were made
    for it. A file that stands there already is never replaced.

    Raises:
        Conflict: output_exists.
        Unavailable: disk_full.
        AccessDenied: permission_denied.
        InvalidInput: path_invalid: a part of the path is a file, or a link in a circle.
    """
    if os.path.lexists(path):
        raise Conflict(f"There is already a file: {path.name}", reason=Reason.OUTPUT_EXISTS)
    made: list[Path] = []
    temporary = temporary_name(path)
    try:
        make_folders(path.parent, made)
        traces.note(traces.PART, temporary)
        with temporary.open("x+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        traces.note(traces.FINISHED, path, traces.mark_of(temporary))
        _publish(temporary, path)
    except BaseException as fault:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        remove_empty(made)
        if isinstance(fault, OSError):
            explain(fault, path)
        raise


@contextlib.contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A folder that appears under `path` when the block ends well; until then it stands beside it, yours alone.

    Guarantee: atomic. After an error nothing is left, neither what was written nor folders that were made for it.
    Whatever stands there already is never touched. Files in it are not synced to the disk one by one.

    Raises:
        Conflict: output_exists.
        Unavailable: disk_full.
        AccessDenied: permission_denied.
        InvalidInput: path_invalid: a part of the path is a file, or too long.
    """
    if os.path.lexists(path):
        raise Conflict(f"There is already something there: {path.name}", reason=Reason.OUTPUT_EXISTS)
    made: list[Path] = []
    temporary = temporary_name(path)
    try:
        make_folders(path.parent, made)
        traces.note(traces.PART, temporary)
        temporary.mkdir(mode=0o700)
        yield temporary
        traces.note(traces.FINISHED, path, traces.mark_of(temporary))
        publish_folder(temporary, path)
        sync_folder(path.parent)
    except BaseException as fault:
        shutil.rmtree(temporary, ignore_errors=True)
        remove_empty(made)
        if isinstance(fault, OSError):
            explain(fault, path)
        raise


@contextlib.contextmanager
def free_folder(parent: Path, name: str) -> Iterator[Path]:
    """A new, empty folder in `parent` called `name`, or `name_2`, `name_3`, … where that is taken.

    Guarantee: no two callers get the same one. After an error it is gone again if it is empty, and so are folders that
    were made for it.

    Raises:
        Unavailable: disk_full.
        AccessDenied: permission_denied.
        InvalidInput: path_invalid: a part of the path is a file.
    """
    made: list[Path] = []
    try:
        make_folders(parent, made)
        made.append(_take_name(parent, name))
        yield made[-1]
    except BaseException as fault:
        remove_empty(made)
        if isinstance(fault, OSError):
            explain(fault, parent / name)
        raise


@contextlib.contextmanager
def scratch_folder(parent: Path) -> Iterator[Path]:
    """A new folder in `parent` for what is needed for a while; gone with all that is in it when the block ends.

    After a kill, whoever takes the work over removes it.

    Raises:
        Unavailable: disk_full.
        AccessDenied: permission_denied.
    """
    place = parent / secrets.token_hex(8)
    traces.note(traces.PART, place)
    try:
        place.mkdir(parents=True, mode=0o700)
    except OSError as fault:
        explain(fault, place)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def from_system(fault: OSError) -> AccessDenied | NotFound | Unavailable | None:
    """The error for what the operating system refused, or None if it is none that a person could mend."""
    if fault.errno in _FULL:
        return Unavailable("No room left to write.", reason=Reason.DISK_FULL)
    if fault.errno in _DENIED:
        return AccessDenied("Not allowed to read or write there.", reason=Reason.PERMISSION_DENIED)
    if fault.errno == errno.ENOENT and fault.filename is None:  # asked for by no name, only the current folder is
        return NotFound("The current folder is gone.", remediation="Go to another folder.")
    return None


def explain(fault: OSError, path: Path) -> NoReturn:
    """Raises the error that tells a person why writing to `path` failed."""
    if fault.errno in _FULL:
        raise Unavailable(f"No room left to write {path.name}.", reason=Reason.DISK_FULL) from fault
    if fault.errno in _DENIED:
        raise AccessDenied(f"Not allowed to write {path.name} there.", reason=Reason.PERMISSION_DENIED) from fault
    if fault.errno in (
        errno.ENOTDIR,
        errno.ENAMETOOLONG,
        errno.EINVAL,
        errno.EEXIST,
        errno.ENOENT,
        errno.EISDIR,
        errno.ELOOP,
    ):
        raise InvalidInput(
            f"{path.name} can't be written there: {os.strerror(fault.errno or 0)}.",
            reason=Reason.PATH_INVALID,
            remediation="Name a folder, or a file in one; what stands in the way may be a file.",
        ) from fault
    raise fault


def require_room(folder: Path, least_bytes: int, what: str) -> None:
    """Refuses at once what can't fit, rather than after an hour of writing.

    Args:
        folder: absolute; it, or a folder above, stands.
        least_bytes: so much will be written, or more.
        what: that will be written, as a sentence begins.

    Raises:
        Unavailable: disk_full.
    """
    there = next(place for place in (folder, *folder.parents) if place.exists())
    room = shutil.disk_usage(there)
    if room.total and least_bytes > room.free:  # what is no disk has no size either, and gets its own error
        raise Unavailable(
            f"{what} needs at least {human_bytes(least_bytes)}, more than is free there.", reason=Reason.DISK_FULL
        )


def temporary_name(path: Path) -> Path:
    """A name of its own beside `path`, hidden, and not too long in any script."""
    start = path.name.encode(errors="ignore")[:80].decode(errors="ignore")
    author = f".{traces.label()}" if traces.label() else ""
    return path.with_name(f".{start}{author}.{secrets.token_hex(6)}.part")


def make_folders(folder: Path, made: list[Path]) -> None:
    """Makes a folder and those above it as far as they are missing, and adds them to `made`."""
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for path in reversed(missing):
        traces.note(traces.FOLDER, path)  # if another process makes it meanwhile, it is taken back only when empty
        with contextlib.suppress(FileExistsError):  # then it is theirs
            path.mkdir()
            made.append(path)


def remove_empty(made: list[Path]) -> None:
    """Removes folders that were made for nothing, as far as they are empty."""
    for folder in reversed(made):
        with contextlib.suppress(OSError):
            folder.rmdir()


def _take_name(parent: Path, name: str) -> Path:
    folder, number = parent / name, 1
    while True:
        try:
            traces.note(traces.FOLDER, folder)
            folder.mkdir()
        except FileExistsError:
            number += 1
            folder = parent / f"{name}_{number}"
        else:
            return folder


def _publish(temporary: Path, path: Path) -> None:
    # A hard link refuses to replace what another process put there meanwhile; a rename would not.
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise Conflict(f"There is already a file: {path.name}", reason=Reason.OUTPUT_EXISTS) from None
    except OSError:  # a file system without hard links
        if os.path.lexists(path):
            raise Conflict(f"There is already a file: {path.name}", reason=Reason.OUTPUT_EXISTS) from None
        temporary.rename(path)
    else:
        temporary.unlink()
    sync_folder(path.parent)


def publish_folder(temporary: Path, path: Path) -> None:
    """Gives a finished folder its name.

    Raises:
        Conflict: output_exists: something stands there.
        OSError: it can't be renamed.
    """
    temporary.chmod(0o755)
    if os.path.lexists(path):
        raise Conflict(f"There is already something there: {path.name}", reason=Reason.OUTPUT_EXISTS)
    try:
        # Over a file, a link or a folder that is not empty, put there this very moment, renaming a folder fails.
        temporary.rename(path)
    except OSError as fault:
        if os.path.lexists(path):
            raise Conflict(f"There is already something there: {path.name}", reason=Reason.OUTPUT_EXISTS) from fault
        raise


def sync_folder(folder: Path) -> None:
    """Sees that the names in a folder are on the disk."""
    if os.name == "nt":  # Windows syncs names with the file
        return
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
