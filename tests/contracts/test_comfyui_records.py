"""What holds of ComfyUI servers and runs on SQLite and on Postgres."""

import threading
from dataclasses import replace

import pytest

from storycore.comfyui.address import Address
from storycore.comfyui.backend import Status
from storycore.comfyui.records import ServerRecords
from storycore.comfyui.run_record import POSTED, Heir
from storycore.comfyui.runs.records import RunRecords
from storycore.database.connect import Database
from storycore.errors import NotFound
from storycore.tasks.records import TaskRecords
from storycore.tasks.task import Order, Priority
from storycore.tasks.task import Status as TaskStatus
from storycore.units import now
from storycore.webhooks.sealing import Vault

UP = {"status": Status.UP, "error": "", "latency_ms": 1.5, "queue_remaining": 0, "facts": {"version": "0.33.0"}}
ADDRESS = Address(host="gpu", port=8188, headers={"X-Room": "4"}, token="open-sesame")


@pytest.fixture
def database(database_url):
    opened = Database.open(database_url)
    yield opened
    opened.close()


@pytest.fixture
def records(database):
    return ServerRecords(database, Vault(lambda _new: b"k" * 32))


@pytest.fixture
def runs(database):
    return RunRecords(database)


@pytest.fixture
def tasks(database):
    return TaskRecords(database)


def running(tasks, **facts):
    return tasks.accept_running(Order(kind="storycore.integration.comfyui.workflow", request={}, **facts), "me")


def test_a_server_is_known_by_one_id_and_comes_back_whole(records):
    first, again = records.keep(ADDRESS, UP), records.keep(ADDRESS, UP)
    found = records.backends()
    assert (first.id, [it.id for it in found], found[0].address) == (again.id, [first.id], ADDRESS)
    with pytest.raises(NotFound):
        records.drain("backend_nope")


def test_a_server_whose_secret_can_t_be_opened_is_down_and_says_so(records, database):
    records.keep(ADDRESS, UP)
    other = ServerRecords(database, Vault(lambda _new: b"x" * 32)).backends()[0]
    assert (other.status, "Connect it again" in other.error, other.address.token) == (Status.DOWN, True, "")


def test_what_drains_stays_so_while_it_is_up(records):
    backend = records.keep(ADDRESS, UP)
    records.drain(backend.id)
    records.tell(backend.id, UP)
    assert records.backends()[0].status is Status.DRAINING
    assert records.keep(ADDRESS, UP).status is Status.UP


def test_two_runs_have_a_place_whoever_asks_at_the_same_time(records, runs, tasks):
    backend = records.keep(ADDRESS, UP)
    asking = [runs.run(f"workflow_{number}", running(tasks).id) for number in range(6)]
    placed, gate = [], threading.Barrier(6)

    def ask(run):
        gate.wait(30)
        placed.append(runs.take_place(run, {backend.id: {}}))

    threads = [threading.Thread(target=ask, args=(run,)) for run in asking]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    holding = [run for run in placed if run is not None]
    assert (len(holding), records.backends()[0].in_flight, records.places()) == (2, 2, (0, 2))
    tasks.finish(tasks.find(holding[0].task_id), TaskStatus.CANCELLED)
    assert records.places() == (1, 1)


def test_a_run_is_found_again_as_it_was_written(runs, tasks):
    run = runs.run("workflow_a", running(tasks).id)
    changed = runs.change(run, surely=True, graph={"1": {"class_type": "X"}}, seen="running", submitted_at=now())
    assert (runs.run("workflow_a", run.task_id), runs.find("workflow_b")) == (changed, None)


def test_servers_that_die_are_counted_until_a_run_ends_well(records):
    backend = records.keep(ADDRESS, UP)
    for until in (None, now()):
        records.crashed(backend.id, until)
    assert (records.backends()[0].crashes, records.backends()[0].status) == (2, Status.DOWN)
    records.well(backend.id)
    assert (records.backends()[0].crashes, records.backends()[0].quarantined_until) == (0, None)


def test_who_waits_with_a_higher_priority_outranks(runs, tasks):
    tasks.accept(Order(kind="storycore.integration.comfyui.workflow", request={}, priority=Priority.HIGH))
    tasks.accept(Order(kind="storycore.export.package", request={}, priority=Priority.HIGH))
    assert [runs.is_outranked(priority, "task_x") for priority in (0, 1, 2)] == [True, True, False]


def test_who_has_begun_without_a_place_goes_before_those_that_came_later(runs, tasks):
    kind, level = "storycore.integration.comfyui.workflow", int(Priority.NORMAL)
    first, second = (tasks.accept_running(Order(kind=kind, request={}), "somebody") for _ in range(2))
    assert [runs.is_outranked(level, task.id) for task in (first, second)] == [False, True]
    runs.change(runs.run("workflow_a", first.id), holding=True)
    assert not runs.is_outranked(level, second.id)


def test_a_place_is_handed_on_and_the_next_in_line_are_noted_with_it(records, runs, tasks):
    backend, task = records.keep(ADDRESS, UP), running(tasks)
    first = runs.take_place(runs.run("workflow_a", task.id), {backend.id: {"submissions": 1}})
    values = {"graph": {"1": {"class_type": "X"}}, "facts": {}, "seen": POSTED, "submissions": 1}
    heirs = [
        Heir(record=runs.run(name, task.id), backend_id=backend.id, values=values, yields_at=None)
        for name in ("workflow_b", "workflow_c")
    ]
    given, placed, noted = runs.hand_over(first, {"holding": False, "verdict": "completed"}, heirs[0], heirs[1:])
    assert [runs.find(it.id) for it in (given, placed, *noted)] == [given, placed, *noted]
    assert [(it.holding, it.submissions) for it in (given, placed, *noted)] == [(False, 1), (True, 1), (False, 0)]
    assert (noted[0].is_ahead, replace(heirs[1], record=noted[0]).is_noted, heirs[1].is_noted) == (True, True, False)


def test_what_an_heir_wrote_itself_is_not_undone_by_who_gave_it_its_place(records, runs, tasks):
    backend, task = records.keep(ADDRESS, UP), running(tasks)
    first = runs.take_place(runs.run("workflow_a", task.id), {backend.id: {"submissions": 1}})
    noted = runs.change(runs.run("workflow_b", task.id), backend_id=backend.id, seen=POSTED)
    values = {"graph": None, "facts": {}, "seen": POSTED, "submissions": 1}
    heir = Heir(record=noted, backend_id=backend.id, values=values, yields_at=None)
    ended = runs.change(noted, submissions=1, seen="running", holding=False, verdict="completed")
    runs.hand_over(first, {"holding": False}, heir)
    assert (runs.find("workflow_b"), records.backends()[0].in_flight) == (ended, 0)


def test_runs_are_forgotten_with_their_task(runs, tasks):
    task = running(tasks)
    runs.run("workflow_a", task.id)
    tasks.finish(task, TaskStatus.CANCELLED)
    tasks.expire(now())
    assert runs.find("workflow_a") is None
