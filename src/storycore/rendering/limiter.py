"""Keeps the true peak below a ceiling, the rest as it is. Pure.

The peak between samples is reckoned by interpolating fourfold (ITU-R BS.1770-5, annex 2). Where it would be too high
the level is led down just in time and back up slowly; everywhere else samples are only multiplied with the gain.
"""

import math
from functools import cache
from typing import NamedTuple

import numpy as np

from storycore.rendering.gain import Curve, Samples, amplitude, ramped

FRAME = 32
"""Samples that share one requirement: two thirds of a millisecond at 48 kHz."""

AHEAD = 64 * FRAME
"""Samples after a block that must be known to limit it."""

BEHIND = 18 * FRAME
"""Samples before a block that must be known to limit it."""

_TAPS = 32  # of the interpolator, for each of its phases
_PHASES = 4
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


def limit(around: Samples, *, gain: float, ceiling: float, last_db: float = math.inf) -> Limited:
    """One block with a gain, limited.

    Args:
        around: `BEHIND` samples, the block (a multiple of `FRAME` samples), and `AHEAD` samples; silence at the ends.
        gain: factor of the amplitude.
        ceiling: the highest true peak, full scale 1.
        last_db: as the block before gave it; left out for the first one.
    """
    loud = around * np.float32(gain)
    wanted = _wanted(loud, ceiling)
    own = loud[BEHIND:-AHEAD]
    first, count = BEHIND // FRAME, len(own) // FRAME
    if last_db >= 0.0 and wanted.min() >= 0.0:
        return Limited(own, 0.0, 0.0)
    levels = np.minimum(ramped(wanted[first:], fall=_FALL_DB, rise=_RISE_DB, last=last_db), 0.0)
    middles = (np.arange(-1, len(levels)) + 0.5) * FRAME
    before = last_db if math.isfinite(last_db) else levels[0]
    curve = np.interp(np.arange(len(own)), middles, np.concatenate(([before], levels)))
    limited = (own * amplitude(curve)[:, None]).astype(np.float32)
    return Limited(limited, float(levels[count - 1]), float(-levels[:count].min()))


def _wanted(loud: Samples, ceiling: float) -> Curve:
    """Level ≤ 0 dB that each frame asks for: what it needs itself, the next one, and those of the hold before it."""
    peaks = true_peaks(loud, at_least=ceiling)
    over = np.where(peaks > ceiling, -20 * np.log10(np.maximum(peaks, 1e-9) / ceiling), 0.0)
    beside = np.concatenate((np.zeros(_HOLD), over, [0.0]))
    return np.asarray(np.lib.stride_tricks.sliding_window_view(beside, _HOLD + 2).min(axis=1))


def true_peaks(sound: Samples, *, at_least: float = 0.0) -> Curve:
    """The true peak of each frame, of the loudest channel; peaks below `at_least` may be told lower than they are."""
    frames = len(sound) // FRAME
    peaks: Curve = np.abs(sound[: frames * FRAME]).reshape(frames, FRAME, -1).max(axis=(1, 2)).astype(np.float64)
    if not frames:
        return peaks
    matrix, highest = _interpolator()
    beside = np.concatenate((peaks[:1], peaks, peaks[-1:]))
    nearby = np.maximum(np.maximum(beside[:-2], beside[2:]), peaks)
    loud = np.flatnonzero(nearby * highest > at_least)
    padded = np.pad(sound, ((_TAPS // 2 - 1, _TAPS // 2), (0, 0)))
    reach = np.arange(FRAME + _TAPS - 1)
    for channel in range(sound.shape[1]):
        for part in np.array_split(loud, max(1, len(loud) // 4096)):
            between = padded[part[:, None] * FRAME + reach, channel] @ matrix
            peaks[part] = np.maximum(peaks[part], np.abs(between).max(axis=1, initial=0.0))
    return peaks


@cache
def _interpolator() -> tuple[Samples, float]:
    """Matrix from a frame with its surroundings to the samples between its own, and how far it can lift a peak."""
    places = np.arange(_TAPS) - (_TAPS // 2 - 1)
    matrix = np.zeros((FRAME + _TAPS - 1, FRAME * (_PHASES - 1)), np.float32)
    highest = 1.0
    for phase in range(1, _PHASES):
        away = places - phase / _PHASES
        kernel = np.sinc(away) * np.i0(8.0 * np.sqrt(np.maximum(0.0, 1 - np.square(away / (_TAPS / 2))))) / np.i0(8.0)
        kernel /= kernel.sum()
        highest = max(highest, float(np.abs(kernel).sum()))
        for sample in range(FRAME):
            matrix[sample : sample + _TAPS, sample * (_PHASES - 1) + phase - 1] = kernel
    return matrix, highest
