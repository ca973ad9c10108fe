"""What finished files look like, to be looked at: each likeness is made once, and kept under what the file is.

Files are decoded by child processes, never in this one.
"""

import secrets
import shutil
import stat
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from storycore.app import App
from storycore.errors import Cancelled, StoryCoreError
from storycore.observe import logging
from storycore.storage.place import names_store
from storycore.tasks.task import Artifact

MOST_KEPT: Final = 2000

log = logging.get(__name__)


class Likenesses:
    """Likenesses of one kind, in a folder of the cache folder.

    Args:
        name: of that folder.
        suffix: of the files in it.
    """

    def __init__(self, name: str, suffix: str) -> None:
        self._name, self._suffix = name, suffix
        self._one_at_a_time = threading.Lock()
        self._failed: set[str] = set()

    def find(self, app: App, artifact: Artifact, make: Callable[[Path], bytes]) -> bytes | None:
        """The likeness of a finished file, made by `make` from its path if there is none yet.

        None where there can be none: the file is not on this machine, is not there as it was made, or can't be read.
        What failed is not tried again by this process.

        Raises:
            Cancelled: `make` was asked to stop.
        """
        kept = app.settings.cache_folder / self._name / f"{artifact.sha256}{self._suffix}"
        found = _read(kept)
        if found is None and artifact.sha256 not in self._failed:
            with self._one_at_a_time:
                found = _read(kept)
                if found is None and artifact.sha256 not in self._failed and is_there(artifact):
                    found = self._make(artifact, kept, make)
        return found

    def _make(self, artifact: Artifact, kept: Path, make: Callable[[Path], bytes]) -> bytes | None:
        try:
            found = make(Path(artifact.path))
            kept.parent.mkdir(parents=True, exist_ok=True)
            part = kept.with_name(f"{kept.name}.{secrets.token_hex(4)}.part")
            part.write_bytes(found)
            part.replace(kept)
        except Cancelled:  # that says nothing of the file
            raise
        except (StoryCoreError, OSError) as fault:
            log.warning("likeness_not_made", kind=self._name, reason=str(fault)[:200])
            if len(self._failed) > MOST_KEPT:
                self._failed.clear()
            self._failed.add(artifact.sha256)
            return None
        forget_oldest(kept.parent.glob(f"*{self._suffix}"), MOST_KEPT)
        return found


def forget_oldest(kept: Iterable[Path], most: int) -> None:
    """Removes the files and folders that were made longest ago, until `most` are left."""
    known = list(kept)
    if len(known) <= most:
        return
    for path in sorted(known, key=_made_at)[: len(known) - most]:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def is_there(artifact: Artifact) -> bool:
    """Whether a regular file of its size stands there; a link is not followed."""
    if names_store(artifact.path):
        return False
    try:
        facts = Path(artifact.path).lstat()
    except (OSError, ValueError):
        return False
    return stat.S_ISREG(facts.st_mode) and facts.st_size == artifact.size_bytes


def _read(kept: Path) -> bytes | None:
    try:
        return kept.read_bytes()
    except OSError:
        return None


def _made_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
