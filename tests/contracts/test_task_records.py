"""What holds of tasks in both databases: what is told of them, and what waits for the disk."""

import pytest

from storycore.app import App
from storycore.database.connect import Database
from storycore.operations.outbox import TaskOutbox
from storycore.settings import Settings
from storycore.tasks.records import TaskRecords
from storycore.tasks.task import Artifact, Order, Outcome, Status
from storycore.webhooks.endpoint import Options, SealedSecret, new_webhook_id

MADE = Outcome(
    result={"made": ["a", 1, None]},
    artifacts=[Artifact(path="/x/film.zip", name="film.zip", size_bytes=9, sha256="0" * 64, media_type="a/b")],
)
ERROR = {"code": "NOT_FOUND", "message": "It is gone.", "details": {"reason": "project_not_found"}, "remediation": "…"}
CHECK = {"package_path": "film.zip"}


class Watched(Database):
    """A database that remembers which transactions waited for the disk."""

    kinds: tuple[str, ...] = ()

    def accept(self):
        self.kinds = (*self.kinds, "waits for the disk")
        return super().accept()

    def write(self):
        self.kinds = (*self.kinds, "does not")
        return super().write()


@pytest.fixture
def app(database_url):
    made = App(Settings.read(database_url=database_url))
    made.woken = 0
    made.wake_courier = lambda: setattr(made, "woken", made.woken + 1)
    yield made
    made.close()


@pytest.fixture
def database(database_url):
    opened = Watched.open(database_url)
    yield opened
    opened.close()


@pytest.mark.parametrize(("kind", "then"), [("quiet", "does not"), ("storycore.export.verify", "waits for the disk")])
def test_an_end_waits_for_the_disk_only_if_others_are_told_of_it(app, database, kind, then):
    records = TaskRecords(database, TaskOutbox(app))
    task = records.accept(Order(kind=kind, request=CHECK), owner="me")
    assert records.finish(task, Status.FAILED, error=ERROR)
    assert database.kinds[-2:] == ("waits for the disk", then)
    told = [event.type for _, event in app.events.page(after=0, limit=10)]
    assert told == ([] if kind == "quiet" else ["qa.started", "qa.failed"])


@pytest.mark.parametrize(("heard", "woken"), [("pipeline.completed", 0), ("qa.failed", 1), ("*", 2)])
def test_only_what_a_webhook_hears_wakes_who_sends_it(app, database, heard, woken):
    app.endpoints.create(
        webhook_id=new_webhook_id(), url="https://hooks.invalid/x", event_types=[heard], active=True,
        options=Options(), secrets=[SealedSecret(sealed="x")], facts={},
    )  # fmt: skip
    records = TaskRecords(database, TaskOutbox(app))
    task = records.accept(Order(kind="storycore.export.verify", request=CHECK), owner="me")
    assert records.finish(task, Status.FAILED, error=ERROR)
    assert app.woken == woken


@pytest.mark.parametrize(
    ("status", "facts"), [(Status.COMPLETED, {"outcome": MADE}), (Status.FAILED, {"error": ERROR})]
)
def test_a_task_is_given_at_its_end_as_it_stands_in_the_database(database, status, facts):
    records = TaskRecords(database)
    task = records.accept(Order(kind="quiet", request={"a": [1]}), owner="me")
    records.report(task, 0.5, "drawing")
    records.beat("me")
    ended = records.finish(task, status, **facts)
    assert ended == records.find(task.id)
    assert (ended.progress, ended.step) == ((1.0, "done") if status is Status.COMPLETED else (0.5, "drawing"))


def test_nothing_is_told_of_an_end_that_is_not_ones_own_any_more(app, database):
    records = TaskRecords(database, TaskOutbox(app))
    task = records.accept(Order(kind="storycore.export.verify", request=CHECK), owner="me")
    assert records.give_back(task)
    assert records.finish(task, Status.FAILED, error=ERROR) is None
    assert [event.type for _, event in app.events.page(after=0, limit=10)] == ["qa.started"]


def test_a_task_keeps_what_it_is_about_and_its_files_the_film_that_they_are_of(database):
    records = TaskRecords(database)
    order = Order(kind="quiet", request={}, project_path="/films/dream", subject="mp4")
    task = records.accept(order, owner="me")
    assert [(it.project_path, it.subject) for it in records.page(before=None, limit=1)] == [("/films/dream", "mp4")]
    assert records.finish(task, Status.COMPLETED, outcome=Outcome(result={}, artifacts=MADE.artifacts, subject="a.mp4"))
    assert records.find(task.id).subject == "a.mp4"
    [(_, made)] = records.artifacts(task_id=task.id, before=None, limit=2)
    assert (made.project_path, records.artifact(made.id)) == ("/films/dream", made)


def test_a_task_that_fails_is_about_what_was_asked_for(database):
    records = TaskRecords(database)
    task = records.accept(Order(kind="quiet", request={}, subject="mp4"), owner="me")
    assert records.finish(task, Status.FAILED, error=ERROR).subject == "mp4"
