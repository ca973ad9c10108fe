"""Processes that are killed while they work: what was accepted is done, once, and nothing half-made stays."""

import contextlib
import json
import os
import threading
import time
from datetime import datetime, timedelta

import httpx
import pytest
from sqlalchemy import text

from fixtures.databases import postgres, postgres_away, restart_postgres
from fixtures.engines import only_submit
from fixtures.media_files import sparse
from fixtures.programs import address, running
from fixtures.waiting import until
from storycore import (
    ArtifactListRequest,
    PackageRequest,
    Settings,
    StoryCore,
    StoryCoreError,
    TaskEventsRequest,
    TaskListRequest,
    TaskStatusRequest,
    VerifyRequest,
)

PACKAGE = "/v1/storycore.export.package"
WAIT = 90.0

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="Windows has no kill that can't be heard"),
]


def parts(film):
    return list(film.glob("exports/*/.*.part"))


def made(film):
    return sorted(path.relative_to(film / "exports").as_posix() for path in (film / "exports").rglob("*"))


@pytest.fixture
def heavy(film):
    """A film that takes long enough to be killed over."""
    sparse(film / "assets/big.mov", size_bytes=600 * 2**20)
    return film


def is_whole(core, film, task_id):
    """Whether a task ended once, with one file that is valid and nothing beside it."""
    artifacts = core.run(ArtifactListRequest(task_id=task_id)).items
    assert [core.run(VerifyRequest(package_path=item.path)).valid for item in artifacts] == [True]
    events = [event.event for event in core.events(TaskEventsRequest(task_id=task_id))]
    return len(made(film)) == 2 and events.count("completed") == 1


@pytest.mark.parametrize("wait", [0, 60], ids=["nobody waits", "the caller waits"])
def test_a_server_that_was_killed_finishes_its_export_after_the_restart(heavy, films, wait):
    serve = ("serve", "--port", "0", "--root", str(films))
    with running(*serve, cwd=films) as (line, server):
        caller = threading.Thread(target=_call, args=(address(line) + PACKAGE, heavy.name, wait))
        caller.start()
        until(lambda: parts(heavy))
        server.kill()
        server.wait()
        caller.join(WAIT)
    with StoryCore() as core:
        task_id = core.run(TaskListRequest()).items[0].task_id
    assert parts(heavy)
    with running(*serve, cwd=films) as (line, _):
        url = f"{address(line)}/v1/storycore.task.status"
        task = until(
            lambda: httpx.get(url, params={"task_id": task_id}, timeout=30).json()["data"],
            lambda told: told["status"] not in ("pending", "running"),
        )
    assert (task["status"], task["attempt"]) == ("completed", 2)
    with StoryCore() as core:
        assert is_whole(core, heavy, task_id)


def _call(url, project, wait):
    with contextlib.suppress(httpx.TransportError):  # the server dies meanwhile
        httpx.post(url, json={"project_path": project}, headers={"Prefer": f"wait={wait}"}, timeout=WAIT)


def test_a_command_that_was_killed_is_told_as_failed_and_its_remains_are_removed(heavy, films):
    with running("export", "package", heavy.name, cwd=films) as (_, command):
        until(lambda: parts(heavy))
        command.kill()
        command.wait()
    with StoryCore() as core:
        task_id = core.run(TaskListRequest()).items[0].task_id
        assert core.run(TaskStatusRequest(task_id=task_id)).status == "running"
        core.work()
        task = until(
            lambda: core.run(TaskStatusRequest(task_id=task_id)), lambda told: told.status not in ("pending", "running")
        )
    assert (task.status, task.error["details"]["reason"]) == ("failed", "interrupted")
    assert made(heavy) == []


ELSEWHERE = """
import secrets
from storycore.database import owner
name = secrets.token_hex(8)
owner._machine = lambda: name
from storycore.__main__ import main
main()
"""
"""A process that others take for one of another machine, so that they can't see whether it lives."""


@pytest.mark.parametrize("program", [("-m", "storycore"), ("-c", ELSEWHERE)], ids=["same machine", "several machines"])
def test_another_worker_takes_over_from_one_that_was_killed(heavy, films, program):
    lease = 4.0
    with postgres() as url, contextlib.ExitStack() as stack:
        environment = {"STORYCORE_DATABASE_URL": url, "STORYCORE_LEASE_SECONDS": str(lease)}
        words = ("worker", "--workers", "1", "--root", str(films))
        workers = {}
        for _ in range(2):
            line, started = stack.enter_context(running(*words, cwd=films, program=program, **environment))
            assert line.startswith("Doing tasks")
            workers[started.pid] = started
        core = stack.enter_context(StoryCore(Settings.read(database_url=url)))
        only_submit(core)
        task_id = core.submit(PackageRequest(project_path=str(heavy))).task_id
        until(lambda: parts(heavy))
        owner = core._app.tasks.records.find(task_id).owner
        killed = datetime.now().astimezone()
        workers[int(owner.split(":")[1])].kill()
        task = core.wait(task_id, WAIT)
        begun = [event for event in core.events(TaskEventsRequest(task_id=task_id)) if event.event == "started"]
        assert (task.status, task.attempt, len(begun)) == ("completed", 2, 2)
        assert datetime.fromisoformat(begun[1].created_at) - killed <= timedelta(seconds=2 * lease)
        assert is_whole(core, heavy, task_id)


def test_a_postgres_that_is_restarted_under_load_loses_nothing(film):
    with postgres() as url, StoryCore(Settings.read(database_url=url, workers=2)) as core:
        core.work()
        accepted, refused = [], []
        for number in range(30):
            if number == 12:
                restart_postgres()
            try:
                request = PackageRequest(project_path=str(film), output_path=str(film / f"exports/{number}.zip"))
                accepted.append(core.submit(request).task_id)
            except StoryCoreError as fault:
                refused.append(fault.reason)
        states = [
            until(lambda task_id=task_id: _status(core, task_id), lambda told: told in ENDS) for task_id in accepted
        ]
    assert states == ["completed"] * len(accepted)
    assert len(list(film.glob("exports/*.zip"))) == len(accepted)
    assert (len(accepted) + len(refused), set(refused) <= {"database_unavailable"}) == (30, True)


ENDS = ("completed", "failed", "cancelled")


def _status(core, task_id):
    try:
        return core.run(TaskStatusRequest(task_id=task_id)).status
    except StoryCoreError:
        return "unknown"


def test_a_worker_whose_postgres_is_gone_ends_without_waiting_for_it():
    with postgres() as url, StoryCore(Settings.read(database_url=url, workers=2)) as core:
        core.work()
        until(lambda: _listeners(core))
        with postgres_away():
            begun = time.monotonic()
            core.drain()
            took = time.monotonic() - begun
    assert took < 12  # it takes three seconds; what it waited for before takes twenty


def _listeners(core):
    with core._app.database.read() as connection:
        return connection.execute(text("SELECT count(*) FROM procrastinate_workers")).scalar()


def test_two_servers_on_one_postgres_do_each_task_once(film, films):
    with postgres() as url, contextlib.ExitStack() as stack:
        cores = [stack.enter_context(StoryCore(Settings.read(database_url=url, workers=2))) for _ in range(2)]
        for core in cores:
            core.work()
        wanted = [PackageRequest(project_path=str(film), output_path=str(film / f"exports/{n}.zip")) for n in range(20)]
        ids = [cores[number % 2].submit(request).task_id for number, request in enumerate(wanted)]
        states = [cores[0].wait(task_id, WAIT) for task_id in ids]
        starts = [
            [event.event for event in cores[1].events(TaskEventsRequest(task_id=task_id))].count("started")
            for task_id in ids
        ]
    assert [(state.status, state.attempt) for state in states] == [("completed", 1)] * 20
    assert starts == [1] * 20
    assert json.dumps(sorted(path.name for path in film.glob("exports/*"))) == json.dumps(
        sorted(f"{number}.zip" for number in range(20))
    )
