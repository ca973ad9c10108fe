"""Small pictures of finished files: made once each, and none of a file that is not there as it was made."""

import hashlib
import os

import pytest
from PIL import Image

from storycore import Settings, StoryCore
from storycore.database.connect import Database
from storycore.errors import NotFound
from storycore.operations.likeness import MOST_KEPT
from storycore.tasks.records import TaskRecords
from storycore.tasks.task import Artifact, Order, Outcome, Status


@pytest.fixture
def place(tmp_path, empty_database):
    (tmp_path / "s.db").write_bytes(empty_database.read_bytes())
    return tmp_path


def settings(place):
    return Settings.read(database_url=f"sqlite:///{place / 's.db'}", cache_folder=place / "cache")


def finished(place, name, content, **facts):
    """Id of a file that a task made."""
    path = place / name
    path.write_bytes(content)
    known = {"path": str(path), "name": name, "size_bytes": len(content),
             "sha256": hashlib.sha256(content).hexdigest(), "media_type": "image/png"}  # fmt: skip
    database = Database.open(f"sqlite:///{place / 's.db'}")
    records = TaskRecords(database)
    task = records.accept_running(Order(kind="quiet", request={}), "me")
    made = Artifact(**{**known, **facts})
    assert records.finish(task, Status.COMPLETED, outcome=Outcome(result={}, artifacts=[made]))
    found = records.artifacts(task_id=task.id, before=None, limit=1)[0][1].id
    database.close()
    return found


@pytest.fixture
def picture(tmp_path):
    Image.new("RGB", (64, 36), (200, 60, 20)).save(tmp_path / "drawn.png")
    return (tmp_path / "drawn.png").read_bytes()


def kept(place):
    return sorted(path.name for path in (place / "cache/thumbnails").glob("*"))


def test_a_small_picture_is_made_once_and_kept_under_what_the_file_is(place, picture):
    known = finished(place, "a.png", picture)
    with StoryCore(settings(place)) as core:
        first = core.thumbnail(known)
        (place / "a.png").unlink()
        assert core.thumbnail(known) == first
    assert kept(place) == [f"{hashlib.sha256(picture).hexdigest()}.jpg"]


@pytest.mark.parametrize("became", ["gone", "longer", "link", "folder"])
def test_a_file_that_is_not_there_as_it_was_made_has_none(place, picture, became):
    known = finished(place, "a.png", picture)
    path = place / "a.png"
    path.unlink()
    if became == "longer":
        path.write_bytes(picture + b"x")
    elif became == "link":
        (place / "other.png").write_bytes(picture)
        path.symlink_to(place / "other.png")
    elif became == "folder":
        path.mkdir()
    with StoryCore(settings(place)) as core:
        assert core.thumbnail(known) is None
    assert kept(place) == []


def test_a_file_in_a_store_has_none_and_nothing_is_asked_of_the_store(place, picture):
    known = finished(place, "a.png", picture, path="s3://bucket/a.png")
    with StoryCore(settings(place)) as core:
        assert core.thumbnail(known) is None


def test_a_file_that_is_not_known_is_not_found(place):
    with StoryCore(settings(place)) as core, pytest.raises(NotFound):
        core.thumbnail("artifact_none")


def test_a_broken_file_is_tried_once(place, picture, monkeypatch):
    known = finished(place, "a.png", b"broken" + os.urandom(8))
    tried = []
    with StoryCore(settings(place)) as core:
        assert core.thumbnail(known) is None
        monkeypatch.setattr("storycore.rendering.thumbnail.thumbnail", lambda *_: tried.append(1))
        assert core.thumbnail(known) is None
    assert (tried, kept(place)) == ([], [])


def test_what_was_made_longest_ago_is_forgotten(place, picture):
    folder = place / "cache/thumbnails"
    folder.mkdir(parents=True)
    for number in range(MOST_KEPT + 5):
        (folder / f"{number}.jpg").touch()
        os.utime(folder / f"{number}.jpg", (number, number))
    known = finished(place, "a.png", picture)
    with StoryCore(settings(place)) as core:
        assert core.thumbnail(known)
    assert len(kept(place)) == MOST_KEPT
    assert not (folder / "0.jpg").exists()
