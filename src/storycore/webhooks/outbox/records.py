"""Events in the database: every statement about them stands here.

An event and its deliveries are written in the transaction of the change that they report: they exist exactly if it
does.
"""

import json
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Row, Text, bindparam, exists, insert, select, text, type_coerce

from storycore.database.connect import Database
from storycore.database.tables import deliveries, events, webhooks
from storycore.events import Event
from storycore.observe import tracing
from storycore.units import now
from storycore.webhooks.delivery import Leased, Origin, State, new_delivery_id
from storycore.webhooks.endpoint import Endpoint, hears
from storycore.webhooks.endpoints.records import of_row

_ORDER = 0x73636576656E74  # a number of our own, for Postgres' advisory locks

_MOST_AT_ONCE: Final = 16
"""So many webhooks are served at once by who publishes; of more, all wait for their turn."""

_ACTIVE = select(webhooks.c.number, type_coerce(webhooks.c.event_types, Text).label("wanted")).where(webhooks.c.active)
_IDLE = (
    select(webhooks)
    .where(
        webhooks.c.number.in_(bindparam("numbers", expanding=True)),
        webhooks.c.failures == 0,
        webhooks.c.paused_until.is_(None),
        ~exists().where(
            deliveries.c.webhook == webhooks.c.number, text("deliveries.state IN ('pending', 'retry', 'leased')")
        ),
    )
    .with_for_update(skip_locked=True)
)


class Written(NamedTuple):
    """An event in the database: its number, how many deliveries it has, whether it was new, and what is leased."""

    number: int
    deliveries: int
    new: bool
    leased: Sequence[Leased] = ()


class EventRecords:
    """All events.

    Args:
        database: where they are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def publish(self, event: Event, *, owner: str = "") -> tuple[Event, Written]:
        """Writes an event of its own; on the disk when this returns. One of a known key is given back as it was.

        Args:
            event: what happened.
            owner: who sends at once what may be sent at once: that is leased to it from the beginning; "" for nobody.
        """
        with self._database.accept() as connection:
            _keep_order(connection)
            known = _of_key(connection, event.key)
            if known is not None:
                return _event(known), Written(known.number, 0, new=False)
            return event, self.write(connection, event, owner=owner)

    def write(self, connection: Connection, event: Event, *, but: int | None = None, owner: str = "") -> Written:
        """Writes an event and its deliveries, except to the webhook `but`, within the caller's transaction."""
        _keep_order(connection)
        number = add(connection, event, listed=True)
        targets = [
            row.number for row in connection.execute(_ACTIVE) if _hears(row.wanted, event.type) and row.number != but
        ]
        idle = _idle(connection, targets) if owner else {}
        fan_out(connection, [(number, target) for target in targets if target not in idle], Origin.AUTO)
        leased = [lease_new(connection, event, number, it, Origin.AUTO, owner) for it in idle.values()]
        return Written(number, len(targets), new=True, leased=leased)

    def find(self, event_id: str) -> Event | None:
        """The event of that id."""
        with self._database.read() as connection:
            row = connection.execute(select(events).where(events.c.id == event_id)).first()
        return None if row is None else _event(row)

    def page(self, *, after: int, limit: int, types: Sequence[str] | None = None) -> list[tuple[int, Event]]:
        """Events in the order in which they were written, each with the number that `after` of the next page takes."""
        query = select(events).where(events.c.number > after, events.c.listed).order_by(events.c.number).limit(limit)
        query = query if types is None else query.where(events.c.type.in_(types))
        with self._database.read() as connection:
            return [(row.number, _event(row)) for row in connection.execute(query)]

    def newest(self, *, before: int | None, limit: int, types: Sequence[str] | None = None) -> list[tuple[int, Event]]:
        """Events from the newest on, each with the number that `before` of the next page takes."""
        query = select(events).where(events.c.listed).order_by(events.c.number.desc()).limit(limit)
        query = query if before is None else query.where(events.c.number < before)
        query = query if types is None else query.where(events.c.type.in_(types))
        with self._database.read() as connection:
            return [(row.number, _event(row)) for row in connection.execute(query)]


def _keep_order(connection: Connection) -> None:
    """Lets numbers become visible in their order, since pollers go on after the last one that they saw."""
    if connection.dialect.name == "postgresql":  # SQLite has one writer at a time anyhow
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _ORDER})


def add(connection: Connection, event: Event, *, listed: bool) -> int:
    """Writes an event alone; gives its number. One that is not listed is a mere trial."""
    values = {"id": event.id, "type": event.type, "occurred_at": event.occurred_at, "body": event.body,
              "key": event.key, "listed": listed, "traceparent": tracing.traceparent() or None}  # fmt: skip
    return int(connection.execute(insert(events).returning(events.c.number), values).scalar_one())


def fan_out(connection: Connection, pairs: Iterable[tuple[int, int]], origin: Origin) -> None:
    """Deliveries that wait, each of an event (its number) to a webhook (its number)."""
    instant = now()
    rows = [
        {"id": new_delivery_id(), "event": event, "webhook": webhook, "state": State.PENDING, "origin": origin,
         "attempts": 0, "due_at": instant, "owner": None, "lease": 0, "code": "", "status_code": None,
         "created_at": instant, "finished_at": None}
        for event, webhook in pairs
    ]  # fmt: skip
    if rows:
        connection.execute(insert(deliveries), rows)


def lease_new(  # noqa: PLR0913, PLR0917 - all that a delivery has
    connection: Connection, event: Event, number: int, target: Endpoint, origin: Origin, owner: str
) -> Leased:
    """A delivery of an event (its number) that is leased from the beginning."""
    instant = now()
    values = {"id": new_delivery_id(), "event": number, "webhook": target.number, "state": State.LEASED,
              "origin": origin, "attempts": 0, "due_at": instant, "owner": owner, "lease": 1, "code": "",
              "status_code": None, "created_at": instant, "finished_at": None}  # fmt: skip
    made = int(connection.execute(insert(deliveries).returning(deliveries.c.number), values).scalar_one())
    return Leased(
        number=made, id=str(values["id"]), lease=1, endpoint=target, attempt=1, origin=origin, probe=False,
        event_id=event.id, event_type=event.type, body=event.body, traceparent=tracing.traceparent(),
    )  # fmt: skip


def _idle(connection: Connection, numbers: Sequence[int]) -> dict[int, Endpoint]:
    """Those webhooks that are well and for which nothing waits: what is new may go at once."""
    if not 0 < len(numbers) <= _MOST_AT_ONCE:
        return {}
    found = [of_row(row) for row in connection.execute(_IDLE, {"numbers": list(numbers)})]
    return {it.number: it for it in found if not it.options.per_minute}


@lru_cache(maxsize=4096)
def _hears(wanted: str, kind: str) -> bool:
    """Whether a list of kinds, as it is stored, holds that kind."""
    return hears(json.loads(wanted), kind)


def _of_key(connection: Connection, key: str | None) -> Row[Any] | None:
    return None if key is None else connection.execute(select(events).where(events.c.key == key)).first()


def _event(row: Row[Any]) -> Event:
    return Event(id=row.id, type=row.type, occurred_at=row.occurred_at, body=row.body, key=row.key)
