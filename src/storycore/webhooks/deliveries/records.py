"""Deliveries in the database, for those who look at them: what stands how, what was tried, and once more."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    Connection,
    Row,
    and_,
    func,
    select,
    text,
    update,
)

from storycore.database.connect import Database
from storycore.database.tables import attempts, deliveries, events, webhooks
from storycore.errors import Conflict, NotFound, Reason
from storycore.units import now
from storycore.webhooks.delivery import Attempt, Code, Origin, State
from storycore.webhooks.endpoint import BodyFormat

# Written out, since SQLite takes a partial index only for its own words.
_DUE: Final = text("deliveries.state IN ('pending', 'retry')")
_LEASED: Final = text("deliveries.state = 'leased'")
_OPEN: Final = text("deliveries.state IN ('pending', 'retry', 'leased')")


class Listed(NamedTuple):
    """A delivery as it stands, beside its event."""

    number: int
    id: str
    event_id: str
    event_type: str
    webhook_id: str
    state: State
    origin: Origin
    attempts: int
    due_at: datetime
    code: str
    status_code: int | None
    created_at: datetime
    finished_at: datetime | None
    webhook_ended: bool


class Written(NamedTuple):
    """What an event says, and how a webhook is told.

    Attributes:
        body: as the event was written.
        form: of messages to the webhook now.
    """

    body: str
    form: BodyFormat


class DeliveryRecords:
    """All deliveries.

    Args:
        database: where they are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def redeliver(self, delivery_id: str) -> Listed:
        """Lets one delivery be sent again, whatever became of it; its schedule begins anew.

        Raises:
            NotFound: delivery_not_found.
            Conflict: delivery_busy: an attempt is being made.
        """
        with self._database.accept() as connection:
            known = _listed_one(connection, delivery_id)
            free = and_(deliveries.c.number == known.number, deliveries.c.state != State.LEASED)
            done = connection.execute(update(deliveries).where(free).values(_anew(Origin.MANUAL, now())))
            if done.rowcount != 1:
                raise Conflict("An attempt is being made now.", reason=Reason.DELIVERY_BUSY)
            return _listed_one(connection, delivery_id)

    def find(self, delivery_id: str) -> Listed:
        """One delivery.

        Raises:
            NotFound: delivery_not_found.
        """
        with self._database.read() as connection:
            return _listed_one(connection, delivery_id)

    def page(
        self, *, before: int | None, limit: int, webhook: int | None, state: State | None, event_id: str | None
    ) -> list[Listed]:
        """Deliveries from the newest on."""
        query = _LISTED.order_by(deliveries.c.number.desc()).limit(limit)
        for column, wanted in (
            (deliveries.c.webhook, webhook), (deliveries.c.state, state), (events.c.id, event_id),
        ):  # fmt: skip
            query = query if wanted is None else query.where(column == wanted)
        query = query if before is None else query.where(deliveries.c.number < before)
        with self._database.read() as connection:
            return [_listed(row) for row in connection.execute(query)]

    def attempts(self, numbers: Sequence[int]) -> dict[int, list[tuple[int, Origin, Attempt]]]:
        """Every attempt of some deliveries: number of the delivery → which attempt, why, and how it went."""
        query = select(attempts).where(attempts.c.delivery.in_(list(numbers))).order_by(attempts.c.number)
        found: dict[int, list[tuple[int, Origin, Attempt]]] = {}
        with self._database.read() as connection:
            for row in connection.execute(query):
                found.setdefault(row.delivery, []).append((row.attempt, Origin(row.origin), _attempt(row)))
        return found

    def messages(self, numbers: Sequence[int]) -> dict[int, Written]:
        """What the events of some deliveries say, and the form in which their webhooks are told: by number."""
        query = (
            select(deliveries.c.number, events.c.body, webhooks.c.options)
            .join(events, events.c.number == deliveries.c.event)
            .join(webhooks, webhooks.c.number == deliveries.c.webhook)
            .where(deliveries.c.number.in_(list(numbers)))
        )
        with self._database.read() as connection:
            return {
                number: Written(body, BodyFormat(options["body_format"]))
                for number, body, options in connection.execute(query)
            }

    def waiting(self, *, only: Sequence[str] | None = None, webhook: int | None = None) -> int:
        """How many deliveries wait or are under way, of all events or of some (their ids), of one webhook or of all."""
        query = select(func.count()).select_from(deliveries).where(_OPEN)
        query = query if webhook is None else query.where(deliveries.c.webhook == webhook)
        if only is not None:
            query = query.where(deliveries.c.event.in_(select(events.c.number).where(events.c.id.in_(list(only)))))
        with self._database.read() as connection:
            return int(connection.execute(query).scalar_one())


_LISTED = (
    select(
        deliveries.c.number, deliveries.c.id, events.c.id.label("event_id"), events.c.type,
        webhooks.c.id.label("webhook_id"), deliveries.c.state, deliveries.c.origin, deliveries.c.attempts,
        deliveries.c.due_at, deliveries.c.code, deliveries.c.status_code, deliveries.c.created_at,
        deliveries.c.finished_at, webhooks.c.deleted_at.is_not(None).label("webhook_ended"),
    )
    .join(events, events.c.number == deliveries.c.event)
    .join(webhooks, webhooks.c.number == deliveries.c.webhook)
)  # fmt: skip


def _anew(origin: Origin, instant: datetime) -> dict[str, Any]:
    return {"state": State.PENDING, "origin": origin, "attempts": 0, "due_at": instant, "owner": None, "code": "",
            "status_code": None, "finished_at": None}  # fmt: skip


def _listed_one(connection: Connection, delivery_id: str) -> Listed:
    row = connection.execute(_LISTED.where(deliveries.c.id == delivery_id)).first()
    if row is None:
        raise NotFound("Delivery not found.", reason=Reason.DELIVERY_NOT_FOUND)
    return _listed(row)


def _listed(row: Sequence[Any]) -> Listed:
    found = Listed(*row)
    return found._replace(
        state=State(found.state), origin=Origin(found.origin), webhook_ended=bool(found.webhook_ended)
    )


def _attempt(row: Row[Any]) -> Attempt:
    left_out = ("number", "delivery", "attempt", "origin", "code")
    values = {name: value for name, value in row._mapping.items() if name not in left_out}  # noqa: SLF001 - public
    return Attempt(code=Code(row.code), **values)
