"""Long lists and many viewers: what a page asks of the database does not grow with either."""

import asyncio
import time
from itertools import count

import httpx
import pytest
from sqlalchemy import Engine, event, insert

from fixtures.servers import serving
from storycore.database.connect import Database
from storycore.database.tables import attempts, deliveries, events, tasks, webhooks
from storycore.tasks.records import TaskRecords
from storycore.tasks.task import Order, Outcome, Status
from storycore.units import now

TASKS, DELIVERIES, VIEWERS = 1000, 10_000, 50
LISTS = ("/tasks", "/webhooks/deliveries", "/events", "/webhooks", "/")


class Asked:
    """Counts what is asked of any database while it is entered."""

    def __init__(self) -> None:
        self._ticks, self.statements = count(1), 0

    def __enter__(self):
        event.listen(Engine, "before_cursor_execute", self._note)
        return self

    def __exit__(self, *_):
        event.remove(Engine, "before_cursor_execute", self._note)

    def _note(self, _connection, _cursor, statement, *_):
        if statement.lstrip().upper().startswith("SELECT") and "attempts" not in statement.split("FROM")[0]:
            self.statements = next(self._ticks)


def fill(database):
    """So many tasks that were completed, and deliveries, each with its attempt."""
    records, instant = TaskRecords(database), now()
    running = records.accept_running(Order(kind="storycore.export.package", request={}), "somebody")
    records.finish(running, Status.COMPLETED, outcome=Outcome(result={}))
    with database.accept() as connection:
        like = dict(connection.execute(tasks.select()).one()._mapping)
        like.pop("number")
        connection.execute(insert(tasks), [{**like, "id": f"task_{number:012x}"} for number in range(TASKS)])
        hook = {"id": "webhook_1", "url": "http://127.0.0.1:9/", "event_types": ["*"], "active": True, "options": {},
                "secrets": [], "facts": {}, "failures": 0, "disabled_reason": "", "created_at": instant,
                "updated_at": instant}  # fmt: skip
        place = connection.execute(insert(webhooks).values(hook).returning(webhooks.c.number)).scalar_one()
        numbers = range(1, DELIVERIES + 1)
        connection.execute(insert(events), [
            {"number": number, "id": f"evt_{number:024x}", "type": "qa.started", "occurred_at": instant,
             "body": '{"data": {"subject": "x"}}', "listed": True} for number in numbers
        ])  # fmt: skip
        connection.execute(insert(deliveries), [
            {"number": number, "id": f"delivery_{number:016x}", "event": number, "webhook": place,
             "state": "delivered", "origin": "auto", "attempts": 1, "due_at": instant, "lease": 1, "code": "ok",
             "status_code": 200, "created_at": instant, "finished_at": instant} for number in numbers
        ])  # fmt: skip
        connection.execute(insert(attempts), [
            {"delivery": number, "attempt": 1, "origin": "auto", "started_at": instant, "url": "http://127.0.0.1:9/",
             "code": "ok", "status_code": 200, "total_ms": 3.0, "remote_address": "", "response_headers": {},
             "response_body": b"", "response_bytes": 0, "response_sha256": "", "message": ""} for number in numbers
        ])  # fmt: skip


@pytest.fixture(scope="module")
def url(tmp_path_factory, empty_database):
    place = tmp_path_factory.mktemp("long")
    (place / "s.db").write_bytes(empty_database.read_bytes())
    address = f"sqlite:///{place / 's.db'}"
    database = Database.open(address)
    fill(database)
    database.close()
    with serving(place, database_url=address, cache_folder=place / "cache", retention_days=3650) as url:
        yield url


def test_a_page_of_a_long_list_shows_fifty_rows_with_a_handful_of_questions(url):
    for path in LISTS:
        httpx.get(f"{url}{path}", timeout=60)  # what is opened first is opened
        with Asked() as asked:
            page = httpx.get(f"{url}{path}", timeout=60).text
        assert page.count('<tr id="row-') <= 51, path
        assert asked.statements <= 30, path  # those of the server's own rounds among them
        assert len(page) < 120_000, path


def test_fifty_who_look_at_one_page_are_shown_it_while_it_is_made_for_one(url):
    async def look():
        async with httpx.AsyncClient(timeout=60, limits=httpx.Limits(max_connections=VIEWERS + 5)) as client:
            shown, first, last = [], asyncio.Event(), asyncio.Event()

            async def hold():
                async with client.stream("GET", f"{url}/tasks?live=1") as stream:
                    async for line in stream.aiter_lines():
                        shown.append(line)
                        first.set()
                        if len(shown) == VIEWERS:
                            last.set()
                        await asyncio.Event().wait()

            holding = [asyncio.create_task(hold())]
            await first.wait()
            begun = time.monotonic()
            with Asked() as asked:
                holding += [asyncio.create_task(hold()) for _ in range(VIEWERS - 1)]
                await last.wait()
            passed = time.monotonic() - begun
            for one in holding:
                one.cancel()
            await asyncio.gather(*holding, return_exceptions=True)
            return asked.statements, passed

    asked, passed = asyncio.run(look())
    assert asked <= 12 * (passed / 0.9 + 2)  # once in 0.9 s at most, and the server's own rounds
