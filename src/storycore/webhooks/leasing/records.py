"""Leases in the database: what waits is held by one sender, as much of each webhook as it may have at a time.

A delivery that is leased belongs to its `owner` under a `lease` number, until its result is written down or somebody
lets it wait again.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, and_, bindparam, exists, func, or_, select, text, update

from storycore.database.bulk import execute_spelled, numbers_in, stored, stored_json, texts_in
from storycore.database.tables import deliveries, events, webhooks
from storycore.units import now
from storycore.webhooks.delivery import Leased, Origin, State
from storycore.webhooks.endpoint import Endpoint
from storycore.webhooks.endpoints.records import of_row
from storycore.webhooks.schedule import OPENS_AFTER, allowance

# Written out, since SQLite takes a partial index only for its own words.
DUE: Final = text("deliveries.state IN ('pending', 'retry')")
LEASED: Final = text("deliveries.state = 'leased'")
OPEN: Final = text("deliveries.state IN ('pending', 'retry', 'leased')")

_PROBE_SECONDS = 90
"""So long nobody else tries a failing webhook while one sender does."""

_ORIGINS: Final = {origin.value: origin for origin in Origin}


class Held(NamedTuple):
    """A lease as an observer sees it."""

    number: int
    owner: str
    lease: int


def is_due(connection: Connection) -> bool:
    """Whether something could be leased now."""
    return connection.execute(_ANY_READY, {"instant": now()}).first() is not None


def lease(
    connection: Connection, owner: str, room: int, only: Sequence[str] | None, *, after: int = 0
) -> Iterable[Leased]:
    """Leases what is due, at most as much of each webhook as it may have at a time.

    Args:
        connection: in a transaction.
        owner: who leases.
        room: most deliveries.
        only: ids of the only events that are looked at; None for all.
        after: the webhook (its number) after which the round begins, so that all have their turn if room is short.
    """
    instant = now()
    ready = [of_row(row) for row in connection.execute(_READY, {"instant": instant})]
    ready.sort(key=lambda target: target.number <= after)
    for place, target in enumerate(ready):
        share = max(1, room // (len(ready) - place))  # nobody takes the room of those behind
        taken = _lease_of(connection, owner, target, min(share, room), instant, only)
        room -= len(taken)
        yield from taken
        if room <= 0:
            return


def release(connection: Connection, leases: Iterable[Held]) -> int:
    """Lets deliveries wait again that are leased so; gives how many."""
    count = 0
    for held in leases:
        mine = and_(deliveries.c.number == held.number, deliveries.c.owner == held.owner,
                    deliveries.c.lease == held.lease, LEASED)  # fmt: skip
        count += connection.execute(update(deliveries).where(mine).values(WAITING_AGAIN)).rowcount
    return count


WAITING_AGAIN: Final = {"state": State.PENDING, "owner": None}


def _ready_query() -> Any:
    """Webhooks that something is due for, and that may be called now."""
    instant = bindparam("instant", type_=deliveries.c.due_at.type)
    due = exists().where(deliveries.c.webhook == webhooks.c.number, DUE, deliveries.c.due_at <= instant)
    rested = or_(webhooks.c.paused_until.is_(None), webhooks.c.paused_until <= instant)
    return select(webhooks).where(webhooks.c.active, rested, due).order_by(webhooks.c.number)


_READY: Final = _ready_query()
_ANY_READY: Final = _READY.with_only_columns(webhooks.c.number).limit(1)
_UNDER_WAY: Final = (
    select(func.count()).select_from(deliveries).where(deliveries.c.webhook == bindparam("webhook"), LEASED)
)
_HEAD: Final = (
    select(deliveries.c.state, deliveries.c.due_at, events.c.id)
    .join(events, events.c.number == deliveries.c.event)
    .where(deliveries.c.webhook == bindparam("webhook"), OPEN)
    .order_by(deliveries.c.number)
    .limit(1)
)


def _lease_of(  # noqa: PLR0913, PLR0917 - all that decides
    connection: Connection, owner: str, target: Endpoint, room: int, instant: datetime, only: Sequence[str] | None
) -> list[Leased]:
    count, changes = _may_have(connection, target, room, instant, only)
    if count <= 0:
        return []
    dialect = connection.dialect.name
    values = {"b_webhook": target.number, "b_instant": stored(instant), "b_most": count, "b_only": stored_json(only)}
    wanted = _next(dialect, ordered=target.options.ordered, limited=only is not None)
    found: Sequence[Any] = execute_spelled(connection, wanted, values).all()
    if not found:
        return []
    numbers = stored_json([row[0] for row in found])
    execute_spelled(connection, _claim(dialect), {"b_numbers": numbers, "b_owner": owner})
    paced = changes(len(found))
    if paced:
        connection.execute(update(webhooks).where(webhooks.c.number == target.number).values(paced))
    probe = target.failures >= OPENS_AFTER
    return [
        Leased(number, name, before + 1, target, attempts + 1, _ORIGINS[origin], probe, event_id, kind, body, of or "")
        for number, name, before, attempts, origin, event_id, kind, body, of in found
    ]


@lru_cache(maxsize=8)
def _next(dialect: str, *, ordered: bool, limited: bool) -> Any:
    """So many deliveries of a webhook that are due, which nobody else takes meanwhile."""
    columns = (deliveries.c.number, deliveries.c.id, deliveries.c.lease, deliveries.c.attempts, deliveries.c.origin,
               events.c.id.label("event_id"), events.c.type, events.c.body, events.c.traceparent)  # fmt: skip
    due = (
        select(*columns)
        .join(events, events.c.number == deliveries.c.event)
        .where(deliveries.c.webhook == bindparam("b_webhook"), DUE, deliveries.c.due_at <= bindparam("b_instant"))
    )
    if limited:
        due = due.where(events.c.id.in_(texts_in("b_only", dialect)))
    if ordered:  # the oldest, however many wait behind it
        oldest = select(func.min(deliveries.c.number)).where(deliveries.c.webhook == bindparam("b_webhook"), OPEN)
        due = due.where(deliveries.c.number == oldest.correlate(None).scalar_subquery())
    first = (deliveries.c.due_at, deliveries.c.number)
    return due.order_by(*first).limit(bindparam("b_most")).with_for_update(skip_locked=True, of=deliveries)


@lru_cache(maxsize=2)
def _claim(dialect: str) -> Any:
    leased = {"state": State.LEASED.value, "owner": bindparam("b_owner"), "lease": deliveries.c.lease + 1}
    return update(deliveries).where(deliveries.c.number.in_(numbers_in("b_numbers", dialect))).values(leased)


def _may_have(
    connection: Connection, target: Endpoint, room: int, instant: datetime, only: Sequence[str] | None
) -> tuple[int, Callable[[int], Mapping[str, Any]]]:
    """How many deliveries of a webhook may be leased now, and what to remember of as many as are."""
    options = target.options
    if connection.dialect.name == "postgresql" and not _is_mine(connection, target):
        return 0, _nothing
    under_way = execute_spelled(connection, _UNDER_WAY, {"webhook": target.number}).scalar_one()
    most = 1 if options.ordered or target.failures >= OPENS_AFTER else options.most_at_once
    count = min(room, most - under_way)
    if options.ordered and count > 0 and not _head_is_due(connection, target, instant, only):
        count = 0
    count, _ = allowance(target.paced_at, instant, per_minute=options.per_minute, wanted=max(0, count))

    def changes(taken: int) -> Mapping[str, Any]:
        values: dict[str, Any] = {}
        if options.per_minute:
            values["paced_at"] = allowance(target.paced_at, instant, per_minute=options.per_minute, wanted=taken)[1]
        if target.failures >= OPENS_AFTER:
            values["paused_until"] = instant + timedelta(seconds=_PROBE_SECONDS)
        return values

    return count, changes


def _is_mine(connection: Connection, target: Endpoint) -> bool:
    """Whether no other sender counts the room of a webhook at this moment; none waits, since each has its own order."""
    row = select(webhooks.c.number).where(webhooks.c.number == target.number)
    row = row.with_for_update(skip_locked=True, key_share=True)  # who publishes holds up nobody
    return connection.execute(row).first() is not None


def _nothing(_taken: int) -> Mapping[str, Any]:
    return {}


def _head_is_due(connection: Connection, target: Endpoint, instant: datetime, only: Sequence[str] | None) -> bool:
    """Whether the oldest message of a webhook that takes them in order may go now, and is one that is looked at."""
    head = connection.execute(_HEAD, {"webhook": target.number}).first()
    if head is None or head.state == State.LEASED or head.due_at > instant:
        return False
    return only is None or head.id in only
