"""The demo as a newcomer runs it: a process that makes a film, shows all that came of it, and ends when told to."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest

from fixtures.programs import storycore
from storycore import Settings, StoryCore, WebhookListRequest
from storycore.units import now

SMALL = """
import storycore.demo.film as film
from storycore.__main__ import main
film.WIDTH, film.HEIGHT = 160, 90
film.SHOTS = tuple({**shot, "seconds": 0.5, "transition": {"type": "cut"}} for shot in film.SHOTS)
main()
"""
"""The demo itself, of a film of three seconds and of stamps for pictures."""


@pytest.fixture
def shown(tmp_path) -> Iterator[tuple[str, str, subprocess.Popen]]:
    """What the demo printed, the address it showed last, and its process."""
    place = tmp_path
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8", "STORYCORE_CACHE_FOLDER": str(place / "cache"),
                   "STORYCORE_DATABASE_URL": f"sqlite:///{place / 's.db'}"}  # fmt: skip
    command = [sys.executable, "-c", SMALL, "demo", "--serve", "--port", "0", "-o", "film"]
    with (place / "errors").open("w") as errors, subprocess.Popen(
        command, cwd=place, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True, encoding="utf-8",
        start_new_session=True,
    ) as started:  # fmt: skip
        try:
            told = ""
            while "stop with Ctrl-C" not in told:
                line = started.stdout.readline()
                assert line, told + (place / "errors").read_text()
                told += line
            yield told, re.findall(r"http://127\.0\.0\.1:\d+/", told)[-1].rstrip("/"), started
        finally:
            started.kill()


def test_a_server_with_the_same_records_takes_nothing_from_the_demo(tmp_path):
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8", "STORYCORE_CACHE_FOLDER": str(tmp_path / "cache"),
                   "STORYCORE_DATABASE_URL": f"sqlite:///{tmp_path / 's.db'}"}  # fmt: skip
    serve = [sys.executable, "-m", "storycore", "serve", "--port", "0"]
    demo = [sys.executable, "-c", SMALL, "demo", "-o", "film"]
    with subprocess.Popen(serve, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert "http" in server.stderr.readline()
            run = subprocess.run(
                demo, cwd=tmp_path, env=environment, capture_output=True, text=True, encoding="utf-8", timeout=120
            )
        finally:
            server.kill()
    assert (run.returncode, run.stdout.count("came, its signature holds")) == (0, 2), run.stderr


def test_the_demo_shows_all_its_results_and_ends_with_all_its_processes(shown):
    told, url, started = shown
    _has_all_results(told, url)
    if os.name == "nt":
        return  # Ctrl-C can't be sent to one process there
    started.send_signal(signal.SIGINT)
    assert started.wait(60) == 130
    with pytest.raises(ProcessLookupError):  # nobody of its group is left
        os.killpg(started.pid, 0)
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)
    place = Path(re.search(r"Everything is in (.+)", told)[1]).with_name("s.db")
    with StoryCore(Settings.read(database_url=f"sqlite:///{place}")) as core:
        assert core.run(WebhookListRequest()).items == []  # nobody would hear it


def _has_all_results(told: str, url: str) -> None:

    def page(path):
        return httpx.get(f"{url}{path}", params={"format": "json"}, timeout=30).json()

    names = {one["name"].rsplit(".", 1)[-1] for one in page("/exports")["artifacts"]["items"]}
    assert {"zip", "mp4", "webm", "wav", "mp3", "srt", "png", "pdf"} <= names
    tasks = page("/tasks")["tasks"]["items"]
    assert {one["status"] for one in tasks} == {"completed"}
    assert {one["kind"] for one in tasks} >= {f"storycore.export.{name}" for name in ("package", "verify", "format")}
    assert "Nothing tells how" not in told  # the demo knows how its media were made, and they say so
    (project,) = page("/projects")["projects"]["items"]
    age = now() - datetime.fromisoformat(project["updated_at"])
    assert timedelta(0) <= age < timedelta(minutes=10)  # it is as old as it is
    assert project["project_name"] == "The Lamp on the Hill"
    deliveries = page("/webhooks/deliveries")["deliveries"]["items"]
    assert [(one["state"], one["event_type"].split(".")[0]) for one in deliveries] == [("delivered", "qa")] * 2
    assert all(f"{one['event_id']} came, its signature holds" in told for one in deliveries)
    assert "The Lamp on the Hill" in httpx.get(f"{url}/", timeout=30).text
    film = next(one for one in page("/exports")["artifacts"]["items"] if one["name"].endswith(".mp4"))
    part = httpx.get(f"{url}/exports/{film['artifact_id']}/file", headers={"Range": "bytes=4-7"}, timeout=30)
    assert (part.status_code, part.content) == (206, b"ftyp")


def test_what_the_demo_can_not_show_is_told_before_anything_is_made(tmp_path):
    without = storycore("demo", "--serve", cwd=tmp_path, STORYCORE_DATABASE_URL="none")
    alone = storycore("demo", "--port", "9000", cwd=tmp_path)
    assert (without.returncode, alone.returncode) == (2, 2)
    assert "Leave --serve out" in without.stderr
    assert list(tmp_path.glob("demo-film*")) == []
