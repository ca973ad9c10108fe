import asyncio
from types import SimpleNamespace

from storycore.comfyui.turns import Turn, Turns


def turn(name, *fits, priority=1):
    return Turn(task_id=name, priority=priority, fits=set(fits))


async def beginning():
    """Lets those who wait begin to."""
    for _ in range(3):
        await asyncio.sleep(0)


def test_who_matters_more_goes_first_then_who_came_first_and_only_where_it_could_run():
    async def play():
        turns, waiting = Turns(), [turn("a", "x"), turn("b", "x"), turn("high", "x", priority=2), turn("y", "y")]
        going_on = [asyncio.create_task(turns.wait(it, 60)) for it in waiting]
        await beginning()
        assert not turns.others_first(waiting[2])
        assert turns.others_first(waiting[1])
        assert not turns.others_first(waiting[3])
        order = []
        while (found := turns.next_for("x")) is not None:
            order.append(found.task_id)
            found.give(found.task_id)
        assert turns.next_for("y") is waiting[3]
        waiting[3].give(None)
        return order, await asyncio.gather(*going_on)

    order, given = asyncio.run(play())
    assert order == ["high", "a", "b"]
    assert given == ["a", "b", "high", None]


def test_one_waits_for_what_it_is_about_to_be_given_however_long_that_takes():
    async def play():
        turns, own = Turns(), turn("a", "x")
        waiting = asyncio.create_task(turns.wait(own, 0.01))
        await beginning()
        assert turns.next_for("x") is own
        await asyncio.sleep(0.05)
        assert not waiting.done()
        own.give("a place")
        return await waiting

    assert asyncio.run(play()) == "a place"


def test_one_looks_for_itself_after_a_while_and_keeps_its_rank():
    async def play():
        turns, first, second = Turns(), turn("a", "x"), turn("b", "x")
        behind = asyncio.create_task(turns.wait(second, 60))
        assert await turns.wait(first, 0.01) is None
        again = asyncio.create_task(turns.wait(first, 60))
        await beginning()
        assert turns.next_for("x") is first
        for it in (first, turns.next_for("x")):
            it.give(None)
        await asyncio.gather(behind, again)

    asyncio.run(play())


def test_who_is_stopped_leaves_the_line():
    async def play():
        turns, own = Turns(), turn("a", "x")
        waiting = asyncio.create_task(turns.wait(own, 60))
        await beginning()
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert turns.next_for("x") is None

    asyncio.run(play())


def test_a_task_looks_for_a_place_as_long_as_any_of_its_runs_does():
    turns = Turns()
    assert turns.looking(["batch", "new"]) == 2  # what has not got so far yet does too
    turns.begin("batch")
    turns.begin("batch")
    assert (turns.end("batch"), turns.looking(["batch"])) == (False, 1)
    assert (turns.end("batch"), turns.looking(["batch"])) == (True, 0)
    assert turns.looking([]) == 0
    assert turns.looking(["batch"]) == 1  # what has ended is forgotten


def test_one_that_is_noted_for_another_server_in_the_moment_that_a_noting_ends_waits_for_that_too():
    async def play():
        turns, own = Turns(), turn("a", "x", "y")
        own.heir = lambda backend_id: SimpleNamespace(is_noted=False, backend_id=backend_id)
        waiting = asyncio.create_task(turns.wait(own, 0.01))
        await beginning()
        turns.begin_noting("x")
        await asyncio.sleep(0.05)
        own.end_noting(None)
        assert [it for it, _ in turns.begin_noting("y")] == [own]
        await beginning()
        assert not waiting.done()
        own.end_noting(None)
        return await waiting

    assert asyncio.run(play()) is None
