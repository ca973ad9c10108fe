"""The outline of a sound: how loud its loudest moment is, stretch by stretch."""

from fractions import Fraction
from pathlib import Path
from typing import Final

import numpy as np

from storycore.observe.progress import Progress
from storycore.rendering.encoder import Ffmpeg
from storycore.rendering.sound_source import NoSound, decoded
from storycore.rendering.sounds import SAMPLE_RATE

_MOST_SECONDS: Final = 12 * 3600
_GRAIN: Final = SAMPLE_RATE // 100
"""Samples of the finest stretch that is looked at, 10 ms."""


def outline(ffmpeg: Ffmpeg, path: Path, *, columns: int, progress: Progress) -> list[float]:
    """The peak of each of `columns` equal stretches over all channels, 0.0-1.0 of full scale; fewer for a short sound.

    The file is decoded by a child process. Empty for a file without sound.

    Args:
        ffmpeg: decodes it.
        path: absolute; its name is not believed.
        columns: how many stretches, at least 1.
        progress: can cancel.

    Raises:
        InvalidInput: media_invalid.
    """
    grains: list[float] = []
    rest = np.zeros(0, dtype=np.float32)
    length = _MOST_SECONDS * SAMPLE_RATE
    try:
        for block in decoded(ffmpeg, path, offset=Fraction(0), length=length, channels=8, progress=progress):
            loudest = np.concatenate([rest, np.abs(block).max(axis=1)])
            whole = len(loudest) // _GRAIN * _GRAIN
            grains += loudest[:whole].reshape(-1, _GRAIN).max(axis=1).tolist()
            rest = loudest[whole:]
    except NoSound:
        return []
    if len(rest):
        grains.append(float(rest.max()))
    parts = np.array_split(np.minimum(np.array(grains), 1.0), min(columns, len(grains)) or 1)
    return [round(float(part.max()), 4) for part in parts if len(part)]
