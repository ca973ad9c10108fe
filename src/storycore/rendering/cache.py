"""Rendered segments, kept to be used again, by what they show.

Several processes may use one cache at a time: a segment appears under its name whole, and whoever uses one gets a name
of his own for it (a hard link), so that tidying up takes nothing away from anybody.
"""

import contextlib
import hashlib
import json
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from storycore.errors import StoryCoreError
from storycore.observe import logging
from storycore.storage import traces
from storycore.units import MEBIBYTE

_STALE_SECONDS = 24 * 3600
_ROOM_LEFT = 0.9
_BLOCK_BYTES = 4 * MEBIBYTE
_SEAL_BYTES = hashlib.sha256().digest_size

log = logging.get(__name__)


class Depot(Protocol):
    """Where machines share segments. Several may use one at a time; a segment appears in it whole."""

    @property
    def name(self) -> str:
        """Tells it from any other; the same on every machine that shares it.

        Raises:
            StoryCoreError, OSError: the depot can't be used.
        """
        ...

    def fetch(self, key: str, target: Path) -> bool:
        """Copies a segment to `target`; False if it is not there.

        Raises:
            StoryCoreError, OSError: the depot can't be used.
        """
        ...

    def send(self, key: str, path: Path) -> None:
        """Makes sure that a segment is there, whole.

        Raises:
            StoryCoreError, OSError: the depot can't be used.
        """
        ...

    def forget(self, key: str) -> None:
        """Removes a segment that turned out to be broken.

        Raises:
            StoryCoreError, OSError: the depot can't be used.
        """
        ...

    def tidy(self) -> None:
        """Removes what is not to be kept any longer.

        Raises:
            StoryCoreError, OSError: the depot can't be used.
        """
        ...


class SegmentCache:
    """The segments below one folder.

    Args:
        folder: made when it is first needed.
        most_bytes: to keep; the least recently used ones go first.
        depot: where segments are looked for that are not here, and where those that are made here go too. If it fails
            once, it is not asked any more: whoever renders goes on alone.

    Attributes:
        is_cut_off: whether the depot has failed, so that others may not see what was kept here.
    """

    def __init__(self, folder: Path, most_bytes: int, depot: Depot | None = None) -> None:
        self._folder, self._most, self._depot = folder, most_bytes, depot
        self.is_cut_off = False

    def take(self, key: str, target: Path) -> bool:
        """Gives a kept segment the name `target` too; False if it is not there."""
        return self._taken(key, target) or (self._fetched(key) and self._taken(key, target))

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
        kept = self._path(key)
        written.replace(kept)
        with self._asking() as depot:
            if depot:
                sealed = self.new(key)
                try:
                    _seal(kept, sealed)
                    depot.send(key, sealed)
                finally:
                    sealed.unlink(missing_ok=True)

    def forget(self, key: str) -> None:
        """Removes a segment that turned out to be broken."""
        self._path(key).unlink(missing_ok=True)
        with self._asking() as depot:
            if depot:
                depot.forget(key)

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
        with self._asking() as depot:
            if depot:
                depot.tidy()
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

    def _taken(self, key: str, target: Path) -> bool:
        kept = self._path(key)
        try:
            os.utime(kept)
            _link(kept, target)
        except OSError:
            return False
        return True

    def _fetched(self, key: str) -> bool:
        """Whether a segment came from the depot; it is kept here then."""
        if self._depot is None or self.is_cut_off:
            return False
        sealed, part = self.new(key), self.new(key)
        try:
            with self._asking() as depot:
                if depot and depot.fetch(key, sealed):
                    if _unseal(sealed, part):
                        part.replace(self._path(key))
                        return True
                    log.warning("segment_broken_in_store", key=key)
                    depot.forget(key)
            return False
        finally:
            sealed.unlink(missing_ok=True)
            part.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _asking(self) -> Iterator[Depot | None]:
        """The depot, if there is one that works; that it does not is logged, and known from then on."""
        try:
            yield None if self.is_cut_off else self._depot
        except (StoryCoreError, OSError) as fault:
            self.is_cut_off = True
            reason = fault.reason.value if isinstance(fault, StoryCoreError) else type(fault).__name__
            log.warning("segment_store_not_used", reason=reason)

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / f"{key}.segment"

    def _note(self, key: str) -> Path:
        return self._folder / key[:2] / f"{key}.note"


def _seal(kept: Path, sealed: Path) -> None:
    """A copy with the SHA-256 of its bytes behind them: what others may touch is not taken on trust."""
    shutil.copyfile(kept, sealed)
    with sealed.open("r+b") as file:
        digest = hashlib.file_digest(file, hashlib.sha256).digest()
        file.seek(0, os.SEEK_END)
        file.write(digest)


def _unseal(sealed: Path, segment: Path) -> bool:
    """Writes what was sealed; False if the bytes are not those any more. The sealed file may be the depot's own."""
    left = sealed.stat().st_size - _SEAL_BYTES
    digest = hashlib.sha256()
    with sealed.open("rb") as file, segment.open("wb") as target:
        while left > 0 and (block := file.read(min(left, _BLOCK_BYTES))):
            digest.update(block)
            target.write(block)
            left -= len(block)
        return left == 0 and file.read() == digest.digest()


def _link(kept: Path, target: Path) -> None:
    try:
        os.link(kept, target)
    except OSError:
        if not kept.is_file():
            raise
        shutil.copyfile(kept, target)  # a file system without hard links
