"""storycore.project.inspect and storycore.project.list."""

import os

import pytest

from fixtures.reading import SAMPLES, hashes, needs_samples, settings, write_json
from fixtures.shapes import SHAPES, write_project
from fixtures.sounds import save, tone
from storycore import InspectRequest, ListRequest, StoryCore
from storycore.errors import AccessDenied, InvalidInput, NotFound, Reason

posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")


@pytest.fixture
def core():
    return StoryCore(settings())


def names(result):
    return [entry.project_name for entry in result.items]


@needs_samples
def test_inspect_shows_each_shot_with_timecode_camera_transition_and_picture(core):
    result = core.run(InspectRequest(project_path=str(SAMPLES / "compare-demo")))
    assert (result.project_name, result.duration, result.duration_frames, result.frame_rate) == (
        "compare-demo", "00:00:18:00", 432, "24",
    )  # fmt: skip
    assert [(shot.start, shot.duration, shot.camera, shot.transition, shot.media_source) for shot in result.shots] == [
        ("00:00:00:00", "00:00:06:00", "static", "fade_black", "refined"),
        ("00:00:06:00", "00:00:06:00", "zoom", "cut", "refined"),
        ("00:00:12:00", "00:00:06:00", "static", "fade_black", "missing"),
    ]
    assert result.missing == ["assets/images/panels/panel_03.ppm"]


@pytest.mark.parametrize("shape", SHAPES)
def test_inspect_answers_for_every_shape_and_its_frames_add_up(shape, core, tmp_path):
    result = core.run(InspectRequest(project_path=str(write_project(tmp_path / "film", SHAPES[shape]()))))
    assert result.shape == shape
    assert abs(result.duration_frames - result.duration_seconds * 24) < 24 * 10
    assert result.model_dump(mode="json")["shots"] is not None


def test_inspect_refuses_what_is_no_project(core, tmp_path):
    for path, fault, reason in [
        (str(tmp_path), NotFound, Reason.PROJECT_NOT_FOUND),
        (str(tmp_path / "gone"), NotFound, Reason.PROJECT_NOT_FOUND),
    ]:
        with pytest.raises(fault) as found:
            core.run(InspectRequest(project_path=path))
        assert found.value.reason == reason


def test_inspect_stays_inside_the_roots(tmp_path):
    write_json(tmp_path / "outside", {"name": "x"})
    (tmp_path / "root").mkdir()
    core = StoryCore(settings(roots=(tmp_path / "root",)))
    for path in ("../outside", str(tmp_path / "outside"), str(tmp_path / "nothing")):
        with pytest.raises(AccessDenied):
            core.run(InspectRequest(project_path=path))


def test_list_finds_the_projects_in_a_folder_and_the_folder_itself_by_name(core, tmp_path):
    write_json(tmp_path, {"name": "whole"})
    write_json(tmp_path / "b", {"name": "B"})
    write_project(tmp_path / "a", SHAPES["folder"]())
    write_json(tmp_path / "deep" / "inside", {"name": "no"})
    (tmp_path / "empty").mkdir()
    (tmp_path / "file.txt").write_text("x")
    result = core.run(ListRequest(folder=str(tmp_path)))
    assert sorted(names(result)) == ["B", "a", "whole"]
    folders = [entry.project_path.rsplit(os.sep, maxsplit=1)[-1] for entry in result.items]
    assert folders == sorted(folders)
    assert result.next_cursor is None


def test_list_pages_without_losing_or_repeating_a_project(core, tmp_path):
    for number in range(7):
        write_json(tmp_path / f"p{number}", {"name": f"P{number}"})
    found, cursor = [], None
    while True:
        page = core.run(ListRequest(folder=str(tmp_path), limit=3, cursor=cursor))
        found.append(names(page))
        if (cursor := page.next_cursor) is None:
            break
    assert found == [["P0", "P1", "P2"], ["P3", "P4", "P5"], ["P6"]]


@pytest.mark.parametrize("cursor", ["", "x", "W10", "eyJhIjoxfQ", "é", "=" * 40, "WzEsMl0", "bm9uc2Vuc2U"])
def test_a_cursor_that_is_not_ours_is_refused(cursor, core, tmp_path):
    with pytest.raises(InvalidInput) as fault:
        core.run(ListRequest(folder=str(tmp_path), cursor=cursor))
    assert [item.pointer for item in fault.value.errors] == ["/cursor"]


def test_a_broken_project_is_listed_with_the_reason_and_does_not_break_the_list(core, tmp_path):
    write_json(tmp_path / "good", {"name": "Good"})
    write_project(tmp_path / "bad", {"project.json": b"{"})
    write_json(tmp_path / "late", {"schema_version": "9.0"})
    result = core.run(ListRequest(folder=str(tmp_path)))
    assert [(entry.project_name, entry.error is None) for entry in result.items] == [
        ("bad", False), ("Good", True), ("late", False),
    ]  # fmt: skip
    assert "line 1" in (result.items[0].error or "")


@posix
@pytest.mark.timeout(20)
def test_hostile_contents_do_not_break_the_list(core, tmp_path):
    folder = tmp_path / "films"
    write_json(folder / "good", {"name": "Good"})
    write_json(tmp_path / "outside", {"name": "Outside"})
    (folder / "pipe").mkdir()
    os.mkfifo(folder / "pipe" / "project.json")
    os.mkfifo(folder / "fifo")
    (folder / "out").symlink_to(tmp_path / "outside")
    (folder / "loop").symlink_to(folder / "loop")
    (folder / "linked").mkdir()
    (folder / "linked" / "project.json").symlink_to(tmp_path / "outside" / "project.json")
    os.mkdir(os.fsencode(folder) + b"/bad\xff")  # noqa: PTH102 - a name that is no text
    before = hashes(tmp_path / "outside")
    result = core.run(ListRequest(folder=str(folder)))
    assert [(entry.project_name, entry.error is None) for entry in result.items] == [
        ("Good", True), ("linked", False), ("pipe", False),
    ]  # fmt: skip
    assert hashes(tmp_path / "outside") == before


def test_without_a_folder_the_roots_are_listed_or_else_the_working_directory(tmp_path, monkeypatch):
    write_json(tmp_path / "one" / "a", {"name": "A"})
    write_json(tmp_path / "two" / "b", {"name": "B"})
    roots = settings(roots=(tmp_path / "one", tmp_path / "two", tmp_path / "gone"))
    assert names(StoryCore(roots).run(ListRequest())) == ["A", "B"]
    monkeypatch.chdir(tmp_path / "two")
    assert names(StoryCore(settings()).run(ListRequest())) == ["B"]


def test_list_stays_inside_the_roots(tmp_path):
    (tmp_path / "root").mkdir()
    with pytest.raises(AccessDenied):
        StoryCore(settings(roots=(tmp_path / "root",))).run(ListRequest(folder=str(tmp_path)))


def test_inspect_tells_where_each_sound_stands_no_longer_than_its_file(core, tmp_path):
    save(tmp_path / "film/long.wav", tone(seconds=3.0))
    save(tmp_path / "film/short.wav", tone(seconds=0.5))

    def sound(name, url, start=0, **more):
        return {"name": name, "type": "sfx", "url": url, "startTime": start, "volume": 80, **more}

    shots = [
        {"id": "a", "title": "A", "duration": 2, "audioTracks": [sound("to the end of its file", "short.wav", 1)]},
        {
            "id": "b", "title": "B", "duration": 2, "audioTracks": [
                sound("longer than the film", "long.wav", 1), sound("cut", "long.wav", duration=0.25),
                sound("shorter than told", "short.wav", duration=2), sound("gone", "gone.wav"),
                sound("silent", "short.wav", muted=True),
            ],
        },
    ]  # fmt: skip
    write_json(tmp_path / "film", {"project_name": "x", "schema_version": "1.0", "shots": shots})
    result = core.run(InspectRequest(project_path=str(tmp_path / "film")))
    assert [(it.name, it.shot, it.start_seconds, it.end_seconds, it.found, it.heard) for it in result.sounds] == [
        ("to the end of its file", 1, 1.0, 1.5, True, True), ("cut", 2, 2.0, 2.25, True, True),
        ("gone", 2, 2.0, None, False, False), ("shorter than told", 2, 2.0, 2.5, True, True),
        ("silent", 2, 2.0, 2.5, True, False), ("longer than the film", 2, 3.0, 4.0, True, True),
    ]  # fmt: skip
    assert [(shot.start_frames, shot.shows) for shot in result.shots] == [(0, "missing"), (48, "missing")]
