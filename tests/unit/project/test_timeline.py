from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storycore.project.model import DialogueLine, Project, Shape, Shot, Transition, TransitionKind
from storycore.project.timeline import cut_points, overlaps, place, subtitles, transition_kind

CUT = Transition(kind=TransitionKind.CUT, duration=Fraction(0))


def shot(duration: Fraction | int, transition: Transition = CUT, **facts) -> Shot:
    return Shot(
        id="s", number=1, title="T", description="", duration=Fraction(duration), start=Fraction(0),
        transition=transition, **facts,
    )  # fmt: skip


def film(*shots: Shot, phrases: tuple[DialogueLine, ...] = ()) -> Project:
    placed = place(shots)
    return Project(
        folder=Path(), shape=Shape.FOLDER, schema_version="", id="i", name="n", created=None, updated=None, title="n",
        logline="", frame_rate=Fraction(24), width=1920, height=1080, shots=placed.shots, duration=placed.duration,
        phrases=phrases,
    )  # fmt: skip


def dissolve(seconds: Fraction) -> Transition:
    return Transition(kind=TransitionKind.DISSOLVE, duration=seconds)


SECONDS = st.fractions(min_value=Fraction(1, 100), max_value=100, max_denominator=3000)
TRANSITIONS = st.builds(
    Transition, kind=st.sampled_from(TransitionKind), duration=st.fractions(0, 5, max_denominator=100)
)
SHOTS = st.lists(st.builds(shot, SECONDS, TRANSITIONS), max_size=12)


@given(SHOTS)
def test_the_film_is_as_long_as_its_shots_less_their_overlaps(shots):
    placed = place(shots)
    assert placed.duration == sum((one.duration for one in shots), Fraction(0)) - sum(overlaps(placed.shots))


@given(SHOTS)
def test_a_transition_lasts_at_most_half_the_shorter_of_the_two_shots_that_it_joins(shots):
    placed = place(shots).shots
    for one, after in pairwise(placed):
        assert one.transition.duration <= min(one.duration, after.duration) / 2


@given(SHOTS)
def test_placing_a_placed_film_again_changes_nothing(shots):
    placed = place(shots)
    assert place(placed.shots) == placed._replace(shortened=())


@given(SHOTS, st.sampled_from([Fraction(24), Fraction(24000, 1001), Fraction(30000, 1001), Fraction(25)]))
def test_cut_points_never_drift_from_the_exact_time_by_more_than_half_a_frame(shots, rate):
    placed = place(shots)
    points = cut_points(placed.shots, rate)
    exact = [one.start * rate for one in placed.shots] + [placed.duration * rate]
    assert all(abs(point - time) <= Fraction(1, 2) for point, time in zip(points, exact, strict=True))
    assert list(points) == sorted(points)


def test_a_dissolve_belongs_to_the_outgoing_shot_and_a_fade_through_black_shortens_nothing():
    fade = Transition(kind=TransitionKind.FADE_BLACK, duration=Fraction(1))
    placed = place([shot(4, dissolve(Fraction(1))), shot(4, fade), shot(4)])
    assert [one.start for one in placed.shots] == [0, 3, 7]
    assert placed.duration == 11


def test_the_last_transition_has_no_next_shot_and_does_not_overlap():
    placed = place([shot(2, dissolve(Fraction(5)))])
    assert placed.duration == 2
    assert placed.shots[0].transition.duration == 1
    assert placed.shortened == (0,)


def test_halves_of_frames_go_up_so_that_a_cut_never_depends_on_its_neighbours():
    assert cut_points(place([shot(Fraction(1, 48)), shot(1)]).shots, Fraction(24)) == (0, 1, 25)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("match-cut", TransitionKind.CUT), ("smooth-cut", TransitionKind.CUT), ("none", TransitionKind.CUT),
        ("Fade", TransitionKind.FADE_BLACK), ("fade_to_white", TransitionKind.FADE_WHITE),
        ("fade-out", TransitionKind.FADE_BLACK), ("wipe_up", TransitionKind.WIPE_UP),
        ("wipe", TransitionKind.WIPE_LEFT),
        ("zoom_in", TransitionKind.ZOOM), ("blur", TransitionKind.BLUR), ("custom", None), ("spiral", None),
    ],
)  # fmt: skip
def test_every_known_name_of_a_transition_means_one_of_ours(name, kind):
    assert transition_kind(name) == kind


@pytest.mark.parametrize("kind", [kind for kind in TransitionKind if kind.value.startswith(("wipe", "slide"))])
def test_a_direction_beside_the_name_says_the_same_as_one_in_it(kind):
    word, way = kind.value.split("_")
    assert transition_kind(word, direction=way) == transition_kind(kind.value) == kind


def test_phrases_are_the_subtitles_if_there_are_any():
    said = DialogueLine(text="said")
    spoken = DialogueLine(text="spoken", start=Fraction(1), end=Fraction(2))
    assert subtitles(film(shot(4, dialogue=(said,)), phrases=(spoken,))) == (spoken,)


def test_lines_without_times_share_their_shot_by_the_length_of_their_text():
    lines = (DialogueLine(text="aaa"), DialogueLine(text="b"))
    found = subtitles(film(shot(2), shot(4, dialogue=lines)))
    assert [(line.text, line.start, line.end) for line in found] == [("aaa", 2, 5), ("b", 5, 6)]


def test_a_line_without_an_end_lasts_until_the_next_one_or_the_end_of_its_shot():
    lines = (DialogueLine(text="one", start=Fraction(1)), DialogueLine(text="two", start=Fraction(3)))
    found = subtitles(film(shot(5, dialogue=lines)))
    assert [(line.start, line.end) for line in found] == [(1, 3), (3, 5)]


@given(st.lists(st.builds(DialogueLine, text=st.text(max_size=5), start=st.none() | SECONDS, end=st.none() | SECONDS)))
def test_subtitles_always_have_a_start_before_their_end_and_stand_in_order(lines):
    found = subtitles(film(replace(shot(10), dialogue=tuple(lines))))
    times = [(line.start, line.end) for line in found]
    assert all(start is not None and end is not None and start < end for start, end in times)
    assert times == sorted(times)
