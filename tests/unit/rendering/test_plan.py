from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storycore.project.model import Shot, Transition, TransitionKind
from storycore.project.timeline import place
from storycore.rendering.plan import Part, alone, timeline

RATES = [Fraction(24000, 1001), Fraction(24), Fraction(25), Fraction(30000, 1001), Fraction(30), Fraction(60)]


def film(*shots):
    """Placed shots, each given as (seconds, kind, seconds of transition)."""
    made = [
        Shot(
            id=f"s{number}", number=number, title="", description="", duration=Fraction(seconds), start=Fraction(0),
            transition=Transition(kind=TransitionKind(kind), duration=Fraction(length)),
        )
        for number, (seconds, kind, length) in enumerate(shots, start=1)
    ]  # fmt: skip
    return place(made).shots


def parts(line):
    return [(segment.part.value, segment.first, segment.frames, segment.shot) for segment in line.segments]


def test_cuts_are_bodies_side_by_side():
    assert parts(timeline(film((1, "cut", 0), (2, "cut", 0)), Fraction(24))) == [
        ("body", 0, 24, 0),
        ("body", 24, 48, 1),
    ]


def test_a_dissolve_stands_between_the_bodies_and_shortens_the_film():
    line = timeline(film((2, "dissolve", "1/2"), (2, "cut", 0)), Fraction(24))
    assert parts(line) == [("body", 0, 36, 0), ("transition", 36, 12, 0), ("body", 48, 36, 1)]
    assert (line.frames, line.samples(48000)) == (84, 168_000)


def test_a_fade_through_black_lies_half_on_each_side_of_the_cut():
    line = timeline(film((2, "fade_black", 1), (2, "cut", 0)), Fraction(24))
    assert parts(line) == [("body", 0, 36, 0), ("transition", 36, 24, 0), ("body", 60, 36, 1)]


def test_the_last_shot_fades_out():
    line = timeline(film((2, "fade_black", 1)), Fraction(24))
    assert parts(line) == [("body", 0, 24, 0), ("transition", 24, 24, 0)]
    assert line.segments[-1].following is None


def test_a_slate_comes_before_the_film_and_moves_its_sound():
    line = timeline(film((1, "cut", 0)), Fraction(25), lead_seconds=Fraction(2))
    assert parts(line) == [("lead", 0, 50, -1), ("body", 0, 25, 0)]
    assert (line.frames, line.place(Fraction(1, 2))) == (75, Fraction(5, 2))


def test_a_range_cuts_through_a_transition_and_remembers_the_whole_of_it():
    line = timeline(film((2, "dissolve", 1), (2, "cut", 0)), Fraction(24), time_range=(Fraction(3, 2), Fraction(5, 2)))
    first = line.segments[0]
    assert parts(line) == [("transition", 36, 12, 0), ("body", 48, 12, 1)]
    assert (first.transition_first, first.transition_frames, line.place(Fraction(2))) == (24, 24, Fraction(1, 2))


def test_a_long_shot_is_rendered_in_parts():
    line = timeline(film((35, "cut", 0)), Fraction(24))
    assert [segment.frames for segment in line.segments] == [240, 240, 240, 120]


def test_a_film_without_shots_has_no_frames():
    assert timeline((), Fraction(24)).frames == 0


@pytest.mark.parametrize("rate", RATES, ids=str)
def test_lengths_never_drift(rate):
    line = timeline(film(*[("1.013", "cut", 0)] * 999), rate)
    exact = Fraction("1.013") * 999 * rate
    assert abs(line.frames - exact) <= Fraction(1, 2)
    assert abs(line.spans[-1].first - Fraction("1.013") * 998 * rate) <= Fraction(1, 2)


kinds = st.sampled_from([kind.value for kind in TransitionKind])
moments = st.fractions(min_value=0, max_value=5, max_denominator=1001)


@given(st.lists(st.tuples(st.fractions(min_value="1/100", max_value=40, max_denominator=1001), kinds, moments)),
       st.sampled_from(RATES), st.none() | st.tuples(moments, moments))  # fmt: skip
def test_segments_cover_the_film_without_gap_or_overlap(shots, rate, wanted):
    line = timeline(film(*shots), rate, time_range=wanted)
    at = line.first
    for segment in line.segments:
        assert (segment.first, segment.frames > 0) == (at, True)
        span = line.spans[segment.shot]
        if segment.part is Part.BODY:
            assert span.first <= segment.first
            assert segment.end <= span.end
        at = segment.end
    assert at == line.end


@given(st.lists(st.tuples(st.fractions(min_value="1/100", max_value=40, max_denominator=1001), kinds, moments)),
       st.sampled_from(RATES), st.none() | st.tuples(moments, moments))  # fmt: skip
def test_a_segment_knows_where_in_the_result_it_begins_with_a_slate_before_it_too(shots, rate, wanted):
    line = timeline(film(*shots), rate, time_range=wanted, lead_seconds=Fraction(1))
    at = 0
    for segment in line.segments:
        assert line.frame_of(segment) == at
        at += segment.frames
    assert at == line.frames


@given(st.lists(st.tuples(st.integers(1, 400), st.sampled_from(["cut", "dissolve", "fade_black"]), st.integers(0, 30)),
                min_size=1, max_size=5), st.sampled_from(RATES))  # fmt: skip
def test_a_shot_alone_is_whole_and_shares_its_body_with_the_film(shots, rate):
    line = timeline(film(*((Fraction(n, 20), kind, Fraction(way, 20)) for n, kind, way in shots)), rate)
    for number, span in enumerate(line.spans):
        one = alone(line, number)
        assert sum(part.frames for part in one.segments) == span.frames == one.frames
        assert [part.part for part in one.segments] == [Part.BODY] * len(one.segments)
        assert all(before.end == after.first for before, after in zip(one.segments, one.segments[1:], strict=False))
        bodies = {(part.first, part.frames) for part in line.segments if part.part is Part.BODY and part.shot == number}
        assert bodies <= {(part.first, part.frames) for part in one.segments}


def test_handles_lie_before_and_after_a_shot_and_leave_its_body_as_it_is():
    line = timeline(film((2, "dissolve", "1/2"), (2, "fade_black", "1/2"), (2, "cut", 0)), Fraction(24))
    handled, bare = alone(line, 1, handles=7), alone(line, 1)
    assert (handled.first, handled.end, handled.frames) == (bare.first - 7, bare.end + 7, bare.frames + 14)
    assert parts(handled) == [("body", 29, 19, 0), ("body", 48, 30, 0), ("body", 78, 13, 0)]
