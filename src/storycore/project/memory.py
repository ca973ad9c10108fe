"""What was measured in media files before, so that it is not measured again.

One file per project under `settings.cache_folder`, never inside the project. Everything in it can be measured again,
so deleting it is always harmless, and a broken, foreign or unwritable one is as good as none. A file is recognised by
its path, size, modification time, inode and device; one that was changed less than two seconds ago is not remembered,
because a second change within the grain of the clock would not show.
"""

import contextlib
import hashlib
import json
import os
import secrets
import time
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from storycore.project.content import open_regular
from storycore.project.files import SourceFile
from storycore.project.headers import VERSION, MediaFacts
from storycore.project.model import MediaKind
from storycore.settings import Settings

_FORMAT: Final = f"storycore-memory-1.{VERSION}"
_MAX_BYTES = 64 * 1024 * 1024
_SETTLED_NS = 2_000_000_000
_WHOLE = ("width", "height", "bit_depth", "channels", "sample_rate_hz")
_TEXT = ("color", "video_codec", "audio_codec")
_EXACT = ("duration", "frame_rate")

Key = tuple[str, int, int, int, int]
"""Path, size, modification time, inode, device."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What is known of one file.

    Attributes:
        sha256: of the content, 64 hex digits; None if it was never read whole.
        probed: whether its headers were read.
        facts: what they say; None if it is no media, or broken.
        fault: why its headers could not be read; empty if they could.
    """

    sha256: str | None = None
    probed: bool = False
    facts: MediaFacts | None = None
    fault: str = ""


class Memory:
    """What is known of the files of one project.

    Two processes may use the memory of a project at once: each writes it whole under a temporary name and renames it,
    after taking over what the other has written meanwhile.
    """

    def __init__(self, file: Path | None, *, max_files: int) -> None:
        self._file, self._max_files = file, max_files
        self._known = _load(file)
        self._new: dict[Key, Measured] = {}
        self._used: set[Key] = set()

    @classmethod
    def open(cls, project: Path, settings: Settings) -> "Memory":
        """The memory of a project; an empty one that is never written if the cache folder lies inside the project."""
        folder = Path(os.path.abspath(settings.cache_folder)) / "memory"  # noqa: PTH100 - the folder may not exist yet
        with contextlib.suppress(OSError, RuntimeError):
            folder, project = folder.resolve(), project.resolve()
        if folder.is_relative_to(project):
            return cls(None, max_files=settings.max_project_files)
        name = hashlib.sha256(os.fsencode(project)).hexdigest()[:32]
        return cls(folder / f"{name}.json", max_files=settings.max_project_files)

    def recall(self, file: SourceFile) -> Measured:
        """What is known of a file as it stands now; nothing, if it has changed."""
        key = _key(file)
        found = self._new.get(key) or self._known.get(key)
        if found is None:
            return Measured()
        self._used.add(key)
        return found

    def remember(self, file: SourceFile, measured: Measured) -> None:
        """Keeps what was just measured, unless the file was changed less than two seconds ago."""
        if time.time_ns() - file.modified_ns >= _SETTLED_NS:
            self._new[_key(file)] = measured

    def save(self) -> None:
        """Writes what is new. Failing to is no error: then it is measured again next time."""
        if self._file is None or not self._new:
            return
        paths = {key[0] for key in self._new}
        others = {key: value for key, value in (self._known | _load(self._file)).items() if key[0] not in paths}
        used = {key: value for key, value in others.items() if key in self._used}
        whole = (self._new | used | others).items()
        rows = [[*key, *_row(value)] for key, value in list(whole)[: self._max_files]]
        text = json.dumps({"format": _FORMAT, "files": rows}, ensure_ascii=True, separators=(",", ":"))
        with contextlib.suppress(OSError):
            _replace(self._file, text.encode())
            self._known, self._new = dict(whole), {}


def _key(file: SourceFile) -> Key:
    return (file.path, file.size_bytes, file.modified_ns, file.inode, file.device)


def _replace(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.{secrets.token_hex(6)}.part")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def _load(path: Path | None) -> dict[Key, Measured]:
    if path is None:
        return {}
    try:
        with open_regular(path) as file:
            document = json.loads(file.read(_MAX_BYTES))  # our own file; every value of it is checked below
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(document, dict) or document.get("format") != _FORMAT:
        return {}
    rows = document.get("files")
    return dict(filter(None, map(_entry, rows))) if isinstance(rows, list) else {}


def _row(measured: Measured) -> list[Any]:
    return [measured.sha256, measured.probed, measured.fault, measured.facts and _facts_row(measured.facts)]


def _facts_row(facts: MediaFacts) -> dict[str, Any]:
    row: dict[str, Any] = {
        "media_type": facts.media_type,
        "kind": facts.kind.value,
        "orientation": facts.orientation,
        "estimated": facts.estimated,
    }
    row |= {name: getattr(facts, name) for name in (*_WHOLE, *_TEXT) if getattr(facts, name) is not None}
    return row | {name: str(getattr(facts, name)) for name in _EXACT if getattr(facts, name) is not None}


def _entry(row: Any) -> tuple[Key, Measured] | None:
    """One row as it was written, or None if anything about it is odd."""
    try:
        path, size, modified, inode, device, sha256, probed, fault, facts = row
        key = (path, size, modified, inode, device)
        sound = (
            isinstance(path, str)
            and all(type(number) is int for number in key[1:])
            and (sha256 is None or (isinstance(sha256, str) and len(sha256) == 64 and int(sha256, 16) >= 0))
            and isinstance(probed, bool)
            and isinstance(fault, str)
        )
        return (key, Measured(sha256=sha256, probed=probed, fault=fault, facts=_facts(facts))) if sound else None
    except (TypeError, ValueError, KeyError, ZeroDivisionError):
        return None


def _facts(row: Any) -> MediaFacts | None:
    """Raises whatever it meets when the row is not one that was written here."""
    if row is None:
        return None
    found = MediaFacts(
        media_type=_of(str, row["media_type"]),
        kind=MediaKind(row["kind"]),
        orientation=_of(int, row["orientation"]),
        estimated=_of(bool, row["estimated"]),
    )
    values: dict[str, Any] = {name: _of(int, row[name]) for name in _WHOLE if name in row}
    values |= {name: _of(str, row[name]) for name in _TEXT if name in row}
    values |= {name: Fraction(_of(str, row[name])) for name in _EXACT if name in row}
    return replace(found, **values)


def _of(kind: type, value: Any) -> Any:
    if type(value) is not kind:
        raise TypeError(f"{kind.__name__} expected")
    return value
