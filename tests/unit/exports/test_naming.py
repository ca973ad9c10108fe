"""Names of delivered files."""

from fractions import Fraction
from pathlib import Path

import pytest
from pydantic import ValidationError

from storycore.errors import InvalidInput, Reason
from storycore.exports.formats.format import FormatOptions
from storycore.exports.naming import Naming, file_name, refuse_twins
from storycore.project.model import Project, Scene, Shape, Shot


def project(*titles, name="Film"):
    shots = tuple(
        Shot(id=f"s{number}", number=number, title=title, description="", duration=Fraction(1), start=Fraction(number))
        for number, title in enumerate(titles, start=1)
    )
    return Project(
        folder=Path("/film"), shape=Shape.INTERFACE, schema_version="", id="x", name=name, created=None, updated=None,
        title="Der Turm", logline="", frame_rate=Fraction(24), width=64, height=36, shots=shots,
        duration=Fraction(len(shots)), scenes=(Scene(id="a", title="Harbour", shot_ids=("s1",)),),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("pattern", "shot", "name"),
    [
        ("", None, "Film.mp4"),
        ("", 0, "Film_01.mp4"),
        ("{title} {format}", None, "Der Turm mp4.mp4"),
        ("{number} {scene} {shot}", 0, "01 Harbour Arrival.mp4"),
        ("{number}_{scene}_{shot}", 1, "02__a_b_c.mp4"),
        ("{shot}", None, "project.mp4"),
        ("final", None, "final.mp4"),
    ],
)
def test_files_are_called_after_the_film_and_its_shots(pattern, shot, name):
    film = project("Arrival", "a/b\\c")
    assert file_name(film, Naming(pattern=pattern, format="mp4", suffix=".mp4", shot=shot)) == name


def test_numbers_are_as_long_as_the_longest():
    film = project(*["x"] * 120)
    assert file_name(film, Naming(pattern="{number}", format="mp4", suffix=".mp4", shot=6)) == "007.mp4"


@pytest.mark.parametrize("title", ["../../etc", "CON", "a\x00b", "x" * 500, "..", "{number}", "$HOME", "café\u202e"])
def test_titles_never_lead_out_of_the_folder(title):
    name = file_name(project(title, name=title), Naming(pattern="{project}{shot}", format="gif", suffix=".gif", shot=0))
    assert "/" not in name
    assert name.endswith(".gif")
    assert len(name.encode()) <= 200
    assert not set(name) & set('\x00<>:"|?*\\$')


@pytest.mark.parametrize(
    "pattern", ["../{project}", "a\\b", "{nobody}", "{project", "{0}", "{}", "{project.name}", "a\nb"]
)
def test_a_pattern_that_is_none_is_refused_before_any_work(pattern):
    with pytest.raises(ValidationError):
        FormatOptions(naming=pattern)


def test_two_files_of_one_name_are_refused():
    with pytest.raises(InvalidInput, match=r"put \{number\} into it") as fault:
        refuse_twins(["A.mp4", "a.MP4"])
    assert fault.value.reason is Reason.OUT_OF_RANGE
    refuse_twins(["a.mp4", "a.mov"])
