"""Either side is killed while a workflow runs: nothing is posted twice, nothing lost, nothing called a success."""

import contextlib
import json
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest

from fixtures.comfyui import picture
from fixtures.comfyui_server import ScriptedComfyUI
from fixtures.waiting import until

CONNECT = "/v1/storycore.integration.comfyui.connect"
WORKFLOW = "/v1/storycore.integration.comfyui.workflow"
STATUS = "/v1/storycore.task.status"
SERVER = Path(__file__).parents[1] / "fixtures/comfyui_server.py"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="Windows has no kill that can't be heard"),
]


@pytest.fixture(autouse=True)
def _generated(tmp_path, monkeypatch):
    monkeypatch.setenv("STORYCORE_GENERATED_FOLDER", str(tmp_path / "generated"))


@contextlib.contextmanager
def storycore_server(films):
    """A server of ours as a process of its own: a client for it, and the process. It is killed at the end."""
    command = [sys.executable, "-m", "storycore", "serve", "--port", "0", "--root", str(films)]
    with subprocess.Popen(command, cwd=films, stderr=subprocess.PIPE, text=True) as process:
        try:
            line = process.stderr.readline()
            threading.Thread(target=process.stderr.read, daemon=True).start()
            with httpx.Client(base_url=re.search(r"http://\S+", line)[0], timeout=60) as client:
                yield client, process
        finally:
            process.kill()


class ComfyProcess:
    """The scripted server as a process of its own."""

    def __init__(self, folder):
        with ScriptedComfyUI(folder) as free:
            self.port = free.port
        self.folder = folder
        self.start()

    def start(self):
        command = [sys.executable, str(SERVER), str(self.port), str(self.folder)]
        self.process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": ""})
        until(self._answers)

    def _answers(self):
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"http://127.0.0.1:{self.port}/prompt").status_code == 200
        return False

    def log(self):
        return httpx.get(f"http://127.0.0.1:{self.port}/_log", timeout=30).json()

    def kill(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture
def comfy_process(tmp_path):
    process = ComfyProcess(tmp_path / "comfy")
    yield process
    process.kill()


def ended(client, task_id):
    return until(
        lambda: client.get(STATUS, params={"task_id": task_id}).json()["data"],
        lambda task: task["status"] not in ("pending", "running"),
        seconds=90,
    )


@pytest.mark.parametrize("moment", ["running", "done"])
def test_ours_is_killed_in_mid_run_and_brings_home_what_was_posted_once(films, tmp_path, moment):
    with ScriptedComfyUI(tmp_path / "comfy") as comfy:
        with storycore_server(films) as (client, process):
            client.post(CONNECT, json={"port": comfy.port})
            task_id = client.post(WORKFLOW, json={"workflow_definition": picture(steps=20)}).json()["data"][
                "workflow_id"
            ]
            until(lambda: comfy.do(lambda: comfy.server.running is not None))
            process.kill()
            process.wait()
        if moment == "done":
            until(lambda: comfy.do(lambda: comfy.server.running is None))
        with storycore_server(films) as (client, _):
            task = ended(client, task_id)
        posts = comfy.do(lambda: len(comfy.server.posts))
        executed = comfy.do(lambda: len(comfy.server.executed))
    assert (task["status"], task["attempt"], posts, executed) == ("completed", 2, 1, 1)
    assert [Path(path).is_file() for path in task["result"]["output_paths"]] == [True]


def command(folder, *words):
    """A command as a process of its own, in that folder."""
    return subprocess.Popen(
        [sys.executable, "-m", "storycore", "comfyui", *map(str, words), "--json"],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip


def connect(folder, comfy):
    with command(folder, "connect", "--port", comfy.port) as process:
        process.communicate(timeout=60)
    assert process.returncode == 0


@pytest.mark.parametrize("moment", ["running", "done"])
@pytest.mark.parametrize("who", ["the same command", "serve"])
def test_a_command_is_killed_in_mid_run_and_others_bring_home_what_it_posted_once(films, tmp_path, moment, who):
    with ScriptedComfyUI(tmp_path / "comfy") as comfy:
        (films / "shot.json").write_text(json.dumps(picture(steps=40)))
        connect(films, comfy)
        with command(films, "workflow", "shot.json") as process:
            until(lambda: comfy.do(lambda: comfy.server.running is not None))
            process.kill()
        if moment == "done":
            until(lambda: comfy.do(lambda: comfy.server.running is None))
        if who == "serve":
            with storycore_server(films) as (client, _):
                task_id = client.get("/v1/storycore.task.list").json()["data"]["items"][0]["task_id"]
                paths = ended(client, task_id)["result"]["output_paths"]
        else:
            with command(films, "workflow", "shot.json") as process:
                paths = json.loads(process.communicate(timeout=90)[0])["data"]["output_paths"]
        counts = comfy.do(lambda: (len(comfy.server.posts), len(comfy.server.executed)))
    assert (counts, [Path(path).is_file() for path in paths]) == ((1, 1), [True])


def mark(path):
    """Tells a file from any that was written later."""
    return path.stat().st_ino, path.stat().st_mtime_ns


def test_a_batch_that_is_killed_goes_on_where_it_was_and_what_is_at_home_stays(films, tmp_path):
    (films / "shot.json").write_text(json.dumps(picture(steps=10)))
    (films / "rows.csv").write_text("1.color\n" + "".join(f"{number}\n" for number in range(6)))
    home = tmp_path / "generated"
    with ScriptedComfyUI(tmp_path / "comfy") as comfy:
        connect(films, comfy)
        with command(films, "batch", "shot.json", "--csv", "rows.csv") as process:
            until(lambda: len(list(home.glob("workflow_*"))) >= 2)
            process.kill()
        stood = {path: mark(path) for path in home.glob("workflow_*/*")}
        with command(films, "batch", "shot.json", "--csv", "rows.csv") as process:
            told = json.loads(process.communicate(timeout=90)[0])["data"]
        posts, executed = comfy.do(lambda: (list(comfy.server.posts), len(comfy.server.executed)))
        views = comfy.do(lambda: [line for line in comfy.server.log if "/view" in line])
    assert (told["completed"], told["failed"], len(posts), executed) == (6, 0, 6, 6)
    assert len(views) <= 7  # one may have come just before the end
    assert {path: mark(path) for path in stood} == stood
    assert sorted(path.name for path in home.iterdir()) == sorted(it["workflow_id"] for it in told["items"])


def test_the_same_command_beside_one_that_lives_is_a_run_of_its_own(films, tmp_path):
    with ScriptedComfyUI(tmp_path / "comfy") as comfy:
        (films / "shot.json").write_text(json.dumps(picture(steps=20)))
        connect(films, comfy)
        with command(films, "workflow", "shot.json") as first:
            until(lambda: comfy.do(lambda: comfy.server.running is not None))
            with command(films, "workflow", "shot.json") as second:
                assert [process.wait(90) for process in (first, second)] == [0, 0]
        assert comfy.do(lambda: len(comfy.server.posts)) == 2


def test_ours_is_told_to_stop_and_leaves_the_run_to_the_next(films, tmp_path):
    with ScriptedComfyUI(tmp_path / "comfy") as comfy:
        with storycore_server(films) as (client, process):
            client.post(CONNECT, json={"port": comfy.port})
            task_id = client.post(WORKFLOW, json={"workflow_definition": picture(steps=60)}).json()["data"][
                "workflow_id"
            ]
            until(lambda: comfy.do(lambda: comfy.server.running is not None))
            process.terminate()
            process.wait(60)
        assert comfy.do(lambda: comfy.server.running is not None)  # nobody asked for it to stop
        with storycore_server(films) as (client, _):
            task = ended(client, task_id)
        posts = comfy.do(lambda: len(comfy.server.posts))
    assert (task["status"], task["attempt"], posts) == ("completed", 1, 1)


@pytest.mark.parametrize("resubmit", [True, False])
def test_the_server_is_killed_in_mid_run(films, comfy_process, resubmit):
    with storycore_server(films) as (client, _):
        client.post(CONNECT, json={"port": comfy_process.port})
        body = {"workflow_definition": picture(steps=40), "resubmit": resubmit}
        task_id = client.post(WORKFLOW, json=body).json()["data"]["workflow_id"]
        first = until(lambda: comfy_process.log()["running"])
        comfy_process.kill()
        comfy_process.start()
        task = ended(client, task_id)
        again = comfy_process.log()["posts"]
    if resubmit:
        assert (task["status"], again) == ("completed", [first])
    else:
        assert (task["status"], task["error"]["details"]["reason"], again) == ("failed", "comfyui_lost", [])


def test_a_workflow_whose_node_ends_the_server_is_given_up(films, comfy_process):
    with storycore_server(films) as (client, _):
        client.post(CONNECT, json={"port": comfy_process.port})
        body = {"workflow_definition": picture(fail="exit")}
        task_id = client.post(WORKFLOW, json=body).json()["data"]["workflow_id"]
        for _ in range(2):
            until(lambda: comfy_process.process.poll() is not None)
            comfy_process.start()
        task = ended(client, task_id)
        left = comfy_process.log()["posts"]
        backend = client.get("/v1/storycore.integration.comfyui.backends").json()["data"]["items"][0]
    assert (task["status"], task["error"]["details"]["reason"], left) == ("failed", "comfyui_lost", [])
    assert backend["quarantined_until"] is not None
