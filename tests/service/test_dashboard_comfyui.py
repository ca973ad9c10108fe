"""The ComfyUI page over a scripted server: connected by a form, watched while it works, asked what is missing."""

import json
import time

import httpx
import pytest

from fixtures.comfyui import picture
from fixtures.comfyui_server import ScriptedComfyUI
from fixtures.servers import serving

HOSTILE = "<b onclick=alert(1)>lamp</b>"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def comfyui(tmp_path_factory):
    with ScriptedComfyUI(tmp_path_factory.mktemp("comfyui")) as server:
        yield server


@pytest.fixture(scope="module")
def url(comfyui, tmp_path_factory):
    place = tmp_path_factory.mktemp("dashboard")
    facts = {"database_url": f"sqlite:///{place / 's.db'}", "cache_folder": place / "cache",
             "generated_folder": place / "made"}  # fmt: skip
    with serving(place, **facts) as url:
        made = httpx.post(f"{url}/comfyui/connect", data={"host": "127.0.0.1", "port": comfyui.port}, timeout=30)
        assert (made.status_code, made.headers["location"]) == (303, "/comfyui?said=connected")
        yield url


def until(look):
    """What `look` gives as soon as it gives something."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        found = look()
        if found:
            return found
    raise AssertionError("it did not happen")


def test_a_server_that_answers_is_listed(url, comfyui):
    server = httpx.get(f"{url}/comfyui?format=json&look=1").json()["servers"][0]
    assert (server["name"], server["status"]) == (f"127.0.0.1:{comfyui.port}", "up")
    assert server["name"] in httpx.get(f"{url}/comfyui").text


def test_a_server_that_does_not_answer_is_told_in_words(url):
    answer = httpx.post(f"{url}/comfyui/connect", data={"host": "127.0.0.1", "port": "9"}, timeout=30)
    assert answer.status_code >= 400
    assert "That did not work" in answer.text


def test_what_a_workflow_lacks_is_told_before_it_runs(url):
    lacking = {"1": {"class_type": "NoSuchNode", "inputs": {}}}
    answer = httpx.post(f"{url}/comfyui/check", data={"workflow": json.dumps(lacking)}, timeout=30)
    assert "can&#39;t run" in answer.text or "can't run" in answer.text
    assert "NoSuchNode" in answer.text
    assert httpx.post(f"{url}/comfyui/check", data={"workflow": "{"}).status_code == 400


def test_a_run_is_seen_while_it_works_and_its_title_is_text(url):
    graph = picture(steps=600, seconds=0.05, preview=True)
    graph["2"]["_meta"] = {"title": HOSTILE}
    body = {"workflow_definition": graph, "workflow_name": HOSTILE}
    accepted = httpx.post(f"{url}/v1/storycore.integration.comfyui.workflow", json=body, timeout=30).json()["data"]
    name = accepted["workflow_id"]
    shown = until(lambda: (it := httpx.get(f"{url}/comfyui/preview/{name}")).status_code == 200 and it)
    assert shown.headers["content-type"] in ("image/png", "image/jpeg")
    page = httpx.get(f"{url}/comfyui").text
    for path in ("/comfyui", f"/tasks/{name}", "/"):
        assert f"/comfyui/preview/{name}?mark=" in httpx.get(f"{url}{path}").text, path
    assert HOSTILE not in page + httpx.get(f"{url}/tasks/{name}").text
    assert httpx.post(f"{url}/tasks/{name}/cancel", content="", headers=FORM).status_code == 303
    until(lambda: httpx.get(f"{url}/tasks/{name}?format=json").json()["task"]["status"] == "cancelled")
    assert httpx.get(f"{url}/comfyui/preview/{name}").status_code == 404
