"""A call can be followed through task, encoder, ComfyUI server and receiver, across processes."""

import json
import os
import subprocess
import sys

import httpx
import pytest

from fixtures.comfyui import picture
from fixtures.comfyui_server import ScriptedComfyUI
from fixtures.projects import make_project
from fixtures.receivers import receiving
from fixtures.servers import serving
from fixtures.traces import collecting
from storycore import PackageRequest, Settings, StoryCore
from storycore.observe import tracing

CALLER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
TRACE, CALLING = CALLER[3:35], CALLER[36:52]
EXPORT = "/v1/storycore.export.format"
SERVER, CLIENT, CONSUMER = 2, 3, 5
"""Kinds of spans. Source: opentelemetry-proto, trace.proto."""


@pytest.fixture
def collector(monkeypatch):
    with collecting() as made:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", made.url)
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "20")
        yield made


@pytest.fixture
def receiver():
    with receiving() as made:
        yield made


def client_of(url):
    return httpx.Client(base_url=url, timeout=60, headers={"traceparent": CALLER})


SMALL = {"target_format": "gif", "conversion_options": {"width": 64, "height": 36}}


@pytest.fixture
def short(films):
    """A film of half a second."""
    return make_project(films / "short", shots=1, seconds=0.5)


def test_an_export_is_one_trace_from_its_caller_to_the_receiver_of_its_webhook(collector, receiver, short, films):
    with (
        tracing.running("1.2.3"),
        serving(films, webhook_allow=(receiver.opening,)) as url,
        client_of(url) as client,
    ):
        hook = {"url": receiver.url, "event_types": ["export.completed"]}
        client.post("/v1/storycore.integration.webhook.register", json=hook)
        wanted = {"project_path": short.name, **SMALL}
        answer = client.post(EXPORT, json=wanted, headers={"Prefer": "wait=50", "X-Request-Id": "r-1"})
        assert answer.status_code == 200, answer.text
        (got,) = receiver.wait(1)
        sent = collector.wait("POST")
        call, task = collector.wait(f"POST {EXPORT}"), collector.wait("storycore.export.format")
        ffmpeg, paint = collector.wait("ffmpeg"), collector.wait("paint")
    assert {it.trace for it in (call, task, ffmpeg, paint, sent)} == {TRACE}
    assert [call.parent, task.parent, ffmpeg.parent, paint.parent, sent.parent] == [CALLING, call.id, *[task.id] * 3]
    assert [call.kind, task.kind, sent.kind] == [SERVER, CONSUMER, CLIENT]
    assert got.headers["traceparent"] == sent.traceparent
    assert {
        "http.request.method": "POST",
        "http.route": EXPORT,
        "http.response.status_code": 200,
        "url.scheme": "http",
        "storycore.operation": "storycore.export.format",
        "storycore.request.id": "r-1",
    }.items() <= call.facts.items()
    assert {"storycore.task.attempt": 1, "storycore.request.id": "r-1"}.items() <= task.facts.items()
    assert {
        "storycore.event.type": "export.completed",
        "storycore.webhook.attempt": 1,
        "server.address": "127.0.0.1",
        "server.port": receiver.port,
        "http.response.status_code": 204,
    }.items() <= sent.facts.items()
    assert (call.service["service.name"], call.service["service.version"]) == ("storycore", "1.2.3")
    assert not any(it.failed for it in collector.spans)
    told = json.dumps([it.facts for it in collector.spans])
    assert short.name not in told
    assert "/hook" not in told


@pytest.mark.skipif(os.name == "nt", reason="the stand-in is a shell script")
def test_what_fails_is_told_by_its_reason(collector, receiver, short, films, tmp_path):
    """An ffmpeg that knows its version and nothing else, and a receiver that is not well."""
    ffmpeg = tmp_path / "ffmpeg"
    ffmpeg.write_text('#!/bin/sh\n[ "$2" = -version ] && echo ffmpeg version 1 && exit 0\nexit 1\n')
    ffmpeg.chmod(0o755)
    receiver.status = 500
    settings = {"webhook_allow": (receiver.opening,), "ffmpeg": ffmpeg}
    with tracing.running("1"), serving(films, **settings) as url, client_of(url) as client:
        hook = {"url": receiver.url, "event_types": ["export.failed"]}
        client.post("/v1/storycore.integration.webhook.register", json=hook)
        answer = client.post(EXPORT, json={"project_path": short.name, **SMALL}, headers={"Prefer": "wait=50"})
        assert answer.status_code >= 400, answer.text
        task, sent = collector.wait("storycore.export.format"), collector.wait("POST")
    assert (task.failed, task.facts["error.type"]) == (True, answer.json()["error"]["details"]["reason"])
    assert (sent.failed, sent.facts["error.type"], sent.facts["http.response.status_code"]) == (True, "http_5xx", 500)


def test_calls_of_a_comfyui_server_belong_to_the_trace(collector, films, tmp_path, monkeypatch):
    monkeypatch.setenv("STORYCORE_GENERATED_FOLDER", str(tmp_path / "generated"))
    comfyui = "/v1/storycore.integration.comfyui."
    with (
        ScriptedComfyUI(tmp_path / "comfy") as comfy,
        tracing.running("1"),
        serving(films) as url,
        client_of(url) as client,
    ):
        client.post(f"{comfyui}connect", json={"host": "127.0.0.1", "port": comfy.port})
        run = {"workflow_definition": picture()}
        answer = client.post(f"{comfyui}workflow", json=run, headers={"Prefer": "wait=30"})
        assert answer.status_code == 200, answer.text
        task = collector.wait("storycore.integration.comfyui.workflow")
        posted, fetched = collector.wait("POST"), collector.wait("GET")
        named = comfy.server.traces
    assert (task.trace, posted.parent, fetched.parent) == (TRACE, task.id, task.id)
    assert {"server.port": comfy.port, "url.full": f"{comfy.url}/prompt", "http.response.status_code": 200}.items() <= (
        posted.facts.items()
    )
    assert ("/prompt", posted.traceparent) in named
    assert ("/view", fetched.traceparent) in named
    assert [it for it in named if it[0].startswith("/history/") and TRACE not in it[1]] == []


def test_a_task_belongs_to_its_trace_in_another_process_too(collector, film, films, tmp_path):
    """Accepted here, where nobody traces; done by a worker of its own."""
    with StoryCore(Settings.read(roots=(films,)), default_root=films) as core:
        core.submit(PackageRequest(project_path=film.name), traceparent=CALLER)
    command = [sys.executable, "-m", "storycore", "worker", "--root", str(films)]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL, env={**os.environ}) as worker:
        try:
            task = collector.wait("storycore.export.package")
        finally:
            worker.terminate()
    assert (task.trace, task.parent, task.kind) == (TRACE, CALLING, CONSUMER)


def test_without_a_collector_the_callers_trace_is_passed_on_untouched(receiver, film, films):
    with serving(films, webhook_allow=(receiver.opening,)) as url, client_of(url) as client:
        hook = {"url": receiver.url, "event_types": ["export.completed"]}
        client.post("/v1/storycore.integration.webhook.register", json=hook)
        client.post("/v1/storycore.export.package", json={"project_path": film.name})
        (got,) = receiver.wait(1)
    assert got.headers["traceparent"] == CALLER
