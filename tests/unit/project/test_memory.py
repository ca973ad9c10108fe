"""The memory of measured files."""

import json
import os
import random
import threading
import time
from fractions import Fraction
from pathlib import Path

import pytest

from storycore.project.files import Role, SourceFile
from storycore.project.headers import MediaFacts
from storycore.project.memory import Measured, Memory
from storycore.project.model import MediaKind
from storycore.settings import Settings

PAST_NS = time.time_ns() - 10_000_000_000
FILE = SourceFile("assets/clip é.mp4", Role.MEDIA, 1000, PAST_NS, 7, 3)
FACTS = MediaFacts(
    media_type="video/mp4",
    kind=MediaKind.VIDEO,
    width=96,
    height=54,
    duration=Fraction(1001, 24000),
    frame_rate=Fraction(24000, 1001),
    video_codec="H.264",
    audio_codec="AAC",
    channels=2,
    sample_rate_hz=48000,
)
MEASURED = Measured(sha256="0f" * 32, probed=True, facts=FACTS)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(cache_folder=tmp_path / "cache")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "film"
    folder.mkdir()
    return folder


def store(project: Path, settings: Settings, *files: SourceFile) -> Path:
    memory = Memory.open(project, settings)
    for file in files:
        memory.remember(file, MEASURED)
    memory.save()
    return next((settings.cache_folder / "memory").glob("*.json"))


def test_what_was_measured_is_known_to_the_next_run(project, settings):
    store(project, settings, FILE)
    assert Memory.open(project, settings).recall(FILE) == MEASURED


@pytest.mark.parametrize(
    "change", [{"path": "b"}, {"size_bytes": 1001}, {"modified_ns": PAST_NS + 1}, {"inode": 8}, {"device": 4}]
)
def test_a_file_that_differs_in_anything_is_unknown(project, settings, change):
    store(project, settings, FILE)
    assert Memory.open(project, settings).recall(FILE._replace(**change)) == Measured()


@pytest.mark.parametrize("age_seconds", [0, 1.9, -5])
def test_a_file_changed_just_now_is_not_remembered(project, settings, age_seconds):
    memory = Memory.open(project, settings)
    fresh = FILE._replace(modified_ns=time.time_ns() - int(age_seconds * 1e9))
    memory.remember(fresh, MEASURED)
    memory.save()
    assert memory.recall(fresh) == Measured()
    assert not settings.cache_folder.exists()


def test_another_project_has_another_memory(project, settings, tmp_path):
    store(project, settings, FILE)
    assert Memory.open(tmp_path, settings).recall(FILE) == Measured()


def test_nothing_is_ever_written_inside_the_project(project):
    inside = Settings(cache_folder=project / "cache")
    memory = Memory.open(project, inside)
    memory.remember(FILE, MEASURED)
    memory.save()
    assert list(project.iterdir()) == []
    assert memory.recall(FILE) == MEASURED


def test_a_memory_that_is_broken_anywhere_is_as_good_as_none(project, settings):
    path = store(project, settings, FILE)
    good = path.read_bytes()
    chance = random.Random(1)
    for _ in range(300):
        broken = bytearray(good)
        broken[chance.randrange(len(broken))] = chance.randrange(256)
        path.write_bytes(broken[: chance.randrange(len(broken))] if chance.random() < 0.3 else broken)
        assert isinstance(Memory.open(project, settings).recall(FILE), Measured)


@pytest.mark.parametrize(
    "value",
    [[], {}, {"format": "else"}, {"files": 5}, {"files": [1, None, [], ["a", True, 1, 1, 1, None, False, "", None]]}],
)
def test_a_memory_of_another_shape_is_as_good_as_none(project, settings, value):
    path = store(project, settings, FILE)
    real = json.loads(path.read_text())
    path.write_text(json.dumps(value if isinstance(value, list) else {"format": real["format"]} | value))
    assert Memory.open(project, settings).recall(FILE) == Measured()


def test_a_cache_folder_that_can_not_be_written_is_no_error(project, tmp_path):
    (tmp_path / "cache").write_text("a file where the folder should be")
    memory = Memory.open(project, Settings(cache_folder=tmp_path / "cache"))
    memory.remember(FILE, MEASURED)
    memory.save()
    assert memory.recall(FILE) == MEASURED


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_a_pipe_under_the_name_of_the_memory_does_not_block(project, settings):
    path = store(project, settings, FILE)
    path.unlink()
    os.mkfifo(path)
    assert Memory.open(project, settings).recall(FILE) == Measured()


def test_two_writers_at_once_leave_a_whole_memory_with_both_in_it(project, settings):
    files = [FILE._replace(path=f"assets/{number}.png") for number in range(20)]
    memories = [Memory.open(project, settings) for _ in files]

    def write(memory: Memory, file: SourceFile) -> None:
        memory.remember(file, MEASURED)
        memory.save()

    write(memories[0], files[0])
    write(memories[1], files[1])
    after = Memory.open(project, settings)
    assert [after.recall(file) for file in files[:2]] == [MEASURED, MEASURED]
    threads = [threading.Thread(target=write, args=pair) for pair in zip(memories, files, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert any(Memory.open(project, settings).recall(file) == MEASURED for file in files)
    assert [path.suffix for path in (settings.cache_folder / "memory").iterdir()] == [".json"]


def test_the_memory_does_not_outgrow_the_largest_project(project, settings):
    small = settings.model_copy(update={"max_project_files": 5})
    files = [FILE._replace(path=f"assets/{number}.png") for number in range(9)]
    rows = json.loads(store(project, small, *files).read_text())["files"]
    assert len(rows) == 5


def test_a_file_that_changed_takes_the_place_of_what_it_was(project, settings):
    store(project, settings, FILE)
    rows = json.loads(store(project, settings, FILE._replace(size_bytes=5)).read_text())["files"]
    assert [row[:2] for row in rows] == [[FILE.path, 5]]
