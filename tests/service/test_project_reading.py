"""Real projects, odd projects, and what hostile ones get."""

import gc
import json
import os
import shutil
import sys
import time
from fractions import Fraction

import pytest

from fixtures.reading import SAMPLES, hashes, needs_samples, read, reasons, write_json
from fixtures.shapes import png, write_project
from storycore.errors import AccessDenied, InvalidInput, NotFound, Reason
from storycore.project.model import Shape, TransitionKind
from storycore.project.timeline import subtitles

posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")


@needs_samples
def test_compare_demo_has_three_shots_of_six_seconds_and_lacks_its_third_panel():
    before = hashes(SAMPLES / "compare-demo")
    project = read(SAMPLES / "compare-demo")
    assert [(shot.id, shot.duration, shot.start, shot.camera, shot.transition.kind) for shot in project.shots] == [
        ("shot_01", 6, 0, "static", TransitionKind.FADE_BLACK),
        ("shot_02", 6, 6, "zoom", TransitionKind.CUT),
        ("shot_03", 6, 12, "static", TransitionKind.FADE_BLACK),
    ]
    assert [(shot.image.path.rsplit("/", maxsplit=1)[-1], shot.image.found) for shot in project.shots] == [
        ("panel_01_refined.png", True), ("panel_02_refined.png", True), ("panel_03.ppm", False),
    ]  # fmt: skip
    assert (project.name, project.duration, project.missing) == (
        "compare-demo",
        18,
        ("assets/images/panels/panel_03.ppm",),
    )
    assert reasons(project) == [("video_plan.json", "/video_entries/2/source_image", "media_missing")]
    assert hashes(SAMPLES / "compare-demo") == before


@needs_samples
def test_complete_pipeline_test_has_scenes_people_sound_and_a_report_but_no_shots():
    before = hashes(SAMPLES / "complete_pipeline_test")
    project = read(SAMPLES / "complete_pipeline_test")
    assert (project.name, project.shots, project.duration) == ("Complete Pipeline Test", (), 0)
    assert [scene.location for scene in project.scenes] == ["outdoor", "forest"]
    assert [character.name for character in project.characters] == ["Alex", "Sam"]
    assert (len(project.audio), project.audio[0].volume, len(project.missing)) == (11, 0.72, 11)
    report = project.qa_reports[0]
    assert (report.original_score, report.scale, report.score, report.passed, len(report.issues)) == (
        4.7909999999999995, 5.0, 0.9582, False, 10,
    )  # fmt: skip
    assert {issue.severity for issue in report.issues} <= {"critical", "high", "medium", "low"}
    assert project.created is not None
    assert hashes(SAMPLES / "complete_pipeline_test") == before


@needs_samples
@pytest.mark.parametrize(
    ("name", "shape", "shots", "seconds"),
    [
        ("data_project", Shape.TEMPLATE, 0, 0),
        ("data_demo_scenario_v2", Shape.SCENARIO, 0, 0),
        ("data_video_timeline_metadata", Shape.TIMELINE, 3, 30),
        ("timeline_test", Shape.TIMELINE, 3, Fraction(19, 2)),
    ],
)
def test_real_files_of_other_shapes_are_read(name, shape, shots, seconds, tmp_path):
    shutil.copyfile(SAMPLES / "shapes" / f"{name}.json", tmp_path / "project.json")
    project = read(tmp_path)
    assert (project.shape, len(project.shots), project.duration) == (shape, shots, seconds)


def test_what_is_of_the_wrong_kind_is_told_where_it_stands(tmp_path):
    (tmp_path / "storyboard.json").write_text('{"shots": [null, {"id": "s1", "duration": 2}]}', encoding="utf-8")
    (tmp_path / "video_plan.json").write_text('{"video_entries": "none"}', encoding="utf-8")
    raw = {"name": "test", "schema_version": "1.0", "shots": {"a": 1}, "storyboard": True, "scenes": [1, "s", {}]}
    raw |= {"characters": "Ada", "assets": 5, "sequences": ["id"], "config": 3, "metadata": [], "capabilities": "x"}
    project = read(write_json(tmp_path, raw))
    assert [shot.id for shot in project.shots] == ["s1"]
    told = [(file, place) for file, place, reason in reasons(project) if reason == "wrong_type"]
    assert told == [
        ("project.json", "/shots"), ("project.json", "/storyboard"), ("project.json", "/scenes/0"),
        ("project.json", "/scenes/1"), ("project.json", "/characters"), ("project.json", "/assets"),
        ("project.json", "/metadata"), ("project.json", "/config"), ("project.json", "/capabilities"),
        ("storyboard.json", "/shots/0"), ("video_plan.json", "/video_entries"),
    ]  # fmt: skip


@pytest.mark.parametrize("data", [b"", b" \r\n"])
def test_an_empty_project_file_is_called_empty(data, tmp_path):
    (tmp_path / "project.json").write_bytes(data)
    with pytest.raises(InvalidInput, match=r"project\.json is empty \(line 1, column 1\)"):
        read(tmp_path)


def test_a_broken_side_file_and_a_repaired_text_are_told_in_whole_sentences(tmp_path):
    (tmp_path / "storyboard.json").write_text("{", encoding="utf-8")
    (tmp_path / "project.json").write_text('{"name": "a\\ud800", "schema_version": "1.0"}', encoding="utf-8")
    told = {warning.reason: (warning.file, warning.message) for warning in read(tmp_path).warnings}
    assert told["text_repaired"] == ("project.json", "1 text held half a surrogate pair, replaced by U+FFFD.")
    file, message = told["side_file_broken"]
    assert (file, message.startswith("It was not read: ")) == ("storyboard.json", True)


def test_a_store_may_list_the_ids_of_its_shots(tmp_path):
    project = read(write_json(tmp_path, {"name": "test", "schema_version": "1.0", "owner_id": "me", "shots": ["s1"]}))
    assert ([shot.id for shot in project.shots], [r for _, _, r in reasons(project)].count("wrong_type")) == (["s1"], 0)


@needs_samples
def test_a_real_report_at_the_root_counts(tmp_path):
    shutil.copyfile(SAMPLES / "shapes" / "data_qa_report.json", tmp_path / "qa_report.json")
    report = read(write_json(tmp_path, {"name": "test"})).qa_reports[0]
    assert (report.file, report.original_score, len(report.issues)) == ("qa_report.json", 4.8340000000000005, 6)


def test_the_smallest_project_has_a_name(tmp_path):
    project = read(write_json(tmp_path / "film", {"name": "test"}))
    assert (project.name, project.id, project.shots, project.frame_rate) == ("test", "storycore_test", (), 24)
    assert reasons(project) == [("project.json", "", "version_missing"), ("project.json", "", "no_shots")]


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ({"project_name": "a", "name": "b"}, "a"),
        ({"name": "b", "project": {"name": "c"}}, "b"),
        ({"project": {"name": "c", "metadata": {"name": "d"}}}, "c"),
        ({"project": {"metadata": {"name": "d"}}}, "d"),
        ({"metadata": {"titre": "é"}, "project_id": "storycore_x"}, "é"),
        ({"project_id": "storycore_x"}, "x"),
        ({"project_name": "  "}, "film"),
    ],
)
def test_a_name_is_found_in_the_order_that_is_written_down(value, name, tmp_path):
    assert read(write_json(tmp_path / "film", value)).name == name


def test_a_byte_order_mark_and_windows_line_ends_do_not_matter(tmp_path):
    (tmp_path / "project.json").write_bytes(
        b'\xef\xbb\xbf{\r\n  "name": "\xc3\x89t\xc3\xa9",\r\n "schema_version": "1.0"\r\n}'
    )
    assert read(tmp_path).name == "Été"


@pytest.mark.parametrize(
    ("data", "line", "column"),
    [
        (b"", 1, 1), (b'{\n "name": "te', 2, 10), (b'{"a": NaN}', 1, 7), (b'{"a":\n 1e999}', 2, 2), (b"[1]", 1, 1),
        (b'"film"', 1, 1), (b"[" * 100_000, 1, 65), (b'{"a": "\xff"}', 1, 8), (b'{"a": x}', 1, 7),
    ],
)  # fmt: skip
def test_a_broken_project_file_is_refused_with_line_and_column(data, line, column, tmp_path):
    (tmp_path / "project.json").write_bytes(data)
    with pytest.raises(InvalidInput) as fault:
        read(tmp_path)
    assert (fault.value.reason, fault.value.details) == (
        Reason.PROJECT_INVALID, {"file": "project.json", "line": line, "column": column},
    )  # fmt: skip
    assert f"line {line}, column {column}" in fault.value.message


def test_a_giant_project_file_is_refused_before_it_is_read(tmp_path):
    (tmp_path / "project.json").write_bytes(b'{"a": "' + b"x" * 5000 + b'"}')
    with pytest.raises(InvalidInput) as fault:
        read(tmp_path, max_project_json_bytes=4096)
    assert fault.value.reason == Reason.PROJECT_TOO_LARGE


def test_a_list_that_no_film_needs_is_refused(tmp_path):
    with pytest.raises(InvalidInput) as fault:
        read(write_json(tmp_path, {"shots": [{}] * 20_001}))
    assert fault.value.reason == Reason.PROJECT_TOO_LARGE


def test_a_film_of_absurd_numbers_takes_no_absurd_time(tmp_path):
    shots = [{"duration": 1 / (n + 3), "duration_exact": f"1/{10**40 + 2 * n + 1}"} for n in range(3000)]
    started = time.process_time()
    read(write_json(tmp_path / "film", {"shots": shots}))
    absurd = time.process_time() - started
    started = time.process_time()
    read(write_json(tmp_path / "plain", {"shots": [{"duration": 1}] * 3000}))
    assert absurd < 5 * (time.process_time() - started)


@pytest.mark.parametrize("version", ["2.0", "2", "3.1.4", 2, "v2.0"])
def test_a_later_version_is_refused(version, tmp_path):
    with pytest.raises(InvalidInput) as fault:
        read(write_json(tmp_path, {"schema_version": version, "name": "x"}))
    assert fault.value.reason == Reason.PROJECT_INVALID


@pytest.mark.parametrize(
    ("version", "told"),
    [("1.0", []), ("1.7.2", []), ("2026.1.26", ["version_odd"]), ("0.9", ["version_odd"]), ("soon", ["version_odd"]),
     (1.0, ["version_odd"]), (None, ["version_missing"]), ({}, ["version_odd"])],
)  # fmt: skip
def test_every_other_version_is_read_and_odd_ones_are_told(version, told, tmp_path):
    project = read(write_json(tmp_path, {"schema_version": version, "name": "x"}))
    assert [reason for _, _, reason in reasons(project)] == [*told, "no_shots"]


def test_duplicate_keys_and_half_surrogates_are_told(tmp_path):
    (tmp_path / "project.json").write_bytes(b'{"schema_version": "1.0", "name": "a", "name": "b\\ud800"}')
    project = read(tmp_path)
    assert project.name == "b\ufffd"
    assert [reason for _, _, reason in reasons(project)] == ["duplicate_key", "text_repaired", "no_shots"]


def test_a_broken_side_file_is_told_and_left_out(tmp_path):
    files = {
        "project.json": {"schema_version": "1.0", "name": "x", "config": {}},
        "storyboard.json": b'{"shots": [{"sh',
    }
    project = read(write_project(tmp_path, files))
    assert reasons(project) == [("storyboard.json", "", "side_file_broken"), ("project.json", "", "no_shots")]


def test_an_empty_folder_is_no_project_and_says_what_one_is(tmp_path):
    with pytest.raises(NotFound) as fault:
        read(tmp_path)
    assert fault.value.reason == Reason.PROJECT_NOT_FOUND
    assert "project.json" in fault.value.message


def test_a_folder_with_media_alone_is_a_project_without_shots(tmp_path):
    project = read(write_project(tmp_path, {"assets/images/panels/panel_01.png": png()}))
    assert (project.shape, project.shots) == (Shape.FOLDER, ())
    assert reasons(project) == [("", "", "project_file_missing"), ("", "", "no_shots")]


@posix
@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", ["project.json", "storyboard.json"])
def test_a_pipe_in_the_place_of_a_file_does_not_block(name, tmp_path):
    write_json(tmp_path, {"name": "x", "config": {}})
    (tmp_path / name).unlink(missing_ok=True)
    os.mkfifo(tmp_path / name)
    if name == "project.json":
        with pytest.raises(InvalidInput, match="not a regular file"):
            read(tmp_path)
    else:
        assert ("storyboard.json", "", "side_file_broken") in reasons(read(tmp_path))


@posix
@pytest.mark.parametrize("target", ["/dev/zero", "../outside.json", "/etc/hostname", "project.json", "gone.json"])
def test_a_project_file_that_leads_elsewhere_is_refused(target, tmp_path):
    folder = tmp_path / "film"
    folder.mkdir()
    (tmp_path / "outside.json").write_text("{}")
    (folder / "project.json").symlink_to(target)
    with pytest.raises(InvalidInput) as fault:
        read(folder)
    assert fault.value.reason == Reason.PROJECT_INVALID


@posix
def test_a_folder_in_the_place_of_the_project_file_is_refused(tmp_path):
    (tmp_path / "project.json").mkdir()
    with pytest.raises(InvalidInput, match="not a regular file"):
        read(tmp_path)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="the rights of files do not bind this user")
def test_a_project_file_that_may_not_be_read_is_told_as_such(tmp_path):
    write_json(tmp_path, {"name": "x"})
    (tmp_path / "project.json").chmod(0)
    with pytest.raises(AccessDenied):
        read(tmp_path)


def test_warnings_are_bounded(tmp_path):
    project = read(write_json(tmp_path, {"schema_version": "1.0", "shots": [{"duration": -1}] * 3000}))
    assert len(project.warnings) == 1001
    assert project.warnings[-1].reason == "more_warnings"


def test_unknown_keys_are_kept_as_they_are(tmp_path):
    value = {
        "schema_version": "1.0",
        "name": "x",
        "ünknown": {"deep": [1, None]},
        "shots": [{"id": "a", "mood": ["x"]}],
    }
    project = read(write_json(tmp_path, value))
    assert (project.original, project.shots[0].original) == (value, {"mood": ["x"]})


def test_shots_keep_their_place_where_numbers_collide_or_are_missing(tmp_path):
    equal = [{"id": name, "position": 0, "duration": 1} for name in "cab"]
    assert [shot.id for shot in read(write_json(tmp_path, {"shots": equal})).shots] == ["c", "a", "b"]
    partly = [{"id": "c", "position": 5}, {"id": "a"}, {"id": "b", "position": 1}]
    project = read(write_json(tmp_path, {"shots": partly}))
    assert [shot.id for shot in project.shots] == ["c", "a", "b"]
    assert ("project.json", "", "order_incomplete") in reasons(project)


def test_a_production_shot_counts_frames_in_its_timing(tmp_path):
    shots = [
        {"id": "a", "timing": {"duration": 48, "transition": "dissolve", "transitionDuration": 12}},
        {"duration": 2},
    ]
    shot = read(write_json(tmp_path, {"fps": 24, "shots": shots})).shots[0]
    assert (shot.duration, shot.transition.duration) == (2, Fraction(1, 2))


def test_an_unknown_transition_is_a_cut_and_a_long_one_is_shortened_and_both_are_told(tmp_path):
    shots = [
        {"id": "a", "duration": 2, "transition": "spiral"},
        {"id": "b", "duration": 2, "transitionOut": {"type": "dissolve", "duration": 9}},
        {"id": "c", "duration": 4},
    ]
    project = read(write_json(tmp_path, {"schema_version": "1.0", "shots": shots}))
    assert [shot.transition.duration for shot in project.shots] == [0, 1, 0]
    found = [(pointer, reason) for _, pointer, reason in reasons(project) if reason.startswith("transition")]
    assert found == [("/shots/0/transition", "transition_unknown"), ("/shots/1", "transition_shortened")]


def test_a_transition_after_the_last_shot_is_told_of_as_a_fade_for_nothing_follows(tmp_path):
    shots = [{"duration": 2}, {"duration": 2, "transitionOut": {"type": "dissolve", "duration": 9}}]
    project = read(write_json(tmp_path, {"schema_version": "1.0", "shots": shots}))
    assert project.duration == 4
    told = [warning.message for warning in project.warnings if warning.reason == "transition_shortened"]
    assert told == ["The fade at the film's end is longer than half of its shot; it was shortened to that."]


def test_plain_dialogue_is_spread_over_its_shot(tmp_path):
    project = read(write_json(tmp_path, {"shots": [{"duration": 2}, {"duration": 4, "dialogue": "Hello there"}]}))
    assert [(line.text, line.start, line.end) for line in subtitles(project)] == [("Hello there", 2, 6)]


@pytest.fixture
def without_garbage_collection():
    """What other tests left in this process is not looked through while time is measured."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.slow
def test_a_large_project_takes_little_more_than_reading_its_json(tmp_path, without_garbage_collection):
    shots = [
        {
            "id": f"s{n}",
            "duration": 2.5,
            "position": n,
            "image": f"pictures/{n}.png",
            "audioTracks": [{"id": "a", "url": f"sound/{n}.wav", "volume": 80}],
            "dialogue": [{"character": "x", "text": "Hello"}],
            "transition": "dissolve",
        }
        for n in range(500)
    ]
    files = {"project.json": {"schema_version": "1.0", "name": "big", "shots": shots}}
    files |= {f"pictures/{n}.png": png() for n in range(500)}
    files |= {f"other/{n % 50}/{n}.bin": b"x" for n in range(4500)}
    write_project(tmp_path, files)
    read(tmp_path)
    started = time.thread_time()
    project = read(tmp_path)
    spent = time.thread_time() - started
    started = time.thread_time()
    for path in (tmp_path / "pictures").iterdir():
        for _ in range(4):
            path.stat()
            path.read_bytes()
            json.loads(json.dumps(shots[0]))
    yardstick = time.thread_time() - started
    assert len(project.shots) == 500
    assert all(shot.image.found for shot in project.shots)
    assert spent < 8 * yardstick, f"{spent:.3f} s of CPU against {yardstick:.3f} s, {sys.platform}"


@pytest.mark.parametrize(
    ("written", "camera"),
    [
        ({"camera_movement": "Pan Left"}, "pan left"),
        ({"camera_movement": "zoom_out"}, "zoom out"),
        ({"cameraMovement": "tiltDown"}, "tilt down"),
        ({"camera": {"movement": {"type": "dolly-in"}}}, "dolly in"),
        ({"camera_movement": "pan from left to the right"}, "pan right"),
        ({"camera_movement": "zoom, the door at the left"}, "zoom"),
        ({"prompt_modules": {"camera": "wide shot, slowly zooms in"}}, "zoom in"),
    ],
)
def test_where_a_camera_goes_is_kept(tmp_path, written, camera):
    write_json(tmp_path, {"name": "x", "shots": [{"id": "a", "duration": 1, **written}]})
    assert read(tmp_path).shots[0].camera == camera
