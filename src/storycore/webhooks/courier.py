"""Sends what waits, as long as the process runs: leases, attempts, results.

One thread with an event loop. Results are gathered for a moment and written in the same transaction that leases what
comes next, so that a delivery costs a share of a commit. Several couriers on one database share the work; one that
dies leaves leases that stand still, which the others give back.
"""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Final, Protocol, TypeVar

from storycore.database.owner import is_gone, new_owner
from storycore.errors import StoryCoreError, Unavailable
from storycore.observe import logging
from storycore.units import now
from storycore.webhooks.delivery import Leased, Outcome
from storycore.webhooks.post import Post, new_loop
from storycore.webhooks.queue.records import Held, QueueRecords
from storycore.webhooks.sender import Sender

LOOK_SECONDS: Final = 0.5
"""How often is looked for what came without a word: retries that are due, events of other processes."""

SWEEP_SECONDS: Final = 5.0
GATHER_SECONDS: Final = 0.01
AHEAD: Final = 4
"""So many times what is sent at a time is leased, so that nothing waits for the records."""

FRESH_SECONDS: Final = 0.1
"""What was seen of a webhook so long ago is taken for what it is now."""

GATHER_MOST: Final = 128
_EXPIRE_SECONDS = 600.0

T = TypeVar("T")

log = logging.get(__name__)


class Watch(Protocol):
    """Whoever counts what a courier does."""

    def attempted(self, outcome: Outcome) -> None:
        """An attempt was made."""


class Courier:
    """The senders of one process.

    Args:
        records: what waits.
        post: composes and sends.
        slots: attempts at a time, over all webhooks.
        retention: how long events are remembered that wait for nothing.
        watch: is told of each attempt; None for nobody.
    """

    def __init__(
        self, records: QueueRecords, post: Post, *, slots: int, retention: timedelta, watch: Watch | None = None
    ) -> None:
        self.owner = new_owner()
        self._records, self._post, self._watch, self._retention = records, post, watch, retention
        self._most = slots
        # What is leased here has its turn, and is sent, within that time, whatever receivers do.
        self._lease_seconds = (AHEAD + 1) * post.timeout_seconds + 50
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="storycore-webhooks-records")
        self._thread = threading.Thread(target=self._work, name="storycore-webhooks", daemon=True)
        self._stopping = threading.Event()
        self._patience_seconds = 0.0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._called: asyncio.Event | None = None
        self._outcomes: list[Outcome] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(slots)
        self._eyes = ThreadPoolExecutor(1, thread_name_prefix="storycore-webhooks-eyes")
        self._looking = asyncio.Lock()
        self._stamps: dict[int, tuple[float, datetime | None]] = {}
        self._seen: dict[Held, float] = {}

    def start(self) -> None:
        """Begins to send, in a thread of its own."""
        self._thread.start()

    def wake(self) -> None:
        """Something is due now; safe from any thread."""
        if self._loop and self._called:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._called.set)

    def stop(self, *, seconds: float) -> None:
        """Sends no more, waits for what is under way as long as allowed, and gives the rest back."""
        self._patience_seconds = max(0.0, seconds - 1)
        self._stopping.set()
        self.wake()
        if self._thread.is_alive():
            self._thread.join(seconds)
        self._pool.shutdown(wait=False)
        self._eyes.shutdown(wait=False)

    def _work(self) -> None:
        pause = LOOK_SECONDS
        while not self._stopping.is_set():
            try:
                with asyncio.Runner(loop_factory=new_loop) as runner:
                    runner.run(self._main())
            except Exception:
                log.exception("courier_broke")  # the next round begins from what the records say
                self._stopping.wait(pause)
                pause = min(60.0, pause * 2)

    async def _main(self) -> None:
        self._loop, self._called = asyncio.get_running_loop(), asyncio.Event()
        self._tasks, self._slots = set(), asyncio.Semaphore(self._most)  # of this loop
        self._looking = asyncio.Lock()
        sweeping = asyncio.create_task(self._sweep_for_ever())
        try:
            async with self._post.sender() as sender:
                while not self._stopping.is_set():
                    if await self._turn(sender):
                        await self._pause(self._called)
                    else:
                        await asyncio.sleep(1)
                await self._finish()
        finally:
            sweeping.cancel()

    async def _turn(self, sender: Sender) -> bool:
        """Writes down results, leases what is due, and begins to send it; False if the database does not answer."""
        outcomes, self._outcomes = self._outcomes, []
        room = AHEAD * self._most - len(self._tasks)
        try:
            leased = await self._in_records(lambda: self._records.turn(self.owner, outcomes, room=room))
        except Unavailable as fault:
            log.warning("database_does_not_answer", reason=fault.reason.value)
            self._outcomes = [*outcomes, *self._outcomes]
            return False
        for item in leased:
            task = asyncio.create_task(self._deliver(sender, item))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return True

    async def _pause(self, called: asyncio.Event) -> None:
        """Until results have gathered, somebody calls, or it is time to look again."""
        if len(self._outcomes) < GATHER_MOST:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await called.wait()
        called.clear()

    async def _deliver(self, sender: Sender, leased: Leased) -> None:
        waits = self._slots.locked()
        async with self._slots:
            try:
                if waits and not await self._is_as_leased(leased):
                    held = Held(leased.number, self.owner, leased.lease)
                    await self._in_records(lambda: self._records.release([held]))
                    self._call()
                    return
                outcome = await self._post.attempt(sender, leased)
            except Exception as fault:  # its lease runs out, and it is tried again then
                why = fault.reason.value if isinstance(fault, StoryCoreError) else "unexpected"
                log.exception("delivery_not_sent", delivery_id=leased.id, reason=why)
                return
        self._outcomes.append(outcome)
        self._note(outcome)
        if len(self._outcomes) >= GATHER_MOST or len(self._tasks) == 1:
            self._call()
        elif len(self._outcomes) == 1:
            asyncio.get_running_loop().call_later(GATHER_SECONDS, self._call)

    async def _is_as_leased(self, leased: Leased) -> bool:
        """Whether its webhook is as it was when this was leased; one look serves all who ask within a moment."""
        number, enough = leased.endpoint.number, time.monotonic() - FRESH_SECONDS
        if not self._has_seen(number, enough):
            async with self._looking:
                if not self._has_seen(number, enough):
                    instant, loop = time.monotonic(), asyncio.get_running_loop()
                    found = await loop.run_in_executor(self._eyes, lambda: self._records.stamps([number]))
                    self._stamps[number] = instant, found.get(number)
        return self._stamps[number][1] == leased.endpoint.updated_at

    def _has_seen(self, number: int, since: float) -> bool:
        return number in self._stamps and self._stamps[number][0] >= since

    def _call(self) -> None:
        if self._called:
            self._called.set()

    def _note(self, outcome: Outcome) -> None:
        if self._watch:
            self._watch.attempted(outcome)
        if outcome.attempt.success:  # its row says all
            return
        log.info(
            "webhook_attempt", delivery_id=outcome.leased.id, webhook_id=outcome.leased.endpoint.id,
            event_id=outcome.leased.event_id, attempt=outcome.leased.attempt, code=outcome.attempt.code.value,
            status_code=outcome.attempt.status_code, state=outcome.state.value,
        )  # fmt: skip

    async def _finish(self) -> None:
        """Waits for what is under way, writes it down, and gives back what was not sent."""
        if self._tasks:
            _, left = await asyncio.wait(set(self._tasks), timeout=self._patience_seconds)
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)
        outcomes, self._outcomes = self._outcomes, []
        with contextlib.suppress(Unavailable):  # what can't be written down is sent again: its lease runs out
            await self._in_records(lambda: self._records.settle(outcomes))
            await self._in_records(lambda: self._records.release_all(self.owner))

    async def _sweep_for_ever(self) -> None:
        expired = float("-inf")
        while True:
            try:
                await self._in_records(self._sweep)
                if time.monotonic() - expired >= _EXPIRE_SECONDS:
                    expired = time.monotonic()
                    await self._in_records(lambda: self._records.expire(now() - self._retention))
                    await self._in_records(self._records.bring_near)
            except Unavailable as fault:
                log.warning("database_does_not_answer", reason=fault.reason.value)
            await asyncio.sleep(SWEEP_SECONDS)

    def _sweep(self) -> None:
        """Gives back what senders hold that have died: their leases stand still, or their process is gone."""
        instant = time.monotonic()
        self._seen = {held: self._seen.get(held, instant) for held in self._records.held()}
        lost = [held for held, since in self._seen.items() if self._is_lost(held, instant - since)]
        if lost and self._records.release(lost):
            log.warning("deliveries_taken_from_dead_sender", count=len(lost))
            self.wake()

    def _is_lost(self, held: Held, seconds: float) -> bool:
        return seconds >= self._lease_seconds or is_gone(held.owner)

    async def _in_records(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)
