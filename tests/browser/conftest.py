"""One server with something of everything, and one browser, for all tests of a process."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from fixtures.projects import make_project, write_json
from fixtures.servers import serving
from fixtures.windows import chromium
from storycore.database.connect import Database
from storycore.tasks.records import TaskRecords
from storycore.tasks.task import Order, Task
from storycore.units import now

HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(2)>'
REFUSED = "http://127.0.0.1:9/hook"


@dataclass(frozen=True, kw_only=True)
class Site:
    """A running server and what stands in it."""

    url: str
    film: Path
    hostile: Path
    records: TaskRecords
    artifact: str
    sound: str
    document: str
    picture: str
    task: str
    webhook: str

    def waiting(self) -> Task:
        """A task that waits for tomorrow."""
        return self.records.accept(_order(not_before=now().replace(year=now().year + 1)))

    def running(self) -> Task:
        """A task that another process does."""
        return self.records.accept_running(_order(), "somebody/else")

    def delivery(self) -> dict:
        """A delivery that nobody took."""
        call(self.url, "integration.webhook.ping", webhook_id=self.webhook)
        found = httpx.get(f"{self.url}/webhooks/deliveries?format=json", timeout=30).json()
        return found["deliveries"]["items"][0]


def call(server: str, name: str, /, **values) -> dict:
    """What the API answers."""
    answer = httpx.post(f"{server}/v1/storycore.{name}", json=values, timeout=60)
    assert answer.status_code < 300, answer.text
    return answer.json()["data"]


def _order(**facts) -> Order:
    return Order(
        kind="storycore.integration.comfyui.workflow",
        request={"workflow_definition": {"1": {}}, "workflow_name": HOSTILE}, subject=HOSTILE, **facts,
    )  # fmt: skip


@pytest.fixture(scope="module")  # its event loop runs in this thread: other tests must not meet it
def browser() -> Iterator[object]:
    yield from chromium()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> Iterator[Site]:
    place = tmp_path_factory.mktemp("site")
    films = place / "films"
    film = make_project(films / "little", shots=2, seconds=1)
    hostile = make_project(films / "odd", shots=1, name=HOSTILE)
    project = json.loads((hostile / "project.json").read_text())
    sounds = [{"name": HOSTILE, "type": kind, "url": "none.wav", "duration": 1} for kind in ("music", "dialogue")]
    project["shots"][0] |= {"title": HOSTILE, "image": "assets/none.png", "audioTracks": sounds}
    write_json(hostile / "project.json", project)
    (place / "s.db").write_bytes(empty_database.read_bytes())
    database = Database.open(f"sqlite:///{place / 's.db'}")
    facts = {"database_url": f"sqlite:///{place / 's.db'}", "cache_folder": place / "cache", "lease_seconds": 3600,
             "webhook_allow": ("127.0.0.1:9",)}  # fmt: skip
    with serving(films, **facts) as url:
        call(url, "export.package", project_path=str(film))
        call(url, "export.format", project_path=str(film), target_format=["pdf"])
        call(url, "export.format", project_path=str(film), target_format=["gif", "wav"])
        hook = call(url, "integration.webhook.register", url=REFUSED, event_types=["export.completed"])
        listed = httpx.get(f"{url}/exports?format=json", timeout=30).json()["artifacts"]["items"]
        kinds = ("audio/wav", "application/pdf", "image/gif", "application/zip")
        sound, document, picture, made = (next(it for it in listed if it["media_type"] == kind) for kind in kinds)
        yield Site(
            url=url, film=film, hostile=hostile, records=TaskRecords(database), artifact=made["artifact_id"],
            sound=sound["artifact_id"], document=document["artifact_id"],
            picture=picture["artifact_id"],
            task=made["task_id"], webhook=hook["webhook_id"],
        )  # fmt: skip
    database.close()
