"""Sends what was leased, so many messages at a time, in the order in which they were leased.

A message that waited in line may be meant for a webhook that is another by then. So what is known of a webhook is
looked up again when it was seen longer than a moment ago; one look serves all that wait.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Final

from storycore.errors import StoryCoreError, Unavailable
from storycore.observe import logging
from storycore.webhooks.delivery import Leased, Outcome
from storycore.webhooks.gate import Check, Withdrawn

FRESH_SECONDS: Final = 0.05
"""What was seen of a webhook so long ago is taken for what it is now."""

_MOST_REMEMBERED = 10_000

log = logging.get(__name__)


class Lanes:
    """The messages that one process sends; made and used inside one event loop.

    Args:
        slots: attempts at a time.
        attempt: makes one; awaits the second argument when it has connected, before it sends.
        look: says when webhooks (their numbers) were last changed; those that are not active are left out.
        ended: is told of each outcome.
        returned: is told of each that was not sent, since its webhook has changed.
    """

    def __init__(
        self,
        slots: int,
        *,
        attempt: Callable[[Leased, Check], Awaitable[Outcome]],
        look: Callable[[Sequence[int]], Awaitable[Mapping[int, datetime]]],
        ended: Callable[[Outcome], None],
        returned: Callable[[Leased], None],
    ) -> None:
        self._slots, self._attempt, self._look = slots, attempt, look
        self._ended, self._returned = ended, returned
        self._waiting: deque[Leased] = deque()
        self._running: set[asyncio.Task[None]] = set()
        self._seen: dict[int, tuple[float, datetime | None]] = {}
        self._looking = asyncio.Lock()

    @property
    def load(self) -> int:
        """How many messages wait here or are under way."""
        return len(self._waiting) + len(self._running)

    def add(self, leases: Iterable[Leased], instant: float) -> None:
        """Sends these in their turn.

        Args:
            leases: what is held.
            instant: monotonic time at which their webhooks were as they stand in them, or a little before.
        """
        if len(self._seen) > _MOST_REMEMBERED:
            self._seen.clear()
        for leased in leases:
            self._waiting.append(leased)
            self._seen[leased.endpoint.number] = instant, leased.endpoint.updated_at
        for _ in range(min(len(self._waiting), self._slots - len(self._running))):
            task = asyncio.create_task(self._run())
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def finish(self, patience_seconds: float) -> None:
        """Begins nothing more, waits for what is under way, and cuts off what takes longer."""
        self._waiting.clear()
        self._slots = 0
        if not self._running:
            return
        _, left = await asyncio.wait(set(self._running), timeout=patience_seconds)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _run(self) -> None:
        while self._waiting:
            await self._deliver(self._waiting.popleft())

    async def _deliver(self, leased: Leased) -> None:
        try:
            if not self._is_known(leased):
                await self._check(leased)
            self._ended(await self._attempt(leased, partial(self._check, leased)))
        except Withdrawn:
            self._returned(leased)
        except Exception as fault:  # its lease runs out, and it is tried again then
            why = fault.reason.value if isinstance(fault, StoryCoreError) else "unexpected"
            log.exception("delivery_not_sent", delivery_id=leased.id, reason=why)

    def _is_known(self, leased: Leased) -> bool:
        """Whether a webhook was seen a moment ago as it was when a message for it was leased."""
        seen = self._seen.get(leased.endpoint.number)
        if seen is None or seen[0] < time.monotonic() - FRESH_SECONDS:
            return False
        return seen[1] is leased.endpoint.updated_at or seen[1] == leased.endpoint.updated_at

    async def _check(self, leased: Leased) -> None:
        """Makes sure that a webhook is as it was when a message for it was leased.

        Raises:
            Withdrawn: it is not, or nobody can say.
        """
        number = leased.endpoint.number
        if not self._has_seen(number, time.monotonic() - FRESH_SECONDS):
            try:
                await self._look_again(number)
            except Unavailable:
                raise Withdrawn("the database does not answer") from None
        if self._seen[number][1] != leased.endpoint.updated_at:
            raise Withdrawn("the webhook has changed")

    def _has_seen(self, number: int, since: float) -> bool:
        return number in self._seen and self._seen[number][0] >= since

    async def _look_again(self, number: int) -> None:
        """Looks at all webhooks that messages wait for; who asks meanwhile shares the look."""
        asked = time.monotonic() - FRESH_SECONDS
        async with self._looking:
            if self._has_seen(number, asked):
                return
            numbers = list({number, *(it.endpoint.number for it in self._waiting)})
            instant = time.monotonic()
            found = await self._look(numbers)
            self._seen.update({it: (instant, found.get(it)) for it in numbers})
