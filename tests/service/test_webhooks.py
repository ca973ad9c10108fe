"""Webhooks from end to end: registered by HTTP, told of real exports, verified by a library that is not ours."""

import json
import threading
import time

import httpx
import pytest
import standardwebhooks

from fixtures.receivers import receiving
from fixtures.servers import serving
from storycore.webhooks.receiver import verify

WEBHOOK = "/v1/storycore.integration.webhook."


@pytest.fixture
def receiver():
    with receiving() as made:
        yield made


@pytest.fixture
def client(films, receiver):
    with serving(films, webhook_allow=(receiver.opening,)) as url, httpx.Client(base_url=url, timeout=60) as http:
        yield http


def register(client, receiver, *events, **more):
    answer = client.post(f"{WEBHOOK}register", json={"url": receiver.url, "event_types": list(events), **more}).json()
    assert answer["status"] == "success", answer
    return answer["data"]


def until(told, wanted=bool, seconds=60):
    end, pause = time.monotonic() + seconds, threading.Event()
    while not wanted(found := told()):
        assert time.monotonic() < end, found
        pause.wait(0.05)
    return found


def deliveries(client, **query):
    return client.get(f"{WEBHOOK}deliveries", params=query).json()["data"]["items"]


def test_an_export_is_told_signed_and_its_delivery_is_written_down(client, receiver, film):
    hook = register(client, receiver, "export.*")
    packed = client.post("/v1/storycore.export.package", json={"project_path": film.name}).json()["data"]
    got = receiver.wait(2)
    bodies = [standardwebhooks.Webhook(hook["secret"]).verify(it.body, it.headers) for it in got]
    assert sorted(body["type"] for body in bodies) == ["export.completed", "export.started"]
    done = next(body for body in bodies if body["type"] == "export.completed")
    assert [made["checksum"] for made in done["data"]["outputs"]] == [packed["checksum"]]
    assert done["data"]["outputs"][0]["path"] == packed["export_path"]
    for it in got:
        assert verify(it.body, it.headers, hook["secret"]).data["project_path"] == film.name
    listed = until(
        lambda: deliveries(client, attempts="true"), lambda items: [it["state"] for it in items] == ["delivered"] * 2
    )
    attempt = listed[0]["attempts"][0]
    assert (attempt["code"], attempt["status_code"], attempt["remote_address"]) == ("ok", 204, receiver.opening)
    assert {it["event_id"] for it in listed} == {it.headers["webhook-id"] for it in got}
    polled = client.get("/v1/storycore.event.list").json()["data"]["items"]
    assert {it["event_id"] for it in polled} == {it["event_id"] for it in listed}
    assert json.loads(got[0].body)["data"] in [it["data"] for it in polled]
