from datetime import UTC, datetime, timedelta

import pytest

from storycore.dashboard import words
from storycore.units import iso

NOW = datetime(2026, 11, 26, 6, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0, "now"), (5, "5 s ago"), (61, "1 min ago"), (7200, "2 h ago"), (200_000, "2 d ago"), (-20, "in 20 s")],
)
def test_instants_are_told_as_people_do(seconds, told):
    assert words.ago(iso(NOW - timedelta(seconds=seconds)), NOW) == told


def test_operations_have_short_names():
    assert words.what("storycore.integration.comfyui.generate_video") == "comfyui generate video"
    assert words.what("storycore.export.package") == "export package"


def test_time_left_is_told_only_where_something_is_known():
    task = {"status": "running", "started_at": iso(NOW - timedelta(seconds=30)), "progress": 0.25}
    assert words.left(task, NOW) == "about 1 min 30 s left"
    assert words.left({**task, "progress": 0.01}, NOW) == ""
    assert words.left({**task, "status": "completed"}, NOW) == ""


def test_figures_are_told_with_target_and_verdict_in_words():
    rows = words.figures(
        {
            "integrated_loudness": {
                "value": -16.0, "unit": "LUFS", "method": "EBU R 128", "target": -14.0, "verdict": "2 LU too quiet",
            },
            "codec": "h264", "faststart": True, "frames": {"value": 1452, "unit": "frames"}, "vmaf": None,
            "silent_stretches": {"value": [[1.0, 2.5]], "unit": "s"},
        }
    )  # fmt: skip
    assert rows == [
        ("Integrated loudness", "−16 LUFS", "−14 LUFS", "2 LU too quiet", "EBU R 128"),
        ("Codec", "h264", "", "", ""),
        ("Plays while it loads", "yes", "", "", ""),
        ("Frames", "1,452 frames", "", "", ""),
        ("Silent stretches", "1–2.5 s", "", "", ""),
    ]


def test_every_state_has_a_sign_and_a_word():
    for known in (words.STATES, words.DELIVERIES, words.HOOKS, words.SERVERS, words.KEYS):
        assert all(state.sign and state.word for state in known.values())


def test_files_are_called_what_they_are():
    assert [words.kind_of(it) for it in ("video/mp4", "audio/wav", "application/zip", "application/x-odd")] == [
        "film", "sound", "package", "application/x-odd",
    ]  # fmt: skip
    assert [words.shows(it) for it in ("video/webm", "audio/mpeg", "image/svg+xml")] == ["film", "sound", ""]


def test_an_event_is_told_in_a_line():
    file = {"path": "C:\\films\\a.mp4", "size_bytes": 1}
    assert words.about({"project_path": "/films/lamp/", "outputs": [file]}) == "lamp · a.mp4"
    assert words.about({"outputs": [file] * 5}) == "a.mp4, a.mp4, a.mp4 and 2 more"
    assert words.about({"subject": "reel 1", "error": {"message": "It is too loud."}}) == "reel 1 · It is too loud."
    assert words.about({"output": None}) == ""
