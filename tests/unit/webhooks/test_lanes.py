"""Messages go in their order, so many at a time, and only to webhooks that are as they were."""

import asyncio
import time
from datetime import timedelta

from fixtures.webhooks import LONG_AGO, endpoint, leased
from storycore.webhooks.delivery import Attempt, Code, decide
from storycore.webhooks.lanes import Lanes


class Desk:
    """What a courier does around lanes, without a database or a network."""

    def __init__(self, slots=2, stamps=None):
        self.begun, self.ended, self.returned, self.looks = [], [], [], []
        self.stamps, self.go = stamps or {}, asyncio.Event()
        self.lanes = Lanes(
            slots, attempt=self.attempt, look=self.look, ended=self.ended.append,
            returned=lambda it: self.returned.append(it.number),
        )  # fmt: skip

    async def attempt(self, it, check):
        await check()
        self.begun.append(it.number)
        code = Code.OK
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            code = Code.CANCELLED
        made = Attempt(started_at=LONG_AGO, url=it.endpoint.url, code=code, total_ms=0.0)
        return decide(it, made, chance=0.0, instant=LONG_AGO)

    async def look(self, numbers):
        self.looks.append(sorted(numbers))
        return {number: self.stamps.get(number, LONG_AGO) for number in numbers}

    def add(self, items, *, seconds_ago=0.0):
        self.lanes.add(items, time.monotonic() - seconds_ago)


async def settled():
    for _ in range(20):
        await asyncio.sleep(0)


def test_no_more_go_at_a_time_than_there_are_slots_and_in_their_order():
    async def run():
        desk = Desk(slots=2)
        desk.add([leased(number, endpoint(1)) for number in range(5)])
        await settled()
        first, load = list(desk.begun), desk.lanes.load
        desk.go.set()
        await settled()
        return first, load, desk.begun, desk.lanes.load

    assert asyncio.run(run()) == ([0, 1], 5, [0, 1, 2, 3, 4], 0)


def test_one_look_serves_all_that_wait_and_those_whose_webhook_has_changed_are_given_back():
    async def run():
        desk = Desk(slots=8, stamps={2: LONG_AGO + timedelta(seconds=1)})
        desk.go.set()
        desk.add([leased(number, endpoint(1 + number % 2)) for number in range(6)], seconds_ago=60)
        await settled()
        return desk

    desk = asyncio.run(run())
    assert (desk.begun, desk.returned, desk.looks) == ([0, 2, 4], [1, 3, 5], [[1, 2]])


def test_a_newer_lease_tells_of_a_change_without_a_look():
    async def run():
        desk = Desk(slots=1)
        desk.add([leased(1, endpoint(1)), leased(2, endpoint(1))])
        await settled()
        desk.add([leased(3, endpoint(1, updated_at=LONG_AGO + timedelta(seconds=1)))])
        desk.go.set()
        await settled()
        return desk

    desk = asyncio.run(run())
    assert (desk.begun, desk.returned, desk.looks) == ([1, 3], [2], [])


def test_at_the_end_nothing_new_begins_and_what_is_cut_off_has_an_outcome():
    async def run():
        desk = Desk(slots=1)
        desk.add([leased(1, endpoint(1)), leased(2, endpoint(1))])
        await settled()
        await desk.lanes.finish(0.01)
        desk.add([leased(3, endpoint(1))])
        await settled()
        return desk.begun, [(it.leased.number, it.attempt.code) for it in desk.ended]

    assert asyncio.run(run()) == ([1], [(1, Code.CANCELLED)])
