"""Films cut for editing programs: nothing is lost, and every transition has its material."""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

from hypothesis import assume, given
from hypothesis import strategies as st

from fixtures.model_projects import film_project
from storycore.exports.interchange.cutting import SLATE, cuts, items, marks, needed_handles, usual_handles
from storycore.project.model import Scene, Shot, Transition, TransitionKind
from storycore.project.timeline import place
from storycore.rendering.plan import timeline

RATES = [Fraction(24_000, 1001), Fraction(24), Fraction(25), Fraction(30_000, 1001)]
KINDS = ["cut", "dissolve", "fade_black", "wipe_left"]


def film(*shots):
    """Placed shots, each given as (seconds, kind, seconds of transition)."""
    made = [
        Shot(
            id=f"s{number}", number=number, title=f"Shot {number}", description="", start=Fraction(0),
            duration=Fraction(seconds), transition=Transition(kind=TransitionKind(kind), duration=Fraction(length)),
        )
        for number, (seconds, kind, length) in enumerate(shots, start=1)
    ]  # fmt: skip
    return place(made).shots


def cut(line, *, handles=12, start=86_400):
    return cuts(line, handles=handles, start=start, folder="media")


def test_cuts_stand_where_shots_meet():
    found, crossings = cut(timeline(film((1, "cut", 0), (2, "cut", 0)), Fraction(24)))
    assert [(it.first, it.frames, it.into, it.medium.frames) for it in found] == [(0, 24, 12, 48), (24, 48, 12, 72)]
    assert crossings == []


def test_a_dissolve_is_cut_in_its_middle():
    found, crossings = cut(timeline(film((2, "dissolve", "1/2"), (2, "cut", 0)), Fraction(24)))
    assert [(it.first, it.frames, it.into) for it in found] == [(0, 42, 12), (42, 42, 18)]
    assert [(it.after, it.before, it.behind) for it in crossings] == [(0, 6, 6)]


def test_a_fade_lies_over_its_cut_and_needs_handles_for_its_half():
    line = timeline(film((2, "fade_black", 1), (2, "cut", 0)), Fraction(24))
    assert (needed_handles(line), usual_handles(line)) == (12, 12)
    _, crossings = cut(line)
    assert [(it.kind.value, it.before, it.behind) for it in crossings] == [("fade_black", 12, 12)]


def test_at_the_end_of_the_film_a_fade_has_one_side():
    _, crossings = cut(timeline(film((2, "fade_black", 1)), Fraction(24)))
    assert [(it.before, it.behind) for it in crossings] == [(24, 0)]


def test_handles_are_as_long_as_half_of_the_longest_transition():
    line = timeline(film((9, "dissolve", 4), (9, "cut", 0)), Fraction(24))
    assert (needed_handles(line), usual_handles(line)) == (0, 48)


def test_clips_are_counted_like_the_film():
    found, _ = cut(timeline(film((1, "cut", 0), (2, "cut", 0)), Fraction(24)))
    assert [it.medium.start + it.into - it.first for it in found] == [86_400, 86_400]


def test_a_slate_and_a_film_without_shots_are_one_clip():
    found, crossings = cut(timeline((), Fraction(24), lead_seconds=Fraction(2)))
    assert [(it.shot, it.first, it.frames, it.medium.name) for it in found] == [(SLATE, 0, 48, "000_slate")]
    assert crossings == []


def test_a_range_keeps_whole_transitions_only():
    shots = film((2, "dissolve", 1), (2, "dissolve", 1), (2, "cut", 0))
    line = timeline(shots, Fraction(24), time_range=(Fraction(3, 2), Fraction(4)))
    found, crossings = cut(line)
    assert [(it.shot, it.first, it.frames) for it in found] == [(1, 0, 24), (2, 24, 36)]
    assert [(it.after, it.before, it.behind) for it in crossings] == [(0, 12, 12)]


@given(
    shots=st.lists(
        st.tuples(
            st.fractions(min_value="1/5", max_value=20, max_denominator=1001),
            st.sampled_from(KINDS),
            st.fractions(min_value=0, max_value=3, max_denominator=1001),
        ),
        min_size=1, max_size=5,
    ),
    rate=st.sampled_from(RATES),
    more=st.integers(0, 30),
    part=st.none() | st.tuples(st.fractions(0, 1, max_denominator=97), st.fractions(0, 1, max_denominator=97)),
)  # fmt: skip
def test_nothing_is_lost_and_every_transition_has_its_material(shots, rate, more, part):
    placed = film(*shots)
    end = placed[-1].start + placed[-1].duration
    wanted = None if part is None else (min(part) * end, max(part) * end)
    line = timeline(placed, rate, time_range=wanted)
    assume(line.end > line.first)
    found, crossings = cut(line, handles=needed_handles(line) + more)
    assert (found[0].first, sum(it.frames for it in found)) == (0, line.frames)
    assert all(before.first + before.frames == after.first for before, after in pairwise(found))
    assert len({it.medium.name for it in found}) == len(found)
    taken = [[it.into, it.into + it.frames] for it in found]
    for crossing in crossings:
        assert crossing.frames > 0
        taken[crossing.after][1] += crossing.behind
        if crossing.after + 1 < len(found):
            taken[crossing.after + 1][0] -= crossing.before
        else:
            assert crossing.behind == 0
    assert all(first >= 0 and end <= it.medium.frames for (first, end), it in zip(taken, found, strict=True))
    if part is None:
        shown = [segment.frames for segment in line.segments if segment.transition_frames]
        assert sorted(it.frames for it in crossings) == sorted(shown)


def test_what_the_project_knows_of_a_shot_goes_with_it(tmp_path):
    project = film_project(tmp_path)
    line = timeline(project.shots, Fraction(24))
    found, _ = cut(line)
    facts = items(project, found, handles=12)[0].facts
    assert (facts["shot_id"], facts["shot_number"], facts["handle_frames"]) == ("shot_01", 1, 12)
    assert facts["prompt"] == project.shots[0].prompt.text
    assert None not in facts.values()


def test_scenes_are_marked_from_their_first_shot_to_their_last(tmp_path):
    shots = tuple(replace(shot, scene_id="a" if shot.number < 3 else "b") for shot in film(*[(1, "cut", 0)] * 4))
    scenes = (Scene(id="a", title="Kitchen", description="Night"), Scene(id="b", title=""))
    project = film_project(tmp_path, shots=shots, scenes=scenes, original={})
    line = timeline(shots, Fraction(24))
    told = [(it.frame, it.frames, it.name, it.note) for it in marks(project, cut(line)[0], line)]
    assert told == [(0, 48, "Kitchen", "Night"), (48, 48, "b", "")]


def test_markers_of_the_project_file_are_kept_and_odd_ones_left_out(tmp_path):
    odd = [{"time": "1"}, {"time": -1}, {"time": 99}, {"time": True}, {"time": float("nan")}, 7, None]
    written = [{"time": 0.5, "label": "Beat", "comment": "hit\nhere"}, *odd]
    shots = film((1, "cut", 0))
    project = film_project(tmp_path, shots=shots, scenes=(), original={"markers": written})
    line = timeline(shots, Fraction(24))
    told = [(it.frame, it.name, it.note) for it in marks(project, cut(line)[0], line)]
    assert told == [(12, "Beat", "hit here")]
