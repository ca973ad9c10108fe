"""How loud a sound is, measured by ffmpeg's `ebur128`."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from storycore.errors import DependencyFailed, Reason
from storycore.observe.progress import Progress
from storycore.rendering.encoder import Ffmpeg, run

FILTER = "ebur128=peak=true:framelog=quiet"
"""Tells of loudness when the sound has passed, and passes it on."""

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


def read_summary(lines: Sequence[str]) -> Loudness:
    """What `FILTER` wrote to the log.

    Raises:
        DependencyFailed: encoder_failed: it wrote nothing of the kind.
    """
    told = {found[1]: float(found[2]) for line in lines if (found := _TOLD.match(line))}
    if told.keys() != {"I", "LRA", "Peak"}:
        raise DependencyFailed("ffmpeg did not tell the loudness.", reason=Reason.ENCODER_FAILED)
    silent = not math.isfinite(told["I"]) or told["I"] <= _SILENCE_LUFS
    return Loudness(
        integrated_lufs=None if silent else told["I"],
        range_lu=told["LRA"],
        true_peak_dbtp=told["Peak"] if math.isfinite(told["Peak"]) else None,
    )
