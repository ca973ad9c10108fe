"""Servers and runs in the database: every statement about them stands here."""

import contextlib
import json
import secrets
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Any, Final, Protocol

from sqlalchemy import (
    Connection,
    Integer,
    Row,
    Select,
    String,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from storycore.comfyui.address import Address, Kind
from storycore.comfyui.backend import MOST_IN_FLIGHT, Backend, Status
from storycore.comfyui.run_record import Heir, RunRecord
from storycore.database.connect import Database
from storycore.database.tables import comfyui_backends as backends
from storycore.database.tables import comfyui_runs as runs
from storycore.database.tables import tasks
from storycore.errors import NotFound, Reason, StoryCoreError
from storycore.units import now

_REMEMBER_SECONDS: Final = 0.25
_FIRST_SECONDS: Final = 0.05
_KINDS = "storycore.integration.comfyui.%"
_KNOWN = select(backends).order_by(backends.c.number)
_TAKEN = (
    select(runs.c.backend_id, func.count().label("taken"))
    .join(tasks, tasks.c.id == runs.c.task_id)
    .where(runs.c.holding, tasks.c.status.in_(("pending", "running")))
    .group_by(runs.c.backend_id)
)


def _outranking() -> Select[Any]:
    """One task that goes before another, see `ComfyRecords.is_outranked`."""
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


class Vault(Protocol):
    """Seals what nobody may read who gets hold of the database."""

    def seal(self, text: str, owner: str) -> str:
        """The text, readable for nobody without the key."""

    def open(self, sealed: str, owner: str) -> str:
        """What was sealed for the same owner.

        Raises:
            StoryCoreError: the key is another, or gone.
        """


class ComfyRecords:
    """Servers and runs.

    Args:
        database: where they are.
        vault: seals the headers and tokens of servers.
    """

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database, self._vault = database, vault
        self._known: tuple[float, list[Backend]] | None = None
        self._first, self._first_at = (0, ""), float("-inf")

    def backends(self) -> list[Backend]:
        """Every server that is known, in the order in which they came; their places as they are at this moment."""
        known = self.known()
        with self._database.read() as connection:
            taken = _in_flight(connection)
        return [replace(it, in_flight=taken[it.id]) if it.id in taken else it for it in known]

    def known(self) -> list[Backend]:
        """Every server that is known, without its places; what other processes changed is seen a moment later."""
        kept, instant = self._known, time.monotonic()
        if kept is None or instant - kept[0] > _REMEMBER_SECONDS:
            with self._database.read() as connection:
                rows = connection.execute(_KNOWN).all()
            kept = self._known = instant, [self._backend(row) for row in rows]
        return kept[1]

    def places(self) -> tuple[int, int]:
        """How many places servers that take work have free, and how many places are taken."""
        instant = now()
        known = self.backends()
        free = sum(max(0, MOST_IN_FLIGHT - it.in_flight) for it in known if it.takes_work(instant))
        return free, sum(it.in_flight for it in known)

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

    def keep(self, address: Address, values: Mapping[str, Any]) -> Backend:
        """A server as it was just found; one that was known at this URL, or `localhost` for 127.0.0.1, keeps its id.

        Whatever bond it had is lifted.
        """
        told = {"headers": dict(address.headers), "token": address.token}
        plain = {
            "host": address.host, "port": address.port, "kind": address.kind.value, "tls": address.tls,
            "base_path": address.base_path, "verify_tls": address.verify_tls, "ca_file": address.ca_file,
            "token_in_query": address.token_in_query, "confined": address.confined,
        }  # fmt: skip
        row = {**values, "address": plain, "crashes": 0, "quarantined_until": None, "checked_at": now()}
        with self._changing(), self._database.accept() as connection:
            known = _KNOWN.where(backends.c.url.in_(address.urls)).limit(1)
            before = connection.execute(known).first()
            url = before.url if before else address.url
            row["secret"] = self._vault.seal(json.dumps(told), url) if any(told.values()) else ""
            if before:
                connection.execute(update(backends).where(backends.c.number == before.number).values(row))
            else:
                new = {"id": f"backend_{secrets.token_hex(6)}", "url": url, "created_at": now()}
                connection.execute(insert(backends), {**new, **row})
            found = connection.execute(known).one()
            return replace(self._backend(found), in_flight=_in_flight(connection).get(found.id, 0))

    def tell(self, backend_id: str, values: Mapping[str, Any]) -> None:
        """How a server was found when it was looked at; one that is draining stays so while it is up."""
        with self._changing(), self._database.write() as connection:
            where = backends.c.id == backend_id
            status = connection.execute(select(backends.c.status).where(where)).scalar()
            kept = {"status": Status.DRAINING} if (status, values.get("status")) == ("draining", "up") else {}
            connection.execute(update(backends).where(where).values({**values, **kept, "checked_at": now()}))

    def drain(self, backend_id: str) -> None:
        """Gives a server nothing new.

        Raises:
            NotFound: backend_not_found.
        """
        with self._changing(), self._database.accept() as connection:
            where = backends.c.id == backend_id
            if not connection.execute(update(backends).where(where).values(status=Status.DRAINING)).rowcount:
                raise _unknown()

    def forget(self, backend_id: str) -> None:
        """Forgets a server.

        Raises:
            NotFound: backend_not_found.
        """
        with self._changing(), self._database.accept() as connection:
            if not connection.execute(delete(backends).where(backends.c.id == backend_id)).rowcount:
                raise _unknown()

    def crashed(self, backend_id: str, until: datetime | None) -> None:
        """A server died under a run; it is given nothing before `until`."""
        with self._changing(), self._database.write() as connection:
            values = {"crashes": backends.c.crashes + 1, "quarantined_until": until, "status": Status.DOWN}
            connection.execute(update(backends).where(backends.c.id == backend_id).values(values))

    def well(self, backend_id: str) -> None:
        """A run ended well on a server."""
        with self._changing(), self._database.write() as connection:
            where = and_(backends.c.id == backend_id, backends.c.crashes > 0)
            connection.execute(update(backends).where(where).values(crashes=0, quarantined_until=None))

    def run(self, run_id: str, task_id: str, *, is_new: bool = False) -> RunRecord:
        """A run; one that is not there yet is stored with its first change, and has a prompt id that no other has.

        Args:
            run_id: its name.
            task_id: the task that it belongs to.
            is_new: whether nobody can have begun it before, so that it need not be looked for.
        """
        return (None if is_new else self.find_run(run_id)) or RunRecord(
            number=0, id=run_id, task_id=task_id, backend_id=None, prompt_id=str(uuid.uuid4()), graph=None, facts={},
            submissions=0, seen="", holding=False, verdict=None, submitted_at=None, created_at=now(), finished_at=None,
        )  # fmt: skip

    def find_run(self, run_id: str) -> RunRecord | None:
        """A run, or None if there is none of that id."""
        with self._database.read() as connection:
            row = connection.execute(_BY_ID, {"run_id": run_id}).first()
        return None if row is None else _run(row)

    def runs_of(self, task_id: str) -> list[RunRecord]:
        """The runs of a task, in order."""
        with self._database.read() as connection:
            rows = connection.execute(select(runs).where(runs.c.task_id == task_id).order_by(runs.c.number)).all()
        return [_run(row) for row in rows]

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
            taken = _in_flight(connection)
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

    @contextlib.contextmanager
    def _changing(self) -> Iterator[None]:
        """What is remembered of servers is forgotten when the block has changed them."""
        try:
            yield
        finally:
            self._known = None

    def _backend(self, row: Row[Any]) -> Backend:
        secret, error = {"headers": {}, "token": ""}, row.error
        status = Status(row.status)
        if row.secret:
            try:
                secret = json.loads(self._vault.open(row.secret, row.url))
            except StoryCoreError as fault:
                status, error = Status.DOWN, f"{fault.message} Connect it again."
        values = {**row.address, "kind": Kind(row.address["kind"]), **secret}
        return Backend(
            id=row.id, address=Address(**values), status=status, facts=row.facts, latency_ms=row.latency_ms,
            queue_remaining=row.queue_remaining, error=error, crashes=row.crashes,
            quarantined_until=row.quarantined_until, checked_at=row.checked_at,
        )  # fmt: skip


def _is_outranked(connection: Connection, priority: int, task_id: str) -> bool:
    return connection.execute(_OUTRANKING, {"own_id": task_id, "own_priority": priority}).first() is not None


def _in_flight(connection: Connection) -> dict[str, int]:
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


def _unknown() -> NotFound:
    return NotFound("There is no such ComfyUI server.", reason=Reason.BACKEND_NOT_FOUND)
