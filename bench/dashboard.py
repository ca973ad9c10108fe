"""How long the lists of the dashboard take beside the bare query, and what fifty who look on cost.

    python3 run.py bench dashboard            about a minute
    python3 run.py bench dashboard --quick    few rounds, to see that it works; its figures mean nothing

A database with 1,000 tasks, 950 files that they made, and 10,000 deliveries. A page is made as the server makes it,
from the request to the bytes of the answer, in this process and without the network; beside it the same list asked for
by the library, which is the bare query and its result. Both take turns. What fifty live viewers cost is the server's
own processor time, while each of them holds a stream of the same page open.
"""

import argparse
import asyncio
import os
import tempfile
import time
from pathlib import Path
from statistics import median

import httpx
from sqlalchemy import insert

from storycore import ArtifactListRequest, Settings, StoryCore, TaskListRequest, WebhookDeliveriesRequest
from storycore.database.connect import Database
from storycore.database.tables import attempts, deliveries, events, webhooks
from storycore.processes import http_server, listen
from storycore.tasks.records import TaskRecords
from storycore.tasks.task import Artifact, Order, Outcome, Status
from storycore.units import now

TASKS, DELIVERIES, VIEWERS = 1000, 10_000, 50
MOST_RATIO = 3.0


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--quick", action="store_true", help="few rounds")
    words.add_argument("--rounds", type=int, default=100)
    asked = words.parse_args()
    rounds, seconds = (5, 2.0) if asked.quick else (asked.rounds, 20.0)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        settings = Settings.read(database_url=f"sqlite:///{place / 's.db'}", roots=(place,))
        fill(settings.database, place)
        with StoryCore(settings, default_root=place) as core:
            core.history(24)  # opens the database
            asyncio.run(measure(core, rounds, seconds))
    return 0


async def measure(core: StoryCore, rounds: int, seconds: float) -> None:
    app = http_server(core).config.app
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        for path, request in (
            ("/tasks", TaskListRequest()),
            ("/exports", ArtifactListRequest()),
            ("/webhooks/deliveries", WebhookDeliveriesRequest()),
        ):
            bare, page = [], []
            for _ in range(rounds):
                begun = time.perf_counter()
                await asyncio.to_thread(core.run, request)
                bare.append(time.perf_counter() - begun)
                begun = time.perf_counter()
                (await client.get(path)).raise_for_status()
                page.append(time.perf_counter() - begun)
            ratio = median(page) / median(bare)
            told = "holds" if ratio <= MOST_RATIO else "MISSED"
            print(
                f"{path:<24} page {median(page) * 1000:6.2f} ms ({spread(page)}) · bare {median(bare) * 1000:6.2f} ms "
                f"({spread(bare)}) · ratio {ratio:.2f}, at most {MOST_RATIO:g}: {told}"
            )
    await watch(core, seconds)


def spread(values: list[float]) -> str:
    """From the tenth to the ninetieth of a hundred, in milliseconds."""
    ranked = sorted(values)
    return f"{ranked[len(ranked) // 10] * 1000:.2f}–{ranked[len(ranked) * 9 // 10] * 1000:.2f}"


async def watch(core: StoryCore, seconds: float) -> None:
    """What viewers cost, and how long a call takes meanwhile."""
    import threading

    listener = listen("127.0.0.1", 0)
    server = http_server(core)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    limits = httpx.Limits(max_connections=VIEWERS + 10)
    async with httpx.AsyncClient(timeout=60, limits=limits) as client:
        for viewers in (0, VIEWERS):
            seen = [0] * viewers
            holding = [asyncio.create_task(hold(client, f"{url}/tasks?live=1", seen, it)) for it in range(viewers)]
            await asyncio.sleep(2)
            begun, used, calls = time.perf_counter(), processor(), []
            while time.perf_counter() - begun < seconds:
                at = time.perf_counter()
                (await client.get(f"{url}/healthz")).raise_for_status()
                calls.append(time.perf_counter() - at)
                await asyncio.sleep(0.1)
            cost = (processor() - used) / (time.perf_counter() - begun)
            print(
                f"{viewers:>3} live viewers ({sum(map(bool, seen))} were shown the page) {cost * 100:5.1f} % of one "
                f"processor, with the viewers' own part · "
                f"a call meanwhile {median(calls) * 1000:.2f} ms ({spread(calls)})"
            )
            for task in holding:
                task.cancel()
            await asyncio.gather(*holding, return_exceptions=True)
    server.should_exit = True
    await asyncio.to_thread(thread.join, 30)
    listener.close()


async def hold(client: httpx.AsyncClient, url: str, seen: list[int], viewer: int) -> None:
    async with client.stream("GET", url) as stream:
        async for chunk in stream.aiter_bytes():
            seen[viewer] += len(chunk)


def processor() -> float:
    times = os.times()
    return times.user + times.system


def fill(url: str, place: Path) -> None:
    database = Database.open(url)
    records = TaskRecords(database)
    for number in range(TASKS):
        film = str(place / f"film {number}")
        order = Order(
            kind="storycore.export.package", request={"project_path": film}, project_path=film, subject="film.zip"
        )  # fmt: skip
        made = Artifact(path=f"{film}/film.mp4", name="film.mp4", size_bytes=9, sha256="0" * 64, media_type="video/mp4")
        task = records.accept_running(order, "bench")
        if number % 20:
            error = {"code": "CONFLICT", "message": "The disk is full.", "details": {}, "remediation": "-"}
            outcome = Outcome(result={}, artifacts=[made])
            if number % 7:
                records.finish(task, Status.COMPLETED, outcome=outcome, error=None)
            else:
                records.finish(task, Status.FAILED, outcome=outcome, error=error)
    instant = now()
    with database.accept() as connection:
        hook = connection.execute(insert(webhooks).values(_hook(instant)).returning(webhooks.c.number)).scalar_one()
        for number in range(DELIVERIES):
            event = connection.execute(
                insert(events).values(_event(number, instant)).returning(events.c.number)
            ).scalar_one()
            one = connection.execute(
                insert(deliveries).values(_delivery(number, event, hook, instant)).returning(deliveries.c.number)
            ).scalar_one()
            connection.execute(insert(attempts).values(_attempt(one, instant)))
    database.close()


def _hook(instant):
    return {
        "id": "webhook_bench", "url": "http://127.0.0.1:9/", "event_types": ["export.completed"], "active": True,
        "options": {}, "secrets": [], "facts": {}, "failures": 0, "disabled_reason": "", "created_at": instant,
        "updated_at": instant,
    }  # fmt: skip


def _event(number, instant):
    return {
        "id": f"evt_{number:024x}",
        "type": "export.completed",
        "occurred_at": instant,
        "body": "{}",
        "listed": True,
    }


def _delivery(number, event, hook, instant):
    return {
        "id": f"delivery_{number:016x}", "event": event, "webhook": hook, "state": "delivered", "origin": "auto",
        "attempts": 1, "due_at": instant, "lease": 1, "code": "ok", "status_code": 200, "created_at": instant,
        "finished_at": instant,
    }  # fmt: skip


def _attempt(one, instant):
    return {
        "delivery": one, "attempt": 1, "origin": "auto", "started_at": instant, "url": "http://127.0.0.1:9/",
        "code": "ok", "status_code": 200, "total_ms": 3.0, "remote_address": "127.0.0.1", "response_headers": {},
        "response_body": b"", "response_bytes": 0, "response_sha256": "", "message": "",
    }  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(main())
