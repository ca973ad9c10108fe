"""How loud each sample of a sound is in each channel: pan, fades, and curves that fall and rise no faster than told.

Pure. Samples are `(samples, channels) float32`, full scale ±1. Channels stand in the order of WAVE files: FL FR; FL FR
FC LFE BL BR; FL FR FC LFE BL BR SL SR.
"""

import math
from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]
Curve = npt.NDArray[np.float64]

_CENTRE = 2  # of FL FR FC LFE …


def spread(sound: Samples, channels: int, *, pan: float, gain: float, speech: bool) -> Samples:
    """A sound laid into the channels of the film.

    Stereo pan is of equal power; a stereo sound at pan 0 stays as it is. In surround, mono speech in the middle comes
    from the centre loudspeaker, and a sound that has surround channels itself keeps them, whatever its pan.

    Args:
        sound: of one, two or up to `channels` channels.
        channels: 2, 6 or 8.
        pan: -1.0 left - 1.0 right.
        gain: factor of the amplitude.
        speech: whether somebody speaks in it.

    Source: W3C Web Audio API, StereoPannerNode; editors that run in a browser play it so.
    """
    laid = np.zeros((len(sound), channels), np.float32)
    count = sound.shape[1]
    if count > 2:
        laid[:, :count] = sound * np.float32(gain)
    elif count == 1 and speech and pan == 0 and channels > 2:
        laid[:, _CENTRE] = sound[:, 0] * np.float32(gain)
    else:
        laid[:, :2] = sound @ _pan_matrix(count, pan, gain)
    return laid


def _pan_matrix(count: int, pan: float, gain: float) -> Samples:
    """From the channels of a mono or stereo sound to left and right, `(count, 2)`."""
    place = min(max(pan, -1.0), 1.0)
    if count == 1:
        angle = (place + 1) / 2 * math.pi / 2
        rows = [[math.cos(angle), math.sin(angle)]]
    elif place <= 0:
        angle = (place + 1) * math.pi / 2
        rows = [[1.0, 0.0], [math.cos(angle), math.sin(angle)]]
    else:
        angle = place * math.pi / 2
        rows = [[math.cos(angle), math.sin(angle)], [0.0, 1.0]]
    return np.array(rows, np.float32) * np.float32(gain)


def faded_in(sound: Samples, first: int, length: int, *, equal_power: bool = False) -> Samples:
    """Part of a sound that fades in over its first `length` samples; `first` is the place of this part in it."""
    if length <= 0 or first >= length:
        return sound
    share = (np.arange(first, first + len(sound)) + 0.5) / length
    return (sound * _rising(share, equal_power=equal_power)[:, None]).astype(np.float32)


def faded_out(sound: Samples, first: int, length: int, *, equal_power: bool = False) -> Samples:
    """Part of the last `length` samples of a sound, which fade out; `first` is the place of this part in them."""
    share = (length - np.arange(first, first + len(sound)) - 0.5) / length
    return (sound * _rising(share, equal_power=equal_power)[:, None]).astype(np.float32)


def _rising(share: Curve, *, equal_power: bool) -> Curve:
    bound = np.clip(share, 0.0, 1.0)
    return np.sin(bound * (math.pi / 2)) if equal_power else bound


def ramped(wanted: Curve, *, fall: float, rise: float, last: float = math.inf) -> Curve:
    """The highest curve that is nowhere above `wanted`, and falls and rises by no more than told from step to step.

    It begins to fall before `wanted` does, just in time.

    Args:
        wanted: in dB.
        fall: dB per step, positive.
        rise: dB per step, positive.
        last: where the curve stood one step before the first.
    """
    steps = np.arange(1, len(wanted) + 1)
    risen = np.minimum(np.minimum.accumulate(wanted - rise * steps), last) + rise * steps
    fallen: Curve = np.minimum.accumulate((risen + fall * steps)[::-1])[::-1] - fall * steps
    return fallen


def amplitude(level_db: Curve | float) -> Curve:
    """Factors of amplitude for levels in dB."""
    return np.asarray(np.power(10.0, np.asarray(level_db, np.float64) / 20))


LONGEST_FADE = 60 * 48_000
"""Samples; a fade out that asks for more begins a minute before the end, since the end is known only when it comes."""


def shaped(  # noqa: PLR0913 - each says one thing about one end
    blocks: Iterable[Samples], *, begun: int = 0, fade_in: int = 0, fade_out: int = 0, cross_in: int = 0,
    cross_out: int = 0,
) -> Iterator[Samples]:  # fmt: skip
    """A sound with its fades; those at its end count from where it really ends.

    Args:
        blocks: the sound.
        begun: samples of it that came before the first block.
        fade_in: samples, linear.
        fade_out: samples, linear, at most `LONGEST_FADE`.
        cross_in: samples, of equal power.
        cross_out: samples, of equal power, at most `LONGEST_FADE`.
    """
    fade_out, cross_out = min(fade_out, LONGEST_FADE), min(cross_out, LONGEST_FADE)
    held: Samples | None = None
    for block in blocks:
        sound = faded_in(faded_in(block, begun, fade_in), begun, cross_in, equal_power=True)
        begun += len(block)
        held = sound if held is None else np.concatenate((held, sound))
        ready = len(held) - max(fade_out, cross_out)
        if ready > 0:
            yield held[:ready]
            held = held[ready:]
    if held is not None and len(held):
        yield _ended(_ended(held, fade_out, equal_power=False), cross_out, equal_power=True)


def _ended(tail: Samples, length: int, *, equal_power: bool) -> Samples:
    length = min(length, len(tail))
    if not length:
        return tail
    body, end = tail[:-length], tail[-length:]
    return np.concatenate((body, faded_out(end, 0, length, equal_power=equal_power)))
