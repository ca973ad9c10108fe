"""Servers and runs in the database: every statement about them stands here."""

import json
import secrets
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Connection, Row, and_, delete, exists, func, insert, or_, select, update

from storycore.comfyui.address import Address, Kind
from storycore.comfyui.backend import MOST_IN_FLIGHT, Backend, Status
from storycore.database.connect import Database
from storycore.database.tables import comfyui_backends as backends
from storycore.database.tables import comfyui_runs as runs
from storycore.database.tables import tasks
from storycore.errors import NotFound, Reason, StoryCoreError
from storycore.units import now

_KINDS = "storycore.integration.comfyui.%"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """One run as it stands in the database.

    Attributes:
        number: order of the runs.
        id: name of the run.
        task_id: the task that it belongs to.
        backend_id: the server that has it or had it last; None before the first.
        prompt_id: what the server knows it by.
        graph: what is submitted, in API format; None before it was prepared.
        facts: what else was found out when it was prepared.
        submissions: how often it was posted, or was about to be.
        seen: "", "queued" or "running": how the server had it when we last looked.
        holding: whether it takes one of the places of its server.
        verdict: how it ended; None before that.
        submitted_at: when it was first posted.
    """

    number: int
    id: str
    task_id: str
    backend_id: str | None
    prompt_id: str
    graph: dict[str, Any] | None
    facts: dict[str, Any]
    submissions: int
    seen: str
    holding: bool
    verdict: str | None
    submitted_at: datetime | None
    created_at: datetime
    finished_at: datetime | None


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

    def backends(self) -> list[Backend]:
        """Every server that is known, in the order in which they came."""
        with self._database.read() as connection:
            taken = _in_flight(connection)
            rows = connection.execute(select(backends).order_by(backends.c.number)).all()
        return [self._backend(row, taken.get(row.id, 0)) for row in rows]

    def places(self) -> tuple[int, int]:
        """How many places servers that take work have free, and how many places are taken."""
        instant = now()
        known = self.backends()
        free = sum(max(0, MOST_IN_FLIGHT - it.in_flight) for it in known if it.takes_work(instant))
        return free, sum(it.in_flight for it in known)

    def is_outranked(self, priority: int, task_id: str) -> bool:
        """Whether another task goes first: one that waits to generate, or has begun and has no place yet.

        Of a higher priority each; of those that have begun also of the same, if they came earlier.
        """
        own = select(tasks.c.number).where(tasks.c.id == task_id).scalar_subquery()
        higher = tasks.c.priority > priority
        waits = and_(tasks.c.status == "pending", higher)
        had = or_(runs.c.holding, runs.c.submissions > 0, runs.c.verdict.is_not(None))
        placeless = ~exists().where(runs.c.task_id == tasks.c.id, had)  # its run may not stand there yet
        earlier = and_(tasks.c.priority == priority, tasks.c.number < own)
        begun = and_(tasks.c.status == "running", or_(higher, earlier), placeless)
        query = select(tasks.c.number).where(or_(waits, begun), tasks.c.id != task_id, tasks.c.kind.like(_KINDS))
        with self._database.read() as connection:
            return connection.execute(query.limit(1)).first() is not None

    def keep(self, address: Address, values: Mapping[str, Any]) -> Backend:
        """A server as it was just found; one that was known at this URL is known by the same id.

        Whatever bond it had is lifted.
        """
        told = {"headers": dict(address.headers), "token": address.token}
        secret = self._vault.seal(json.dumps(told), address.url) if any(told.values()) else ""
        plain = {
            "host": address.host, "port": address.port, "kind": address.kind.value, "tls": address.tls,
            "base_path": address.base_path, "verify_tls": address.verify_tls, "ca_file": address.ca_file,
            "token_in_query": address.token_in_query, "confined": address.confined,
        }  # fmt: skip
        row = {**values, "address": plain, "secret": secret, "crashes": 0, "quarantined_until": None,
               "checked_at": now()}  # fmt: skip
        with self._database.accept() as connection:
            where = backends.c.url == address.url
            if not connection.execute(update(backends).where(where).values(row)).rowcount:
                new = {"id": f"backend_{secrets.token_hex(6)}", "url": address.url, "created_at": now()}
                connection.execute(insert(backends), {**new, **row})
            found = connection.execute(select(backends).where(where)).one()
            return self._backend(found, _in_flight(connection).get(found.id, 0))

    def tell(self, backend_id: str, values: Mapping[str, Any]) -> None:
        """How a server was found when it was looked at; one that is draining stays so while it is up."""
        with self._database.write() as connection:
            where = backends.c.id == backend_id
            status = connection.execute(select(backends.c.status).where(where)).scalar()
            kept = {"status": Status.DRAINING} if (status, values.get("status")) == ("draining", "up") else {}
            connection.execute(update(backends).where(where).values({**values, **kept, "checked_at": now()}))

    def drain(self, backend_id: str) -> None:
        """Gives a server nothing new.

        Raises:
            NotFound: backend_not_found.
        """
        with self._database.accept() as connection:
            where = backends.c.id == backend_id
            if not connection.execute(update(backends).where(where).values(status=Status.DRAINING)).rowcount:
                raise _unknown()

    def forget(self, backend_id: str) -> None:
        """Forgets a server.

        Raises:
            NotFound: backend_not_found.
        """
        with self._database.accept() as connection:
            if not connection.execute(delete(backends).where(backends.c.id == backend_id)).rowcount:
                raise _unknown()

    def crashed(self, backend_id: str, until: datetime | None) -> None:
        """A server died under a run; it is given nothing before `until`."""
        with self._database.write() as connection:
            values = {"crashes": backends.c.crashes + 1, "quarantined_until": until, "status": Status.DOWN}
            connection.execute(update(backends).where(backends.c.id == backend_id).values(values))

    def well(self, backend_id: str) -> None:
        """A run ended well on a server."""
        with self._database.write() as connection:
            where = and_(backends.c.id == backend_id, backends.c.crashes > 0)
            connection.execute(update(backends).where(where).values(crashes=0, quarantined_until=None))

    def run(self, run_id: str, task_id: str) -> RunRecord:
        """A run, made if it is not there yet, with a prompt id that no other has."""
        with self._database.read() as connection:
            row = connection.execute(select(runs).where(runs.c.id == run_id)).first()
        if row is not None:
            return _run(row)
        values: dict[str, Any] = {
            "id": run_id, "task_id": task_id, "backend_id": None, "prompt_id": str(uuid.uuid4()), "graph": None,
            "facts": {}, "submissions": 0, "seen": "", "holding": False, "verdict": None, "submitted_at": None,
            "created_at": now(), "finished_at": None,
        }  # fmt: skip
        with self._database.write() as connection:
            number = connection.execute(insert(runs).returning(runs.c.number), values).scalar_one()
        return RunRecord(number=number, **values)

    def find_run(self, run_id: str) -> RunRecord | None:
        """A run, or None if there is none of that id."""
        with self._database.read() as connection:
            row = connection.execute(select(runs).where(runs.c.id == run_id)).first()
        return None if row is None else _run(row)

    def runs_of(self, task_id: str) -> list[RunRecord]:
        """The runs of a task, in order."""
        with self._database.read() as connection:
            rows = connection.execute(select(runs).where(runs.c.task_id == task_id).order_by(runs.c.number)).all()
        return [_run(row) for row in rows]

    def change(self, record: RunRecord, *, surely: bool = False, **values: Any) -> RunRecord:
        """A run with other values; `surely` on the disk when this returns, so that a power cut changes nothing."""
        with self._database.accept() if surely else self._database.write() as connection:
            connection.execute(update(runs).where(runs.c.number == record.number).values(values))
        return replace(record, **values)

    def take_place(self, record: RunRecord, wanted: Sequence[str]) -> RunRecord | None:
        """The run with a place on the first of the `wanted` servers that has one; None if none has."""
        with self._database.write() as connection:
            known = select(backends.c.id).where(backends.c.id.in_(wanted)).with_for_update()
            there = {row.id for row in connection.execute(known)}
            taken = _in_flight(connection)
            free = next((it for it in wanted if it in there and taken.get(it, 0) < MOST_IN_FLIGHT), None)
            if free is None:
                return None
            values = {"backend_id": free, "holding": True}
            connection.execute(update(runs).where(runs.c.number == record.number).values(values))
        return replace(record, backend_id=free, holding=True)

    def _backend(self, row: Row[Any], in_flight: int) -> Backend:
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
            quarantined_until=row.quarantined_until, checked_at=row.checked_at, in_flight=in_flight,
        )  # fmt: skip


def _in_flight(connection: Connection) -> dict[str, int]:
    """Places that are taken, by server: those of runs whose task goes on, or waits to go on after a crash."""
    query = (
        select(runs.c.backend_id, func.count().label("taken"))
        .join(tasks, tasks.c.id == runs.c.task_id)
        .where(runs.c.holding, tasks.c.status.in_(("pending", "running")))
        .group_by(runs.c.backend_id)
    )
    return {row.backend_id: row.taken for row in connection.execute(query)}


def _run(row: Row[Any]) -> RunRecord:
    return RunRecord(**row._mapping)  # noqa: SLF001 - its public name


def _unknown() -> NotFound:
    return NotFound("There is no such ComfyUI server.", reason=Reason.BACKEND_NOT_FOUND)
