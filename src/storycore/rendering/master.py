"""A mix brought to its target: one gain for all of it, and peaks held below a ceiling.

The gain follows from the measured loudness. Only where the limiter had something to do is the result measured again,
and the gain corrected for what the limiter took.
"""

import math
from dataclasses import dataclass
from pathlib import Path

from storycore.observe.progress import Progress
from storycore.rendering.encoder import Ffmpeg, run, url
from storycore.rendering.gain import amplitude
from storycore.rendering.limiter import AHEAD, BEHIND, FRAME, limit
from storycore.rendering.loudness import Loudness, measure_loudness
from storycore.rendering.mix import Mix
from storycore.rendering.raw_sound import raw_input
from storycore.rendering.stem_file import StemFile
from storycore.storage.local import explain

MOST_GAIN_DB = 40.0
"""Louder than this nothing is made: it would be noise."""

_BLOCK = 6000 * FRAME  # four seconds
_NEAR_LU = 0.15
_CORRECTIONS = 4
_STEEPEST = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What a mix is brought to.

    Attributes:
        loudness_lufs: integrated; None leaves it as mixed.
        ceiling_dbtp: highest true peak.
        dynamic: even out the loudness over time, too.
    """

    loudness_lufs: float | None = None
    ceiling_dbtp: float = -1.0
    dynamic: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Master:
    """A mastered mix on the disk: float32 samples at 48 kHz.

    Attributes:
        path: absolute.
        channels: as in the mix.
        samples: of each channel, as in the mix.
        gain_db: that all of it was given.
        reduced_db: the most that the limiter took away anywhere.
    """

    path: Path
    channels: int
    samples: int
    gain_db: float
    reduced_db: float


def write_master(mix: Mix, goal: Goal, *, ffmpeg: Ffmpeg, progress: Progress, start_db: float | None = None) -> Master:
    """Masters a mix, in a file beside it.

    Args:
        mix: as `write_mix` gives it.
        goal: what it is brought to.
        ffmpeg: measures.
        progress: can cancel.
        start_db: the gain to try first, where a master for a goal nearby is known; else it follows from the loudness.

    Raises:
        Unavailable: disk_full.
        StoryCoreError: see `encoder.child`.
    """
    path = mix.path.with_name(f"master{goal.loudness_lufs}_{goal.ceiling_dbtp:.2f}_{goal.dynamic}.f32")
    try:
        even, loudness = _evened(mix, goal, ffmpeg, progress) if goal.dynamic else (mix.path, mix.loudness)
        with (
            StemFile(even, samples=mix.samples, channels=mix.channels, new=False) as source,
            StemFile(path, samples=mix.samples, channels=mix.channels) as target,
        ):
            start_db = _missing(goal, loudness) if start_db is None else start_db
            return _mastered(source, target, goal, start_db, ffmpeg, progress)
    except OSError as fault:
        explain(fault, path)


def _mastered(  # noqa: PLR0913, PLR0917 - one call of the function above
    source: StemFile, target: StemFile, goal: Goal, gain_db: float, ffmpeg: Ffmpeg, progress: Progress
) -> Master:
    reduced_db = _limited(source, target, gain_db, goal.ceiling_dbtp, progress)
    before, slope = None, 1.0  # type: tuple[float, float] | None, float
    for _ in range(_CORRECTIONS if goal.loudness_lufs is not None else 0):
        if not reduced_db:
            break
        still = _missing(goal, measure_loudness(ffmpeg, raw_input(target.path, target.channels), progress))
        if abs(still) <= _NEAR_LU:
            break
        if before is not None:  # the more there is to limit, the less a gain adds
            slope = min(_STEEPEST, max(1.0, (gain_db - before[0]) / (before[1] - still or 1.0)))
        before, gain_db = (gain_db, still), min(MOST_GAIN_DB, gain_db + still * slope)
        reduced_db = _limited(source, target, gain_db, goal.ceiling_dbtp, progress)
    return Master(
        path=target.path, channels=target.channels, samples=target.samples, gain_db=gain_db, reduced_db=reduced_db
    )


def _missing(goal: Goal, loudness: Loudness) -> float:
    """Gain that leads to the goal; silence stays silence."""
    if goal.loudness_lufs is None or loudness.integrated_lufs is None:
        return 0.0
    return min(MOST_GAIN_DB, goal.loudness_lufs - loudness.integrated_lufs)


def _limited(source: StemFile, target: StemFile, gain_db: float, ceiling_dbtp: float, progress: Progress) -> float:
    """Writes all of `source` with a gain, limited; gives the most that was taken away anywhere, in dB."""
    gain, ceiling = float(amplitude(gain_db)), float(amplitude(ceiling_dbtp))
    last_db, most = math.inf, 0.0
    for first in range(0, source.samples, _BLOCK):
        progress.check()
        count = min(_BLOCK, source.samples - first)
        whole = -(-count // FRAME) * FRAME
        around = source.read(first - BEHIND, BEHIND + whole + AHEAD)
        samples, last_db, reduced = limit(around, gain=gain, ceiling=ceiling, last_db=last_db)
        target.write(first, samples[:count])
        most = max(most, reduced)
    return most


def _evened(mix: Mix, goal: Goal, ffmpeg: Ffmpeg, progress: Progress) -> tuple[Path, Loudness]:
    """The mix with its loudness evened out over time, as long as before."""
    path = mix.path.with_name("even.f32")
    target = -24.0 if goal.loudness_lufs is None else goal.loudness_lufs
    steps = (
        f"loudnorm=I={target}:TP={goal.ceiling_dbtp}:LRA=7",
        "aresample=48000:resampler=soxr",
        f"apad=whole_len={mix.samples}",
        f"atrim=end_sample={mix.samples}",
    )
    run(
        ffmpeg,
        [
            *raw_input(mix.path, mix.channels),
            *("-af", ",".join(steps), "-c:a", "pcm_f32le", "-f", "f32le", url(path)),
        ],
        progress=progress,
    )
    return path, measure_loudness(ffmpeg, raw_input(path, mix.channels), progress)
