"""What each change of a task writes: its row, what happened to it and what it made, in a transaction of the caller.

Whatever a task's process writes names its lease, and changes nothing when that has passed to another.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from storycore.database.tables import artifacts, task_events, tasks
from storycore.errors import NotFound, Reason
from storycore.tasks.task import Order, Outcome, Priority, Status, Task
from storycore.units import now

HELD = update(tasks).where(
    tasks.c.number == bindparam("held_number"),
    tasks.c.owner == bindparam("held_owner"),
    tasks.c.attempt == bindparam("held_attempt"),
    tasks.c.status == Status.RUNNING,
)
"""Changes a task whose lease is held."""

_UPDATE_WAITING = update(tasks).where(tasks.c.number == bindparam("held_number"), tasks.c.status == Status.PENDING)
_MOVED = (tasks.c.progress, tasks.c.step, tasks.c.beat, tasks.c.cancel_requested)  # since the task was read
_END_HELD, _END_WAITING = HELD.returning(*_MOVED), _UPDATE_WAITING.returning(*_MOVED)
WANTED = HELD.where(tasks.c.cancel_requested.is_(False))
"""The same, if nobody wants to stop it."""

_COMPLETE_HELD = WANTED.returning(*_MOVED)
_NEW = insert(tasks).returning(tasks.c.number)
_EVENT = insert(task_events)
_BY_ID = select(tasks).where(tasks.c.id == bindparam("task_id"))
_WAITING = {"status": Status.PENDING, "progress": 0.0, "step": "waiting", "attempt": 0}


def lease_of(task: Task) -> dict[str, Any]:
    """What `HELD` and `WANTED` take to be of use to this attempt alone."""
    return {"held_number": task.number, "held_owner": task.owner, "held_attempt": task.attempt}


def store(connection: Connection, order: Order, owner: str | None, events: Sequence[str]) -> Task:
    """A new task: leased to `owner`, or waiting if that is None."""
    instant = now()
    values = {
        "id": order.id, "kind": order.kind, "request": dict(order.request), "priority": int(order.priority),
        "serial_key": order.serial_key, "status": Status.RUNNING if owner else Status.PENDING, "progress": 0.0,
        "step": "starting" if owner else "waiting", "attempt": 1 if owner else 0,
        "most_attempts": order.most_attempts, "owner": owner, "beat": 0,
        "not_before": order.not_before, "cancel_requested": False, "files": [], "result": None, "error": None,
        "caller": order.caller, "request_id": order.request_id, "traceparent": order.traceparent,
        "parent": order.parent, "project_path": order.project_path, "subject": order.subject,
        "created_at": instant, "updated_at": instant, "started_at": instant if owner else None,
        "finished_at": None,
    }  # fmt: skip
    number = connection.execute(_NEW, values).scalar_one()
    task = task_from({"number": number, **values})
    facts = {"task_id": task.id, "created_at": instant}
    told = [{"event": event, "data": _standing(task) if event == "started" else _WAITING} for event in events]
    connection.execute(_EVENT, [{**facts, **happening} for happening in told])
    return task


def lease(connection: Connection, row: Row[Any], owner: str, instant: datetime) -> Task:
    """Leases a task, read in the same transaction and locked, to `owner`."""
    values = {"status": Status.RUNNING, "owner": owner, "attempt": row.attempt + 1, "progress": 0.0,
              "step": "starting", "updated_at": instant, "started_at": row.started_at or instant,
              "cancel_requested": False, "beat": row.beat + 1}  # fmt: skip
    connection.execute(update(tasks).where(tasks.c.number == row.number).values(values))
    task = task_from({**row._mapping, **values})  # noqa: SLF001 - its public name
    happen(connection, task.id, "started", _standing(task), instant)
    return task


def offer_again(connection: Connection, task: Task) -> None:
    """Lets a task whose process died wait again; the attempt counts."""
    instant = now()
    values: dict[str, Any] = {"status": Status.PENDING, "owner": None, "progress": 0.0, "step": "waiting"}
    connection.execute(HELD, {**values, "updated_at": instant, **lease_of(task)})
    data = {"status": Status.PENDING, "progress": 0.0, "step": "waiting", "attempt": task.attempt}
    happen(connection, task.id, "offered_again", data, instant)


def ended_as(task: Task, status: Status, outcome: Outcome | None, error: Mapping[str, Any] | None) -> Task:
    """The task as it will stand if it ends so now."""
    instant = now()
    progress, step = (1.0, "done") if status is Status.COMPLETED else (task.progress, task.step)
    return replace(
        task, status=status, owner=None, files=[], updated_at=instant, finished_at=instant, progress=progress,
        step=step, result=outcome.result if outcome else None, error=None if error is None else dict(error),
        subject=(outcome.subject if outcome else "") or task.subject,
    )  # fmt: skip


def end(connection: Connection, task: Task, ended: Task, outcome: Outcome | None) -> Task | None:
    """Ends a task if it still stands as it was read: held by the same attempt, or waiting. Gives it as it stands."""
    done = {"progress": 1.0, "step": "done"} if ended.status is Status.COMPLETED else {}
    values = {"status": ended.status, "owner": None, "files": [], "updated_at": ended.updated_at,
              "finished_at": ended.finished_at, "result": ended.result, "error": ended.error,
              "subject": ended.subject, **done}  # fmt: skip
    waits = task.status is Status.PENDING
    held = _COMPLETE_HELD if ended.status is Status.COMPLETED else _END_HELD
    statement, row = (_END_WAITING, {"held_number": task.number}) if waits else (held, lease_of(task))
    moved = connection.execute(statement, {**values, **row}).first()
    if moved is None:
        return None
    kept = replace(ended, **moved._mapping)  # noqa: SLF001 - its public name
    instant = ended.updated_at
    rows = [
        {"id": f"artifact_{secrets.token_hex(6)}", "task_id": task.id, "path": artifact.path, "name": artifact.name,
         "size_bytes": artifact.size_bytes, "sha256": artifact.sha256, "media_type": artifact.media_type,
         "created_at": instant}
        for artifact in (outcome.artifacts if outcome else ())
    ]  # fmt: skip
    if rows:
        connection.execute(insert(artifacts), rows)
    data = {"status": kept.status, "progress": kept.progress, "attempt": kept.attempt}
    happen(connection, task.id, kept.status.value, data if kept.error is None else {**data, "error": kept.error},
            instant)  # fmt: skip
    return kept


def _standing(task: Task) -> dict[str, Any]:
    return {"status": task.status, "progress": task.progress, "step": task.step, "attempt": task.attempt}


def happen(connection: Connection, task_id: str, event: str, data: Mapping[str, Any], instant: datetime) -> None:
    """Writes down what happened to a task."""
    values = {"task_id": task_id, "event": event, "data": dict(data), "created_at": instant}
    connection.execute(_EVENT, values)


def read(connection: Connection, task_id: str, *, lock: bool = False) -> Task:
    """A task as it stands; `lock` keeps others from changing it before this transaction ends.

    Raises:
        NotFound: task_not_found.
    """
    query = _BY_ID.with_for_update() if lock else _BY_ID
    row = connection.execute(query, {"task_id": task_id}).first()
    if row is None:
        raise NotFound("There is no such task.", reason=Reason.TASK_NOT_FOUND)
    return task_of(row)


def task_of(row: Row[Any]) -> Task:
    """The task of a whole row."""
    return task_from(dict(row._mapping))  # noqa: SLF001 - its public name


def task_from(values: Mapping[str, Any]) -> Task:
    """The task of the columns of a row."""
    known = {"status": Status(values["status"]), "priority": Priority(values["priority"])}
    return Task(**{**values, **known, "subject": values["subject"] or ""})  # none was written by older versions
