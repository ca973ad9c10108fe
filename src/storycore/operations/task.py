"""storycore.task.*: see, follow and stop long work."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field
from typing_extensions import override

from storycore.app import App
from storycore.errors import StoryCoreError, from_dict
from storycore.operations.request import Request, Result, Spelling, Whole
from storycore.tasks.task import Happening, Status, Task, new_task_id
from storycore.units import iso, now

_TELLING = 0.05
"""Share of the work from which on it is told how long the rest takes."""

StatusName = Literal["pending", "running", "completed", "failed", "cancelled"]

TaskName = Annotated[
    str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.-]+$", description="Id of the task.")
]
TaskId = Annotated[TaskName, Spelling()]
Cursor = Annotated[
    str, Field(max_length=19, pattern=r"^c[0-9]{1,18}$", description="`next_cursor` of the page before.")
]


class TaskEntry(Result):
    """A task without its result."""

    task_id: str
    kind: str = Field(description="Dotted name of the operation.")
    project_path: str | None = Field(
        default=None, description="Folder of the film that it is for, absolute; null if it is for none."
    )
    subject: str = Field(
        default="",
        description="What comes out of it, or what it looks at, in a few words: file names once it has ended; until "
        "then what was asked for, such as formats, a preset, a workflow or a shot.",
    )
    status: StatusName
    priority: Literal["LOW", "NORMAL", "HIGH"]
    progress: float = Field(ge=0, le=1, description="1.0 only when the result stands.")
    step: str = Field(description="What is being done.")
    seconds_left: float | None = Field(
        default=None,
        description="About how long it still takes, from how long it took so far; null where nothing can be told.",
    )
    attempt: int = Field(description="Which attempt; more than 1 when a process died over it.")
    created_at: str
    updated_at: str
    started_at: str | None
    finished_at: str | None
    error: dict[str, Any] | None = Field(default=None, description="Of a failed or cancelled task.")


class TaskStatusResult(TaskEntry):
    """How far a task is, and what came of it."""

    result: dict[str, Any] | None = Field(default=None, description="Of a completed task: what its operation gives.")

    @property
    @override
    def verdict(self) -> bool:
        return self.status not in ("failed", "cancelled")

    def fault(self) -> StoryCoreError | None:
        """The error of a failed or cancelled task; it names the task."""
        if self.error is None:
            return None
        fault = from_dict(self.error)
        fault.details["task_id"] = self.task_id
        return fault


class TaskStatusRequest(Request[TaskStatusResult]):
    """Tell how far a task is, and what came of it."""

    task_id: TaskId


class TaskListResult(Result):
    """Tasks, the newest first."""

    items: list[TaskEntry]
    next_cursor: str | None = Field(description="For the next page; null on the last one.")


class TaskListRequest(Request[TaskListResult]):
    """List tasks, the newest first."""

    status: StatusName | None = Field(default=None, description="Only tasks that stand so.")
    kind: str | None = Field(
        default=None, max_length=128, pattern=r"^[A-Za-z0-9_.]+$", description="Only tasks of this operation."
    )
    limit: Whole = Field(default=50, ge=1, le=200, description="Most entries on a page.")
    cursor: Cursor | None = None


class TaskCancelResult(Result):
    """What came of asking a task to stop."""

    task_id: str
    cancelled: bool = Field(description="True: it has ended, or ends at its next step.")
    message: str


class TaskCancelRequest(Request[TaskCancelResult]):
    """Stop a task."""

    task_id: TaskId


class EventEntry(Result):
    """One thing that happened to a task."""

    id: int = Field(description="Grows from one to the next.")
    event: str = Field(description="accepted, started, progress, offered_again, completed, failed, cancelled.")
    data: dict[str, Any] = Field(description="`status`, `progress`, `attempt`, `step`, `error`, as far as they apply.")
    created_at: str


class TaskEventsResult(Result):
    """What happened to a task so far."""

    items: list[EventEntry]
    ended: bool = Field(description="Whether nothing more will happen to it.")


class TaskEventsRequest(Request[TaskEventsResult]):
    """Follow a task to its end."""

    task_id: TaskId
    after: Whole = Field(default=0, ge=0, le=10**15, description="Only what happened after the event of this id.")


def status(app: App, request: TaskStatusRequest) -> TaskStatusResult:
    """How far a task is.

    Raises:
        NotFound: task_not_found.
    """
    return told(app.tasks.records.find(request.task_id))


def list_tasks(app: App, request: TaskListRequest) -> TaskListResult:
    """One page of tasks."""
    wanted = None if request.status is None else Status(request.status)
    found = app.tasks.records.page(
        before=from_cursor(request.cursor), limit=request.limit + 1, status=wanted, kind=request.kind
    )
    page = found[: request.limit]
    return TaskListResult(
        items=[TaskEntry(**_entry(task)) for task in page],
        next_cursor=to_cursor(page[-1].number) if len(found) > len(page) else None,
    )


def cancel(app: App, request: TaskCancelRequest) -> TaskCancelResult:
    """Stops a task.

    Raises:
        NotFound: task_not_found.
        Conflict: task_finished.
    """
    task = app.tasks.cancel(request.task_id)
    ended = task.status is Status.CANCELLED
    message = "It is cancelled; it had not begun." if ended else "It was told to stop; nothing of it will be kept."
    return TaskCancelResult(task_id=task.id, cancelled=True, message=message)


def events(app: App, request: TaskEventsRequest) -> TaskEventsResult:
    """What happened so far; `follow` goes on from there.

    Raises:
        NotFound: task_not_found.
    """
    happenings, ended = app.tasks.happenings(request.task_id, after=request.after)
    return TaskEventsResult(items=[_happening(item) for item in happenings], ended=ended)


def follow(app: App, request: TaskEventsRequest, stop: "Any") -> Iterator[EventEntry]:
    """What happens to a task, until its end, or until `stop()` is true.

    Raises:
        NotFound: task_not_found.
    """
    for item in app.tasks.follow(request.task_id, after=request.after, stop=stop):
        yield _happening(item)


def new_id() -> str:
    """A name for a task that is about to be submitted, for those who want to listen from its beginning on."""
    return new_task_id()


def told(task: Task) -> TaskStatusResult:
    """A task as callers see it."""
    return TaskStatusResult(**_entry(task), result=task.result)


def to_cursor(number: int) -> str:
    """A place in a list, as callers get it."""
    return f"c{number}"


def from_cursor(cursor: str | None) -> int | None:
    """The place that a cursor names; callers send it in the form that `to_cursor` gave it."""
    return None if cursor is None else int(cursor[1:])


def _entry(task: Task) -> dict[str, Any]:
    return {
        "task_id": task.id, "kind": task.kind, "project_path": task.project_path, "subject": task.subject,
        "status": task.status.value, "priority": task.priority.name,
        "progress": task.progress, "step": task.step, "seconds_left": _seconds_left(task), "attempt": task.attempt,
        "created_at": iso(task.created_at), "updated_at": iso(task.updated_at), "started_at": _maybe(task.started_at),
        "finished_at": _maybe(task.finished_at), "error": task.error,
    }  # fmt: skip


def _seconds_left(task: Task) -> float | None:
    """Nothing is told at the beginning, which says little of the rest."""
    if task.status is not Status.RUNNING or task.started_at is None or not _TELLING <= task.progress < 1:
        return None
    so_far = max(0.0, (now() - task.started_at).total_seconds())
    return round(so_far * (1 - task.progress) / task.progress, 1)


def _maybe(instant: datetime | None) -> str | None:
    return None if instant is None else iso(instant)


def _happening(item: Happening) -> EventEntry:
    return EventEntry(id=item.id, event=item.event, data=item.data, created_at=iso(item.created_at))
