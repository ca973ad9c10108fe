"""How loud a sound is, measured by ffmpeg's `ebur128`."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from storycore.errors import DependencyFailed, Reason
from storycore.observe.progress import Progress
from storycore.rendering.encoder import Ffmpeg, run
from storycore.rendering.raw_sound import raw_input
from storycore.rendering.stem_file import StemFile
from storycore.rendering.true_peak import highest_peak

FILTER = "ebur128=peak=true:framelog=verbose"
"""Tells of loudness when the sound has passed, and passes it on."""

_PEAKLESS = "ebur128=framelog=verbose"

METHOD = "EBU R 128 (ffmpeg ebur128)"

_SILENCE_LUFS = -70.0  # the absolute gate: what it tells of silence
_TOLD = re.compile(r"^\s*(I|LRA|Peak):\s+(-?(?:[\d.]+|inf))\s+(?:LUFS|LU|dBFS)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Loudness:
    """What a meter says of a sound.

    Attributes:
        integrated_lufs: of the whole; None for silence.
        range_lu: loudness range.
        true_peak_dbtp: None for silence.

    Source: EBU Tech 3341, Tech 3342, ITU-R BS.1770-5.
    """

    integrated_lufs: float | None
    range_lu: float
    true_peak_dbtp: float | None

    def shifted(self, gain_db: float) -> "Loudness":
        """The same after a constant gain."""
        integrated, peak = self.integrated_lufs, self.true_peak_dbtp
        return Loudness(
            integrated_lufs=None if integrated is None else integrated + gain_db,
            range_lu=self.range_lu,
            true_peak_dbtp=None if peak is None else peak + gain_db,
        )


def measure_loudness(ffmpeg: Ffmpeg, source: Sequence[str], progress: Progress) -> Loudness:
    """Loudness of an input.

    Args:
        ffmpeg: measures it.
        source: arguments that name it.
        progress: can cancel.

    Raises:
        StoryCoreError: see `encoder.run`.
    """
    arguments = [*source, "-map", "0:a:0", "-af", FILTER, "-f", "null", "-"]
    return read_summary(run(ffmpeg, arguments, progress=progress, level="info").lines)


def measure_raw(ffmpeg: Ffmpeg, path: Path, *, channels: int, samples: int, progress: Progress) -> Loudness:
    """Loudness of bare samples of ours, before they are mastered.

    The true peak is the limiter's own, which reckons where peaks are high and nowhere else: the filter's costs three
    times as much as all the rest of it.

    Args:
        ffmpeg: measures them.
        path: float32 samples at 48 kHz.
        channels: 1, 2, 6 or 8.
        samples: of each channel.
        progress: can cancel.

    Raises:
        StoryCoreError: see `encoder.run`.
    """
    arguments = [*raw_input(path, channels), "-af", _PEAKLESS, "-f", "null", "-"]
    found = _read(run(ffmpeg, arguments, progress=progress, level="info").lines, {"I", "LRA"})
    with StemFile(path, samples=samples, channels=channels, new=False) as sound:
        peak = highest_peak(sound.read, samples)
    return replace(found, true_peak_dbtp=20 * math.log10(peak) if peak else None)


def read_summary(lines: Sequence[str]) -> Loudness:
    """What `FILTER` wrote to the log.

    Raises:
        DependencyFailed: encoder_failed: it wrote nothing of the kind.
    """
    return _read(lines, {"I", "LRA", "Peak"})


def _read(lines: Sequence[str], wanted: set[str]) -> Loudness:
    told = {found[1]: float(found[2]) for line in lines if (found := _TOLD.match(line))}
    if told.keys() != wanted:
        raise DependencyFailed("ffmpeg did not tell the loudness.", reason=Reason.ENCODER_FAILED)
    peak = told.get("Peak", -math.inf)
    silent = not math.isfinite(told["I"]) or told["I"] <= _SILENCE_LUFS
    return Loudness(
        integrated_lufs=None if silent else told["I"],
        range_lu=told["LRA"],
        true_peak_dbtp=peak if math.isfinite(peak) else None,
    )
