"""Procrastinate's own view stays true: no job is said to be done by somebody when nobody does it."""

import threading

import pytest
from sqlalchemy import text

from fixtures.databases import postgres
from storycore.app import App
from storycore.settings import Settings
from storycore.tasks.task import Order, Outcome, Status
from storycore.tasks.worker import Worker

pytestmark = pytest.mark.slow

WAIT = 40.0  # less than procrastinate's workers may be silent
DOING = "SELECT count(*) FROM procrastinate_jobs WHERE status = 'doing'"


@pytest.fixture
def app():
    with postgres() as url:
        made = App(Settings.read(database_url=url, workers=2, lease_seconds=2))
        yield made
        made.close()


@pytest.fixture
def desk(app):
    """A queue whose tasks wait until they are let go."""
    begun, hold = threading.Event(), threading.Event()

    def work(_request, _progress):
        begun.set()
        hold.wait(WAIT)
        return Outcome(result={})

    queue = app.tasks
    queue.begun, queue.hold = begun, hold
    engine = app.engine(Worker(queue.records, queue.news, {"held": work}, lease_seconds=2))
    queue.employ(engine)
    engine.run()
    yield queue
    hold.set()
    engine.stop(seconds=30)


def execute(app, statement):
    with app.database.write() as connection:
        return connection.execute(text(statement)).all()


def none_is_doing(app):
    pause = threading.Event()
    for _ in range(int(WAIT / 0.2)):
        if execute(app, DOING) == [(0,)]:
            return True
        pause.wait(0.2)
    return False


def test_a_job_whose_end_was_lost_with_the_connection_is_ended(app, desk):
    task = desk.submit(Order(kind="held", request={}))
    assert desk.begun.wait(WAIT)
    execute(
        app,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    desk.hold.set()
    assert desk.wait(task.id, WAIT).status is Status.COMPLETED
    assert none_is_doing(app)


def test_a_job_that_a_living_worker_has_left_behind_is_ended(app, desk):
    desk.hold.set()
    assert desk.wait(desk.submit(Order(kind="held", request={})).id, WAIT).status is Status.COMPLETED
    execute(
        app,
        "INSERT INTO procrastinate_jobs (queue_name, task_name, status, worker_id) SELECT 'storycore',"
        " 'storycore.work', 'doing', max(id) FROM procrastinate_workers RETURNING id",
    )
    assert none_is_doing(app)


def test_a_job_that_is_done_is_not_taken_for_one_that_was_left(app, desk):
    desk.submit(Order(kind="held", request={}))
    assert desk.begun.wait(WAIT)
    threading.Event().wait(3)  # several looks
    assert execute(app, DOING) == [(1,)]
