"""Runs of workflows in the database, and the places that they take on servers."""

import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, Final

from sqlalchemy import (
    Connection,
    Integer,
    Row,
    Select,
    String,
    and_,
    bindparam,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from storycore.comfyui.backend import MOST_IN_FLIGHT
from storycore.comfyui.run_record import Heir, RunRecord
from storycore.database.connect import Database
from storycore.database.tables import comfyui_backends as backends
from storycore.database.tables import comfyui_runs as runs
from storycore.database.tables import tasks
from storycore.units import now

_FIRST_SECONDS: Final = 0.05
_KINDS = "storycore.integration.comfyui.%"
_TAKEN = (
    select(runs.c.backend_id, func.count().label("taken"))
    .join(tasks, tasks.c.id == runs.c.task_id)
    .where(runs.c.holding, tasks.c.status.in_(("pending", "running")))
    .group_by(runs.c.backend_id)
)


def _outranking() -> Select[Any]:
    """One task that goes before another, see `RunRecords.is_outranked`."""
    own_id, own_priority = bindparam("own_id", type_=String), bindparam("own_priority", type_=Integer)
    own = select(tasks.c.number).where(tasks.c.id == own_id).scalar_subquery()
    higher = tasks.c.priority > own_priority
    waits = and_(tasks.c.status == "pending", higher)
    had = or_(runs.c.holding, runs.c.submissions > 0, runs.c.verdict.is_not(None))
    placeless = ~exists().where(runs.c.task_id == tasks.c.id, had)  # its run may not stand there yet
    earlier = and_(tasks.c.priority == own_priority, tasks.c.number < own)
    begun = and_(tasks.c.status == "running", or_(higher, earlier), placeless)
    query = select(tasks.c.number).where(or_(waits, begun), tasks.c.id != own_id, tasks.c.kind.like(_KINDS))
    return query.limit(1)


_OUTRANKING = _outranking()
_THERE = select(backends.c.id).where(backends.c.id.in_(bindparam("wanted", expanding=True))).with_for_update()
_BY_ID = select(runs).where(runs.c.id == bindparam("run_id"))
_LEFT_RUNNING = (
    select(runs)
    .join(tasks, tasks.c.id == runs.c.task_id)
    .where(runs.c.verdict.is_(None), runs.c.seen != "", tasks.c.status == "cancelled")
    .order_by(runs.c.number)
    .limit(100)
)
_AT = update(runs).where(runs.c.number == bindparam("at"))
_AT_UNPOSTED = _AT.where(runs.c.submissions == bindparam("before"))
_NEW = insert(runs).returning(runs.c.number)


_COLUMNS = tuple(it.name for it in fields(RunRecord) if it.name != "number")


class RunRecords:
    """Runs, and who of them has a place.

    Args:
        database: where they are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._first, self._first_at = (0, ""), float("-inf")

    def run(self, run_id: str, task_id: str, *, is_new: bool = False) -> RunRecord:
        """A run; one that is not there yet is stored with its first change, and has a prompt id that no other has.

        Args:
            run_id: its name.
            task_id: the task that it belongs to.
            is_new: whether nobody can have begun it before, so that it need not be looked for.
        """
        return (None if is_new else self.find(run_id)) or RunRecord(
            number=0, id=run_id, task_id=task_id, backend_id=None, prompt_id=str(uuid.uuid4()), graph=None, facts={},
            submissions=0, seen="", holding=False, verdict=None, submitted_at=None, created_at=now(), finished_at=None,
        )  # fmt: skip

    def find(self, run_id: str) -> RunRecord | None:
        """A run, or None if there is none of that id."""
        with self._database.read() as connection:
            row = connection.execute(_BY_ID, {"run_id": run_id}).first()
        return None if row is None else _run(row)

    def left_running(self) -> list[RunRecord]:
        """Runs that may be at their servers though their tasks were cancelled: nobody was there to stop them."""
        with self._database.read() as connection:
            rows = connection.execute(_LEFT_RUNNING).all()
        return [_run(row) for row in rows]

    def change(self, record: RunRecord, *, surely: bool = False, **values: Any) -> RunRecord:
        """A run with other values; `surely` on the disk when this returns, so that a power cut changes nothing."""
        changed = replace(record, **values)
        with self._database.accept() if surely else self._database.write() as connection:
            return _store(connection, changed, values)

    def take_place(
        self, record: RunRecord, wanted: Mapping[str, Mapping[str, Any]], *, yields_at: int | None = None
    ) -> RunRecord | None:
        """The run with a place on a server, on the disk; None if none has a place free.

        Args:
            record: of the run.
            wanted: servers that could run it, best first → what is known of the run once it is there; the least busy
                one gets it.
            yields_at: its priority, if it lets others go first, see `is_outranked`; None if it does not.
        """
        with self._database.accept() as connection:
            if yields_at is not None and _is_outranked(connection, yields_at, record.task_id):
                return None
            there = {row.id for row in connection.execute(_THERE, {"wanted": list(wanted)})}
            taken = in_flight(connection)
            free = [it for it in wanted if it in there and taken.get(it, 0) < MOST_IN_FLIGHT]
            if not free:
                return None
            chosen = min(free, key=lambda it: taken.get(it, 0))
            values = {**wanted[chosen], "backend_id": chosen, "holding": True}
            return _store(connection, replace(record, **values), values)

    def hand_over(
        self, record: RunRecord, values: Mapping[str, Any], heir: Heir, ahead: Sequence[Heir] = ()
    ) -> tuple[RunRecord, RunRecord | None, list[RunRecord]]:
        """A run with other values, which gives its place back, and the one that has it now; on the disk.

        None for the latter if others go before it; then the place is free. The heir may have gone on meanwhile, and
        written that down: then that stays. The last are the runs of `ahead` as they were noted, without a place.
        """
        with self._database.accept() as connection:
            given, placed = _store(connection, replace(record, **values), values), None
            if heir.yields_at is None or not _is_outranked(connection, heir.yields_at, heir.record.task_id):
                placed = replace(heir.record, **heir.taken)
                if placed.number:
                    unless = {"at": placed.number, "before": heir.record.submissions}
                    connection.execute(_AT_UNPOSTED, {**heir.taken, **unless})
                else:
                    placed = _store(connection, placed, heir.taken)
            return given, placed, [_store(connection, replace(it.record, **it.ahead), it.ahead) for it in ahead]

    def is_outranked(self, priority: int, task_id: str) -> bool:
        """Whether another task goes first: one that waits to generate, or has begun and has no place yet.

        Of a higher priority each; of those that have begun also of the same, if they came earlier. That none does holds
        for a moment, so that the rows of a batch need not ask one by one.
        """
        own, instant = (priority, task_id), time.monotonic()
        if self._first == own and instant - self._first_at <= _FIRST_SECONDS:
            return False
        with self._database.read() as connection:
            outranked = _is_outranked(connection, priority, task_id)
        if not outranked:
            self._first, self._first_at = own, instant
        return outranked


def _is_outranked(connection: Connection, priority: int, task_id: str) -> bool:
    return connection.execute(_OUTRANKING, {"own_id": task_id, "own_priority": priority}).first() is not None


def in_flight(connection: Connection) -> dict[str, int]:
    """Places that are taken, by server: those of runs whose task goes on, or waits to go on after a crash."""
    return {row.backend_id: row.taken for row in connection.execute(_TAKEN)}


def _store(connection: Connection, changed: RunRecord, values: Mapping[str, Any]) -> RunRecord:
    if changed.number:
        connection.execute(_AT, {**values, "at": changed.number})
        return changed
    row = {name: getattr(changed, name) for name in _COLUMNS}
    return replace(changed, number=connection.execute(_NEW, row).scalar_one())


def _run(row: Row[Any]) -> RunRecord:
    return RunRecord(**row._mapping)  # noqa: SLF001 - its public name
