"""What waits to be sent, in the database, as senders use it: leased to one of them, and what it met is written down.

How is leased stands in `leasing`, what results change in `results`.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import and_, bindparam, delete, exists, select, update

from storycore.database.connect import Database
from storycore.database.tables import deliveries, events, webhooks
from storycore.events import Event
from storycore.units import now
from storycore.webhooks.delivery import Code, Leased, Origin, Outcome, State
from storycore.webhooks.endpoint import Endpoint
from storycore.webhooks.leasing.records import DUE, LEASED, OPEN, WAITING_AGAIN, Held, is_due, lease, release
from storycore.webhooks.outbox.records import EventRecords, add, lease_new
from storycore.webhooks.results.records import settle
from storycore.webhooks.schedule import FARTHEST_DUE, FARTHEST_PAUSE

_STAMPS = select(webhooks.c.number, webhooks.c.updated_at).where(
    webhooks.c.active, webhooks.c.number.in_(bindparam("numbers", expanding=True))
)


class QueueRecords:
    """What waits, for senders.

    Args:
        database: where it is.
        outbox: where it is told that a webhook has failed for long.
    """

    def __init__(self, database: Database, outbox: EventRecords) -> None:
        self._database, self._outbox = database, outbox
        self._served = 0  # the last webhook (its number) that had its turn

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
            settle(connection, self._outbox, outcomes)
            release(connection, returned)
            leased = list(lease(connection, owner, room, only, after=self._served)) if room > 0 else []
        self._served = leased[-1].endpoint.number if leased else self._served
        return leased

    def settle(self, outcomes: Sequence[Outcome]) -> None:
        """Writes down what was met."""
        with self._database.write() as connection:
            settle(connection, self._outbox, outcomes)

    def lease_trial(self, event: Event, target: Endpoint, origin: Origin, owner: str) -> Leased:
        """A new event for one webhook alone, leased to `owner` at once; on the disk when this returns."""
        with self._database.accept() as connection:
            return lease_new(connection, event, add(connection, event, listed=False), target, origin, owner)

    def cancel(self, leased: Leased) -> None:
        """Ends a delivery of which no attempt came about."""
        mine = and_(deliveries.c.number == leased.number, deliveries.c.lease == leased.lease, LEASED)
        with self._database.write() as connection:
            connection.execute(
                update(deliveries)
                .where(mine)
                .values(state=State.CANCELLED, owner=None, code=Code.CANCELLED, finished_at=now())
            )

    def held(self) -> list[Held]:
        """Every lease there is."""
        query = select(deliveries.c.number, deliveries.c.owner, deliveries.c.lease).where(LEASED)
        with self._database.read() as connection:
            return [Held(*row) for row in connection.execute(query)]

    def stamps(self, numbers: Iterable[int]) -> dict[int, datetime]:
        """When webhooks (their numbers) were last changed; those that are not active are left out."""
        with self._database.read() as connection:
            return {row.number: row.updated_at for row in connection.execute(_STAMPS, {"numbers": list(numbers)})}

    def release(self, leases: Iterable[Held]) -> int:
        """Lets deliveries wait again whose sender has gone; gives how many."""
        with self._database.write() as connection:
            return release(connection, leases)

    def give_back(self, leases: Iterable[Leased], owner: str) -> None:
        """Lets deliveries wait again that their owner does not send."""
        self.release(Held(it.number, owner, it.lease) for it in leases)

    def release_all(self, owner: str) -> int:
        """Lets everything wait again that a sender holds; gives how many."""
        with self._database.write() as connection:
            mine = update(deliveries).where(LEASED, deliveries.c.owner == owner).values(WAITING_AGAIN)
            return connection.execute(mine).rowcount

    def expire(self, before: datetime, *, limit: int = 1000) -> int:
        """Forgets events of before then that wait for nothing, with all that hangs on them; gives how many."""
        open_ones = exists().where(deliveries.c.event == events.c.number, OPEN)
        old = select(events.c.number).where(events.c.occurred_at < before, ~open_ones).limit(limit)
        with self._database.write() as connection:
            return connection.execute(delete(events).where(events.c.number.in_(old))).rowcount

    def bring_near(self) -> int:
        """Makes due what a clock that was wrong has put far ahead, and ends such pauses; gives how many deliveries."""
        instant = now()
        with self._database.write() as connection:
            far = webhooks.c.paused_until > instant + FARTHEST_PAUSE
            connection.execute(update(webhooks).where(far).values(paused_until=None))
            waiting = and_(DUE, deliveries.c.due_at > instant + FARTHEST_DUE)
            return connection.execute(update(deliveries).where(waiting).values(due_at=instant)).rowcount

    def _is_due(self) -> bool:
        with self._database.read() as connection:
            return is_due(connection)
