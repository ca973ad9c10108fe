"""The outline of a finished sound, to be drawn; kept in the cache folder under what the sound is.

It is decoded by a child process, never in this one.
"""

import json
import secrets
import threading
from pathlib import Path
from typing import Final

from storycore.app import App
from storycore.errors import Cancelled, StoryCoreError
from storycore.observe import logging
from storycore.observe.progress import Progress

COLUMNS: Final = 600
MOST_KEPT: Final = 2000

_one_at_a_time = threading.Lock()
_failed: set[str] = set()

log = logging.get(__name__)


def waveform(app: App, artifact_id: str, progress: Progress) -> list[float] | None:
    """Peaks from its beginning to its end, each 0.0-1.0 of full scale, at most `COLUMNS`.

    None where they can't be told: it is not on this machine, is not there as it was made, or is no sound.

    Raises:
        NotFound: artifact_not_found.
        Cancelled: the work was asked to stop.
    """
    artifact = app.tasks.records.artifact(artifact_id)
    path, kept = Path(artifact.path), app.settings.cache_folder / "waveforms" / f"{artifact.sha256}.json"
    found = _read(kept)
    if found is None and artifact.sha256 not in _failed:
        with _one_at_a_time:
            found = _read(kept)
            if found is None and _is_there(path, artifact.size_bytes):
                found = _make(app, path, kept, progress)
    return found or None


def _is_there(path: Path, size_bytes: int) -> bool:
    try:
        return path.is_file() and path.stat().st_size == size_bytes
    except OSError:
        return False


def _read(kept: Path) -> list[float] | None:
    try:
        found = json.loads(kept.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    return [float(one) for one in found] if isinstance(found, list) else None


def _make(app: App, path: Path, kept: Path, progress: Progress) -> list[float] | None:
    from storycore.rendering.encoder import find
    from storycore.rendering.waveform import outline

    try:
        found = outline(find(app.settings), path, columns=COLUMNS, progress=progress)
        kept.parent.mkdir(parents=True, exist_ok=True)
        part = kept.with_name(f"{kept.name}.{secrets.token_hex(4)}.part")
        part.write_text(json.dumps(found), encoding="ascii")
        part.replace(kept)
    except Cancelled:  # that says nothing of the sound
        raise
    except (StoryCoreError, OSError) as fault:
        log.warning("waveform_not_made", reason=str(fault)[:200])
        if len(_failed) > MOST_KEPT:
            _failed.clear()
        _failed.add(kept.stem)
        return None
    _forget(kept.parent)
    return found


def _forget(folder: Path) -> None:
    """Removes those that were made longest ago."""
    known = list(folder.glob("*.json"))
    if len(known) > MOST_KEPT:
        for path in sorted(known, key=_made_at)[: len(known) - MOST_KEPT]:
            path.unlink(missing_ok=True)


def _made_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
