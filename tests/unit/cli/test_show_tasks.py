import io

from rich.console import Console

from storycore.cli.show_tasks import show_list, show_status
from storycore.operations.task import TaskEntry, TaskListResult, TaskStatusResult

FACTS = {
    "task_id": "task_0123456789ab", "kind": "storycore.export.format", "project_path": "/films/lighthouse",
    "subject": "final cut.mp4", "status": "running", "priority": "NORMAL", "progress": 0.42, "step": "drawing",
    "attempt": 1, "created_at": "2026-11-26T06:00:00+00:00", "updated_at": "2026-11-26T06:00:00+00:00",
    "started_at": None, "finished_at": None,
}  # fmt: skip


def shown(show, result):
    file = io.StringIO()
    show(result, Console(file=file, width=80, no_color=True))
    return file.getvalue()


def test_a_list_says_which_film_each_task_is_for_and_what_comes_out():
    text = shown(show_list, TaskListResult(items=[TaskEntry(**FACTS)], next_cursor=None))
    heading, first, second = (line.split() for line in text.splitlines())
    assert heading == ["Task", "What", "State", "Began"]
    assert first == ["task_0123456789ab", "export.format", "lighthouse", "▶", "running", "42%", "2026-11-26", "06:00"]
    assert second == ["final", "cut.mp4"]
    assert max(map(len, text.splitlines())) <= 80


def test_names_of_strangers_steer_no_terminal():
    odd = {**FACTS, "project_path": "/films/\x1b[31mred", "subject": "a\nb\u202e.mp4"}
    text = shown(show_list, TaskListResult(items=[TaskEntry(**odd)], next_cursor=None))
    text += shown(show_status, TaskStatusResult(**odd, result=None))
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_a_task_says_its_film_and_what_it_is_about():
    text = shown(show_status, TaskStatusResult(**FACTS, result=None))
    assert "film     /films/lighthouse" in text
    assert "about    final cut.mp4" in text
