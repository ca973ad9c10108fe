"""Tasks in the database: who may change them when, and who is told; `changes` says what is written.

A task that runs belongs to the process that holds its lease (`owner` and `attempt` together). Whatever such a process
writes names both, and changes nothing when the lease has passed to another.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Connection, Row, and_, bindparam, delete, exists, func, or_, select, update
from sqlalchemy.exc import IntegrityError

from storycore.database.connect import Database
from storycore.database.tables import artifacts, task_events, tasks
from storycore.errors import Conflict, NotFound, Reason
from storycore.tasks.changes import records as changes
from storycore.tasks.task import Artifact, Happening, Order, Outcome, Status, Task
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
_ARTIFACTS = select(artifacts, tasks.c.project_path).join(tasks, tasks.c.id == artifacts.c.task_id)
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
            task = changes.store(connection, order, leased, ("accepted", "started") if leased else ("accepted",))
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
            accepted = [changes.store(connection, order, None, ("accepted",)) for order in orders]
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
            task = changes.store(connection, order, owner, ("started",))
            telling = self._tell(connection, task)
        _told(telling)
        return task

    def take_up(self, order: Order, owner: str, is_gone: Callable[[str], bool]) -> Task | None:
        """A task of the same kind and request that a process left behind which is gone, now leased to `owner`."""
        running = select(tasks).where(tasks.c.kind == order.kind, tasks.c.status == Status.RUNNING)
        with self._database.read() as connection:
            found = [changes.task_of(row) for row in connection.execute(running.order_by(tasks.c.number))]
        for task in found:
            may = task.request == order.request and task.attempt < task.most_attempts and not task.cancel_requested
            if may and is_gone(task.owner or ""):
                with self._database.write() as connection:
                    again = and_(tasks.c.number == task.number, tasks.c.beat == task.beat, tasks.c.owner == task.owner)
                    row = connection.execute(running.where(again).with_for_update()).first()
                    if row is not None:
                        return changes.lease(connection, row, owner, now())
        return None

    def find(self, task_id: str) -> Task:
        """One task.

        Raises:
            NotFound: task_not_found.
        """
        with self._database.read() as connection:
            return changes.read(connection, task_id)

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
                changes.task_from({"request": {}, "result": None, "files": [], **row._mapping})  # noqa: SLF001 - its public name
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
                return None if row is None else changes.lease(connection, row, owner, instant)
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
            held = connection.execute(changes.HELD, {**values, **changes.lease_of(task)}).rowcount == 1
            if held:
                data = {"status": Status.RUNNING, "progress": progress, "step": step, "attempt": task.attempt}
                changes.happen(connection, task.id, "progress", data, instant)
        return held

    def note_files(self, task: Task, files: Sequence[Sequence[str]]) -> bool:
        """Keeps the traces of an attempt; False if its lease is lost."""
        with self._database.write() as connection:
            return connection.execute(changes.HELD, {"files": list(files), **changes.lease_of(task)}).rowcount == 1

    def finish(
        self, task: Task, status: Status, *, outcome: Outcome | None = None, error: Mapping[str, Any] | None = None
    ) -> Task | None:
        """The task as it has ended now; None, with nothing changed, if its lease is lost.

        A task that somebody wants to stop is not completed any more: None then, too.

        An end that others are told of is on the disk when this returns. Any other may be lost in a power cut; then the
        task is done again.
        """
        ended = changes.ended_as(task, status, outcome, error)
        telling = self._telling(ended)
        with self._database.accept() if telling else self._database.write() as connection:
            kept = changes.end(connection, task, ended, outcome)
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
            held = connection.execute(changes.WANTED, {**values, **changes.lease_of(task)}).rowcount == 1
            if held:
                data = {"status": Status.PENDING, "progress": 0.0, "step": "waiting", "attempt": task.attempt - 1}
                changes.happen(connection, task.id, "offered_again", data, instant)
        return held

    def cancel(self, task_id: str, error: Mapping[str, Any]) -> Task:
        """Ends a waiting task as cancelled, with `error` to say so; asks a running one to stop.

        Raises:
            NotFound: task_not_found.
            Conflict: task_finished.
        """
        telling = None
        with self._database.accept() as connection:
            task = changes.read(connection, task_id, lock=True)
            if task.status.is_final:
                raise Conflict(f"The task is over already: {task.status}.", reason=Reason.TASK_FINISHED)
            if task.status is Status.PENDING:
                telling = self._end(connection, task, Status.CANCELLED, error)
            else:
                connection.execute(
                    update(tasks).where(tasks.c.number == task.number).values(cancel_requested=True, updated_at=now())
                )
            task = changes.read(connection, task_id)
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
            task = None if row is None else changes.task_of(row)
            if task is None or (task.owner, task.attempt, task.beat, task.status) != (
                owner, attempt, beat, Status.RUNNING,
            ):  # fmt: skip
                return None
            if task.cancel_requested or attempt >= task.most_attempts:
                ends = Status.CANCELLED if task.cancel_requested else Status.FAILED
                telling = self._end(connection, task, ends, errors[ends])
            else:
                telling = None
                changes.offer_again(connection, task)
        _told(telling)
        return task

    def _end(self, connection: Connection, task: Task, status: Status, error: Mapping[str, Any]) -> Telling | None:
        """Ends a task that was read in the same transaction; gives what was written to be told of that."""
        ended = changes.ended_as(task, status, None, error)
        changes.end(connection, task, ended, None)
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


def _is_behind(connection: Connection, order: Order) -> bool:
    """Whether a task waits that must go first."""
    values = {"instant": now(), "priority": int(order.priority)}
    return connection.execute(_AHEAD, values).first() is not None


def _told(telling: Telling | None) -> None:
    if telling:
        telling.written()


def _artifact(row: Row[Any]) -> Artifact:
    return Artifact(**{name: value for name, value in row._mapping.items() if name != "number"})  # noqa: SLF001 - same
