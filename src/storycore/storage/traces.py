"""What a piece of work leaves on the disk, noted before it appears, so that it can be taken back after a crash.

A process that is killed can't tidy up. Whoever takes its work over reads the notes and removes what it left: the
files that were not finished, and those that were, but that nobody was told of.
"""

import contextlib
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from storycore.errors import StoryCoreError
from storycore.observe import logging

FOLDER, PART, FINISHED, UPLOAD = "folder", "part", "finished", "upload"
"""An upload is told by the URL of its object; its mark is read by `objects.take_back`."""

log = logging.get(__name__)


@dataclass(frozen=True, slots=True)
class Author:
    """On whose behalf files are written.

    Attributes:
        label: stands in the names of temporary files; letters, digits, - and _.
        note: told of each trace before it appears, as `(kind, path, mark)`; raises to forbid it.
    """

    label: str
    note: Callable[[str, str, str], None]


_author: ContextVar[Author | None] = ContextVar("author", default=None)


@contextlib.contextmanager
def tracing(label: str, note: Callable[[str, str, str], None]) -> Iterator[None]:
    """While the block runs, what this thread writes through `storage` is noted."""
    token = _author.set(Author(label, note))
    try:
        yield
    finally:
        _author.reset(token)


def label() -> str:
    """Label of the author at work, or ""."""
    author = _author.get()
    return author.label if author else ""


def note(kind: str, path: Path | str, mark: str = "") -> None:
    """Notes what is about to appear; whatever forbids it raises."""
    author = _author.get()
    if author:
        author.note(kind, str(path), mark)


def mark_of(path: Path) -> str:
    """Tells this very file or folder, unchanged, from any other at its place later; renaming keeps the mark."""
    facts = path.lstat()
    return f"{facts.st_dev}:{facts.st_ino}:{facts.st_size}:{facts.st_mtime_ns}"


def take_back(traces: Sequence[Sequence[str]]) -> None:
    """Removes what an author left, the last first; what is not surely its own, or has gone, is left alone."""
    for kind, text, mark in reversed(traces):
        if kind == UPLOAD:
            _take_back_upload(text, mark)
            continue
        path = Path(text)
        with contextlib.suppress(OSError):
            if kind == FOLDER:
                path.rmdir()
            elif kind == PART or mark_of(path) == mark:
                _remove(path)


def _take_back_upload(url: str, mark: str) -> None:
    from storycore.storage.objects import take_back as take_back_object

    try:
        take_back_object(url, mark)
    except StoryCoreError as fault:  # the store is away; what must be done is not held up by what was left
        log.warning("upload_not_taken_back", url=url, reason=fault.reason.value)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink()
