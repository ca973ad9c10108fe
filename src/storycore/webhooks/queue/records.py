"""What waits to be sent, in the database: leased to one sender, and what it met is written down.

A delivery that is leased belongs to its `owner` under a `lease` number. A result changes its state only under the
newest lease; the attempt is kept in any case, since it was made.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, and_, bindparam, delete, exists, func, or_, select, text, update

from storycore.database.bulk import execute_many, insert_rows, stored, stored_json
from storycore.database.connect import Database
from storycore.database.tables import attempts, deliveries, events, webhooks
from storycore.events import Event
from storycore.units import now
from storycore.webhooks.delivery import Code, Leased, Origin, Outcome, State
from storycore.webhooks.endpoint import Endpoint
from storycore.webhooks.endpoints.records import of_row
from storycore.webhooks.health.records import note_health
from storycore.webhooks.outbox.records import EventRecords, add, lease_new
from storycore.webhooks.schedule import FARTHEST_DUE, FARTHEST_PAUSE, OPENS_AFTER, allowance

# Written out, since SQLite takes a partial index only for its own words.
_DUE: Final = text("deliveries.state IN ('pending', 'retry')")
_LEASED: Final = text("deliveries.state = 'leased'")
_OPEN: Final = text("deliveries.state IN ('pending', 'retry', 'leased')")

_PROBE_SECONDS = 90
"""So long nobody else tries a failing webhook while one sender does."""

_LOAD = (
    select(deliveries.c.number, deliveries.c.id, deliveries.c.lease, deliveries.c.attempts, deliveries.c.origin,
           events.c.id.label("event_id"), events.c.type, events.c.body)
    .join(events, events.c.number == deliveries.c.event)
    .where(deliveries.c.number.in_(bindparam("numbers", expanding=True)))
    .order_by(deliveries.c.due_at, deliveries.c.number)
)  # fmt: skip
_SETTLE = (
    update(deliveries)
    .where(deliveries.c.number == bindparam("b_number"), deliveries.c.lease == bindparam("b_lease"), _LEASED)
    .values(
        state=bindparam("b_state"), owner=bindparam("b_owner"), attempts=bindparam("b_attempts"),
        due_at=bindparam("b_due_at"),
        code=bindparam("b_code"), status_code=bindparam("b_status_code"), finished_at=bindparam("b_finished_at"),
    )
)  # fmt: skip

_STAMPS = select(webhooks.c.number, webhooks.c.updated_at).where(
    webhooks.c.active, webhooks.c.number.in_(bindparam("numbers", expanding=True))
)

_END = (
    update(deliveries)
    .where(deliveries.c.number.in_(bindparam("b_numbers", expanding=True)), deliveries.c.lease == bindparam("b_lease"),
           _LEASED)
    .values(
        state=bindparam("b_state"), owner=None, attempts=bindparam("b_attempts"), due_at=bindparam("b_instant"),
        code=bindparam("b_code"), status_code=bindparam("b_status_code"), finished_at=bindparam("b_instant"),
    )
)  # fmt: skip
_COLUMNS: Final = tuple(column.name for column in attempts.c if not column.primary_key)


class Held(NamedTuple):
    """A lease as an observer sees it."""

    number: int
    owner: str
    lease: int


class QueueRecords:
    """What waits, for senders.

    Args:
        database: where it is.
        outbox: where it is told that a webhook has failed for long.
    """

    def __init__(self, database: Database, outbox: EventRecords) -> None:
        self._database, self._outbox = database, outbox

    def turn(
        self,
        owner: str,
        outcomes: Sequence[Outcome],
        *,
        room: int,
        only: Sequence[str] | None = None,
        returned: Sequence[Held] = (),
    ) -> list[Leased]:
        """Writes down what was met, and leases what is due: one transaction for both.

        Args:
            owner: who leases.
            outcomes: of attempts made since the last turn.
            room: most deliveries to lease.
            only: ids of the only events that are looked at; None for all.
            returned: what was leased and not sent, and waits again.

        Returns:
            What is now leased to `owner`, at most as much of each webhook as it may have at a time.
        """
        nothing = not outcomes and not returned
        if nothing and (room <= 0 or not self._is_due()):  # looking must not keep others from writing
            return []
        with self._database.write() as connection:
            self._settle(connection, outcomes)
            _release(connection, returned)
            return list(_lease(connection, owner, room, only)) if room > 0 else []

    def settle(self, outcomes: Sequence[Outcome]) -> None:
        """Writes down what was met."""
        with self._database.write() as connection:
            self._settle(connection, outcomes)

    def lease_trial(self, event: Event, target: Endpoint, origin: Origin, owner: str) -> Leased:
        """A new event for one webhook alone, leased to `owner` at once; on the disk when this returns."""
        with self._database.accept() as connection:
            return lease_new(connection, event, add(connection, event, listed=False), target, origin, owner)

    def cancel(self, leased: Leased) -> None:
        """Ends a delivery of which no attempt came about."""
        mine = and_(deliveries.c.number == leased.number, deliveries.c.lease == leased.lease, _LEASED)
        with self._database.write() as connection:
            connection.execute(
                update(deliveries)
                .where(mine)
                .values(state=State.CANCELLED, owner=None, code=Code.CANCELLED, finished_at=now())
            )

    def held(self) -> list[Held]:
        """Every lease there is."""
        query = select(deliveries.c.number, deliveries.c.owner, deliveries.c.lease).where(_LEASED)
        with self._database.read() as connection:
            return [Held(*row) for row in connection.execute(query)]

    def stamps(self, numbers: Iterable[int]) -> dict[int, datetime]:
        """When webhooks (their numbers) were last changed; those that are not active are left out."""
        with self._database.read() as connection:
            return {row.number: row.updated_at for row in connection.execute(_STAMPS, {"numbers": list(numbers)})}

    def release(self, leases: Iterable[Held]) -> int:
        """Lets deliveries wait again whose sender has gone; gives how many."""
        with self._database.write() as connection:
            return _release(connection, leases)

    def give_back(self, leases: Iterable[Leased], owner: str) -> None:
        """Lets deliveries wait again that their owner does not send."""
        self.release(Held(it.number, owner, it.lease) for it in leases)

    def release_all(self, owner: str) -> int:
        """Lets everything wait again that a sender holds; gives how many."""
        with self._database.write() as connection:
            mine = update(deliveries).where(_LEASED, deliveries.c.owner == owner).values(_WAITING_AGAIN)
            return connection.execute(mine).rowcount

    def expire(self, before: datetime, *, limit: int = 1000) -> int:
        """Forgets events of before then that wait for nothing, with all that hangs on them; gives how many."""
        open_ones = exists().where(deliveries.c.event == events.c.number, _OPEN)
        old = select(events.c.number).where(events.c.occurred_at < before, ~open_ones).limit(limit)
        with self._database.write() as connection:
            return connection.execute(delete(events).where(events.c.number.in_(old))).rowcount

    def bring_near(self) -> int:
        """Makes due what a clock that was wrong has put far ahead, and ends such pauses; gives how many deliveries."""
        instant = now()
        with self._database.write() as connection:
            far = webhooks.c.paused_until > instant + FARTHEST_PAUSE
            connection.execute(update(webhooks).where(far).values(paused_until=None))
            waiting = and_(_DUE, deliveries.c.due_at > instant + FARTHEST_DUE)
            return connection.execute(update(deliveries).where(waiting).values(due_at=instant)).rowcount

    def _is_due(self) -> bool:
        with self._database.read() as connection:
            return connection.execute(_ANY_READY, {"instant": now()}).first() is not None

    def _settle(self, connection: Connection, outcomes: Sequence[Outcome]) -> None:
        if not outcomes:
            return
        insert_rows(connection, attempts, _COLUMNS, [_attempt_row(item) for item in outcomes])
        ended: dict[tuple[Any, ...], list[Outcome]] = {}
        for item in outcomes:
            if item.state is not State.RETRY:
                ended.setdefault(_ending(item), []).append(item)
        for alike in ended.values():
            _end(connection, alike)
        execute_many(connection, _SETTLE, [_settled(item) for item in outcomes if item.state is State.RETRY])
        for event, number in note_health(connection, outcomes):
            self._outbox.write(connection, event, but=number)


_ORIGINS: Final = {origin.value: origin for origin in Origin}
_WAITING_AGAIN: Final = {"state": State.PENDING, "owner": None}


def _release(connection: Connection, leases: Iterable[Held]) -> int:
    count = 0
    for held in leases:
        mine = and_(deliveries.c.number == held.number, deliveries.c.owner == held.owner,
                    deliveries.c.lease == held.lease, _LEASED)  # fmt: skip
        count += connection.execute(update(deliveries).where(mine).values(_WAITING_AGAIN)).rowcount
    return count


def _ready_query() -> Any:
    """Webhooks that something is due for, and that may be called now."""
    instant = bindparam("instant", type_=deliveries.c.due_at.type)
    due = exists().where(deliveries.c.webhook == webhooks.c.number, _DUE, deliveries.c.due_at <= instant)
    rested = or_(webhooks.c.paused_until.is_(None), webhooks.c.paused_until <= instant)
    return select(webhooks).where(webhooks.c.active, rested, due).order_by(webhooks.c.number)


_READY: Final = _ready_query()
_ANY_READY: Final = _READY.with_only_columns(webhooks.c.number).limit(1)
_UNDER_WAY: Final = (
    select(func.count()).select_from(deliveries).where(deliveries.c.webhook == bindparam("webhook"), _LEASED)
)


def _lease(connection: Connection, owner: str, room: int, only: Sequence[str] | None) -> Iterable[Leased]:
    instant = now()
    ready = [of_row(row) for row in connection.execute(_READY, {"instant": instant})]
    for place, target in enumerate(ready):
        share = max(1, room // (len(ready) - place))  # nobody takes the room of those behind
        taken = _lease_of(connection, owner, target, min(share, room), instant, only)
        room -= len(taken)
        yield from taken
        if room <= 0:
            return


def _lease_of(  # noqa: PLR0913, PLR0917 - all that decides
    connection: Connection, owner: str, target: Endpoint, room: int, instant: datetime, only: Sequence[str] | None
) -> list[Leased]:
    count, changes = _may_have(connection, target, room, instant, only)
    if count <= 0:
        return []
    values = {"b_webhook": target.number, "b_instant": instant, "b_most": count, "b_owner": owner}
    if only is not None:
        values["b_only"] = list(only)
    claim = _CLAIMS[target.options.ordered, only is not None]
    numbers = [row.number for row in connection.execute(claim, values)]
    if not numbers:
        return []
    paced = changes(len(numbers))
    if paced:
        connection.execute(update(webhooks).where(webhooks.c.number == target.number).values(paced))
    probe = target.failures >= OPENS_AFTER
    return [
        Leased(
            number=number, id=name, lease=lease, endpoint=target, attempt=attempts + 1, origin=_ORIGINS[origin],
            probe=probe, event_id=event_id, event_type=kind, body=body,
        )
        for number, name, lease, attempts, origin, event_id, kind, body in connection.execute(
            _LOAD, {"numbers": numbers}
        )
    ]  # fmt: skip


def _claim(*, ordered: bool, limited: bool) -> Any:
    """Leases so many deliveries of a webhook that are due; made once, since making it costs more than doing it."""
    due = select(deliveries.c.number).where(
        deliveries.c.webhook == bindparam("b_webhook"), _DUE, deliveries.c.due_at <= bindparam("b_instant")
    )
    if limited:
        named = select(events.c.number).where(events.c.id.in_(bindparam("b_only", expanding=True)))
        due = due.where(deliveries.c.event.in_(named))
    order = (deliveries.c.number,) if ordered else (deliveries.c.due_at, deliveries.c.number)
    due = due.order_by(*order).limit(bindparam("b_most")).with_for_update(skip_locked=True)
    leased = {"state": State.LEASED.value, "owner": bindparam("b_owner"), "lease": deliveries.c.lease + 1}
    claimed = update(deliveries).where(deliveries.c.number.in_(due.scalar_subquery())).values(leased)
    return claimed.returning(deliveries.c.number)


_CLAIMS: Final = {
    (ordered, limited): _claim(ordered=ordered, limited=limited)
    for ordered in (True, False)
    for limited in (True, False)
}


def _may_have(
    connection: Connection, target: Endpoint, room: int, instant: datetime, only: Sequence[str] | None
) -> tuple[int, Callable[[int], Mapping[str, Any]]]:
    """How many deliveries of a webhook may be leased now, and what to remember of as many as are."""
    options = target.options
    if connection.dialect.name == "postgresql":  # senders that ask at the same time must not both count the same room
        connection.execute(select(webhooks.c.number).where(webhooks.c.number == target.number).with_for_update())
    under_way = connection.execute(_UNDER_WAY, {"webhook": target.number}).scalar_one()
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


def _head_is_due(connection: Connection, target: Endpoint, instant: datetime, only: Sequence[str] | None) -> bool:
    """Whether the oldest message of a webhook that takes them in order may go now, and is one that is looked at."""
    head = connection.execute(
        select(deliveries.c.state, deliveries.c.due_at, events.c.id)
        .join(events, events.c.number == deliveries.c.event)
        .where(deliveries.c.webhook == target.number, _OPEN)
        .order_by(deliveries.c.number)
        .limit(1)
    ).first()
    if head is None or head.state == State.LEASED or head.due_at > instant:
        return False
    return only is None or head.id in only


def _ending(outcome: Outcome) -> tuple[Any, ...]:
    """What the rows of deliveries that ended alike have in common."""
    it = outcome.attempt
    return outcome.state, outcome.leased.lease, outcome.leased.attempt, it.code, it.status_code


def _end(connection: Connection, alike: Sequence[Outcome]) -> None:
    """Writes down that deliveries ended, all in the same way, and as one: when the last of them did."""
    state, lease, attempt, code, status_code = _ending(alike[0])
    values = {
        "b_numbers": [item.leased.number for item in alike], "b_lease": lease, "b_state": state, "b_attempts": attempt,
        "b_code": code, "b_status_code": status_code, "b_instant": max(item.due_at for item in alike),
    }  # fmt: skip
    connection.execute(_END, values)


def _settled(outcome: Outcome) -> dict[str, Any]:
    return {
        "b_number": outcome.leased.number, "b_lease": outcome.leased.lease, "b_owner": None, "b_state": outcome.state,
        "b_attempts": outcome.leased.attempt, "b_due_at": stored(outcome.due_at), "b_code": outcome.attempt.code,
        "b_status_code": outcome.attempt.status_code, "b_finished_at": None,
    }  # fmt: skip


def _attempt_row(outcome: Outcome) -> Sequence[Any]:
    """In the order of the columns."""
    it = outcome.attempt
    return (
        outcome.leased.number, outcome.leased.attempt, outcome.leased.origin.value, stored(it.started_at), it.url,
        it.code.value, it.status_code, it.dns_ms, it.connect_ms, it.headers_ms, it.total_ms, it.remote_address,
        stored_json(it.response_headers), it.response_body, it.response_bytes, it.response_sha256, it.message,
    )  # fmt: skip
