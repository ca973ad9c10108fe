"""The page "Run on several machines" is followed, command by command, with a Postgres and processes in own folders."""

import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import httpx
import pytest

from fixtures.databases import postgres

PAGE = Path(__file__).parents[2] / "docs/machines.md"
URL = "postgresql://storycore:change-me@db.studio.example/storycore"
ENDLESS = re.compile(r"^storycore (?:serve|worker) ", re.MULTILINE)

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name == "nt", reason="the page is written for a POSIX shell")]


def blocks():
    """Shell commands of the page, by the heading that they stand under."""
    parts = re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    found = {part.partition("\n")[0]: re.findall(r"```sh\n(.*?)```", part, re.DOTALL) for part in parts}
    return {heading: "".join(commands) for heading, commands in found.items() if commands}


def free_port():
    with closing(socket.create_server(("127.0.0.1", 0))) as door:
        return door.getsockname()[1]


@contextmanager
def machine(folder, commands):
    """A machine of its own that does what the page says; the block goes on when it has told that it works."""
    folder.mkdir()
    with subprocess.Popen(["bash", "-euc", commands], cwd=folder, stderr=subprocess.PIPE, text=True) as shell:
        try:
            for line in shell.stderr:
                if line.startswith(("StoryCore answers", "Doing tasks")):
                    break
            else:
                raise AssertionError(f"{folder.name} did not start")
            threading.Thread(target=shell.stderr.read, daemon=True).start()
            yield shell
        finally:
            shell.terminate()


def test_the_page_leads_to_a_package_that_another_machine_made(film, films, tmp_path, monkeypatch, strict_s3):
    port = free_port()
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("STORYCORE_PORT", str(port))
    monkeypatch.setenv("STORYCORE_REQUIRE_KEY", "true")  # as for callers from elsewhere
    monkeypatch.setenv("STORYCORE_LEASE_SECONDS", "2")
    commands = blocks()
    assert list(commands) == ["What is needed", "On the server", "On every other machine", "From anywhere",
                              "One film on all of them"]  # fmt: skip
    with postgres() as url, ExitStack() as stack:
        here = {URL: url, "/mnt/films": str(films), "0.0.0.0": "127.0.0.1",
                "http://films.studio.example:8765": f"http://127.0.0.1:{port}", "s3://studio-films": strict_s3.url,
                " AWS_ENDPOINT_URL=http://s3.studio.example:8333": "", "AWS_SECRET_ACCESS_KEY=…": "",
                "AWS_ACCESS_KEY_ID=…": "STORYCORE_RENDER_WORKERS=1"}  # fmt: skip
        for theirs, ours in here.items():
            assert any(theirs in text for text in commands.values()), theirs
            commands = {heading: text.replace(theirs, ours) for heading, text in commands.items()}
        commands = {heading: ENDLESS.sub(r"exec \g<0>", text) for heading, text in commands.items()}
        sharing, _, films_and_packages = commands["One film on all of them"].partition("curl")
        server = stack.enter_context(machine(tmp_path / "server", sharing + commands["On the server"]))
        workers = [
            stack.enter_context(machine(tmp_path / f"worker {number}", sharing + commands["On every other machine"]))
            for number in (1, 2)
        ]
        call = ["bash", "-euc", commands["From anywhere"]]
        first = json.loads(subprocess.run(call, cwd=tmp_path / "server", capture_output=True, check=True).stdout)
        assert first["status"] == "success", first
        kept = tmp_path / "server/edit-suite.json"
        assert kept.stat().st_mode & 0o077 == 0
        key = json.loads(kept.read_text())["data"]["key"]
        knowing = commands["From anywhere"].partition("curl")[0]
        call = ["bash", "-euc", f"{knowing}curl{films_and_packages}"]
        told = subprocess.run(call, cwd=tmp_path / "server", capture_output=True, check=True, text=True).stdout
        assert told.count('"status": "success"') == 2, told
        assert {"deliveries/little.mp4", "deliveries/little.zip"} < set(strict_s3.objects())
        assert any(name.startswith("segments/") for name in strict_s3.objects())
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {key}"}) as client:
            made = [client.post("/v1/storycore.export.package", json={"project_path": "little"}, headers={
                "Prefer": "wait=0"}).json()["data"]["task_id"] for _ in range(8)]  # fmt: skip
            workers[0].kill()
            states = [ended(client, task_id) for task_id in made]
        server.terminate()
        assert server.wait(30) in (0, -15)
        workers[1].terminate()
        assert workers[1].wait(30) == 0
    assert [state["status"] for state in states] == ["completed"] * 8
    assert len(list(film.glob("exports/*/*.zip"))) == 9
    assert list(film.rglob("*.part")) == []


def ended(client, task_id):
    end, pause = time.monotonic() + 60, threading.Event()
    while True:
        state = client.get("/v1/storycore.task.status", params={"task_id": task_id}).json()["data"]
        if state["status"] not in ("pending", "running"):
            return state
        assert time.monotonic() < end, state
        pause.wait(0.1)
