"""Music steps back while somebody speaks. Pure.

The level of speech is looked at every hundredth of a second. Where it is heard, music goes down by `DEPTH_DB`; it
begins to go before the first word, and stays down over the pauses between words.
"""

import numpy as np

from storycore.rendering.gain import Curve, Samples, amplitude, ramped

WINDOW = 480
"""Samples of one look: 10 ms at 48 kHz."""

DEPTH_DB = 12.0
"""How far music goes down."""

_HEARD = 10 ** (-50 / 20)  # rms of speech that counts as heard, full scale 1
_HOLD = 50  # windows that music stays down after speech: pauses between words are shorter
_FALL_DB = DEPTH_DB / 15  # per window: down in 150 ms
_RISE_DB = DEPTH_DB / 60  # per window: up again in 600 ms


def levels(speech: Samples) -> Curve:
    """Loudest channel's rms in each window of a stretch of speech; the last window may be shorter."""
    if not len(speech):
        return np.zeros(0)
    power = np.square(speech, dtype=np.float64).max(axis=1)
    starts = np.arange(0, len(power), WINDOW)
    counts = np.minimum(WINDOW, len(power) - starts)
    return np.asarray(np.sqrt(np.add.reduceat(power, starts) / counts))


def curve(levels_of_speech: Curve) -> Curve:
    """What music is multiplied with at the middle of each window: 1.0 where nobody speaks nearby."""
    if not len(levels_of_speech):
        return np.ones(0)
    places = np.arange(len(levels_of_speech))
    heard = np.maximum.accumulate(np.where(levels_of_speech > _HEARD, places, -len(places) - _HOLD - 1))
    wanted = np.where(places - heard <= _HOLD, -DEPTH_DB, 0.0)
    return amplitude(ramped(wanted, fall=_FALL_DB, rise=_RISE_DB))


def ducked(music: Samples, first: int, by: Curve) -> Samples:
    """A part of the music as it is heard.

    Args:
        music: the part.
        first: sample of the film at which it begins.
        by: as `curve` gives it for the whole film.
    """
    low, high = first // WINDOW, (first + len(music)) // WINDOW + 2
    around = by[max(0, low - 1) : high]
    if not len(around) or around.min() == 1.0:
        return music
    middles = (np.arange(max(0, low - 1), max(0, low - 1) + len(around)) + 0.5) * WINDOW
    factors = np.interp(np.arange(first, first + len(music)), middles, around)
    return (music * factors[:, None]).astype(np.float32)
