"""Sends what waits, as long as the process runs: leases, attempts, results.

One thread with an event loop, and one that speaks to the database meanwhile. Results are gathered for a moment and
written in the same transaction that leases what comes next, so that a delivery costs a share of a commit. Several
couriers on one database share the work; one that dies leaves leases that stand still, which the others give back.
"""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from typing import Final, Protocol, TypeVar

from storycore.database.owner import is_gone, new_owner
from storycore.errors import Unavailable
from storycore.observe import logging
from storycore.units import now
from storycore.webhooks.delivery import Leased, Outcome
from storycore.webhooks.lanes import Lanes
from storycore.webhooks.leasing.records import Held
from storycore.webhooks.post import Post, new_loop
from storycore.webhooks.queue.records import QueueRecords

LOOK_SECONDS: Final = 0.5
"""How often is looked for what came without a word: retries that are due, events of other processes."""

SWEEP_SECONDS: Final = 5.0
GATHER_SECONDS: Final = 0.02
AHEAD: Final = 4
"""So many times what is sent at a time is leased, so that nothing waits for the records."""

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
        self._lanes: Lanes | None = None
        self._door = threading.Lock()
        self._takes = False
        self._outcomes: list[Outcome] = []
        self._returned: list[Held] = []
        self._eyes = ThreadPoolExecutor(1, thread_name_prefix="storycore-webhooks-eyes")
        self._seen: dict[Held, float] = {}

    def start(self) -> None:
        """Begins to send, in a thread of its own."""
        self._thread.start()

    def wake(self) -> None:
        """Something is due now; safe from any thread."""
        if self._loop and self._called:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._called.set)

    def offer(self) -> str:
        """Who sends at once what is leased to it; "" while there is no room. Safe from any thread."""
        lanes = self._lanes
        return self.owner if self._takes and lanes and lanes.load < self._most else ""

    def take(self, leases: Sequence[Leased], instant: float) -> bool:
        """Sends what is leased to it, now; False if it has ended meanwhile. Safe from any thread.

        Args:
            leases: what is held.
            instant: see `Lanes.add`.
        """
        with self._door:
            if not self._takes or self._loop is None or self._lanes is None:
                return False
            self._loop.call_soon_threadsafe(self._lanes.add, leases, instant)
            return True

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
        self._loop, called = asyncio.get_running_loop(), asyncio.Event()
        self._called = called
        sweeping = asyncio.create_task(self._sweep_for_ever())
        try:
            async with self._post.sender() as sender:
                lanes = self._lanes = Lanes(
                    self._most, attempt=partial(self._post.attempt, sender), look=self._look,
                    ended=self._note, returned=self._give_back,
                )  # fmt: skip
                self._open(takes=True)
                while not self._stopping.is_set():
                    if await self._turn(lanes):
                        await self._pause(called)
                    else:
                        await asyncio.sleep(1)
                self._open(takes=False)
                await self._finish(lanes)
        finally:
            self._open(takes=False)
            sweeping.cancel()

    def _open(self, *, takes: bool) -> None:
        with self._door:
            self._takes = takes

    async def _turn(self, lanes: Lanes) -> bool:
        """Writes down results, leases what is due, and begins to send it; False if that could not be done."""
        outcomes, self._outcomes = self._outcomes, []
        returned, self._returned = self._returned, []
        room, begun = AHEAD * self._most - lanes.load, time.monotonic()
        try:
            leased = await self._in_records(
                lambda: self._records.turn(self.owner, outcomes, room=room, returned=returned)
            )
        except Unavailable as fault:
            log.warning("database_does_not_answer", reason=fault.reason.value)
            self._outcomes = [*outcomes, *self._outcomes]
            self._returned = [*returned, *self._returned]
            return False
        except Exception:
            log.exception("results_not_written_together")
            await self._write_singly(outcomes)
            return False
        lanes.add(leased, begun)
        return True

    async def _write_singly(self, outcomes: Sequence[Outcome]) -> None:
        """Writes down results one by one, so that one that can't be written takes no other with it."""
        for outcome in outcomes:
            try:
                await self._in_records(partial(self._records.settle, [outcome]))
            except Unavailable:
                self._outcomes.append(outcome)
            except Exception:  # its lease runs out, and it is sent again
                log.exception("result_not_written", delivery_id=outcome.leased.id, code=outcome.attempt.code.value)

    async def _pause(self, called: asyncio.Event) -> None:
        """Until results have gathered, somebody calls, or it is time to look again."""
        if len(self._outcomes) < GATHER_MOST:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await called.wait()
        called.clear()

    async def _look(self, numbers: Sequence[int]) -> Mapping[int, datetime]:
        return await asyncio.get_running_loop().run_in_executor(self._eyes, self._records.stamps, numbers)

    def _give_back(self, leased: Leased) -> None:
        self._returned.append(Held(leased.number, self.owner, leased.lease))
        self._call()

    def _note(self, outcome: Outcome) -> None:
        self._outcomes.append(outcome)
        if len(self._outcomes) >= GATHER_MOST or (self._lanes and self._lanes.load == 1):
            self._call()
        elif len(self._outcomes) == 1:
            asyncio.get_running_loop().call_later(GATHER_SECONDS, self._call)
        if self._watch:
            self._watch.attempted(outcome)
        if outcome.attempt.success:  # its row says all
            return
        log.info(
            "webhook_attempt", delivery_id=outcome.leased.id, webhook_id=outcome.leased.endpoint.id,
            event_id=outcome.leased.event_id, attempt=outcome.leased.attempt, code=outcome.attempt.code.value,
            status_code=outcome.attempt.status_code, state=outcome.state.value,
        )  # fmt: skip

    def _call(self) -> None:
        if self._called:
            self._called.set()

    async def _finish(self, lanes: Lanes) -> None:
        """Waits for what is under way, writes it down, and gives back what was not sent."""
        await lanes.finish(self._patience_seconds)
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
            except Exception:
                log.exception("sweep_failed")
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
