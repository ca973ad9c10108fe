"""Sending again what a webhook did not get: what was given up, and what was never sent to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Connection, and_, exists, select, update

from storycore.database.connect import Database
from storycore.database.tables import deliveries, events
from storycore.events import OWN_TYPES, TYPES
from storycore.units import now
from storycore.webhooks.delivery import Origin, State
from storycore.webhooks.endpoint import Endpoint
from storycore.webhooks.outbox.records import fan_out

MOST: Final = 10_000
"""So many deliveries are taken up by one call."""

_GIVEN_UP: Final = (State.EXHAUSTED, State.BLOCKED, State.CANCELLED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Which events.

    Attributes:
        since: only those that happened then or later.
        until: only those that happened before; None for up to now.
        types: only of these kinds; None for all that the webhook hears.
        missed: whether those are meant too that were never sent to the webhook.
    """

    since: datetime
    until: datetime | None = None
    types: Sequence[str] | None = None
    missed: bool = True


class RecoveryRecords:
    """What can be sent again.

    Args:
        database: where it is.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def count(self, target: Endpoint, span: Span) -> tuple[int, int]:
        """How many deliveries were given up, and how many events were never sent to the webhook; at most `MOST`."""
        with self._database.read() as connection:
            return len(_given_up(connection, target, span)), len(_missed(connection, target, span))

    def recover(self, target: Endpoint, span: Span) -> tuple[int, int]:
        """Lets them be sent again; gives the same counts. On the disk when this returns."""
        with self._database.accept() as connection:
            again, missed = _given_up(connection, target, span), _missed(connection, target, span)
            for part in range(0, len(again), 500):
                connection.execute(
                    update(deliveries)
                    .where(deliveries.c.number.in_(again[part : part + 500]))
                    .values(state=State.PENDING, origin=Origin.RECOVER, attempts=0, due_at=now(), owner=None, code="",
                            status_code=None, finished_at=None)
                )  # fmt: skip
            fan_out(connection, [(event, target.number) for event in missed], Origin.RECOVER)
        return len(again), len(missed)


def _given_up(connection: Connection, target: Endpoint, span: Span) -> list[int]:
    query = (
        select(deliveries.c.number)
        .join(events, events.c.number == deliveries.c.event)
        .where(
            deliveries.c.webhook == target.number, deliveries.c.state.in_(_GIVEN_UP), events.c.listed, _inside(span)
        )
        .order_by(deliveries.c.number)
        .limit(MOST)
    )  # fmt: skip
    return [row.number for row in connection.execute(query)]


def _missed(connection: Connection, target: Endpoint, span: Span) -> list[int]:
    if not span.missed:
        return []
    sent = exists().where(deliveries.c.event == events.c.number, deliveries.c.webhook == target.number)
    heard = events.c.type.in_([kind for kind in (*TYPES, *OWN_TYPES) if target.hears(kind)])
    query = select(events.c.number).where(events.c.listed, heard, _inside(span), ~sent)
    return [row.number for row in connection.execute(query.order_by(events.c.number).limit(MOST))]


def _inside(span: Span) -> ColumnElement[bool]:
    parts: list[ColumnElement[bool]] = [events.c.occurred_at >= span.since]
    if span.until is not None:
        parts.append(events.c.occurred_at < span.until)
    if span.types is not None:
        parts.append(events.c.type.in_(list(span.types)))
    return and_(*parts)
