"""Tasks: all of them, and each with what happened to it and what it made."""

from typing import get_args

from storycore.dashboard.page import Answer, Go, Page
from storycore.dashboard.same_as import as_command, as_curl
from storycore.dashboard.visit import Visit
from storycore.loading import load
from storycore.operations.artifact import ArtifactListRequest
from storycore.operations.catalog import OPERATIONS, find
from storycore.operations.task import (
    EventEntry,
    StatusName,
    TaskCancelRequest,
    TaskEventsRequest,
    TaskListRequest,
    TaskStatusRequest,
)

KINDS = tuple(operation.name for operation in OPERATIONS if operation.long)
_ENDED = ("completed", "failed", "cancelled")
_MOST_EVENTS = 200


def tasks(visit: Visit) -> Answer:
    """A page of tasks."""
    wanted = {name: visit.asked(name) for name in ("status", "kind", "cursor")}
    found = visit.run(TaskListRequest(**wanted))
    return Page(
        template="tasks.html",
        title="Tasks",
        data={"tasks": found},
        more={"kinds": KINDS, "states": get_args(StatusName)},
        live=wanted["cursor"] is None,
    )


def task(visit: Visit) -> Answer:
    """One task."""
    name = visit.names["task_id"]
    events = visit.run(TaskEventsRequest(task_id=name)).items  # first, so that nothing happened that does not show yet
    found = visit.run(TaskStatusRequest(task_id=name))
    if found.status in _ENDED:
        events = visit.run(TaskEventsRequest(task_id=name)).items  # to the end, which is not looked at again
    artifacts = visit.run(ArtifactListRequest(task_id=name)).items if visit.may("artifact.list") else []
    asked = visit.core.asked(name)
    operation = find(asked.kind)
    same = {}
    if operation is not None:
        request_type = load(operation.request)
        same = {
            "command": as_command(operation, request_type, asked.request),
            "curl": as_curl(operation, asked.request, visit.address, with_key=not visit.core.settings.is_open),
        }
    return Page(
        template="task.html",
        title=f"Task {name}",
        data={"task": found, "artifacts": artifacts, "events": events, "asked": asked},
        more={"steps": _steps(events), "same": same, "may_again": operation is not None and visit.has(operation.scope)},
        live=True,
        ended=found.status in _ENDED,
    )


def cancel(visit: Visit) -> Answer:
    """Stops a task."""
    name = visit.names["task_id"]
    visit.run(TaskCancelRequest(task_id=name))
    return Go(to=f"/tasks/{name}", said="cancelled")


def again(visit: Visit) -> Answer:
    """Asks for the same as a task was asked for, as a new task."""
    asked = visit.core.asked(visit.names["task_id"])
    operation = find(asked.kind)
    assert operation is not None  # noqa: S101 - tasks are of the catalogue
    made = visit.submit(load(operation.request)(**asked.request))
    return Go(to=f"/tasks/{made.task_id}", said="again")


def _steps(events: list[EventEntry]) -> list[EventEntry]:
    """What happened, of each step the first word and no more than can be read."""
    found: list[EventEntry] = []
    for event in events:
        last = found[-1] if found else None
        again = last is not None and event.event == "progress" and last.event == "progress"
        if again and last is not None and last.data.get("step") == event.data.get("step"):
            continue
        found.append(event)
    return found[:_MOST_EVENTS]
