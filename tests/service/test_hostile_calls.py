"""Callers who mean harm, or whose network is broken: what they do costs themselves, and nobody else."""

import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
import pytest

from fixtures.media_files import sparse
from fixtures.programs import address, running
from fixtures.servers import serving
from fixtures.waiting import until
from storycore.api import reading
from storycore.processes import listen

PACKAGE = "/v1/storycore.export.package"
LIST = "/v1/storycore.task.list"
EVENTS = "/v1/storycore.task.events"
STATUS = "/v1/storycore.task.status"
CANCEL = "/v1/storycore.task.cancel"


def connect(url):
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname, parts.port), timeout=30)


def rest(connection):
    """All that still comes, until the server hangs up."""
    answer = b""
    while chunk := connection.recv(65536):
        answer += chunk
    return answer


@pytest.fixture
def client(server):
    with httpx.Client(base_url=server, timeout=60) as http:
        yield http


@pytest.fixture
def done(client, film):
    """Id of a task that has ended."""
    client.post(PACKAGE, json={"project_path": film.name}, headers={"Prefer": "wait=60"}).raise_for_status()
    return client.get(LIST).json()["data"]["items"][0]["task_id"]


def test_answers_are_sent_at_once():
    """Asyncio only sends small pieces at once over sockets that name their protocol; else each answer takes 40 ms."""
    with listen("127.0.0.1", 0) as door:
        assert door.proto == socket.IPPROTO_TCP


@pytest.mark.parametrize("sent", [b"", b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: "])
def test_a_request_that_is_never_finished_does_not_hold_its_connection(films, sent):
    with serving(films, head_seconds=0.5) as url, connect(url) as slow:
        slow.sendall(sent)
        assert rest(slow) == b""
        assert httpx.get(f"{url}/healthz").status_code == 200


def test_a_head_that_comes_letter_by_letter_has_no_more_time_than_any_other(films):
    with serving(films, head_seconds=1) as url, connect(url) as slow:
        slow.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        begun, pause = time.monotonic(), threading.Event()
        assert slow.recv(65536).startswith(b"HTTP/1.1 200")
        with pytest.raises(OSError):  # noqa: PT011 - which one depends on the system
            for _ in range(1000):
                slow.sendall(b"G")
                pause.wait(0.05)
        assert time.monotonic() - begun < 30


@pytest.mark.parametrize("headers", [{"X-Long": "a" * 40_000}, {f"X-{number}": "a" for number in range(300)}])
def test_heads_are_bounded(client, film, headers):
    answer = client.post(PACKAGE, json={"project_path": film.name}, headers=headers)
    assert (answer.status_code, answer.json()["error"]["details"]["reason"]) == (431, "headers_too_large")
    assert not (film / "exports").exists()


def test_a_body_that_never_ends_is_refused(server, film, monkeypatch):
    monkeypatch.setattr(reading, "BODY_SECONDS", 0.3)
    with connect(server) as slow:
        slow.sendall(f"POST {PACKAGE} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                     "Content-Length: 100\r\n\r\n{".encode())  # fmt: skip
        head, _, body = rest(slow).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408")
    assert json.loads(body)["error"]["details"]["reason"] == "body_too_slow"
    assert not (film / "exports").exists()


def test_requests_that_come_all_at_once_are_answered_one_after_the_other(server):
    one = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    bad = b"GET /healthz HTTP/1.1\r\nHost: evil.example\r\n\r\n"
    last = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    with connect(server) as pipe:
        pipe.sendall(one * 50 + bad + last)
        answer = rest(pipe)
    assert (answer.count(b"HTTP/1.1 200"), answer.count(b"HTTP/1.1 421")) == (51, 1)


@pytest.mark.parametrize("smuggled", [
    b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", b"Content-Length: 2\r\nContent-Length: 3\r\n",
    b"Transfer-Encoding: gzip, chunked\r\n", b"Content-Length: -1\r\n", b"Content-Length: +2\r\n",
])  # fmt: skip
def test_a_body_of_two_lengths_is_no_way_in(server, film, smuggled):
    head = f"POST {PACKAGE} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n".encode()
    inner = b"POST " + PACKAGE.encode() + b" HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with connect(server) as pipe:
        pipe.sendall(
            head + smuggled + b"\r\n0\r\n\r\n" + inner + b'Content-Length: 25\r\n\r\n{"project_path":"little"}'
        )
        pipe.shutdown(socket.SHUT_WR)
        answer = rest(pipe)
    assert answer.split()[1] in (b"400", b"501")
    assert not (film / "exports").exists()


def test_a_question_about_the_head_of_an_answer_gets_it_and_changes_nothing(client, done):
    whole, head = client.get(LIST), client.head(LIST)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == whole.headers["content-type"]
    artifact = client.get("/v1/storycore.artifact.list").json()["data"]["items"][0]
    path = f"/v1/storycore.artifact.download?artifact_id={artifact['artifact_id']}"
    assert client.head(path).headers["content-length"] == str(artifact["size_bytes"])
    assert client.head(PACKAGE).status_code == 405


@pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "PUT", "DELETE", "PATCH", "PROPFIND", "X" * 200])
def test_other_methods_are_told_the_right_one(client, method):
    for path, allowed in ((PACKAGE, {"POST"}), (LIST, {"GET", "HEAD"}), (EVENTS, {"GET"})):
        answer = client.request(method, path)
        assert (answer.status_code, set(answer.headers["allow"].split(", "))) == (405, allowed)
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    "cursor", ["c0", "c-1", "c1e9", "x", "c" + "9" * 18, "c" + "9" * 40, "c1; DROP TABLE tasks", "c%00"]
)
def test_a_cursor_that_was_made_up_gives_a_page_or_a_refusal(client, done, cursor):
    answer = client.get(LIST, params={"cursor": cursor})
    if answer.status_code == 200:
        assert len(answer.json()["data"]["items"]) <= 1
    else:
        assert answer.json()["error"]["code"] == "VALIDATION_ERROR"
    assert len(client.get(LIST).json()["data"]["items"]) == 1


@pytest.mark.parametrize("after", ["-1", "1.5", "x", "9" * 18, "9" * 400, "٣"])
def test_a_place_in_the_events_that_was_made_up_is_refused_or_leads_to_the_end(client, done, after):
    for where in ({"params": {"after": after}}, {"headers": {"Last-Event-ID": after.encode()}}):
        merged = {**where, "params": {"task_id": done, **where.get("params", {})}}
        answer = client.get(EVENTS, **merged)
        if answer.status_code == 200:
            assert answer.text.count("event:") == 1
        else:
            assert answer.json()["error"]["code"] == "VALIDATION_ERROR"


def test_events_that_are_taken_up_again_and_again_have_no_gap_and_no_double(client, done):
    def ids(after):
        text = client.get(EVENTS, params={"task_id": done}, headers={"Last-Event-ID": str(after)}).text
        return [int(line[4:]) for line in text.splitlines() if line.startswith("id: ")]

    whole = ids(0)
    assert len(whole) >= 3
    assert [ids(seen) for seen in whole] == [whole[place + 1 :] for place in range(len(whole))]


@pytest.mark.parametrize("wait", ["99999999999999999999", "-5", "1e3", "0x10", "abc", "9" * 5000, "1, wait=2"])
def test_a_wish_to_wait_that_makes_no_sense_harms_nobody(client, film, wait):
    answer = client.post(PACKAGE, json={"project_path": film.name}, headers={"Prefer": f"wait={wait}"})
    assert answer.status_code == 200


def test_a_caller_who_hangs_up_while_waiting_is_waited_for_no_more(films, film):
    sparse(film / "assets/big.mov", size_bytes=10 * 2**30)
    content = b'{"project_path": "little"}'
    head = (f"POST {PACKAGE} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"Prefer: wait=300\r\nContent-Length: {len(content)}\r\n\r\n").encode()  # fmt: skip
    with serving(films, workers=1) as url, httpx.Client(base_url=url, timeout=60) as client:
        first = client.post(PACKAGE, content=content, headers={"Content-Type": "application/json", "Prefer": "wait=0"})
        assert first.status_code == 202
        for number in range(5):
            with connect(url) as gone:
                gone.sendall(head + content)
                until(lambda wanted=number + 2: len(client.get(LIST).json()["data"]["items"]) == wanted)
        ended = 'storycore_http_requests_total{operation="storycore.export.package",status="202"} 6.0'
        until(lambda: ended in client.get("/metrics").text)
        for item in client.get(LIST).json()["data"]["items"]:
            client.post(CANCEL, json={"task_id": item["task_id"]})


def test_a_key_for_one_call_only_is_no_key_for_two(server, film):
    """Sixteen calls race with one key and two different requests: one of them is done, the others hear why not."""
    gate = threading.Barrier(16)

    def call(number):
        gate.wait(30)
        body = {"project_path": film.name, "compression_level": number % 2}
        headers = {"Idempotency-Key": "race", "Prefer": "wait=30"}
        answer = httpx.post(server + PACKAGE, json=body, headers=headers, timeout=60)
        told = answer.json()
        return number % 2, answer.status_code, told.get("error", {}).get("details", {}).get("reason")

    with ThreadPoolExecutor(16) as pool:
        found = {future.result() for future in [pool.submit(call, number) for number in range(16)]}
    winner = next(level for level, status, _ in found if status == 200)
    assert found == {(winner, 200, None), (1 - winner, 409, "idempotency_mismatch")}
    assert len(httpx.get(server + LIST).json()["data"]["items"]) == 1


@pytest.mark.parametrize("key", ["", "a b", "ü", "x" * 256, "a\tb"])
def test_an_idempotency_key_that_is_none_is_refused_before_anything_happens(client, film, key):
    headers = [(b"Idempotency-Key", key.encode())]
    answer = client.post(PACKAGE, json={"project_path": film.name}, headers=headers)
    assert (answer.status_code, answer.json()["error"]["details"]["reason"]) == (400, "idempotency_key_invalid")
    assert client.get(LIST).json()["data"]["items"] == []


def test_two_idempotency_keys_are_none(client, film):
    headers = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    answer = client.post(PACKAGE, json={"project_path": film.name}, headers=headers)
    assert answer.json()["error"]["details"]["reason"] == "idempotency_key_invalid"


@pytest.mark.parametrize("asked", [
    "bytes=0-,0-,0-,0-", "bytes=" + ",".join(f"{n}-{n}" for n in range(2000)), "bytes=-" + "9" * 30, "bytes=9-1",
    "bytes=" + "9" * 4000 + "-", "items=0-1", "bytes", "bytes=0-0, -1",
])  # fmt: skip
def test_abuse_of_ranges_gets_the_file_once_or_nothing(client, done, asked):
    artifact = client.get("/v1/storycore.artifact.list").json()["data"]["items"][0]
    path = f"/v1/storycore.artifact.download?artifact_id={artifact['artifact_id']}"
    answer = client.get(path, headers={"Range": asked})
    assert (answer.status_code, len(answer.content) <= max(artifact["size_bytes"], 1000)) in (
        (200, True), (206, True), (416, True),
    )  # fmt: skip


def test_events_go_on_after_a_restart_where_they_were_broken_off(films, film):
    sparse(film / "assets/big.mov", size_bytes=10 * 2**30)
    serve = ("serve", "--port", "0", "--root", str(films))
    with running(*serve, cwd=films) as (line, server), httpx.Client(base_url=address(line), timeout=60) as client:
        task = client.post(PACKAGE, json={"project_path": "little"}, headers={"Prefer": "wait=0"}).json()["data"]
        with client.stream("GET", EVENTS, params={"task_id": task["task_id"]}) as stream:
            lines = stream.iter_lines()
            before = [next(line for line in lines if line.startswith("id:")) for _ in range(3)]
            server.terminate()
            before += [line for line in lines if line.startswith(("id:", "event: end"))]
        assert server.wait(40) is not None
    with running(*serve, cwd=films) as (line, _), httpx.Client(base_url=address(line), timeout=60) as client:
        until(lambda: client.get(STATUS, params={"task_id": task["task_id"]}).json()["data"]["status"] == "running")
        client.post(CANCEL, json={"task_id": task["task_id"]})
        headers = {"Last-Event-ID": before[-1].removeprefix("id: ")}
        rest = client.get(EVENTS, params={"task_id": task["task_id"]}, headers=headers).text.splitlines()
        whole = client.get(EVENTS, params={"task_id": task["task_id"]}).text.splitlines()
    after = [line for line in rest if line.startswith(("id:", "event: end"))]
    assert "event: end" not in before
    assert before + after == [line for line in whole if line.startswith(("id:", "event: end"))]


def test_a_kind_that_no_operation_has_is_refused_before_the_database_sees_it(client):
    for kind in ("\0", "x" * 129, "storycore.export.package'--"):
        answer = client.get(LIST, params={"kind": kind})
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "VALIDATION_ERROR")


def test_however_many_callers_wait_for_tasks_others_are_answered(films, film, monkeypatch):
    """More of them than a server of this kind usually has threads; each keeps one while its task is done there."""
    go_on = threading.Event()

    def package(_app, _request, progress):
        while not go_on.wait(0.05):
            progress.check()
        raise ZeroDivisionError

    def call(url):
        body, headers = {"project_path": film.name}, {"Prefer": "wait=60"}
        return httpx.post(url + PACKAGE, json=body, headers=headers, timeout=90).status_code

    monkeypatch.setattr("storycore.operations.package.package", package)
    with serving(films, workers=45) as url, ThreadPoolExecutor(45) as pool:
        calls = [pool.submit(call, url) for _ in range(45)]
        running = {"params": {"status": "running"}, "timeout": 60}
        until(lambda: len(httpx.get(url + LIST, **running).json()["data"]["items"]) == 45)
        go_on.set()
        assert {made.result() for made in calls} == {500}
