"""Events in the database: every statement about them stands here.

An event and its deliveries are written in the transaction of the change that they report: they exist exactly if it
does.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, insert, select, text

from storycore.database.connect import Database
from storycore.database.tables import deliveries, events, webhooks
from storycore.events import Event
from storycore.units import now
from storycore.webhooks.delivery import Origin, State, new_delivery_id
from storycore.webhooks.endpoint import hears

_ORDER = 0x73636576656E74  # a number of our own, for Postgres' advisory locks


class Written(NamedTuple):
    """An event in the database: its number, how many deliveries it has, and whether it was new."""

    number: int
    deliveries: int
    new: bool


class EventRecords:
    """All events.

    Args:
        database: where they are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def publish(self, event: Event) -> tuple[Event, Written]:
        """Writes an event of its own; on the disk when this returns. One of a known key is given back as it was."""
        with self._database.accept() as connection:
            _keep_order(connection)
            known = _of_key(connection, event.key)
            if known is not None:
                return _event(known), Written(known.number, 0, new=False)
            return event, self.write(connection, event)

    def write(self, connection: Connection, event: Event, *, but: int | None = None) -> Written:
        """Writes an event and its deliveries, except to the webhook `but`, within the caller's transaction."""
        _keep_order(connection)
        number = add(connection, event, listed=True)
        waiting = connection.execute(select(webhooks.c.number, webhooks.c.event_types).where(webhooks.c.active))
        targets = [row.number for row in waiting if hears(row.event_types, event.type) and row.number != but]
        fan_out(connection, [(number, target) for target in targets], Origin.AUTO)
        return Written(number, len(targets), new=True)

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


def _keep_order(connection: Connection) -> None:
    """Lets numbers become visible in their order, since pollers go on after the last one that they saw."""
    if connection.dialect.name == "postgresql":  # SQLite has one writer at a time anyhow
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _ORDER})


def add(connection: Connection, event: Event, *, listed: bool) -> int:
    """Writes an event alone; gives its number. One that is not listed is a mere trial."""
    values = {"id": event.id, "type": event.type, "occurred_at": event.occurred_at, "body": event.body,
              "key": event.key, "listed": listed}  # fmt: skip
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


def _of_key(connection: Connection, key: str | None) -> Row[Any] | None:
    return None if key is None else connection.execute(select(events).where(events.c.key == key)).first()


def _event(row: Row[Any]) -> Event:
    return Event(id=row.id, type=row.type, occurred_at=row.occurred_at, body=row.body, key=row.key)
