import re
from itertools import pairwise
from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from storycore.dashboard.drawings import SPARK_HEIGHT, SPARK_WIDTH, WAVE_HEIGHT, WIDTH, spark, timeline, wave


def shots(lengths):
    return [SimpleNamespace(number=number, duration_frames=frames) for number, frames in enumerate(lengths, 1)]


@given(st.lists(st.integers(1, 100_000), min_size=1, max_size=50))
def test_shots_stand_side_by_side_each_as_wide_as_it_is_long(lengths):
    blocks = timeline(shots(lengths))
    assert [block.number for block in blocks] == list(range(1, len(lengths) + 1))
    assert blocks[0].x == 0
    assert all(left.x <= right.x for left, right in pairwise(blocks))
    whole = sum(lengths)
    for block, before in zip(blocks, [sum(lengths[:index]) for index in range(len(lengths))], strict=True):
        assert abs(block.x - before * WIDTH / whole) < 0.01


def test_a_film_without_shots_has_no_timeline():
    assert timeline([]) == []
    assert timeline(shots([0, 0])) == []


@given(st.lists(st.none() | st.floats(0, 1e12), max_size=60))
def test_a_line_stays_in_its_picture(values):
    points = [tuple(map(float, pair.split(","))) for pair in spark(values).split()]
    assert all(0 <= x <= SPARK_WIDTH + 0.1 and 0 <= y <= SPARK_HEIGHT for x, y in points)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=600))
def test_a_waveform_is_as_wide_as_it_may_be_and_never_higher(levels):
    bars = re.findall(r"M([\d.]+) ([\d.]+)V([\d.]+)", wave(levels))
    assert len(bars) == len(levels)
    for level, (x, top, bottom) in zip(levels, bars, strict=True):
        assert 0 < float(x) < WIDTH
        assert 0 <= float(top) < float(bottom) <= WAVE_HEIGHT
        assert abs(float(bottom) - float(top) - max(1, level * WAVE_HEIGHT)) < 0.21


def test_a_sound_whose_waveform_is_not_known_says_so():
    assert "no waveform" in wave(None)
    assert "no waveform" in wave([])
