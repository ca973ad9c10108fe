from fractions import Fraction

import numpy as np

from storycore.rendering.loudness import Loudness, read_summary
from storycore.rendering.measure_sound import clipped_places, silences

LOG = """\
[Parsed_ebur128_0 @ 0x7f] Summary:

  Integrated loudness:
    I:         {i} LUFS
    Threshold: -42.2 LUFS

  Loudness range:
    LRA:         3.5 LU
    Threshold: -52.2 LUFS
    LRA low:   -32.2 LUFS

  True peak:
    Peak:      {peak} dBFS
"""


def test_the_meter_is_read():
    told = read_summary(LOG.format(i="-16.2", peak="-1.5").splitlines())
    assert told == Loudness(integrated_lufs=-16.2, range_lu=3.5, true_peak_dbtp=-1.5)
    assert told.shifted(2).integrated_lufs == -14.2


def test_silence_has_no_loudness():
    told = read_summary(LOG.format(i="-70.0", peak="-inf").splitlines())
    assert (told.integrated_lufs, told.true_peak_dbtp) == (None, None)
    assert told.shifted(3) == told


def test_three_samples_in_a_row_at_full_scale_are_clipped_two_are_not():
    full = np.array([0, 0, 0, 1, 1, 0, 1, 1, 1, 1, 0, 1, 1, 1], bool)[:, None]
    assert clipped_places(full) == 2


def test_a_run_that_began_before_counts_once():
    assert clipped_places(np.array([1, 1, 1, 1, 0], bool)[:, None]) == 0
    assert clipped_places(np.array([0, 1, 1, 1, 0], bool)[:, None]) == 1


def test_silences_are_told_from_and_to():
    peaks = [0.0] * 150 + [0.5] * 50 + [0.0] * 99 + [0.5] + [0.0005] * 100
    assert list(silences(peaks, 1)) == [(0, Fraction(3, 2)), (3, 4)]
