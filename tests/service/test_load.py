"""Five hundred callers at the same time against a real server: every answer is a good one, and no task is lost."""

import asyncio
import json
import os
import random
import time
from collections import Counter
from urllib.parse import urlsplit

import pytest

from fixtures.programs import address, running
from storycore import PackageRequest, Settings, StoryCore, TaskListRequest

CALLERS = 500
SECONDS = float(os.environ.get("STORYCORE_LOAD_SECONDS", "15"))
"""How long they call; a minute shows more, and takes a minute."""

PATIENCE = 60.0

resource = pytest.importorskip("resource", reason="this system does not tell how many files a process may open")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(SECONDS + 300)]


class Caller:
    """One caller with one connection, which it keeps as long as the server does."""

    def __init__(self, url):
        parts = urlsplit(url)
        self._address = (parts.hostname, parts.port)
        self._streams = None

    async def call(self, method, name, body=None, *, headers=()):
        """Status and JSON of an answer."""
        content = b"" if body is None else json.dumps(body).encode()
        path = f"/v1/storycore.{name}"
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(content)}", *headers]
        if content:
            lines.append("Content-Type: application/json")
        if self._streams is None:
            self._streams = await asyncio.open_connection(*self._address)
        reader, writer = self._streams
        writer.write("\r\n".join([*lines, "", ""]).encode() + content)
        async with asyncio.timeout(PATIENCE):
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = int(head.partition("content-length:")[2].split()[0])
            answer = json.loads(await reader.readexactly(length))
        return int(head.split()[1]), answer

    def close(self):
        if self._streams:
            self._streams[1].close()


class Crowd:
    """What the callers do, and what came of it."""

    def __init__(self, url):
        self.url = url
        self.statuses = Counter()
        self.faults = []
        self.accepted = []  # in this order they are done, or nearly
        self.slowest = 0.0

    async def one(self, number, until):
        chance, caller, mine = random.Random(number), Caller(self.url), []
        await asyncio.sleep(chance.uniform(0, 1))
        try:
            while time.monotonic() < until:
                begun = time.monotonic()
                await self.step(chance, caller, mine)
                self.slowest = max(self.slowest, time.monotonic() - begun)
        except (OSError, asyncio.IncompleteReadError, TimeoutError) as fault:
            self.faults.append(repr(fault))
        finally:
            caller.close()

    async def step(self, chance, caller, mine):
        kind = chance.choices(("task", "look", "list", "plan", "refused"), (4, 3, 1, 1, 1))[0]
        if kind == "task":
            wait = chance.choice((0, 0, 1, 10))
            status, answer = await caller.call(
                "POST", "export.verify", {"package_path": "film/exports/film.zip"}, headers=[f"Prefer: wait={wait}"]
            )
            if status == 202:
                mine.append(answer["data"]["task_id"])
                self.accepted.append(mine[-1])
            wanted = (200, 202)
        elif kind == "look" and mine:
            status, answer = await caller.call("GET", f"task.status?task_id={chance.choice(mine)}")
            wanted = (200,)
        elif kind == "plan":
            status, answer = await caller.call("POST", "export.plan", {"project_path": "film"})
            wanted = (200,)
        elif kind == "refused":
            status, answer = await caller.call("POST", "export.package", {"project_path": "../film"})
            wanted = (403,)
        else:
            status, answer = await caller.call("GET", "task.list?limit=5")
            wanted = (200,)
        self.statuses[kind, status] += 1
        if status not in wanted:
            self.faults.append((kind, status, answer))


async def crowd(url):
    found = Crowd(url)
    until = time.monotonic() + SECONDS
    await asyncio.gather(*(found.one(number, until) for number in range(CALLERS)))
    return found


@pytest.fixture
def many_files():
    """Room for a connection of each caller, where the system allows it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * CALLERS + 200
    if hard not in (-1, resource.RLIM_INFINITY) and hard < wanted:
        pytest.skip("this system does not let a process open that many files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_500_callers_meet_no_error_and_no_task_is_lost(many_files, film, films):
    film = film.rename(films / "film")
    with StoryCore() as core:
        core.run(PackageRequest(project_path=str(film), output_path=str(film / "exports/film.zip")))
    with running("serve", "--port", "0", "--root", str(films), cwd=films) as (line, server):
        found = asyncio.run(crowd(address(line)))
        server.terminate()
        assert server.wait(PATIENCE) is not None
    assert (found.faults[:5], len(found.faults)) == ([], 0)
    with StoryCore(Settings.read(roots=(films,)), default_root=films) as core:
        core.work()
        ends = Counter(core.wait(task_id, PATIENCE).status for task_id in found.accepted)
        left = core.run(TaskListRequest(status="pending")).items + core.run(TaskListRequest(status="running")).items
        failed = core.run(TaskListRequest(status="failed")).items
    told = f"{sum(found.statuses.values())} answers, {dict(found.statuses)}, slowest {found.slowest:.1f} s"
    print(told)  # noqa: T201 - shown with -s
    assert (ends, left, failed) == (Counter(completed=len(found.accepted)), [], []), told
    assert len(found.accepted) > CALLERS / 2, told
