"""What holds of every engine: the same promises on SQLite in one process and on Postgres with procrastinate."""

import threading
import time
from collections.abc import Callable
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from fixtures.waiting import until
from storycore.app import App
from storycore.database.connect import Database
from storycore.errors import Cancelled, Conflict, Reason, Unavailable
from storycore.settings import Settings
from storycore.storage.local import new_file
from storycore.tasks.attempt import Attempt
from storycore.tasks.keeper import Keeper
from storycore.tasks.news import News
from storycore.tasks.queue import TaskQueue
from storycore.tasks.records import TaskRecords
from storycore.tasks.sweep import Sweep
from storycore.tasks.task import Order, Outcome, Priority, Status
from storycore.tasks.worker import Worker
from storycore.units import now

WAIT = 60.0
ENDS = (Status.COMPLETED, Status.FAILED, Status.CANCELLED)


@dataclass
class Work:
    """What the tasks of these tests do: tell that they began, and wait until they are let go."""

    begun: list[str] = field(default_factory=list)
    together: set[str] = field(default_factory=set)
    most: int = 0
    hold: threading.Event = field(default_factory=threading.Event)
    started: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    lock: threading.Lock = field(default_factory=threading.Lock)

    def quick(self, request, _progress):
        with self.lock:
            self.begun.append(request["name"])
        return Outcome(result={"name": request["name"]})

    def slow(self, request, progress):
        with self.lock:
            self.begun.append(request["name"])
            self.together.add(request["name"])
            self.most = max(self.most, len(self.together))
        self.started.release()
        try:
            while not self.hold.wait(0.01):
                progress.check()
        finally:
            with self.lock:
                self.together.discard(request["name"])
        return Outcome(result={})


@pytest.fixture
def work():
    made = Work()
    yield made
    made.hold.set()


@pytest.fixture
def app(database_url):
    made = App(Settings.read(database_url=database_url, workers=2, lease_seconds=2))
    yield made
    made.close()


@contextmanager
def working(app, work, *, slots=2, kinds=None):
    """A queue whose tasks are done by an engine, until the block ends."""
    queue = app.tasks
    known: dict[str, Callable] = {"quick": work.quick, "slow": work.slow, **(kinds or {})}
    worker = Worker(queue.records, queue.news, known, lease_seconds=app.settings.lease_seconds)
    app.settings = app.settings.model_copy(update={"workers": slots})
    engine = app.engine(worker)
    queue.employ(engine)
    engine.run()
    try:
        yield queue
    finally:
        work.hold.set()
        engine.stop(seconds=30)


def order(kind, name, **facts):
    return Order(kind=kind, request={"name": name}, **facts)


def ended(queue, *tasks):
    return [queue.wait(task.id, WAIT).status for task in tasks]


def test_the_highest_priority_goes_first_and_within_it_first_come_first_served(app, work):
    with working(app, work, slots=1) as queue:
        first = queue.submit(order("slow", "holds the slot"))
        assert work.started.acquire(timeout=WAIT)
        wanted = [("a", 1), ("low", 0), ("b", 1), ("high", 2), ("c", 1), ("high too", 2)]
        tasks = [queue.submit(order("quick", name, priority=Priority(level))) for name, level in wanted]
        work.hold.set()
        assert set(ended(queue, first, *tasks)) == {Status.COMPLETED}
    assert work.begun == ["holds the slot", "high", "high too", "a", "b", "c", "low"]


def test_tasks_of_one_key_run_one_at_a_time_and_others_beside_them(app, work):
    with working(app, work, slots=3) as queue:
        same = [queue.submit(order("slow", f"same {number}", serial_key="film")) for number in range(3)]
        other = queue.submit(order("slow", "other", serial_key="another film"))
        assert work.started.acquire(timeout=WAIT)
        assert work.started.acquire(timeout=WAIT)
        assert sorted(work.together) == ["other", "same 0"]
        work.hold.set()
        assert set(ended(queue, *same, other)) == {Status.COMPLETED}
    assert [name for name in work.begun if name != "other"] == ["same 0", "same 1", "same 2"]


def test_a_task_does_not_begin_before_its_time(app, work):
    with working(app, work) as queue:
        begin = now() + timedelta(seconds=1.5)
        task = queue.submit(order("quick", "later", not_before=begin))
        soon = queue.submit(order("quick", "now"))
        assert ended(queue, soon, task) == [Status.COMPLETED, Status.COMPLETED]
        assert queue.records.find(task.id).started_at >= begin
    assert work.begun == ["now", "later"]


def test_a_waiting_task_that_is_cancelled_never_begins(app, work):
    with working(app, work, slots=1) as queue:
        queue.submit(order("slow", "holds the slot"))
        assert work.started.acquire(timeout=WAIT)
        task = queue.submit(order("quick", "never"))
        assert queue.cancel(task.id).status is Status.CANCELLED
        with pytest.raises(Conflict):
            queue.cancel(task.id)
        work.hold.set()
        last = queue.submit(order("quick", "last"))
        assert ended(queue, last) == [Status.COMPLETED]
    assert work.begun == ["holds the slot", "last"]


def test_a_running_task_that_is_cancelled_ends_as_cancelled_and_leaves_nothing(app, work, tmp_path):
    writing = threading.Event()

    def write(_request, progress):
        with new_file(tmp_path / "out" / "film.bin") as file:
            file.write(b"half")
            writing.set()
            while True:
                progress.check()
                threading.Event().wait(0.01)

    with working(app, work, kinds={"write": write}) as queue:
        task = queue.submit(order("write", "x"))
        assert writing.wait(WAIT)
        queue.cancel(task.id)
        assert ended(queue, task) == [Status.CANCELLED]
    assert list(tmp_path.glob("out/*")) == []
    assert app.tasks.records.find(task.id).error["details"]["reason"] == "cancelled"


def test_cancelling_from_another_process_is_heard(app, work, database_url):
    with working(app, work) as queue:
        task = queue.submit(order("slow", "x"))
        assert work.started.acquire(timeout=WAIT)
        other = Database.open(database_url)
        TaskQueue(TaskRecords(other), News()).cancel(task.id)
        other.close()
        assert ended(queue, task) == [Status.CANCELLED]


def test_a_task_that_was_cancelled_never_begins_anew_though_its_worker_stops_before_it_hears_that(app, work):
    with working(app, work, slots=1) as queue:
        task = queue.submit(order("slow", "x"))
        assert work.started.acquire(timeout=WAIT)
        queue.records.cancel(task.id, {})
        queue._engine.stop(seconds=30)
        assert queue.records.find(task.id).status is Status.CANCELLED


def test_a_task_that_is_cancelled_as_its_work_ends_is_cancelled_and_leaves_nothing(app, tmp_path):
    records = app.tasks.records
    task = records.accept(order("write", "x"), owner="me")
    attempt = Attempt(records, News(), Keeper(records, "me", beat_seconds=60), task)

    def write(_progress):
        with new_file(tmp_path / "out" / "film.bin") as file:
            file.write(b"whole")
        records.cancel(task.id, {})
        return Outcome(result={})

    with pytest.raises(Cancelled):
        attempt.run(write, lambda outcome: outcome)
    assert (attempt.ended, attempt.ended.status) == (records.find(task.id), Status.CANCELLED)
    assert list(tmp_path.glob("out/*")) == []


class Deaf(TaskRecords):
    """Records whose first word that a task has ended is lost on the way."""

    heard = False

    def finish(self, *given, **facts):
        ended = super().finish(*given, **facts)
        if not self.heard:
            self.heard = True
            raise Unavailable("Lost.", reason=Reason.DATABASE_UNAVAILABLE)
        return ended


def test_what_a_task_made_stays_though_the_word_that_it_was_recorded_is_lost(app, tmp_path):
    records = Deaf(app.database)
    task = records.accept(order("write", "x"), owner="me")
    attempt = Attempt(records, News(), Keeper(records, "me", beat_seconds=60), task)

    def write(_progress):
        with new_file(tmp_path / "film.bin") as file:
            file.write(b"whole")
        return Outcome(result={})

    attempt.run(write, lambda outcome: outcome)
    assert (attempt.ended, attempt.ended.status) == (records.find(task.id), Status.COMPLETED)
    assert (tmp_path / "film.bin").read_bytes() == b"whole"


class Beaten(TaskRecords):
    """Records of which the keeper asks for leases just when an end has been recorded, and not been heard yet."""

    keeper = None

    def finish(self, *given, **facts):
        ended = super().finish(*given, **facts)
        self.keeper.beat()
        return ended


@pytest.mark.parametrize("fault", [None, ValueError("no")], ids=["completed", "failed"])
def test_a_lease_that_ends_with_its_task_is_not_lost(app, fault, caplog):
    records = Beaten(app.database)
    records.keeper = Keeper(records, "me", beat_seconds=60)
    attempt = Attempt(records, News(), records.keeper, records.accept(order("write", "x"), owner="me"))

    def work(_progress):
        if fault:
            raise fault
        return Outcome(result={})

    with suppress(ValueError):
        attempt.run(work, lambda outcome: outcome)
    attempt.progress.check()  # it was not told to leave
    assert attempt.ended.status is (Status.FAILED if fault else Status.COMPLETED)
    assert "lease_lost" not in caplog.text


def test_who_waits_anyway_gets_the_task_as_it_ended_or_as_it_waits_for_another_worker(app, work):
    with working(app, work) as queue:
        until(
            lambda: queue.submit(order("quick", "warm"), stay=True).status in ENDS or app.database.dialect != "sqlite"
        )
        task = queue.submit(order("quick", "x"), stay=True)
        assert ended(queue, task) == [Status.COMPLETED]
        events = [happening.event for happening in queue.happenings(task.id, after=0)[0]]
    assert events == ["accepted", "started", "completed"]


def test_who_waits_anyway_overtakes_nobody(app, work):
    with working(app, work, slots=1) as queue:
        first = queue.submit(order("slow", "holds the slot"))
        assert work.started.acquire(timeout=WAIT)
        before = queue.submit(order("quick", "before"))
        stays = queue.submit(order("quick", "stays"), stay=True)
        assert stays.status is Status.PENDING
        work.hold.set()
        assert set(ended(queue, first, before, stays)) == {Status.COMPLETED}
    assert work.begun == ["holds the slot", "before", "stays"]


def test_a_task_that_waits_first_keeps_its_turn(app):
    records = app.tasks.records
    records.accept(order("quick", "waits"))
    behind = records.accept(order("quick", "behind"), owner="me")
    ahead = records.accept(order("quick", "ahead", priority=Priority.HIGH), owner="me")
    assert [(task.status, task.owner, task.attempt) for task in (behind, ahead)] == [
        (Status.PENDING, None, 0), (Status.RUNNING, "me", 1),
    ]  # fmt: skip


def test_a_worker_that_stops_gives_back_what_its_callers_wait_for_too(app, work):
    found = []
    with working(app, work) as queue:
        caller = threading.Thread(target=lambda: found.append(queue.submit(order("slow", "x"), stay=True)))
        caller.start()
        assert work.started.acquire(timeout=WAIT)
        queue._engine.stop(seconds=30)
        caller.join(WAIT)
        again = queue.records.find(found[0].id)
    assert (again.status, again.attempt, again.owner) == (Status.PENDING, 0, None)


def test_what_is_written_with_a_task_stands_and_falls_with_it(app, work):
    def break_it(_connection, _task):
        raise ZeroDivisionError

    with working(app, work) as queue:
        with pytest.raises(ZeroDivisionError):
            queue.submit(order("quick", "undone"), also=break_it)
        done = queue.submit(order("quick", "done"))
        assert ended(queue, done) == [Status.COMPLETED]
        assert [task.id for task in queue.records.page(before=None, limit=10)] == [done.id]
    assert work.begun == ["done"]


def test_a_worker_that_stops_gives_its_tasks_back_as_if_they_had_not_begun(app, work):
    with working(app, work, slots=1) as queue:
        task = queue.submit(order("slow", "x"))
        assert work.started.acquire(timeout=WAIT)
        queue._engine.stop(seconds=30)
        found = queue.records.find(task.id)
        assert (found.status, found.attempt, found.owner) == (Status.PENDING, 0, None)
    work.hold.set()
    with working(app, work) as queue:
        assert ended(queue, task) == [Status.COMPLETED]
        assert queue.records.find(task.id).attempt == 1


def test_an_attempt_that_lost_its_lease_publishes_nothing_and_tells_nothing(app, tmp_path):
    """Fencing: the first owner wakes up after another one has taken the task over, and wants to go on."""
    records = app.tasks.records
    task = records.accept(order("write", "x"))
    stale = records.claim("first", ["write"])
    attempt = Attempt(records, News(), Keeper(records, "first", beat_seconds=60), stale)

    def write(_progress):
        with new_file(tmp_path / "out/film.bin") as file:
            file.write(b"late")
            lapse(records)
            assert records.claim("second", ["write"]).attempt == 2
        return Outcome(result={"late": True})

    (tmp_path / "out").mkdir()
    with pytest.raises(Conflict) as told:
        attempt.run(write, lambda outcome: outcome)
    assert told.value.reason == "lease_lost"
    found = records.find(task.id)
    assert (found.owner, found.attempt, found.status, found.result) == ("second", 2, Status.RUNNING, None)
    assert list(tmp_path.glob("out/*")) == []


def lapse(records):
    """Lets the lease of every running task run out, by a clock of our own."""
    clock = [0.0]
    sweep = Sweep(records, lease_seconds=10, clock=lambda: clock[0])
    assert sweep.sweep() == []
    clock[0] = 11.0
    return sweep.sweep()


def test_a_task_whose_processes_keep_dying_is_given_up_and_what_they_left_is_removed(app, tmp_path):
    records = app.tasks.records
    task = records.accept(order("write", "x", most_attempts=3))
    for number in (1, 2, 3):
        claimed = records.claim(f"process {number}", ["write"])
        part = tmp_path / f".film.{number}.part"
        part.write_bytes(b"half")
        records.note_files(claimed, [("part", str(part), "")])
        assert [taken.attempt for taken in lapse(records)] == [number]
    found = records.find(task.id)
    assert (found.status, found.error["details"]["reason"]) == (Status.FAILED, "poisoned")
    assert not part.exists()


def test_a_lease_that_is_renewed_is_never_taken_however_late_it_is(app):
    records = app.tasks.records
    task = records.accept(order("quick", "x"))
    records.claim("alive", ["quick"])
    clock = [0.0]
    sweep = Sweep(records, lease_seconds=10, clock=lambda: clock[0])
    for _ in range(5):
        assert sweep.sweep() == []
        clock[0] += 9.0
        records.beat("alive")
    assert records.find(task.id).attempt == 1


@pytest.mark.parametrize("jump", [timedelta(days=400), timedelta(days=-400)], ids=["forwards", "backwards"])
def test_a_wall_clock_that_jumps_ends_no_lease_and_keeps_none(app, monkeypatch, jump):
    """The machine of the sweep, or that of the task, is a year off: only beats that stand still count."""
    records = app.tasks.records
    task = records.accept(order("quick", "x"))
    mine = records.claim("alive", ["quick"])
    clock = [0.0]
    sweep = Sweep(records, lease_seconds=10, clock=lambda: clock[0])
    monkeypatch.setattr("storycore.tasks.records.now", lambda: now() + jump)
    for _ in range(3):
        assert sweep.sweep() == []
        clock[0] += 9.0
        records.beat("alive")
    assert records.report(mine, 0.5, "half")
    monkeypatch.undo()
    assert sweep.sweep() == []
    monkeypatch.setattr("storycore.tasks.records.now", lambda: now() + jump)
    clock[0] += 11.0
    assert [taken.id for taken in sweep.sweep()] == [task.id]
    assert records.claim("other", ["quick"]).attempt == 2


def test_never_two_winners(app):
    """Many claim at the same time; each task is taken once."""
    records = app.tasks.records
    wanted = [records.accept(order("quick", str(number), serial_key=f"key {number % 7}")).id for number in range(40)]
    taken, lock, stop = [], threading.Lock(), threading.Event()

    def claim(owner):
        while not stop.is_set():
            task = records.claim(owner, ["quick"])
            if task:
                with lock:
                    taken.append(task.id)
                assert records.finish(task, Status.COMPLETED, outcome=Outcome(result={}))

    threads = [threading.Thread(target=claim, args=(f"worker {number}",)) for number in range(6)]
    for thread in threads:
        thread.start()
    until(lambda: len(taken) >= len(wanted))
    stop.set()
    for thread in threads:
        thread.join(WAIT)
    assert sorted(taken) == sorted(wanted)


def test_a_failed_task_tells_why_and_the_worker_goes_on(app, work):
    def break_it(_request, _progress):
        raise ZeroDivisionError("a fault of ours")

    with working(app, work, slots=1, kinds={"break": break_it}) as queue:
        broken = queue.submit(order("break", "x"))
        fine = queue.submit(order("quick", "y"))
        assert ended(queue, broken, fine) == [Status.FAILED, Status.COMPLETED]
    error = app.tasks.records.find(broken.id).error
    assert (error["details"]["reason"], "ZeroDivision" in str(error)) == ("unexpected", False)


def test_run_here_records_what_it_did_and_raises_what_it_met(app):
    queue = app.tasks

    def stop(_progress):
        raise Cancelled("Stopped.")

    with pytest.raises(Cancelled):
        queue.run_here(order("quick", "x"), stop, lambda outcome: outcome, _progress())
    task = queue.records.page(before=None, limit=1)[0]
    assert (task.status, task.most_attempts, task.attempt) == (Status.CANCELLED, 1, 1)


def _progress():
    from storycore.observe.progress import Progress

    return Progress()


@pytest.mark.slow
def test_ten_thousand_waiting_tasks_burn_no_processor(app, work):
    from sqlalchemy import insert

    from storycore.database.tables import tasks

    later = now() + timedelta(days=1)
    first = app.tasks.submit(order("quick", "model", not_before=later))
    with app.database.write() as connection:
        row = dict(connection.execute(tasks.select().where(tasks.c.id == first.id)).first()._mapping)
        del row["number"]
        connection.execute(insert(tasks), [{**row, "id": f"task_{number}"} for number in range(10_000)])
    with working(app, work) as queue:
        assert ended(queue, queue.submit(order("quick", "warm"))) == [Status.COMPLETED]
        begun, used = time.monotonic(), time.process_time()
        threading.Event().wait(3)
        share = (time.process_time() - used) / (time.monotonic() - begun)
        assert ended(queue, queue.submit(order("quick", "still quick"))) == [Status.COMPLETED]
    assert share < 0.25, "of one processor; an idle worker needs a hundredth"


class Counting(TaskRecords):
    """Records that count how often a task was looked for."""

    looks = 0

    def claim(self, owner, kinds):
        self.looks += 1
        return super().claim(owner, kinds)


def test_who_found_nothing_looks_again_only_when_called_or_told_of_a_task(app, work):
    records = Counting(app.database)
    kinds, admitted = {"quick": work.quick, "slow": work.slow}, {"quick", "slow"}
    worker = Worker(records, News(), kinds, lease_seconds=2, admit=lambda _running: admitted)
    found = [worker.work(called=it) for it in (True, False, False)]
    assert (found, records.looks) == ([False] * 3, 1)
    records.accept(order("quick", "of another process"))
    assert (worker.work(called=False), worker.work(), records.looks) == (False, True, 2)
    admitted.discard("quick")
    assert (worker.work(called=False), records.looks) == (False, 3)
    records.accept(order("quick", "may not begin yet"))
    assert (worker.may_begin("quick"), worker.work(called=False), records.looks) == (False, False, 4)
    admitted.add("quick")
    assert (worker.work(called=False), records.looks) == (True, 5)
    assert work.begun == ["of another process", "may not begin yet"]
