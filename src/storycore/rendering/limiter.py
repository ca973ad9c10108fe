"""Keeps the true peak below a ceiling, the rest as it is. Pure.

Where the true peak would be too high the level is led down just in time and back up slowly; everywhere else samples
are only multiplied with the gain.
"""

import math
from typing import NamedTuple

import numpy as np

from storycore.rendering.gain import Curve, Samples, amplitude, ramped
from storycore.rendering.true_peak import FRAME, true_peaks

AHEAD = 64 * FRAME
"""Samples after a block that must be known to limit it."""

BEHIND = 18 * FRAME
"""Samples before a block that must be known to limit it."""

_FALL_DB = 1.0  # per frame; 43 ms of looking ahead are enough for 64 dB
_RISE_DB = 0.3  # per frame: 3 dB in 7 ms, after the hold
_HOLD = 15  # frames: 10 ms, so that the level does not follow each swing of a low tone


class Limited(NamedTuple):
    """A block that was limited.

    Attributes:
        samples: of the block alone, at most as loud as the ceiling.
        last_db: where the level stood at its end; goes into the next block.
        reduced_db: the most that was taken away.
    """

    samples: Samples
    last_db: float
    reduced_db: float


def limit(
    around: Samples, *, gain: float, ceiling: float, last_db: float = math.inf, peaks: Curve | None = None
) -> Limited:
    """One block with a gain, limited. Each `FRAME` of samples has one requirement.

    Args:
        around: `BEHIND` samples, the block (a multiple of `FRAME` samples), and `AHEAD` samples; silence at the ends.
        gain: factor of the amplitude.
        ceiling: the highest true peak, full scale 1.
        last_db: as the block before gave it; left out for the first one.
        peaks: true peaks of the frames of `around`, before the gain, if they are known.
    """
    own = around[BEHIND:-AHEAD] * np.float32(gain)
    peaks = (true_peaks(around, at_least=ceiling / gain) if peaks is None else peaks) * gain
    if last_db >= 0.0 and peaks.max(initial=0.0) <= ceiling:
        return Limited(own, 0.0, 0.0)
    count, level = len(own) // FRAME, levels(peaks, ceiling, last_db)
    before = last_db if math.isfinite(last_db) else level[0]
    return Limited(_led(own, before, level[: count + 1]), float(level[count - 1]), float(-level[:count].min()))


def levels(peaks: Curve, ceiling: float, last_db: float) -> Curve:
    """Level ≤ 0 dB of each frame from the first of a block on.

    Args:
        peaks: true peaks of the frames `BEHIND` the block, of the block, and `AHEAD` of its end.
        ceiling: the highest true peak, full scale 1.
        last_db: level of the frame before the block; infinite for the first one.
    """
    wanted = _wanted(peaks, ceiling)[BEHIND // FRAME :]
    return np.minimum(ramped(wanted, fall=_FALL_DB, rise=_RISE_DB, last=last_db), 0.0)


def _led(sound: Samples, before: float, level: Curve) -> Samples:
    """A block under a level that goes in a straight line from the middle of each frame to that of the next.

    Args:
        sound: whole frames.
        before: level of the frame before them, in dB.
        level: of its frames, and of the one after them, in dB.
    """
    ends = amplitude(np.concatenate(([before], level))).astype(np.float32)
    way = (np.arange(FRAME, dtype=np.float32) + 0.5) / FRAME
    curve = ends[:-1, None] + (ends[1:] - ends[:-1])[:, None] * way
    led: Samples = sound * curve.reshape(-1)[FRAME // 2 :][: len(sound), None].astype(np.float32, copy=False)
    return led


def _wanted(peaks: Curve, ceiling: float) -> Curve:
    """Level ≤ 0 dB that each frame asks for: what it needs itself, the next one, and those of the hold before it."""
    over = np.where(peaks > ceiling, -20 * np.log10(np.maximum(peaks, 1e-9) / ceiling), 0.0)
    beside = np.concatenate((np.zeros(_HOLD), over, [0.0]))
    return np.asarray(np.lib.stride_tricks.sliding_window_view(beside, _HOLD + 2).min(axis=1))
