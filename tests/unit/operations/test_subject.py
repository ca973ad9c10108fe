import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storycore.operations.subject import MOST_LETTERS, subject_of, subject_of_files

BASE = Path("/films").absolute()
FILM = str(BASE / "dream")
TEXTS = st.text(st.characters(), max_size=250)
NAMES = st.sampled_from(["project_path", "output_path", "target_format", "shots", "shot_id", "preset"])
SHORT = st.text(max_size=9)


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        ({"project_path": FILM}, ""),
        ({"project_path": FILM, "output_path": "out/final cut.mp4", "target_format": "mp4"}, "final cut.mp4"),
        ({"project_path": FILM, "output_path": "out/", "target_format": ["mp4", "wav"]}, "mp4, wav"),
        ({"project_path": FILM, "target_format": "mp4,srt", "shots": [{"path": "a"}]}, "mp4, srt · 1 shot"),
        ({"project_path": FILM, "preset": "youtube-1080p"}, "youtube-1080p"),
        ({"project_path": FILM, "template": "festival"}, "festival"),
        ({"project_path": FILM, "workflow_name": "portrait", "shot_id": "s2"}, "portrait · shot s2"),
        ({"project_path": FILM, "csv_path": "/in/rows.csv"}, "rows.csv"),
        ({"project_path": FILM, "rows": [{}, {}]}, "2 rows"),
        ({"package_path": r"C:\out\film.zip"}, "film.zip"),
        ({"package_path": "s3://bucket/out/film.zip"}, "film.zip"),
    ],
)
def test_a_task_is_about_what_its_request_names(request_, told):
    film = FILM if "project_path" in request_ else None
    assert subject_of(request_, BASE) == {"project_path": film, "subject": told}


@pytest.mark.parametrize("path", ["dream", "./dream/", "../films/dream", FILM])
def test_a_film_is_named_by_its_whole_path_wherever_it_was_asked_for(path):
    assert subject_of({"project_path": path}, BASE)["project_path"] == FILM


def test_what_came_out_are_the_names_of_the_first_files():
    assert subject_of_files([]) == ""
    assert subject_of_files(["/x/a.mp4"]) == "a.mp4"
    assert subject_of_files(["/x/a.mp4", "s3://b/c.wav", "/x/d", "/x/e"]) == "a.mp4, c.wav and 2 more"


@given(TEXTS, TEXTS, st.lists(TEXTS, max_size=4))
def test_whatever_strangers_write_can_be_stored_and_stays_on_one_line(name, shot, files):
    told = subject_of({"project_path": name, "workflow_name": name, "shot_id": shot}, BASE)
    told["files"] = subject_of_files(files)
    with sqlite3.connect(":memory:") as database:
        for text in filter(None, told.values()):
            assert database.execute("SELECT ?", (text,)).fetchone() == (text,)
            assert "\0" not in text
            assert len(text.splitlines()) == 1
    assert max(len(told["subject"]), len(told["files"])) <= MOST_LETTERS
    database.close()


@given(st.dictionaries(NAMES, st.none() | st.integers() | SHORT | st.lists(st.integers() | SHORT, max_size=3)))
def test_a_request_of_any_form_has_a_subject(request_):
    assert isinstance(subject_of(request_, None)["subject"], str)
