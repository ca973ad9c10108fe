import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storycore.rendering.limiter import AHEAD, BEHIND, limit
from storycore.rendering.true_peak import FRAME, true_peaks

CEILING = 10 ** (-1 / 20)
BLOCK = 40 * FRAME


def limited(sound, *, gain=1.0, block=BLOCK):
    """All of a sound, limited block by block as the master does it, and the most that was taken away."""
    whole = -(-len(sound) // block) * block
    padded = np.pad(sound, ((BEHIND, AHEAD + whole - len(sound)), (0, 0)))
    out, last_db, most = [], math.inf, 0.0
    for first in range(0, whole, block):
        found = limit(padded[first : first + BEHIND + block + AHEAD], gain=gain, ceiling=CEILING, last_db=last_db)
        out.append(found.samples)
        last_db, most = found.last_db, max(most, found.reduced_db)
    return np.concatenate(out)[: len(sound)], most


def interpolated_peak(sound):
    """The true peak by another way: the spectrum, padded to eight times its length."""
    spectrum = np.fft.rfft(sound, axis=0)
    count = len(sound)
    longer = np.zeros((4 * count + 1, sound.shape[1]), complex)
    longer[: len(spectrum)] = spectrum
    return float(np.abs(np.fft.irfft(longer, n=8 * count, axis=0) * 8).max())


def bursts(seed, count=BLOCK * 6, channels=2):
    rng = np.random.default_rng(seed)
    sound = rng.standard_normal((count, channels)) * 0.1
    for place in rng.integers(0, count - 300, 5):
        sound[place : place + 300] *= rng.uniform(5, 40)
    return sound.astype(np.float32)


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 2**32 - 1), st.floats(0.2, 4))
def test_peaks_that_are_known_already_limit_as_those_that_are_reckoned(seed, gain):
    sound = bursts(seed, count=BLOCK)
    around = np.pad(sound, ((BEHIND, AHEAD), (0, 0)))
    reckoned = limit(around, gain=gain, ceiling=CEILING)
    known = limit(around, gain=gain, ceiling=CEILING, peaks=true_peaks(around))
    assert known.samples == pytest.approx(reckoned.samples, abs=1e-6)
    assert known.reduced_db == pytest.approx(reckoned.reduced_db, abs=1e-5)


def test_what_is_quiet_enough_is_not_touched():
    sound = np.full((BLOCK, 2), 0.25, np.float32)
    found, most = limited(sound, gain=2.0)
    assert np.array_equal(found, sound * 2)
    assert most == 0


def test_peaks_between_samples_are_held_too():
    """A quarter of the rate, hit beside its crests: the samples stand at 0.71, the wave at 1."""
    wave = np.sin(2 * np.pi * np.arange(BLOCK * 4) / 4 + np.pi / 4).astype(np.float32)[:, None]
    assert np.abs(wave).max() < 0.7072
    assert true_peaks(wave)[2:-2].max() == pytest.approx(1.0, abs=1e-3)
    found, most = limited(wave)
    middle = found[BLOCK:-BLOCK]
    assert interpolated_peak(middle) <= CEILING * 1.02
    assert most == pytest.approx(1.0, abs=0.15)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32 - 1), st.floats(0.2, 4))
def test_no_burst_gets_over_the_ceiling(seed, gain):
    found, _ = limited(bursts(seed), gain=gain)
    assert np.abs(found).max() <= CEILING * 1.0001
    assert true_peaks(np.pad(found, ((FRAME, FRAME), (0, 0)))).max() <= CEILING * 1.02


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 2**32 - 1))
def test_how_a_sound_is_cut_into_blocks_does_not_matter(seed):
    sound = bursts(seed)
    assert limited(sound)[0] == pytest.approx(limited(sound, block=BLOCK * 3)[0], abs=1e-5)


def test_a_sound_that_begins_loud_is_held_from_its_first_sample():
    found, _ = limited(np.full((BLOCK, 1), 2.0, np.float32))
    assert np.abs(found).max() <= CEILING * 1.0001


def test_the_level_comes_back_after_a_peak():
    sound = np.full((BLOCK * 12, 1), 0.2, np.float32)
    sound[100] = 3
    found, most = limited(sound)
    assert most > 10
    assert found[-BLOCK:, 0] == pytest.approx(np.full(BLOCK, 0.2), abs=1e-4)
