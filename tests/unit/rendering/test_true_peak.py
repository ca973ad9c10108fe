import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storycore.rendering.true_peak import FRAME, highest_peak, true_peaks


def between(sound):
    """The peak by another way: the spectrum, padded to sixteen times its length."""
    count = len(sound)
    longer = np.zeros((8 * count + 1, sound.shape[1]), complex)
    spectrum = np.fft.rfft(sound, axis=0)
    longer[: len(spectrum)] = spectrum
    return float(np.abs(np.fft.irfft(longer, n=16 * count, axis=0) * 16).max())


def sound_of(seed, frames=400, channels=2):
    rng = np.random.default_rng(seed)
    rough = rng.standard_normal((frames * FRAME, channels)) * rng.uniform(0.01, 1, (frames * FRAME, 1))
    smooth = np.stack([np.convolve(line, np.hanning(9) / 4, "same") for line in rough.T], axis=1)  # less at the top
    smooth[: 4 * FRAME] = smooth[-4 * FRAME :] = 0
    return smooth.astype(np.float32)


def reader(sound):
    """Reads as a file of samples does: silence before and after."""

    def read(first, count):
        found = np.zeros((count, sound.shape[1]), np.float32)
        begin, end = max(0, first), min(len(sound), first + count)
        if begin < end:
            found[begin - first : end - first] = sound[begin:end]
        return found

    return read


def test_a_crest_between_samples_is_seen():
    """A quarter of the rate, hit beside its crests: the samples stand at 0.71, the wave at 1."""
    wave = np.sin(2 * np.pi * np.arange(160 * FRAME) / 4 + np.pi / 4).astype(np.float32)[:, None]
    assert np.abs(wave).max() < 0.7072
    assert true_peaks(wave)[2:-2].max() == pytest.approx(1.0, abs=1e-3)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 2, 6]))
def test_the_highest_peak_is_that_of_the_wave(seed, channels):
    sound = sound_of(seed, channels=channels)
    assert highest_peak(reader(sound), len(sound)) == pytest.approx(between(sound), rel=0.03)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32 - 1), st.floats(0.05, 1.0))
def test_what_is_high_enough_is_told_exactly_and_nothing_is_told_too_high(seed, at_least):
    sound = sound_of(seed)
    every, some = true_peaks(sound), true_peaks(sound, at_least=at_least)
    high = every >= at_least
    assert some[high] == pytest.approx(every[high], rel=1e-5)
    assert np.all(some <= every * (1 + 1e-5))


def test_the_highest_peak_is_found_across_the_borders_of_what_is_read_at_a_time():
    """A crest that stands between the last sample of one four seconds and the first of the next."""
    sound = np.zeros((6000 * FRAME * 2 + 17, 2), np.float32)
    place = 6000 * FRAME
    crest = np.sinc(0.7 * (np.arange(-40, 40) + 0.5)) * np.hanning(81)[:80]
    sound[place - 40 : place + 40, 1] = 0.5 * crest / crest.max()
    there = between(sound[place - 2000 : place + 2000])
    assert there > 0.52
    assert highest_peak(reader(sound), len(sound)) == pytest.approx(there, rel=0.005)


def test_silence_and_nothing_have_no_peak():
    assert highest_peak(reader(np.zeros((100, 2), np.float32)), 100) == 0
    assert highest_peak(reader(np.zeros((0, 2), np.float32)), 0) == 0
    assert len(true_peaks(np.zeros((5, 2), np.float32))) == 0
