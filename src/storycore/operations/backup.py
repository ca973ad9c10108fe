"""Backups of what StoryCore remembers: the database, and the key that secrets in it are locked with, together."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from storycore.app import App
from storycore.errors import Conflict, NotFound, Reason
from storycore.observe.progress import Progress
from storycore.operations.run import system_errors
from storycore.storage.local import new_file
from storycore.units import now, stamp


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptCopy:
    """A backup that was made or restored.

    Attributes:
        path: absolute.
        size_bytes: of the file.
        rows: how many rows it holds, in all tables.
        has_secret: whether the key for secrets is in it.
    """

    path: Path
    size_bytes: int
    rows: int
    has_secret: bool


def back_up(app: App, target: Path, progress: Progress) -> KeptCopy:
    """Writes everything to a new file, as it stood at one moment; others may go on meanwhile.

    Guarantee: atomic; no file is replaced, and no folder is made: one that is not there may be a disk that is not
    there. The file can be read by its owner alone, where the system knows owners.

    Args:
        app: with a database.
        target: name of the file, or a folder that it is put in under a name with the time.
        progress: told how far it is; can cancel.

    Raises:
        NotFound: file_not_found: the folder, or the current one, is not there.
        Conflict: output_exists.
        AccessDenied: permission_denied.
        Unavailable: database_unavailable, disk_full.
    """
    from storycore.database.backup import back_up as copy

    with system_errors():
        path = (target / f"storycore-{stamp(now())}.backup" if target.is_dir() else target).absolute()
        if not path.parent.is_dir():
            raise no_folder(path.parent)
        place = app.settings.sealing_key_place
        secret = place.read_bytes() if place.is_file() else None
        with _own_file(path) as file:
            made = copy(app.database, file, secret=secret, progress=progress)
    progress.finish()
    size = path.stat().st_size
    return KeptCopy(path=path, size_bytes=size, rows=sum(made.rows.values()), has_secret=made.has_secret)


def no_folder(path: Path) -> NotFound:
    """The error for a folder that is not there."""
    return NotFound(f"There is no folder {path}.", remediation="Make it, or put in the disk that it is on.")


def restore(app: App, source: Path, progress: Progress) -> KeptCopy:
    """Fills the database, which must be empty, from a backup, and puts the key for secrets in its place.

    Guarantee: all or nothing; a backup that is not whole is refused before anything is written.

    Raises:
        NotFound: file_not_found.
        AccessDenied: permission_denied.
        InvalidInput: backup_invalid: the file is no backup, or is damaged.
        Conflict: database_not_empty; output_exists: another key for secrets stands there.
        Unavailable: database_newer: it was made by a newer version; database_unavailable, disk_full.
    """
    from storycore.database import backup

    if not source.is_file():
        raise NotFound(f"There is no such file: {source.name}", reason=Reason.FILE_NOT_FOUND)
    with system_errors(), source.open("rb") as file:
        found, secret = backup.read(file)
        with _kept(secret, app.settings.sealing_key_place):
            backup.restore(app.database, file, found, progress)
    progress.finish()
    size = source.stat().st_size
    return KeptCopy(path=source.absolute(), size_bytes=size, rows=sum(found.rows.values()), has_secret=found.has_secret)


@contextlib.contextmanager
def _kept(key: bytes | None, place: Path) -> Iterator[None]:
    """The key for secrets stands in its place before the block begins; it is taken back if the block fails.

    Raises:
        Conflict: output_exists: another one stands there.
    """
    if key is None or (place.exists() and place.read_bytes() == key):
        yield
        return
    if place.exists():
        raise Conflict(
            "Another key for secrets stands there already.",
            reason=Reason.OUTPUT_EXISTS,
            remediation="Move that file away, or name another one with STORYCORE_SECRET_KEY_FILE.",
        )
    with _own_file(place) as file:
        file.write(key)
    try:
        yield
    except BaseException:
        place.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def _own_file(path: Path) -> Iterator[BinaryIO]:
    """A new file for its owner alone, where the system knows owners."""
    with new_file(path) as file:
        if os.name != "nt":
            Path(file.name).chmod(0o600)
        yield file
