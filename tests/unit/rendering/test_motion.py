import itertools
from dataclasses import replace
from fractions import Fraction

import pytest

from storycore.project.model import Prompt, Shot
from storycore.rendering.motion import STILL, ease, move_of, view

SHOT = Shot(id="s", number=1, title="", description="", duration=Fraction(3), start=Fraction(0))
KINDS = ["pan", "tilt", "zoom", "dolly", "tracking", "crane", "ken burns"]


def moved(camera, words=""):
    return move_of(replace(SHOT, camera=camera, prompt=Prompt(modules={"camera": words})))


@pytest.mark.parametrize("camera", ["static", "", "whatever"])
def test_words_that_name_no_move_leave_the_camera_still(camera):
    assert moved(camera) == STILL
    assert moved(camera).still


@pytest.mark.parametrize("camera", [*KINDS, "handheld"])
def test_a_view_never_leaves_the_picture(camera):
    move = moved(camera)
    for frame in range(72):
        seen = view(move, frame, 72, Fraction(24))
        assert 1 <= seen.zoom <= move.closest
        assert -1 <= seen.x <= 1
        assert -1 <= seen.y <= 1


WORDS = [("zoom", "out"), ("pan", "left"), ("tilt", "down"), ("dolly", "pull back")]


@pytest.mark.parametrize(("camera", "word"), WORDS)
def test_a_word_turns_a_move_round(camera, word):
    there, back = moved(camera), moved(camera, f"slow {word}")
    assert (back.zoom, back.x, back.y) == (there.zoom[::-1], there.x[::-1], there.y[::-1])


@pytest.mark.parametrize(
    ("camera", "other"), [("zoom in", "zoom out"), ("pan right", "pan left"), ("tilt up", "tilt down")]
)
def test_a_direction_beside_the_move_goes_before_prose(camera, other):
    there, back = moved(camera, "wide shot, left, out, down"), moved(other)
    assert there == moved(camera.split()[0])
    assert (back.zoom, back.x, back.y) == (there.zoom[::-1], there.x[::-1], there.y[::-1])


@pytest.mark.parametrize("camera", KINDS)
def test_a_move_begins_and_ends_gently(camera):
    seen = [view(moved(camera), frame, 100, Fraction(24)) for frame in range(100)]
    steps = [abs(b.zoom - a.zoom) + abs(b.x - a.x) + abs(b.y - a.y) for a, b in itertools.pairwise(seen)]
    assert steps[0] < max(steps) / 10
    assert steps[-1] < max(steps) / 10


def test_a_short_shot_moves_less():
    assert move_of(replace(SHOT, camera="zoom", duration=Fraction(1))).closest < moved("zoom").closest


@pytest.mark.parametrize("curve", ["linear", "ease-in", "ease_out", "Ease In Out", "unknown"])
def test_curves_begin_at_the_beginning_and_end_at_the_end(curve):
    assert (ease(0, curve), ease(1, curve)) == (pytest.approx(0), pytest.approx(1))
    ways = [ease(step / 50, curve) for step in range(51)]
    assert ways == sorted(ways)


@pytest.mark.parametrize("camera", ["zoom", "pan", "dolly", "ken burns"])
def test_a_camera_rests_before_its_shot_and_after_it(camera):
    move = moved(camera)
    assert view(move, -9, 48, Fraction(24)) == view(move, 0, 48, Fraction(24))
    assert view(move, 57, 48, Fraction(24)) == view(move, 47, 48, Fraction(24))
