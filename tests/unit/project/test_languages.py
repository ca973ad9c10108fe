"""The languages that a film speaks."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from storycore.errors import InvalidInput, Reason
from storycore.project.languages import captioned, dubbed, spoken, tag, written
from storycore.project.model import AudioTrack, DialogueLine, Project, Shape, Shot, TrackKind


def voice(language="", kind=TrackKind.DIALOGUE):
    return AudioTrack(id=f"{kind}-{language}", name="", kind=kind, media=None, start=Fraction(0), duration=None,
                      language=language)  # fmt: skip


def film(*tracks, lines=()):
    shot = Shot(id="s", number=1, title="", description="", duration=Fraction(1), start=Fraction(0), audio=tracks[:1],
                dialogue=tuple(DialogueLine(text=text, language=language) for text, language in lines))  # fmt: skip
    return Project(
        folder=Path("/film"), shape=Shape.INTERFACE, schema_version="", id="x", name="x", created=None, updated=None,
        title="x", logline="", frame_rate=Fraction(24), width=64, height=36, shots=(shot,), duration=Fraction(1),
        audio=tracks[1:],
    )  # fmt: skip


def heard(project):
    return [track.language for track in (*project.shots[0].audio, *project.audio) if not track.muted]


@pytest.mark.parametrize(
    ("tracks", "own", "wanted", "expected"),
    [
        (["en", "fr"], "", "", ["en"]),
        (["en", "fr"], "fr", "", ["fr"]),
        (["en", "fr"], "", "fr", ["fr"]),
        (["en", "fr-CA", "fr-FR"], "", "fr-FR", ["fr-FR"]),
        (["", "fr"], "en", "", [""]),
        (["", "fr"], "en", "fr", ["fr"]),
        (["", "fr"], "en", "en", [""]),
        (["", "fr"], "", "", ["", "fr"]),
        (["fr", "fr"], "", "", ["fr", "fr"]),
        (["", ""], "", "", ["", ""]),
    ],
)
def test_only_one_of_several_languages_is_heard(tracks, own, wanted, expected):
    assert heard(dubbed(film(*map(voice, tracks)), wanted, own)) == expected


def test_music_and_effects_stay():
    tracks = [voice("en"), voice("de"), voice("", TrackKind.MUSIC), voice("fr", TrackKind.SFX)]
    assert heard(dubbed(film(*tracks), "de")) == ["de", "", "fr"]


def test_a_language_that_nobody_speaks_is_refused_with_those_there_are():
    with pytest.raises(InvalidInput, match="there are: en, de") as fault:
        dubbed(film(voice("en"), voice("de")), "fr")
    assert (fault.value.reason, fault.value.details["languages"]) == (Reason.UNKNOWN_VALUE, ["en", "de"])
    with pytest.raises(InvalidInput, match="no voices of this film say theirs"):
        dubbed(film(voice()), "fr")


def test_lines_are_chosen_by_their_language_where_they_say_it():
    project = film(voice(), lines=[("Hello", "en"), ("Bonjour", "fr"), ("Salut", "fr")])
    assert written(project) == ["en", "fr"]
    assert [line.text for line in captioned(project, "fr").shots[0].dialogue] == ["Bonjour", "Salut"]
    assert [line.text for line in captioned(project, "").shots[0].dialogue] == ["Hello"]
    with pytest.raises(InvalidInput, match="there are: en, fr"):
        captioned(project, "de")


def test_lines_that_say_nothing_are_whatever_is_asked_for():
    project = film(voice(), lines=[("Hello", "")])
    assert captioned(project, "de") is project


def test_the_films_own_language_comes_first():
    assert spoken(film(voice("fr"), voice("en"), voice("fr")), "en-GB") == ["en", "fr"]
    assert replace(voice(), language=tag("e n")).language == ""
    assert tag("zh-Hant-TW") == "zh-Hant-TW"
