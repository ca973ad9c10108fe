"""Which finished files a report tells of: those made in the same run, else those in the project's exports/."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from storycore.exports.documents.report import Deliverable
from storycore.exports.formats.format import Film
from storycore.project.headers import HeaderFault, MediaFacts, read_facts
from storycore.project.paths import EXPORTS
from storycore.units import human_seconds

_MOST = 200


def deliverables(film: Film) -> list[Deliverable]:
    """Files made in the same run with all that was measured; without any, what headers of those in exports/ say."""
    if film.delivered:
        return [
            Deliverable(
                name=it.name,
                format=it.format,
                size_bytes=it.made.size_bytes,
                sha256=it.made.sha256,
                metrics=it.made.metrics,
                gates=it.gates,
            )
            for it in film.delivered
        ]
    folder = film.project.folder / EXPORTS
    return [found for path in _files(folder) if (found := _standing(path, folder)) is not None]


def _files(folder: Path) -> list[Path]:
    """Regular files, none of them hidden or behind a link, the first of them by name."""
    return sorted(_walk(folder))[:_MOST]


def _walk(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (
            path for name in names if not name.startswith(".") and not (path := Path(place) / name).is_symlink()
        )


def _standing(path: Path, folder: Path) -> Deliverable | None:
    facts = None
    try:
        size = path.stat().st_size
        with contextlib.suppress(HeaderFault):
            facts = read_facts(path)
    except OSError:
        return None
    return Deliverable(
        name=path.relative_to(folder).as_posix(),
        format=facts.media_type if facts is not None else path.suffix.removeprefix(".").lower() or "file",
        size_bytes=size,
        sha256="",
        metrics={} if facts is None else _measured(facts),
    )


def _measured(facts: MediaFacts) -> dict[str, Any]:
    found = {
        "resolution": f"{facts.width} × {facts.height}" if facts.width else "",
        "duration": human_seconds(float(facts.duration)) if facts.duration is not None else "",
        "frame_rate": f"{float(facts.frame_rate):.5g}" if facts.frame_rate is not None else "",
        "video_codec": facts.video_codec or "",
        "audio_codec": facts.audio_codec or "",
        "sample_rate": f"{facts.sample_rate_hz} Hz" if facts.sample_rate_hz else "",
    }
    return {name: value for name, value in found.items() if value}
