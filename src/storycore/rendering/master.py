"""A mix brought to its target: one gain for all of it, and peaks held below a ceiling.

The gain follows from the measured loudness. Only where the limiter will have something to do is it reckoned what that
takes away, and the gain made larger by as much.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import numpy as np

from storycore.observe.progress import Progress
from storycore.rendering.encoder import Ffmpeg, run, url
from storycore.rendering.forecast import Forecast
from storycore.rendering.gain import amplitude
from storycore.rendering.limiter import AHEAD, BEHIND, limit
from storycore.rendering.loudness import Loudness, measure_raw
from storycore.rendering.mix import Mix
from storycore.rendering.raw_sound import raw_input
from storycore.rendering.stem_file import StemFile
from storycore.rendering.true_peak import FRAME
from storycore.storage.local import explain

MOST_GAIN_DB = 40.0
"""Louder than this nothing is made: it would be noise."""

BLOCK = 6000 * FRAME
"""Samples that are worked on at a time: four seconds."""

_HIGH = 0.75  # of the ceiling: 2.5 dB below it
_ROUNDING_DB = 0.1  # as far as our meter of peaks and ffmpeg's differ


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
        loudest: sample at which those `BLOCK` begin that have most peaks near the ceiling; if none has any, those that
            are loudest.
        share: of all peaks near the ceiling, as many as those `BLOCK` have.
    """

    path: Path
    channels: int
    samples: int
    gain_db: float
    reduced_db: float
    loudest: int = 0
    share: float = 1.0


class Mastering:
    """Masters of one mix, made in a file beside it, one after the other.

    Args:
        mix: as `write_mix` gives it.
        ffmpeg: measures.
        progress: can cancel.
    """

    def __init__(self, mix: Mix, *, ffmpeg: Ffmpeg, progress: Progress) -> None:
        self._mix, self._ffmpeg, self._progress = mix, ffmpeg, progress
        self._forecast: Forecast | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._forget()

    def master(self, goal: Goal) -> Master:
        """The mix brought to a goal; written over the one before.

        Raises:
            Unavailable: disk_full.
            StoryCoreError: see `encoder.child`.
        """
        mix, path = self._mix, self._mix.path.with_name("master.f32")
        try:
            if goal.dynamic:
                self._forget()
                even, loudness = _evened(mix, goal, self._ffmpeg, self._progress)
            else:
                even, loudness = mix.path, mix.loudness
            with (
                StemFile(even, samples=mix.samples, channels=mix.channels, new=False) as source,
                StemFile(path, samples=mix.samples, channels=mix.channels) as target,
            ):
                gain_db = self._gain(source, goal, loudness)
                done = _limited(
                    source,
                    target,
                    gain_db=gain_db,
                    ceiling_dbtp=goal.ceiling_dbtp,
                    forecast=self._forecast,
                    progress=self._progress,
                )
        except OSError as fault:
            explain(fault, path)
        return Master(path=path, channels=mix.channels, samples=mix.samples, gain_db=gain_db, **done._asdict())

    def _gain(self, source: StemFile, goal: Goal, loudness: Loudness) -> float:
        """Gain that leads to the goal, the limiter's work reckoned in."""
        gain_db, peak = _missing(goal, loudness), loudness.true_peak_dbtp
        if goal.loudness_lufs is None or peak is None or peak + gain_db + _ROUNDING_DB <= goal.ceiling_dbtp:
            return gain_db
        if self._forecast is None:
            louder = float(amplitude(gain_db - goal.ceiling_dbtp))
            self._forecast = Forecast(source, loudness, louder, ffmpeg=self._ffmpeg, progress=self._progress)
        return self._forecast.gain_db(goal.loudness_lufs, goal.ceiling_dbtp, gain_db, MOST_GAIN_DB)

    def _forget(self) -> None:
        if self._forecast is not None:
            self._forecast.close()
            self._forecast = None


def _missing(goal: Goal, loudness: Loudness) -> float:
    """Gain that leads to the goal; silence stays silence."""
    if goal.loudness_lufs is None or loudness.integrated_lufs is None:
        return 0.0
    return min(MOST_GAIN_DB, goal.loudness_lufs - loudness.integrated_lufs)


class _Limited(NamedTuple):
    reduced_db: float
    loudest: int
    share: float


def _limited(  # noqa: PLR0913 - from where, to where, how, and who is told
    source: StemFile,
    target: StemFile,
    *,
    gain_db: float,
    ceiling_dbtp: float,
    forecast: Forecast | None,
    progress: Progress,
) -> _Limited:
    """Writes all of `source` with a gain, limited; peaks that were reckoned for the forecast are not reckoned again."""
    gain, ceiling = float(amplitude(gain_db)), float(amplitude(ceiling_dbtp))
    last_db, most, blocks = math.inf, 0.0, [(0, 0.0, 0)]
    for first in range(0, source.samples, BLOCK):
        progress.check()
        count = min(BLOCK, source.samples - first)
        whole = -(-count // FRAME) * FRAME
        around = source.read(first - BEHIND, BEHIND + whole + AHEAD)
        first_frame, frames = (first - BEHIND) // FRAME, len(around) // FRAME
        peaks = forecast.peaks(first_frame, frames, at_least=ceiling / gain) if forecast is not None else None
        samples, last_db, reduced = limit(around, gain=gain, ceiling=ceiling, last_db=last_db, peaks=peaks)
        target.write(first, samples[:count])
        most = max(most, reduced)
        high = int(np.count_nonzero(np.abs(samples) > ceiling * _HIGH))
        blocks.append((high, float(np.einsum("ij,ij->", samples, samples)), first))
    high, _, loudest = max(blocks)
    return _Limited(most, loudest, high / max(1, sum(block[0] for block in blocks)) if high else 1.0)


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
    return path, measure_raw(ffmpeg, path, channels=mix.channels, samples=mix.samples, progress=progress)
