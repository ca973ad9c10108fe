"""Parts of tasks in the database: every statement about them stands here.

A part is a row of the table of tasks that names its parent. It is leased, swept and offered again as every task is;
but whoever runs the parent may take waiting ones back, and does away with all of them when it has ended.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, delete, exists, or_, select, update

from storycore.database.connect import Database
from storycore.database.tables import tasks
from storycore.errors import Cancelled
from storycore.tasks.changes.records import lease, task_of
from storycore.tasks.records import FREE, WHOLE, TaskRecords
from storycore.tasks.task import Order, Outcome, Status, Task
from storycore.units import now

_ENDED = (Status.COMPLETED, Status.FAILED, Status.CANCELLED)


class Standing(NamedTuple):
    """How one part stands.

    Attributes:
        id: of the part.
        status: where it stands.
        result: of a completed one.
    """

    id: str
    status: Status
    result: Mapping[str, Any] | None


class PartRecords:
    """The parts of tasks.

    Args:
        database: where they are.
        records: of all tasks.
    """

    def __init__(self, database: Database, records: TaskRecords) -> None:
        self._database, self._records = database, records

    def offer(self, orders: Sequence[Order], *, also: Callable[[Connection, Task], None] | None = None) -> list[Task]:
        """New parts, all of them on the disk when this returns, or none; see `TaskRecords.accept_many`."""
        return self._records.accept_many(orders, also=also)

    def left(self, parent: str) -> list[Task]:
        """The parts of a task that others do now, left from an earlier attempt at it; those that wait are removed.

        Args:
            parent: id of the task.
        """
        mine = tasks.c.parent == parent
        with self._database.write() as connection:
            connection.execute(delete(tasks).where(mine, tasks.c.status != Status.RUNNING))
            rows = connection.execute(select(tasks).where(mine).order_by(tasks.c.number)).all()
        return [task_of(row) for row in rows if not row.cancel_requested]

    def take_back(self, parent: str) -> Task | None:
        """The last part that waits, removed: it is the parent's own work again; None if none waits.

        Guarantee: nobody else does it, or will.
        """
        waiting = select(tasks).where(tasks.c.parent == parent, tasks.c.status == Status.PENDING)
        with self._database.write() as connection:
            row = connection.execute(
                waiting.order_by(tasks.c.number.desc()).limit(1).with_for_update(skip_locked=True)
            ).first()
            if row is None:
                return None
            connection.execute(delete(tasks).where(tasks.c.number == row.number))
            return task_of(row)

    def claim(self, owner: str, part: Task, others: Collection[str]) -> Task | None:
        """The next waiting part of the same parent, now leased to `owner`; None if none waits.

        None too while a task of its own waits that this process could do instead: it goes first.

        Args:
            owner: of `part`; its leases are renewed together.
            part: that is done already.
            others: kinds of tasks that go first.
        """
        instant = now()
        due = or_(tasks.c.not_before.is_(None), tasks.c.not_before <= instant)
        ahead = exists(
            select(tasks.c.number).where(tasks.c.status == Status.PENDING, due, WHOLE, FREE, tasks.c.kind.in_(others))
        )
        waiting = select(tasks).where(
            tasks.c.parent == part.parent, tasks.c.kind == part.kind, tasks.c.status == Status.PENDING
        )
        with self._database.read() as connection:  # looking must not keep others from writing
            found = connection.execute(waiting.with_only_columns(tasks.c.number, ahead).limit(1)).first()
        if found is None or found[1]:
            return None
        with self._database.write() as connection:
            row = connection.execute(
                waiting.order_by(tasks.c.number).limit(1).with_for_update(skip_locked=True)
            ).first()
            return None if row is None else lease(connection, row, owner, instant)

    def finish(self, part: Task, outcome: Outcome) -> None:
        """Records that a part is done, or that it has stopped, if it is to; nothing happens if its lease is lost."""
        if not self._records.finish(part, Status.COMPLETED, outcome=outcome):
            self._stop(part)

    def give_back(self, part: Task) -> None:
        """Lets a part wait again, or ends it if it is to stop; nothing happens if its lease is lost."""
        if not self._records.give_back(part):
            self._stop(part)

    def _stop(self, part: Task) -> None:
        """Else it would look as if somebody did it, until its lease runs out."""
        error = Cancelled("Stopped on request; nothing was kept.").as_dict()
        self._records.finish(part, Status.CANCELLED, error=error)

    def is_wanted(self, parent: str) -> bool:
        """Whether a task has not ended, and nobody has asked it to stop."""
        open_ = and_(tasks.c.id == parent, tasks.c.status.not_in(_ENDED), tasks.c.cancel_requested.is_(False))
        with self._database.read() as connection:
            return connection.execute(select(tasks.c.number).where(open_)).first() is not None

    def standing(self, parent: str) -> list[Standing]:
        """How the parts of a task stand, in their order; results only of those that are completed."""
        query = select(tasks.c.id, tasks.c.status, tasks.c.result).where(tasks.c.parent == parent)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(tasks.c.number)).all()
        return [Standing(row.id, Status(row.status), row.result) for row in rows]

    def forget(self, ids: Collection[str]) -> None:
        """Removes parts that have ended."""
        ended = and_(tasks.c.id.in_(ids), tasks.c.parent.is_not(None), tasks.c.status.in_(_ENDED))
        with self._database.write() as connection:
            connection.execute(delete(tasks).where(ended))

    def dismiss(self, parent: str) -> None:
        """Removes the parts of a task that do not run, and asks those that run to stop."""
        mine = tasks.c.parent == parent
        with self._database.write() as connection:
            connection.execute(delete(tasks).where(mine, tasks.c.status != Status.RUNNING))
            connection.execute(update(tasks).where(mine).values(cancel_requested=True, updated_at=now()))
