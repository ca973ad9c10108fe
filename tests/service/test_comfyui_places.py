"""The next run in line is noted before it has a place: it may have been posted by then, or not; it is posted once."""

from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from fixtures.comfyui import World, picture
from fixtures.comfyui_server import ScriptedComfyUI
from fixtures.waiting import until
from storycore.comfyui.run_record import POSTED
from storycore.comfyui.verdict import Verdict
from storycore.database.connect import Database
from storycore.errors import Cancelled
from storycore.units import now


@pytest.fixture
def comfy(tmp_path):
    with ScriptedComfyUI(tmp_path / "comfy") as server:
        yield server


@pytest.fixture
def world(comfy, tmp_path, empty_database):
    path = tmp_path / "runs.db"
    path.write_bytes(empty_database.read_bytes())
    database = Database.open(f"sqlite:///{path}")
    world = World(database, tmp_path / "home", comfy)
    world.backend_id = world.connect(comfy.url)
    yield world
    world.close()
    database.close()


def posts(comfy):
    return comfy.do(lambda: [post["prompt_id"] for post in comfy.server.posts])


def executed(comfy):
    return comfy.do(lambda: list(comfy.server.executed))


def noted_ahead(world, order, graph):
    """A run as a process that died has left it: noted, without a place."""
    record = world.runs.run(order.workflow.id, order.task_id)
    facts = {"ends": ["3"], "client_id": "who-died"}
    return world.runs.change(record, graph=graph, facts=facts, backend_id=world.backend_id, seen=POSTED)


def test_one_that_was_noted_and_never_posted_is_posted_once_and_gets_a_place(world, comfy):
    order = world.order(picture(color=5))
    record = noted_ahead(world, order, picture(color=5))
    finished = world.begin(order).wait()
    assert (finished.judgement.verdict, posts(comfy)) == (Verdict.COMPLETED, [record.prompt_id])
    assert finished.record.submissions == 1


@pytest.mark.parametrize("steps", [0, 20])
def test_one_that_was_noted_and_posted_is_not_posted_again_and_counts_as_in_flight(world, comfy, steps):
    graph = picture(color=5, steps=steps)
    order = world.order(graph)
    record = noted_ahead(world, order, graph)
    body = {"prompt": graph, "prompt_id": record.prompt_id, "client_id": "who-died", "number": 1.0}
    assert httpx.post(f"{comfy.url}/prompt", json=body, timeout=30).status_code == 200
    run = world.begin(order)
    if steps:
        until(lambda: world.records.backends()[0].in_flight == 1)
    assert (run.wait().judgement.verdict, posts(comfy)) == (Verdict.COMPLETED, [record.prompt_id])
    assert world.records.backends()[0].in_flight == 0


def test_of_many_at_once_two_are_in_flight_and_no_place_is_lost(world, comfy):
    ended = [run.wait() for run in [world.start(picture(color=number)) for number in range(20)]]
    assert {it.judgement.verdict for it in ended} == {Verdict.COMPLETED}
    assert sorted(posts(comfy)) == sorted(it.record.prompt_id for it in ended)
    assert comfy.do(lambda: comfy.server.max_waiting) <= 2
    assert world.records.backends()[0].in_flight == 0
    stored = [world.runs.find(it.record.id) for it in ended]
    assert {(it.submissions, it.holding, it.verdict) for it in stored} == {(1, False, "completed")}


def test_a_higher_priority_goes_before_those_that_are_noted_already(world, comfy):
    first = [world.start(picture(color=number, steps=10)) for number in range(2)]
    until(lambda: len(posts(comfy)) == 2)
    low = [world.start(picture(color=10 + number, steps=10), priority=0) for number in range(5)]
    until(lambda: all(waits(run) for run in low))
    first[0].wait()  # with its place the next two of the line are noted
    high = world.start(picture(color=20), priority=2)
    ended = [run.wait() for run in (*first, *low, high)]
    assert posts(comfy)[-1] != ended[-1].record.prompt_id
    assert executed(comfy).index(ended[-1].record.prompt_id) < len(ended) - 1


def waits(run):
    return any("waiting" in step for step, _ in run.voice.said)


@pytest.mark.parametrize("seen", [POSTED, "running"])
@pytest.mark.parametrize(
    ("facts", "resubmit"), [({}, False), ({"partners": ["Paid"]}, True), ({"tried": ["lost"]}, True)]
)
def test_one_that_had_failed_before_a_crash_of_ours_is_not_posted_again(world, comfy, seen, facts, resubmit):
    order = world.order(picture(color=5), resubmit=resubmit)
    record = noted_ahead(world, order, picture(color=5))
    ended = {"submissions": 1, "submitted_at": now(), "verdict": "lost", "finished_at": now(), "seen": seen}
    world.runs.change(record, facts={**record.facts, **facts}, **ended)
    finished = world.begin(order).wait()
    assert (finished.judgement.verdict, posts(comfy)) == (Verdict.LOST, [])


def test_one_that_took_too_long_before_a_crash_of_ours_is_not_posted_again(world, comfy):
    order = world.order(picture(color=5), timeout_seconds=30)
    record = noted_ahead(world, order, picture(color=5))
    begun = now() - timedelta(seconds=60)
    world.runs.change(record, submissions=1, submitted_at=begun, verdict="timed_out", seen="running")
    assert (world.begin(order).wait().judgement.verdict, posts(comfy)) == (Verdict.LOST, [])


@pytest.mark.parametrize(("steps", "verdict"), [(0, Verdict.COMPLETED), (100, Verdict.TIMED_OUT)])
def test_one_whose_time_ran_out_while_ours_was_down_ends_as_the_server_says(world, comfy, steps, verdict):
    graph = picture(color=5, steps=steps)
    order = world.order(graph, timeout_seconds=30)
    record = noted_ahead(world, order, graph)
    begun = now() - timedelta(seconds=60)
    world.runs.change(record, submissions=1, submitted_at=begun, seen="running", holding=True)
    body = {"prompt": graph, "prompt_id": record.prompt_id, "client_id": "who-died", "number": 1.0}
    assert httpx.post(f"{comfy.url}/prompt", json=body, timeout=30).status_code == 200
    if not steps:
        until(lambda: executed(comfy))
    finished = world.begin(order).wait()
    assert (finished.judgement.verdict, posts(comfy)) == (verdict, [record.prompt_id])
    assert len(finished.files) == (verdict is Verdict.COMPLETED)


def test_one_that_is_told_to_stop_as_it_gets_a_place_is_not_posted(world, comfy):
    first = [world.start(picture(color=number, steps=10)) for number in range(2)]
    until(lambda: len(posts(comfy)) == 2)
    world.backends.pace = replace(world.backends.pace, place=30.0)  # it gets one that is handed on, and looks for none
    take = world.backends.turns.wait

    async def stopped_meanwhile(turn, seconds):
        record = await take(turn, seconds)
        if record is not None:
            last.voice.stopped = True
        return record

    world.backends.turns.wait = stopped_meanwhile  # before anybody waits: a wait that has begun is not seen
    last = world.start(picture(color=9))
    until(lambda: waits(last))
    for run in first:
        run.wait()
    with pytest.raises(Cancelled):
        last.wait()
    assert len(posts(comfy)) == 2
    assert world.records.backends()[0].in_flight == 0


@pytest.mark.parametrize("has_place", [True, False])
def test_one_whose_server_is_gone_after_a_crash_of_ours_goes_on_elsewhere_as_it_would_have_without_one(
    world, comfy, tmp_path, has_place
):
    world.backends.pace = replace(world.backends.pace, down=1.0)
    with ScriptedComfyUI(tmp_path / "gone") as gone:
        dead = world.connect(gone.url)
    order = world.order(picture(color=5), timeout_seconds=20)
    record = noted_ahead(world, order, picture(color=5))
    placed = {"seen": "running", "holding": True, "submissions": 1, "submitted_at": now()} if has_place else {}
    world.runs.change(record, backend_id=dead, **placed)
    finished = world.begin(order).wait()
    assert (finished.judgement.verdict, len(posts(comfy))) == (Verdict.COMPLETED, 1)
    assert finished.backend.id == world.backend_id


def test_one_whose_server_dies_as_it_is_posted_goes_on_elsewhere(world, comfy, tmp_path):
    world.records.drain(world.backend_id)
    world.backends.pace = replace(world.backends.pace, down=1.0)
    with ScriptedComfyUI(tmp_path / "gone") as gone:
        dead = world.connect(gone.url)
        assert world.run(picture(color=1)).backend.id == dead  # what it can do is known from now on
    world.connect(comfy.url)
    ended = [run.wait() for run in [world.start(picture(color=number), timeout_seconds=20) for number in range(2, 5)]]
    assert {(it.judgement.verdict, it.backend.id) for it in ended} == {(Verdict.COMPLETED, world.backend_id)}
    assert any(it.record.submissions > 1 for it in ended)
    assert len(posts(comfy)) == 3


def test_what_is_cancelled_after_its_process_died_is_stopped_at_the_server(world, comfy):
    graph = picture(color=5, steps=1000)
    order = world.order(graph)
    record = noted_ahead(world, order, graph)
    body = {"prompt": graph, "prompt_id": record.prompt_id, "client_id": "who-died", "number": 1.0}
    assert httpx.post(f"{comfy.url}/prompt", json=body, timeout=30).status_code == 200
    until(lambda: comfy.do(lambda: comfy.server.running is not None))
    world.backends.do(world.backends.stop_what_is_left())
    assert comfy.do(lambda: comfy.server.running is not None)  # its task goes on
    world.end_task(order.task_id)
    world.backends.do(world.backends.stop_what_is_left())
    until(lambda: comfy.do(lambda: comfy.server.running is None))
    assert world.runs.find(record.id).verdict == "cancelled"
    assert world.runs.left_running() == []
