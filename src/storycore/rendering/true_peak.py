"""The highest points of the wave that samples stand for, which may lie between them. Pure.

Between each two samples three more are reckoned, as ITU-R BS.1770-5, annex 2, has it; and only where the samples around
are so high that something higher can lie between them.
"""

from collections.abc import Callable
from functools import cache

import numpy as np

from storycore.rendering.gain import Curve, Samples

FRAME = 32
"""Samples of which one peak is told: two thirds of a millisecond at 48 kHz."""

_TAPS = 32  # of the interpolator, for each of its phases
_PHASES = 4
_AT_ONCE = 40  # frames that are multiplied at once: so few that BLAS starts no threads, which cost more than they give
_MOST_AT_ONCE = 100 * _AT_ONCE
_BLOCK = 6000  # frames that are read at a time: four seconds


def true_peaks(sound: Samples, *, at_least: float = 0.0) -> Curve:
    """The true peak of each frame, of the loudest channel; peaks below `at_least` may be told lower than they are."""
    frames = len(sound) // FRAME
    peaks = _highest_samples(sound[: frames * FRAME])
    if not frames:
        return peaks
    matrix, lift = _interpolator()
    beside = np.concatenate((peaks[:1], peaks, peaks[-1:]))
    nearby = np.maximum(np.maximum(beside[:-2], beside[2:]), peaks)
    loud = np.flatnonzero(nearby * lift > at_least)
    for channel in sound.T if len(loud) else ():
        padded = np.pad(channel, (_TAPS // 2 - 1, _TAPS // 2 + FRAME))
        windows = np.lib.stride_tricks.sliding_window_view(padded, FRAME + _TAPS - 1)[::FRAME]
        for first in range(0, len(loud), _MOST_AT_ONCE):
            part = loud[first : first + _MOST_AT_ONCE]
            there = windows[np.resize(part, -(-len(part) // _AT_ONCE) * _AT_ONCE)]
            between = (there.reshape(-1, _AT_ONCE, FRAME + _TAPS - 1) @ matrix).reshape(len(there), -1)[: len(part)]
            peaks[part] = np.maximum(peaks[part], np.maximum(between.max(axis=1), -between.min(axis=1)))
    return peaks


def highest_peak(read: Callable[[int, int], Samples], samples: int) -> float:
    """The true peak of a whole sound.

    Args:
        read: gives so many samples from a place on; silence outside of the sound.
        samples: of the sound.
    """
    found, lift = 0.0, _interpolator()[1]
    blocks = [
        (float(np.abs(read((first - 1) * FRAME, (_BLOCK + 2) * FRAME)).max()), first)
        for first in range(0, -(-samples // FRAME), _BLOCK)
    ]
    for highest, first in sorted(blocks, reverse=True):  # the loudest first: it leaves hardly anything to be reckoned
        if highest * lift <= found:
            break
        around = read((first - 1) * FRAME, (_BLOCK + 2) * FRAME)
        found = max(found, float(true_peaks(around, at_least=found)[1:-1].max()))
    return found


def _highest_samples(sound: Samples) -> Curve:
    """The highest sample of each frame, of the loudest channel."""
    if not len(sound):
        return np.zeros(0)
    frames = np.ascontiguousarray(sound).reshape(-1, FRAME * sound.shape[1])
    return np.asarray(np.abs(frames).max(axis=1), np.float64)


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
