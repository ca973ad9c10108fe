"""ComfyUI servers in the database: every statement about them stands here."""

import contextlib
import json
import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, Protocol

from sqlalchemy import Row, and_, delete, insert, select, update

from storycore.comfyui.address import Address, Kind
from storycore.comfyui.backend import MOST_IN_FLIGHT, Backend, Status
from storycore.comfyui.runs.records import in_flight
from storycore.database.connect import Database
from storycore.database.tables import comfyui_backends as backends
from storycore.errors import NotFound, Reason, StoryCoreError
from storycore.units import now

_REMEMBER_SECONDS: Final = 0.25
_KNOWN = select(backends).order_by(backends.c.number)


class Vault(Protocol):
    """Seals what nobody may read who gets hold of the database."""

    def seal(self, text: str, owner: str) -> str:
        """The text, readable for nobody without the key."""

    def open(self, sealed: str, owner: str) -> str:
        """What was sealed for the same owner.

        Raises:
            StoryCoreError: the key is another, or gone.
        """


class ServerRecords:
    """The servers that are known.

    Args:
        database: where they are.
        vault: seals the headers and tokens of servers.
    """

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database, self._vault = database, vault
        self._known: tuple[float, list[Backend]] | None = None

    def backends(self) -> list[Backend]:
        """Every server that is known, in the order in which they came; their places as they are at this moment."""
        known = self.known()
        with self._database.read() as connection:
            taken = in_flight(connection)
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
            return replace(self._backend(found), in_flight=in_flight(connection).get(found.id, 0))

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


def _unknown() -> NotFound:
    return NotFound("There is no such ComfyUI server.", reason=Reason.BACKEND_NOT_FOUND)
