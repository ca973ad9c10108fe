import io

import pytest
from rich.console import Console

from storycore.cli.show_project import show_inspect, show_list
from storycore.operations.project import InspectResult, ListEntry, ListResult, ShotEntry
from storycore.operations.request import WarningEntry


def shot(number: int, **facts) -> ShotEntry:
    values = {
        "id": f"s{number}", "number": number, "title": f"Shot {number}", "start": "00:00:00:00", "start_frames": 0,
        "duration": "00:00:02:00", "duration_seconds": 2.0, "duration_frames": 48, "camera": "static",
        "transition": "cut", "transition_seconds": 0.0, "media": "a.png", "media_source": "image", "dialogue": [],
    }  # fmt: skip
    return ShotEntry(**(values | facts))


def project(**facts) -> InspectResult:
    values = {
        "project_path": "/p", "project_id": "i", "project_name": "film", "title": "Film", "logline": "A door.",
        "shape": "interface", "schema_version": "1.0", "created_at": None, "updated_at": None,
        "frame_rate": "24000/1001", "width": 1920, "height": 1080, "duration": "00:00:04:00", "duration_seconds": 4.0,
        "duration_frames": 96, "shots": [shot(1), shot(2)], "scenes": 1, "characters": ["Ada"], "audio_tracks": 1,
        "sounds": [], "subtitles": 0, "qa_score": 0.958, "qa_passed": False, "missing": [], "warnings": [],
    }  # fmt: skip
    return InspectResult(**(values | facts))


def entry(**facts) -> ListEntry:
    values = {
        "project_path": "/p", "project_name": "film", "shape": "interface", "shots": 3, "duration_seconds": 18.0,
        "updated_at": "2026-01-08T12:00:00+00:00", "warnings": 0, "error": None,
    }  # fmt: skip
    return ListEntry(**(values | facts))


def shown(show, result, *, terminal: bool = False) -> str:
    file = io.StringIO()
    console = Console(
        file=file, width=80, highlight=False, markup=False, emoji=False, force_terminal=terminal,
        color_system="standard" if terminal else None,
    )  # fmt: skip
    show(result, console)
    return file.getvalue()


def test_a_project_is_a_card_with_its_storyboard():
    shots = [shot(1, transition="dissolve", dialogue=["Hello"]), shot(2, media="", media_source="missing")]
    lines = [line.rstrip() for line in shown(show_inspect, project(shots=shots, missing=["b.png"])).splitlines()]
    assert lines == [
        "Film",
        "A door.",
        "  project  film",
        "  length   00:00:04:00 · 4.0 s · 2 shots",
        "  picture  1920 × 1080 · 23.976 frames a second",
        "  story    1 scene · Ada",
        "  sound    1 track · 0 subtitles",
        "  quality  ✗ not passed, 96 of 100",
        "  form     interface · 1.0",
        "",
        "#  Shot     Starts       Lasts  Camera  Out         Picture",
        "1  Shot 1   00:00:00:00    2 s  static  ╳ dissolve  picture",
        "   “Hello”",
        "2  Shot 2   00:00:00:00    2 s  static  │ cut       ! missing",
        "! missing  b.png",
    ]


@pytest.mark.parametrize(
    "hostile", ["\x1b[31mred\x1b[0m", "[bold]x[/bold] [/]", ":smile:", "a\nb\tc", "\u202eabc", "\x9b2J"]
)
def test_text_of_strangers_is_never_markup_nor_a_control_sequence(hostile):
    result = project(
        title=hostile, logline=hostile, characters=[hostile], missing=[hostile],
        shots=[shot(1, title=hostile, camera=hostile, dialogue=[hostile], media_source=hostile)],
        warnings=[WarningEntry(file=hostile, pointer="/a", reason="x", message=hostile)],
    )  # fmt: skip
    listed = ListResult(items=[entry(project_name=hostile), entry(error=hostile)], next_cursor=None)
    text = shown(show_inspect, result) + shown(show_list, listed)
    assert not {"\x1b", "\u202e", "\x9b"} & set(text)
    if "[" in hostile and "\x1b" not in hostile:
        assert hostile in text


def test_the_card_and_the_list_fit_80_columns():
    long = "A very long title that nobody could read at once " * 3
    shots = [shot(n, title=long, dialogue=[long], media_source="promoted", camera="handheld") for n in range(990, 1010)]
    warnings = [WarningEntry(file="project.json", pointer="/shots/1", reason="x", message=long)]
    text = shown(show_inspect, project(title=long, shots=shots, characters=[long] * 9, warnings=warnings))
    text += shown(show_list, ListResult(items=[entry(project_name=long), entry(error=long)], next_cursor=None))
    assert max(map(len, text.splitlines())) <= 80


def test_only_what_needs_a_hand_is_coloured_and_always_with_a_word():
    fine = shown(show_inspect, project(qa_passed=True), terminal=True)
    assert "\x1b[32m✓ passed" in fine
    assert "\x1b[33m" not in fine


def test_empty_things_teach():
    assert "storyboard.json" in shown(show_inspect, project(shots=[]))
    assert "project.json" in shown(show_list, ListResult(items=[], next_cursor=None))
    assert "not checked yet" in shown(show_inspect, project(qa_score=None, qa_passed=None))


def test_a_list_says_in_words_how_each_project_is_and_how_to_go_on():
    items = [entry(), entry(project_name="odd", warnings=2), entry(project_name="bad", error="line 1")]
    lines = [line.rstrip() for line in shown(show_list, ListResult(items=items, next_cursor="abc")).splitlines()]
    assert lines == [
        "Project  Shots  Length  Changed     State",
        "film         3    18 s  2026-01-08  ✓ fine",
        "odd          3    18 s  2026-01-08  ! 2 odd",
        "bad                                 ✗ can't be read",
        "✗ bad: line 1",
        "There are more: --cursor abc",
    ]
