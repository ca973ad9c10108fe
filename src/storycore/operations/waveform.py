"""The outline of a finished sound, to be drawn; kept in the cache folder under what the sound is."""

import json
from typing import Final

from storycore.app import App
from storycore.observe.progress import Progress
from storycore.operations.likeness import Likenesses

COLUMNS: Final = 600

_waveforms = Likenesses("waveforms", ".json")


def waveform(app: App, artifact_id: str, progress: Progress) -> list[float] | None:
    """Peaks from its beginning to its end, each 0.0-1.0 of full scale, at most `COLUMNS`.

    None where they can't be told: it is not on this machine, is not there as it was made, or is no sound.

    Raises:
        NotFound: artifact_not_found.
        Cancelled: the work was asked to stop.
    """
    from storycore.rendering.encoder import find
    from storycore.rendering.waveform import outline

    kept = _waveforms.find(
        app,
        app.tasks.records.artifact(artifact_id),
        lambda path: json.dumps(outline(find(app.settings), path, columns=COLUMNS, progress=progress)).encode(),
    )
    return _levels(kept) or None


def _levels(kept: bytes | None) -> list[float]:
    try:
        found = json.loads(kept or b"[]")
    except ValueError:
        return []
    return [float(one) for one in found] if isinstance(found, list) else []
