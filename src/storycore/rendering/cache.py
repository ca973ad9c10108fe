"""Rendered segments, kept to be used again, by what they show.

Several processes may use one cache at a time: a segment appears under its name whole, and whoever uses one gets a name
of his own for it (a hard link), so that tidying up takes nothing away from anybody.
"""

import contextlib
import json
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from storycore.storage import traces

_STALE_SECONDS = 24 * 3600
_ROOM_LEFT = 0.9


class SegmentCache:
    """The segments below one folder.

    Args:
        folder: made when it is first needed.
        most_bytes: to keep; the least recently used ones go first.
    """

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self._folder, self._most = folder, most_bytes

    def take(self, key: str, target: Path) -> bool:
        """Gives a kept segment the name `target` too; False if it is not there."""
        kept = self._path(key)
        try:
            os.utime(kept)
            _link(kept, target)
        except OSError:
            return False
        return True

    def held(self, key: str) -> int | None:
        """Bytes of a kept segment; None if it is not there. Nothing is changed by asking."""
        try:
            return self._path(key).stat().st_size
        except OSError:
            return None

    def new(self, key: str) -> Path:
        """Where a new segment is written to; `keep` gives it its name."""
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.with_name(f"{key}.{secrets.token_hex(6)}.part")

    def keep(self, key: str, written: Path) -> None:
        """Keeps a segment that was written whole."""
        written.replace(self._path(key))

    def forget(self, key: str) -> None:
        """Removes a segment that turned out to be broken."""
        self._path(key).unlink(missing_ok=True)

    def note(self, key: str, told: Any) -> None:
        """Keeps a little JSON under a key, beside its segment if it has one."""
        path = self._note(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.{secrets.token_hex(6)}.part")
        part.write_text(json.dumps(told), encoding="utf-8")
        part.replace(path)

    def noted(self, key: str) -> Any:
        """What was noted under a key; None if nothing was."""
        try:
            return json.loads(self._note(key).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None

    def remember_unusable(self, sha256: str, message: str) -> None:
        """Notes that a source of this content can't be decoded, so that it is not tried each time."""
        self.note(f"{sha256}-source", {"unusable": message})

    def unusable(self, sha256: str) -> str | None:
        """Why a source of this content can't be decoded, if that is known."""
        told = self.noted(f"{sha256}-source")
        message = told.get("unusable") if isinstance(told, dict) else None
        return message if isinstance(message, str) else None

    @contextlib.contextmanager
    def workplace(self) -> Iterator[Path]:
        """A new folder on the same disk, gone when the block ends.

        After a kill, whoever takes the work over removes it, or a later tidying.
        """
        place = self._folder / "work" / secrets.token_hex(8)
        traces.note(traces.PART, place)
        place.mkdir(parents=True)
        try:
            yield place
        finally:
            shutil.rmtree(place, ignore_errors=True)

    def tidy(self) -> None:
        """Removes what was left behind, and the least recently used segments above the bound."""
        now = time.time()
        kept = []
        for path in self._folder.glob("*/*"):
            with contextlib.suppress(OSError):
                facts = path.stat()
                left = path.suffix == ".part" or path.parent.name == "work"
                if left and now - facts.st_mtime > _STALE_SECONDS:
                    shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
                elif not left:
                    kept.append((facts.st_mtime_ns, facts.st_size, path))
        size = sum(entry[1] for entry in kept)
        if size <= self._most:
            return
        for _, size_bytes, path in sorted(kept):
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
            size -= size_bytes
            if size <= self._most * _ROOM_LEFT:
                return

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / f"{key}.segment"

    def _note(self, key: str) -> Path:
        return self._folder / key[:2] / f"{key}.note"


def _link(kept: Path, target: Path) -> None:
    try:
        os.link(kept, target)
    except OSError:
        if not kept.is_file():
            raise
        shutil.copyfile(kept, target)  # a file system without hard links
