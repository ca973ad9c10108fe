"""Whatever takes longer than it may is broken off, and nothing else is."""

import asyncio

from storycore.webhooks.patience import Patience


async def wait(patience, seconds, ended):
    turn = patience.begin()
    late = False
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        late = patience.end(turn)
        if not late:
            ended.append("cancelled")
            raise
    else:
        late = patience.end(turn)
    ended.append("late" if late else "in time")


def test_each_of_many_has_the_whole_time_from_its_own_beginning():
    async def run():
        patience, ended = Patience(0.2), []
        tasks = []
        for seconds in (30, 0, 30, 0.01, 30):
            tasks.append(asyncio.create_task(wait(patience, seconds, ended)))
            await asyncio.sleep(0.02)
        await asyncio.wait_for(asyncio.gather(*tasks), 20)
        return ended, [task.cancelling() for task in tasks]

    assert asyncio.run(run()) == (["in time", "in time", "late", "late", "late"], [0] * 5)


def test_one_that_somebody_else_cancels_is_not_taken_for_late():
    async def run():
        patience, ended = Patience(20), []
        task = asyncio.create_task(wait(patience, 30, ended))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return ended, task.cancelled()

    assert asyncio.run(run()) == (["cancelled"], True)


def test_one_that_is_cancelled_in_the_moment_in_which_its_time_ends_is_cancelled():
    async def run():
        patience, ended = Patience(20), []
        task = asyncio.create_task(wait(patience, 30, ended))
        await asyncio.sleep(0)
        (turn,) = patience._turns
        turn.cut()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return ended, task.cancelled()

    assert asyncio.run(run()) == (["cancelled"], True)


def test_one_after_the_other_may_take_its_time_with_one_timer():
    async def run():
        patience, ended = Patience(0.3), []
        for _ in range(8):  # together longer than one may take
            await wait(patience, 0.1, ended)
        return ended

    assert asyncio.run(run()) == ["in time"] * 8
