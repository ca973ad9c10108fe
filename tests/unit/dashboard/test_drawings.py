import re
from itertools import pairwise
from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from storycore.dashboard.drawings import (
    MOST_ROWS,
    ROW_HEIGHT,
    SPARK_HEIGHT,
    SPARK_WIDTH,
    WAVE_HEIGHT,
    WIDTH,
    lanes,
    spark,
    timeline,
    wave,
)


def shots(lengths, overlap=0):
    starts = [sum(lengths[:index]) - overlap * index for index in range(len(lengths))]
    return [
        SimpleNamespace(number=number, start_frames=start, duration_frames=frames)
        for number, (start, frames) in enumerate(zip(starts, lengths, strict=True), 1)
    ]


def sound(kind, start, end):
    return SimpleNamespace(kind=kind, start_seconds=start, end_seconds=end)


def sorted_by_start(times):
    return sorted(times, key=lambda it: it[0])


@given(st.lists(st.integers(1, 100_000), min_size=1, max_size=50))
def test_shots_stand_side_by_side_each_as_wide_as_it_is_long(lengths):
    blocks = timeline(shots(lengths))
    assert [block.number for block in blocks] == list(range(1, len(lengths) + 1))
    assert blocks[0].x == 0
    assert all(left.x <= right.x for left, right in pairwise(blocks))
    whole = sum(lengths)
    for block, before in zip(blocks, [sum(lengths[:index]) for index in range(len(lengths))], strict=True):
        assert abs(block.x - before * WIDTH / whole) < 0.01


def test_a_shot_that_dissolves_is_shown_to_where_the_next_one_begins():
    first, second, third = timeline(shots([100, 100, 100], overlap=25))
    assert [round(block.x) for block in (first, second, third)] == [0, 300, 600]
    assert round(third.x + third.width) == WIDTH - 2


def test_sounds_stand_on_lanes_by_what_they_are_for_at_their_time():
    sounds = [sound("music", 0.0, 10.0), sound("voiceover", 2.5, 5.0), sound("dialogue", 5.0, 7.5)]
    speech, music = lanes(sounds, 10.0)
    assert [(lane.word, lane.height) for lane in (speech, music)] == [("Dialogue", ROW_HEIGHT), ("Music", ROW_HEIGHT)]
    assert [(bar.x, bar.width, bar.index) for bar in speech.bars] == [(250.0, 249.0, 1), (500.0, 249.0, 2)]
    assert [(bar.x, bar.width, bar.index) for bar in music.bars] == [(0.0, 999.0, 0)]


def test_a_sound_whose_end_nobody_knows_is_drawn_to_the_end_and_says_so():
    ((bar,),) = [lane.bars for lane in lanes([sound("sfx", 4.0, None)], 8.0)]
    assert (bar.x, bar.width, bar.is_open) == (500.0, 499.0, True)


def test_a_film_without_sounds_has_no_lanes_and_one_without_length_has_none_either():
    assert lanes([], 10.0) == []
    assert lanes([sound("sfx", 0.0, 1.0)], 0.0) == []


@given(
    st.lists(st.tuples(st.floats(-10, 200), st.none() | st.floats(-10, 200)), max_size=30).map(sorted_by_start),
    st.floats(0.01, 100),
)
def test_sounds_stay_in_the_picture_and_lie_over_each_other_only_where_there_are_very_many(times, seconds):
    for lane in lanes([sound("ambient", *time) for time in times], seconds):
        assert lane.height <= MOST_ROWS * (ROW_HEIGHT + 2)
        for bar in lane.bars:
            assert 0 <= bar.x < WIDTH
            assert bar.x + bar.width <= WIDTH + 1
            assert 0 <= bar.y <= lane.height - ROW_HEIGHT
        for row in range(MOST_ROWS - 1):
            inside = [bar for bar in lane.bars if bar.y == row * (ROW_HEIGHT + 2)]
            assert all(left.x + left.width <= right.x + 1 for left, right in pairwise(inside))


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
