"""What a deliverable is made of, by what is seen and heard in it."""

from dataclasses import replace

import pytest

from fixtures.films import film_in, make_film
from fixtures.marks import make_generated_film
from storycore.metadata.evidence import COMPOSITE, GENERATED, SCHEME
from storycore.metadata.origins import origins


def names(found):
    return [asset.title for asset in found.assets]


@pytest.mark.parametrize(
    ("pictures", "sounds", "source_type", "assets", "unsaid"),
    [
        (True, True, COMPOSITE, ["colour_1.png", "bed.wav"], 1),
        (True, False, COMPOSITE, ["colour_1.png"], 1),
        (False, True, GENERATED, ["bed.wav"], 0),
        (False, False, "", [], 0),
    ],
)
def test_only_what_is_seen_or_heard_counts(tmp_path, pictures, sounds, source_type, assets, unsaid):
    project = film_in(make_generated_film(tmp_path / "film")).project
    found = origins(project, pictures=pictures, sounds=sounds)
    assert (found.source_type, names(found), found.unsaid) == (source_type, assets, unsaid)


@pytest.mark.parametrize(("stated", "source_type"), [("all", GENERATED), ("some", COMPOSITE), ("none", "")])
def test_the_user_s_word_goes_before_for_the_whole(tmp_path, stated, source_type):
    project = film_in(make_generated_film(tmp_path / "film")).project
    found = origins(project, pictures=True, sounds=True, stated=stated)
    assert found.source_type == source_type
    assert "colour_1.png" in names(found), "what a file says itself is carried on all the same"


def test_a_film_of_partly_generated_media_is_not_told_to_be_generated_as_a_whole(tmp_path):
    folder = make_film(tmp_path / "film", {"colour": "#228"})
    path = folder / "assets/colour_1.png"
    path.write_bytes(path.read_bytes() + COMPOSITE.encode())
    assert origins(film_in(folder).project, pictures=True, sounds=True).source_type == COMPOSITE


def test_a_filmed_medium_with_a_mark_is_carried_on_and_claims_nothing(tmp_path):
    folder = make_film(tmp_path / "film", {"colour": "#228"})
    path = folder / "assets/colour_1.png"
    path.write_bytes(path.read_bytes() + (SCHEME + "digitalCapture").encode())
    found = origins(film_in(folder).project, pictures=True, sounds=True)
    assert (found.source_type, names(found), found.assets[0].is_generated) == ("", ["colour_1.png"], False)


def test_a_file_that_is_shown_twice_is_one_ingredient(tmp_path):
    project = film_in(make_generated_film(tmp_path / "film")).project
    twice = replace(project, shots=(project.shots[0], project.shots[0]))
    assert names(origins(twice, pictures=True, sounds=False)) == ["colour_1.png"]
