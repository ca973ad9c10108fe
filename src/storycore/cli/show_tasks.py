"""How tasks and the files that they made look on the terminal."""

from collections.abc import Iterable
from datetime import datetime

from rich.console import Console
from rich.text import Text

from storycore.cli.tables import instant, next_page, table, words
from storycore.cli.words import command, plain, typed
from storycore.operations.artifact import ArtifactDownloadResult, ArtifactListResult
from storycore.operations.subject import last
from storycore.operations.task import EventEntry, TaskEntry, TaskListResult, TaskStatusResult
from storycore.units import human_bytes, human_seconds, rough_seconds

_STATES = {
    "pending": ("○", "waiting", "dim"),
    "running": ("▶", "running", "dark_orange"),
    "completed": ("✓", "completed", "green"),
    "failed": ("✗", "failed", "red"),
    "cancelled": ("✗", "cancelled", "yellow"),
}


def show_status(result: TaskStatusResult, console: Console) -> None:
    """A task: what it is, how far, and what came of it."""
    console.print(_state(result), words(result.kind.removeprefix("storycore.")))
    for name, value in _facts(result):
        console.print(Text.assemble((f"  {name:<9}", "dim"), value), soft_wrap=True)
    if result.error:
        console.print(Text.assemble(("  why      ", "dim"), words(str(result.error.get("message", "")))))
        console.print(Text.assemble(("  do       ", "dim"), words(str(result.error.get("remediation", "")))))
    if result.status in ("pending", "running"):
        _next(console, "task", "watch", result.task_id)
    if result.status == "completed":
        _next(console, "artifact", "list", "--task-id", result.task_id)


def show_list(result: TaskListResult, console: Console) -> None:
    """Tasks, one a line."""
    if not result.items:
        console.print(Text(f"No tasks yet. Long work makes them:  {command('export', 'package', 'film/')}"))
        return
    shown = table("Task", "What", "State", "Began", whole=frozenset({"Task", "State", "Began"}))
    for task in result.items:
        shown.add_row(task.task_id, _what(task), _state(task, far=True), instant(task.created_at))
    console.print(shown)
    more = next_page(result.next_cursor)
    if more:
        console.print(more, soft_wrap=True)


def show_artifacts(result: ArtifactListResult, console: Console) -> None:
    """Files, one a line."""
    if not result.items:
        console.print(Text(f"No files yet. Exports make them:  {command('export', 'package', 'film/')}"))
        return
    shown = table("Artifact", "Name", "Size", "Made", right=frozenset({"Size"}))
    for item in result.items:
        shown.add_row(item.artifact_id, words(item.name), human_bytes(item.size_bytes), instant(item.created_at))
    console.print(shown)
    more = next_page(result.next_cursor)
    if more:
        console.print(more, soft_wrap=True)


def show_download(result: ArtifactDownloadResult, console: Console) -> None:
    """Where a file was put."""
    console.print(Text("✓ Fetched", style="green"), Text(human_bytes(result.size_bytes)))
    console.print(Text.assemble(("  file     ", "dim"), plain(typed(result.path))), soft_wrap=True)
    console.print(Text.assemble(("  sha-256  ", "dim"), result.checksum.removeprefix("sha256:")), soft_wrap=True)


def event_line(event: EventEntry) -> str:
    """One thing that happened, on a line."""
    progress, step = event.data.get("progress"), event.data.get("step")
    done = f"{progress:>4.0%}" if isinstance(progress, float) else "    "
    error = event.data.get("error") or {}
    told = plain(str(error.get("message") or step or ""))
    return f"{event.created_at[11:19]}  {done}  {event.event:<13} {told}".rstrip()


def _facts(task: TaskStatusResult) -> Iterable[tuple[str, Text]]:
    if task.project_path:
        yield "film", Text(plain(typed(task.project_path)))
    if task.subject:
        yield "about", words(task.subject)
    yield "task", Text(task.task_id)
    left = "" if task.seconds_left is None else f" · about {rough_seconds(task.seconds_left)} left"
    yield "done", Text(f"{task.progress:.0%} · {plain(task.step)}{left}")
    yield "accepted", instant(task.created_at)
    if task.attempt > 1:
        yield "attempt", Text(f"{task.attempt}; a process died over each one before")
    if task.started_at and task.finished_at:
        yield "took", Text(human_seconds((_read(task.finished_at) - _read(task.started_at)).total_seconds()))


def _read(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _what(task: TaskEntry) -> Text:
    """Which work, the film that it is for as its folder is called, and below that what comes out."""
    kind = task.kind.removeprefix("storycore.").removeprefix("integration.")
    named = words(f"{kind} {last(task.project_path or '')}")
    return Text.assemble(named, "\n", words(task.subject, "dim")) if task.subject else named


def _state(task: TaskEntry, *, far: bool = False) -> Text:
    mark, word, style = _STATES[task.status]
    done = f" {task.progress:.0%}" if far and task.status == "running" else ""
    return Text(f"{mark} {word}{done}", style=style)


def _next(console: Console, *what: str) -> None:
    console.print(Text("Next: ", style="dim"), Text(command(*what)), sep="", soft_wrap=True)
