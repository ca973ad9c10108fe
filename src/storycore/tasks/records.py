"""Tasks in the database: every statement about them stands here.

A task that runs belongs to the process that holds its lease (`owner` and `attempt` together). Whatever such a process
writes names both, and changes nothing when the lease has passed to another.
"""

import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Connection, Row, and_, bindparam, delete, exists, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from storycore.database.connect import Database
from storycore.database.tables import artifacts, task_events, tasks
from storycore.errors import Conflict, NotFound, Reason
from storycore.tasks.task import Artifact, Happening, Order, Outcome, Priority, Status, Task
from storycore.units import now

WHOLE = tasks.c.parent.is_(None)
"""Of tasks that are no parts of others."""

_running = tasks.alias("running")
FREE = or_(
    tasks.c.serial_key.is_(None),
    ~exists().where(and_(_running.c.serial_key == tasks.c.serial_key, _running.c.status == Status.RUNNING)),
)
_AHEAD = (
    select(tasks.c.number)
    .where(
        tasks.c.status == Status.PENDING,
        or_(tasks.c.not_before.is_(None), tasks.c.not_before <= bindparam("instant")),
        tasks.c.priority >= bindparam("priority"),
    )
    .limit(1)
)
_UPDATE_HELD = update(tasks).where(
    tasks.c.number == bindparam("held_number"),
    tasks.c.owner == bindparam("held_owner"),
    tasks.c.attempt == bindparam("held_attempt"),
    tasks.c.status == Status.RUNNING,
)
_UPDATE_WAITING = update(tasks).where(tasks.c.number == bindparam("held_number"), tasks.c.status == Status.PENDING)
_MOVED = (tasks.c.progress, tasks.c.step, tasks.c.beat, tasks.c.cancel_requested)  # since the task was read
_END_HELD, _END_WAITING = _UPDATE_HELD.returning(*_MOVED), _UPDATE_WAITING.returning(*_MOVED)
_UPDATE_WANTED = _UPDATE_HELD.where(tasks.c.cancel_requested.is_(False))
_COMPLETE_HELD = _UPDATE_WANTED.returning(*_MOVED)
_NEW = insert(tasks).returning(tasks.c.number)
_EVENT = insert(task_events)
_ARTIFACTS = select(artifacts, tasks.c.project_path).join(tasks, tasks.c.id == artifacts.c.task_id)
_BY_ID = select(tasks).where(tasks.c.id == bindparam("task_id"))
_WAITING = {"status": Status.PENDING, "progress": 0.0, "step": "waiting", "attempt": 0}
_FIRST = (
    select(tasks)
    .where(
        tasks.c.status == Status.PENDING,
        or_(tasks.c.not_before.is_(None), tasks.c.not_before <= bindparam("instant")),
        tasks.c.kind.in_(bindparam("kinds", expanding=True)),
        FREE,
    )
    .order_by(tasks.c.priority.desc(), tasks.c.number)
    .limit(1)
)
_NEXT_NUMBER, _NEXT = _FIRST.with_only_columns(tasks.c.number), _FIRST.with_for_update(skip_locked=True)


class Telling(Protocol):
    """What others are to be told of one change of a task."""

    def write(self, connection: Connection) -> None:
        """Writes it in the transaction of that change."""

    def written(self) -> None:
        """That transaction stands."""


class Outbox(Protocol):
    """Whoever tells others of tasks."""

    def telling(self, task: Task) -> Telling | None:
        """What is to be told of a task that was just accepted, or that ends as it stands there; None for nothing."""


class TaskRecords:
    """Tasks, what happened to them, and their artifacts.

    Args:
        database: where they are.
        outbox: is told of tasks that are accepted, and of those that end; None for nobody.
    """

    def __init__(self, database: Database, outbox: Outbox | None = None) -> None:
        self._database, self._outbox = database, outbox

    def accept(
        self, order: Order, *, also: Callable[[Connection, Task], None] | None = None, owner: str | None = None
    ) -> Task:
        """A new task, on the disk when this returns.

        Args:
            order: what is to be done.
            also: writes more in the same transaction.
            owner: leases it at once if it is its turn, which saves `claim`; only for tasks that may start now and
                have no `serial_key`.
        """
        with self._database.accept() as connection:
            leased = owner if owner and not _is_behind(connection, order) else None
            task = _store(connection, order, leased, ("accepted", "started") if leased else ("accepted",))
            if also:
                also(connection, task)
            telling = self._tell(connection, task)
        _told(telling)
        return task

    def accept_many(
        self, orders: Sequence[Order], *, also: Callable[[Connection, Task], None] | None = None
    ) -> list[Task]:
        """New tasks, all of them on the disk when this returns, or none.

        Args:
            orders: what is to be done.
            also: writes more about each in the same transaction.
        """
        with self._database.accept() as connection:
            accepted = [_store(connection, order, None, ("accepted",)) for order in orders]
            if also:
                for task in accepted:
                    also(connection, task)
            tellings = [self._tell(connection, task) for task in accepted]
        for telling in tellings:
            _told(telling)
        return accepted

    def accept_running(self, order: Order, owner: str) -> Task:
        """A new task that `owner` runs already, in its own process."""
        with self._database.accept() as connection:
            task = _store(connection, order, owner, ("started",))
            telling = self._tell(connection, task)
        _told(telling)
        return task

    def take_up(self, order: Order, owner: str, is_gone: Callable[[str], bool]) -> Task | None:
        """A task of the same kind and request that a process left behind which is gone, now leased to `owner`."""
        running = select(tasks).where(tasks.c.kind == order.kind, tasks.c.status == Status.RUNNING)
        with self._database.read() as connection:
            found = [of(row) for row in connection.execute(running.order_by(tasks.c.number))]
        for task in found:
            may = task.request == order.request and task.attempt < task.most_attempts and not task.cancel_requested
            if may and is_gone(task.owner or ""):
                with self._database.write() as connection:
                    again = and_(tasks.c.number == task.number, tasks.c.beat == task.beat, tasks.c.owner == task.owner)
                    row = connection.execute(running.where(again).with_for_update()).first()
                    if row is not None:
                        return lease(connection, row, owner, now())
        return None

    def find(self, task_id: str) -> Task:
        """One task.

        Raises:
            NotFound: task_not_found.
        """
        with self._database.read() as connection:
            return _found(connection, task_id)

    def page(
        self, *, before: int | None, limit: int, status: Status | None = None, kind: str | None = None
    ) -> list[Task]:
        """Tasks from the newest on, without their requests and results, which can be large; parts are left out.

        Args:
            before: number of the last task of the page before, or None.
            limit: most tasks.
            status: only these, or None.
            kind: only these, or None.
        """
        heavy = ("request", "result", "files")
        query = select(*(column for column in tasks.c if column.name not in heavy))
        query = query.where(WHOLE).order_by(tasks.c.number.desc()).limit(limit)
        for column, wanted in ((tasks.c.status, status), (tasks.c.kind, kind)):
            query = query if wanted is None else query.where(column == wanted)
        if before is not None:
            query = query.where(tasks.c.number < before)
        with self._database.read() as connection:
            return [
                _task({"request": {}, "result": None, "files": [], **row._mapping})  # noqa: SLF001 - its public name
                for row in connection.execute(query)
            ]

    def claim(self, owner: str, kinds: Collection[str]) -> Task | None:
        """The task that comes next, now leased to `owner`; None if none waits that may start.

        The highest priority first, and within it first come, first served; one at a time of a `serial_key`.
        """
        instant = now()
        values = {"instant": instant, "kinds": list(kinds)}
        with self._database.read() as connection:  # looking must not keep others from writing
            if connection.execute(_NEXT_NUMBER, values).first() is None:
                return None
        try:
            with self._database.write() as connection:
                row = connection.execute(_NEXT, values).first()
                return None if row is None else lease(connection, row, owner, instant)
        except IntegrityError:  # another process has just begun one of the same key
            return None

    def waits(self) -> bool:
        """Whether a task waits that may start, as far as one look tells."""
        due = or_(tasks.c.not_before.is_(None), tasks.c.not_before <= now())
        query = select(tasks.c.number).where(tasks.c.status == Status.PENDING, due, FREE).limit(1)
        with self._database.read() as connection:
            return connection.execute(query).first() is not None

    def next_due(self) -> datetime | None:
        """When the next waiting task may start that must not start yet."""
        query = select(func.min(tasks.c.not_before)).where(tasks.c.status == Status.PENDING, tasks.c.not_before > now())
        with self._database.read() as connection:
            return connection.execute(query).scalar()

    def beat(self, owner: str) -> dict[tuple[str, int], bool]:
        """Renews every lease of `owner`; gives `(task_id, attempt)` → whether that attempt is to stop."""
        mine = and_(tasks.c.owner == owner, tasks.c.status == Status.RUNNING)
        columns = (tasks.c.id, tasks.c.attempt, tasks.c.cancel_requested)
        with self._database.write() as connection:
            rows = connection.execute(update(tasks).where(mine).values(beat=tasks.c.beat + 1).returning(*columns)).all()
        return {(row.id, row.attempt): row.cancel_requested for row in rows}

    def report(self, task: Task, progress: float, step: str) -> bool:
        """Tells how far an attempt is; False if its lease is lost."""
        instant = now()
        values = {"progress": progress, "step": step, "updated_at": instant}
        with self._database.write() as connection:
            held = connection.execute(_UPDATE_HELD, {**values, **_lease_of(task)}).rowcount == 1
            if held:
                data = {"status": Status.RUNNING, "progress": progress, "step": step, "attempt": task.attempt}
                _happen(connection, task.id, "progress", data, instant)
        return held

    def note_files(self, task: Task, files: Sequence[Sequence[str]]) -> bool:
        """Keeps the traces of an attempt; False if its lease is lost."""
        with self._database.write() as connection:
            return connection.execute(_UPDATE_HELD, {"files": list(files), **_lease_of(task)}).rowcount == 1

    def finish(
        self, task: Task, status: Status, *, outcome: Outcome | None = None, error: Mapping[str, Any] | None = None
    ) -> Task | None:
        """The task as it has ended now; None, with nothing changed, if its lease is lost.

        A task that somebody wants to stop is not completed any more: None then, too.

        An end that others are told of is on the disk when this returns. Any other may be lost in a power cut; then the
        task is done again.
        """
        ended = _ended(task, status, outcome, error)
        telling = self._telling(ended)
        with self._database.accept() if telling else self._database.write() as connection:
            kept = _end(connection, task, ended, outcome)
            if kept and telling:
                telling.write(connection)
        if kept:
            _told(telling)
        return kept

    def give_back(self, task: Task) -> bool:
        """Lets a running task wait again, as if this attempt had not begun; False if its lease is lost.

        A task that somebody wants to stop must not begin anew: False then, too.
        """
        instant = now()
        values: dict[str, Any] = {"status": Status.PENDING, "owner": None, "attempt": task.attempt - 1, "progress": 0.0,
                  "step": "waiting", "files": [], "updated_at": instant}  # fmt: skip
        with self._database.write() as connection:
            held = connection.execute(_UPDATE_WANTED, {**values, **_lease_of(task)}).rowcount == 1
            if held:
                data = {"status": Status.PENDING, "progress": 0.0, "step": "waiting", "attempt": task.attempt - 1}
                _happen(connection, task.id, "offered_again", data, instant)
        return held

    def cancel(self, task_id: str, error: Mapping[str, Any]) -> Task:
        """Ends a waiting task as cancelled, with `error` to say so; asks a running one to stop.

        Raises:
            NotFound: task_not_found.
            Conflict: task_finished.
        """
        telling = None
        with self._database.accept() as connection:
            task = _found(connection, task_id, lock=True)
            if task.status.is_final:
                raise Conflict(f"The task is over already: {task.status}.", reason=Reason.TASK_FINISHED)
            if task.status is Status.PENDING:
                telling = self._end(connection, task, Status.CANCELLED, error)
            else:
                connection.execute(
                    update(tasks).where(tasks.c.number == task.number).values(cancel_requested=True, updated_at=now())
                )
            task = _found(connection, task_id)
        _told(telling)
        return task

    def running(self) -> list[tuple[str, str, int, int]]:
        """`(id, owner, attempt, beat)` of every task that runs."""
        query = select(tasks.c.id, tasks.c.owner, tasks.c.attempt, tasks.c.beat)
        with self._database.read() as connection:
            return [tuple(row) for row in connection.execute(query.where(tasks.c.status == Status.RUNNING))]

    def lapse(self, seen: tuple[str, str, int, int], errors: Mapping[Status, Mapping[str, Any]]) -> Task | None:
        """Takes a task from an owner that died: to be offered again, or to end if it may not be.

        Args:
            seen: as `running` gave it; nothing happens if any of it has changed since.
            errors: what is told of it if it ends, by how it ends.

        Returns:
            The task as it stood while it ran, if it was taken.
        """
        task_id, owner, attempt, beat = seen
        with self._database.accept() as connection:
            row = connection.execute(select(tasks).where(tasks.c.id == task_id).with_for_update()).first()
            task = None if row is None else of(row)
            if task is None or (task.owner, task.attempt, task.beat, task.status) != (
                owner, attempt, beat, Status.RUNNING,
            ):  # fmt: skip
                return None
            if task.cancel_requested or attempt >= task.most_attempts:
                ends = Status.CANCELLED if task.cancel_requested else Status.FAILED
                telling = self._end(connection, task, ends, errors[ends])
            else:
                telling = None
                _offer_again(connection, task)
        _told(telling)
        return task

    def _end(self, connection: Connection, task: Task, status: Status, error: Mapping[str, Any]) -> Telling | None:
        """Ends a task that was read in the same transaction; gives what was written to be told of that."""
        ended = _ended(task, status, None, error)
        _end(connection, task, ended, None)
        return self._tell(connection, ended)

    def _tell(self, connection: Connection, task: Task) -> Telling | None:
        telling = self._telling(task)
        if telling:
            telling.write(connection)
        return telling

    def _telling(self, task: Task) -> Telling | None:
        return self._outbox.telling(task) if self._outbox else None

    def happenings(self, task_id: str, *, after: int, limit: int) -> list[Happening]:
        """What happened to a task since `after`, in order."""
        query = select(task_events).where(task_events.c.task_id == task_id, task_events.c.id > after)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(task_events.c.id).limit(limit)).all()
        return [Happening(**row._mapping) for row in rows]  # noqa: SLF001 - its public name

    def artifact(self, artifact_id: str) -> Artifact:
        """One artifact.

        Raises:
            NotFound: artifact_not_found.
        """
        with self._database.read() as connection:
            row = connection.execute(_ARTIFACTS.where(artifacts.c.id == artifact_id)).first()
        if row is None:
            raise NotFound("There is no such artifact.", reason=Reason.ARTIFACT_NOT_FOUND)
        return _artifact(row)

    def artifacts(self, *, task_id: str | None, before: int | None, limit: int) -> list[tuple[int, Artifact]]:
        """Artifacts from the newest on, each with the number that `before` of the next page takes."""
        query = _ARTIFACTS.order_by(artifacts.c.number.desc()).limit(limit)
        query = query if task_id is None else query.where(artifacts.c.task_id == task_id)
        query = query if before is None else query.where(artifacts.c.number < before)
        with self._database.read() as connection:
            return [(row.number, _artifact(row)) for row in connection.execute(query)]

    def counts(self) -> dict[str, int]:
        """How many tasks have each status; parts are not counted."""
        query = select(tasks.c.status, func.count().label("tasks")).where(WHOLE).group_by(tasks.c.status)
        with self._database.read() as connection:
            found: dict[str, int] = {row.status: row.tasks for row in connection.execute(query)}
        return {status.value: found.get(status.value, 0) for status in Status}

    def waiting_since(self) -> datetime | None:
        """When the task was accepted that has waited longest among those that may start; None if none waits."""
        due = or_(tasks.c.not_before.is_(None), tasks.c.not_before <= now())
        query = select(func.min(tasks.c.created_at)).where(tasks.c.status == Status.PENDING, due, WHOLE)
        with self._database.read() as connection:
            return connection.execute(query).scalar()

    def expire(self, before: datetime, *, limit: int = 1000) -> int:
        """Forgets tasks that ended before then, with all that hangs on them; gives how many, at most `limit`."""
        old = select(tasks.c.number).where(tasks.c.finished_at < before).order_by(tasks.c.finished_at).limit(limit)
        with self._database.read() as connection:  # looking must not keep others from writing
            if connection.execute(old.limit(1)).first() is None:
                return 0
        with self._database.write() as connection:
            return connection.execute(delete(tasks).where(tasks.c.number.in_(old))).rowcount


def _lease_of(task: Task) -> dict[str, Any]:
    return {"held_number": task.number, "held_owner": task.owner, "held_attempt": task.attempt}


def _is_behind(connection: Connection, order: Order) -> bool:
    """Whether a task waits that must go first."""
    values = {"instant": now(), "priority": int(order.priority)}
    return connection.execute(_AHEAD, values).first() is not None


def _store(connection: Connection, order: Order, owner: str | None, events: Sequence[str]) -> Task:
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
    task = _task({"number": number, **values})
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
    task = _task({**row._mapping, **values})  # noqa: SLF001 - its public name
    _happen(connection, task.id, "started", _standing(task), instant)
    return task


def _offer_again(connection: Connection, task: Task) -> None:
    instant = now()
    values: dict[str, Any] = {"status": Status.PENDING, "owner": None, "progress": 0.0, "step": "waiting"}
    connection.execute(_UPDATE_HELD, {**values, "updated_at": instant, **_lease_of(task)})
    data = {"status": Status.PENDING, "progress": 0.0, "step": "waiting", "attempt": task.attempt}
    _happen(connection, task.id, "offered_again", data, instant)


def _ended(task: Task, status: Status, outcome: Outcome | None, error: Mapping[str, Any] | None) -> Task:
    """The task as it will stand if it ends so now."""
    instant = now()
    progress, step = (1.0, "done") if status is Status.COMPLETED else (task.progress, task.step)
    return replace(
        task, status=status, owner=None, files=[], updated_at=instant, finished_at=instant, progress=progress,
        step=step, result=outcome.result if outcome else None, error=None if error is None else dict(error),
        subject=(outcome.subject if outcome else "") or task.subject,
    )  # fmt: skip


def _end(connection: Connection, task: Task, ended: Task, outcome: Outcome | None) -> Task | None:
    """Ends a task if it still stands as it was read: held by the same attempt, or waiting. Gives it as it stands."""
    done = {"progress": 1.0, "step": "done"} if ended.status is Status.COMPLETED else {}
    values = {"status": ended.status, "owner": None, "files": [], "updated_at": ended.updated_at,
              "finished_at": ended.finished_at, "result": ended.result, "error": ended.error,
              "subject": ended.subject, **done}  # fmt: skip
    waits = task.status is Status.PENDING
    held = _COMPLETE_HELD if ended.status is Status.COMPLETED else _END_HELD
    statement, row = (_END_WAITING, {"held_number": task.number}) if waits else (held, _lease_of(task))
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
    _happen(connection, task.id, kept.status.value, data if kept.error is None else {**data, "error": kept.error},
            instant)  # fmt: skip
    return kept


def _told(telling: Telling | None) -> None:
    if telling:
        telling.written()


def _standing(task: Task) -> dict[str, Any]:
    return {"status": task.status, "progress": task.progress, "step": task.step, "attempt": task.attempt}


def _happen(connection: Connection, task_id: str, event: str, data: Mapping[str, Any], instant: datetime) -> None:
    values = {"task_id": task_id, "event": event, "data": dict(data), "created_at": instant}
    connection.execute(_EVENT, values)


def _found(connection: Connection, task_id: str, *, lock: bool = False) -> Task:
    query = _BY_ID.with_for_update() if lock else _BY_ID
    row = connection.execute(query, {"task_id": task_id}).first()
    if row is None:
        raise NotFound("There is no such task.", reason=Reason.TASK_NOT_FOUND)
    return of(row)


def of(row: Row[Any]) -> Task:
    """The task of a whole row."""
    return _task(dict(row._mapping))  # noqa: SLF001 - its public name


def _task(values: Mapping[str, Any]) -> Task:
    known = {"status": Status(values["status"]), "priority": Priority(values["priority"])}
    return Task(**{**values, **known, "subject": values["subject"] or ""})  # none was written by older versions


def _artifact(row: Row[Any]) -> Artifact:
    return Artifact(**{name: value for name, value in row._mapping.items() if name != "number"})  # noqa: SLF001 - same
