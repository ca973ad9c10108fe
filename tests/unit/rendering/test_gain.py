import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from storycore.rendering.gain import amplitude, faded_in, faded_out, ramped, shaped, spread

LEVELS = st.floats(-40, 0, allow_nan=False)


def mono(*values):
    return np.array(values, np.float32)[:, None]


@pytest.mark.parametrize(
    ("pan", "left", "right"), [(-1, 1, 0), (0, 0.5**0.5, 0.5**0.5), (1, 0, 1), (-0.5, 0.92388, 0.38268)]
)
def test_a_mono_sound_is_panned_with_equal_power(pan, left, right):
    laid = spread(mono(1, -0.5), 2, pan=pan, gain=1, speech=False)
    assert laid == pytest.approx(np.array([[left, right], [-left / 2, -right / 2]]), abs=1e-5)


@pytest.mark.parametrize(
    ("pan", "expected"), [(0, [0.5, 0.25]), (-1, [0.75, 0]), (1, [0, 0.75]), (0.5, [0.35355, 0.60355])]
)
def test_a_stereo_sound_in_the_middle_stays_as_it_is_and_else_moves_to_one_side(pan, expected):
    laid = spread(np.array([[0.5, 0.25]], np.float32), 2, pan=pan, gain=1, speech=False)
    assert laid[0] == pytest.approx(expected, abs=1e-5)


def test_gain_is_a_factor_of_the_amplitude():
    assert spread(mono(0.5), 2, pan=-1, gain=0.5, speech=False)[0].tolist() == [0.25, 0]


def test_in_surround_speech_comes_from_the_centre_and_all_else_from_left_and_right():
    assert spread(mono(0.5), 6, pan=0, gain=1, speech=True)[0].tolist() == [0, 0, 0.5, 0, 0, 0]
    assert spread(mono(0.5), 6, pan=-1, gain=1, speech=True)[0] == pytest.approx([0.5, 0, 0, 0, 0, 0])
    assert spread(mono(0.5), 8, pan=1, gain=1, speech=False)[0] == pytest.approx([0, 0.5] + [0] * 6)


def test_a_surround_sound_keeps_its_channels():
    six = np.arange(6, dtype=np.float32)[None] / 10
    assert spread(six, 8, pan=1, gain=0.5, speech=False)[0] == pytest.approx([0, 0.05, 0.1, 0.15, 0.2, 0.25, 0, 0])


@given(st.integers(1, 400), st.lists(st.integers(1, 90), max_size=6), st.integers(0, 500), st.integers(0, 500))
def test_fades_do_not_depend_on_how_a_sound_comes_in_blocks(length, cuts, fade_in, fade_out):
    sound = np.ones((length, 1), np.float32)
    edges = sorted({min(cut, length) for cut in np.cumsum([0, *cuts])} | {length})
    blocks = [sound[begin:end] for begin, end in itertools.pairwise(edges)]
    whole = np.concatenate(list(shaped([sound], fade_in=fade_in, fade_out=fade_out)))
    parts = np.concatenate(list(shaped(blocks, fade_in=fade_in, fade_out=fade_out)))
    assert np.array_equal(whole, parts)
    assert len(whole) == length


def test_a_fade_out_ends_where_the_sound_really_ends():
    sound = np.concatenate(list(shaped([np.ones((100, 1), np.float32)] * 3, fade_out=100)))[:, 0]
    assert sound[:200].tolist() == [1.0] * 200
    assert np.all(np.diff(sound[200:]) < 0)
    assert sound[-1] < 0.01


def test_a_fade_in_goes_on_where_a_part_of_it_was_cut_off():
    later = np.concatenate(list(shaped([np.ones((50, 1), np.float32)], begun=50, fade_in=100)))
    assert later[:, 0] == pytest.approx((np.arange(50, 100) + 0.5) / 100)


def test_a_cross_fade_keeps_the_power():
    ones = np.ones((480, 1), np.float32)
    coming, going = faded_in(ones, 0, 480, equal_power=True), faded_out(ones, 0, 480, equal_power=True)
    assert coming**2 + going**2 == pytest.approx(np.ones((480, 1)), abs=1e-5)


@given(arrays(np.float64, st.integers(1, 60), elements=LEVELS), st.floats(0.05, 5), st.floats(0.05, 5))
def test_a_ramped_curve_is_the_highest_one_that_keeps_to_its_bounds(wanted, fall, rise):
    curve = ramped(wanted, fall=fall, rise=rise)
    steps = np.diff(curve)
    assert np.all(curve <= wanted + 1e-9)
    assert np.all(steps <= rise + 1e-9)
    assert np.all(steps >= -fall - 1e-9)
    lowest = [
        min(
            wanted[other] + (fall * (other - place) if other >= place else rise * (place - other))
            for other in range(len(wanted))
        )
        for place in range(len(wanted))
    ]
    assert curve == pytest.approx(np.array(lowest), abs=1e-9)


@given(arrays(np.float64, st.integers(2, 60), elements=LEVELS), st.data())
def test_a_curve_goes_on_from_where_the_part_before_it_stood(wanted, data):
    cut = data.draw(st.integers(1, len(wanted) - 1))
    whole = ramped(wanted, fall=1e3, rise=0.5)
    first = ramped(wanted[:cut], fall=1e3, rise=0.5)
    second = ramped(wanted[cut:], fall=1e3, rise=0.5, last=first[-1])
    assert np.concatenate((first, second)) == pytest.approx(whole, abs=1e-9)


def test_levels_become_factors():
    assert amplitude(np.array([0.0, -20.0, 6.0206])) == pytest.approx([1, 0.1, 2], abs=1e-5)
