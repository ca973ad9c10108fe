"""The HTTP surface, called as strangers call it."""

import json
import socket
from urllib.parse import urlsplit

import httpx
import pytest

from fixtures.projects import make_project
from fixtures.servers import serving

PACKAGE = "/v1/storycore.export.package"
INSPECT = "/v1/storycore.project.inspect"


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    return tmp_path_factory.mktemp("films")


@pytest.fixture(scope="module")
def film(films):
    return make_project(films / "little")


@pytest.fixture(scope="module")
def server(films, film):
    with serving(films) as url:
        yield url


@pytest.fixture
def client(server):
    with httpx.Client(base_url=server, timeout=30) as http:
        yield http


def reason(answer):
    body = answer.json()
    return answer.status_code, body["error"]["details"]["reason"]


def raw(server, text):
    """Status line and body of an answer to bytes sent as they are."""
    parts = urlsplit(server)
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as connection:
        connection.sendall(text)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


def test_an_answer_stands_in_the_envelope(client, film):
    body = client.get(INSPECT, params={"project_path": film.name}).json()
    assert set(body) == {"status", "data", "metadata"}
    assert set(body["metadata"]) == {"request_id", "timestamp", "duration_ms", "api_version"}


def test_the_callers_request_id_comes_back(client):
    answer = client.get(INSPECT, headers={"X-Request-Id": "night-42"})
    assert (answer.headers["x-request-id"], answer.json()["metadata"]["request_id"]) == ("night-42", "night-42")


@pytest.mark.parametrize("wanted", ["x" * 65, "a b", "<script>"])
def test_an_odd_request_id_is_replaced(client, wanted):
    assert client.get(INSPECT, headers={"X-Request-Id": wanted}).headers["x-request-id"] != wanted


def test_problem_details_are_the_same_error(client):
    answer = client.post(PACKAGE, json={}, headers={"Accept": "application/problem+json"})
    body = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert (body["status"], body["code"], body["details"]["missing_fields"]) == (
        400,
        "VALIDATION_ERROR",
        ["project_path"],
    )


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "127.0.0.1@evil", "", "localhost.", "0.0.0.0"]
)
def test_a_host_name_that_we_do_not_have_is_refused_first(server, host):
    status, body = raw(server, f"GET {INSPECT} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    assert (status, json.loads(body)["error"]["details"]["reason"]) == (421, "host_not_allowed")


def test_two_host_headers_are_refused(server):
    status, _ = raw(
        server, f"GET {INSPECT} HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
    )
    assert status in (400, 421)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1:8765", "[::1]:9"])
def test_names_of_this_machine_are_fine_at_any_port(server, host):
    status, _ = raw(server, f"GET /openapi.json HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    assert status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "null"},
        {"Origin": "http://evil.example"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "file://"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_pages_of_other_sites_are_refused(client, film, headers):
    assert reason(client.post(PACKAGE, json={"project_path": film.name}, headers=headers)) == (403, "cross_origin")
    assert not (film / "exports").exists()


def test_our_own_pages_may_call(client, server):
    headers = {"Origin": server, "Sec-Fetch-Site": "same-origin"}
    assert reason(client.post(PACKAGE, json={}, headers=headers)) == (400, "missing_field")


@pytest.mark.parametrize(
    ("body", "status", "why"),
    [
        (b"", 400, "malformed_json"),
        (b"{", 400, "malformed_json"),
        (b"\xff", 400, "malformed_json"),
        (b'{"project_path": NaN}', 400, "malformed_json"),
        (b'{"project_path": "a", "compression_level": 1e999}', 400, "malformed_json"),
        (b'{"project_path": "a", "project_path": "b"}', 400, "duplicate_key"),
        (b'{"project_path": "\\ud800"}', 400, "malformed_json"),
        (b"[" * 100_000, 400, "malformed_json"),
        (b"[1]", 400, "wrong_type"),
        (b"null", 400, "wrong_type"),
        (b'{"project_path": "x", "nope": 1}', 400, "unknown_field"),
        (b'{"project_path": ["x"]}', 400, "wrong_type"),
        (b'{"project_path": "a\\u0000b"}', 400, "path_invalid"),
        (b'{"project_path": "../x"}', 403, "path_outside_root"),
        (b'{"project_path": "/etc"}', 403, "path_outside_root"),
        (b'{"project_path": "nowhere"}', 404, "project_not_found"),
        (b'{"project_path": "x", "metadata": "' + b"x" * (1024 * 1024) + b'"}', 413, "body_too_large"),
    ],
)  # fmt: skip
def test_a_body_that_is_not_acceptable_is_refused_with_its_reason(client, body, status, why):
    answer = client.post(PACKAGE, content=body, headers={"Content-Type": "application/json"})
    assert reason(answer) == (status, why)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_only_json_is_read(client, kind):
    answer = client.post(PACKAGE, content=b"{}", headers={"Content-Type": kind} if kind else {})
    assert reason(answer) == (415, "unsupported_media_type")


def test_a_compressed_body_is_refused(client):
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    assert reason(client.post(PACKAGE, content=b"{}", headers=headers)) == (415, "unsupported_media_type")


def test_a_body_without_a_declared_length_is_bounded_too(client):
    chunks = (b" " * 65_536 for _ in range(64))
    answer = client.post(PACKAGE, content=chunks, headers={"Content-Type": "application/json"})
    assert reason(answer) == (413, "body_too_large")


def test_another_method_is_told_the_right_one(client):
    answer = client.get(PACKAGE)
    assert (*reason(answer), answer.headers["allow"]) == (405, "method_not_allowed", "POST")


@pytest.mark.parametrize("path", ["/v1/storycore.nope", "/v1/storycore.export.package/", "/docs", "/..%2f..%2fetc"])
def test_what_is_not_there_is_not_found(client, path):
    assert reason(client.get(path)) == (404, "operation_not_found")


def test_a_query_is_read_as_strictly_as_a_body(client):
    answers = [
        client.get(INSPECT, params=[("project_path", "a"), ("project_path", "b")]),
        client.get(INSPECT, params={"project_path": "a", "x": "1"}),
        client.get("/v1/storycore.project.list", params={"limit": "five"}),
        client.get("/v1/storycore.project.list", params={"limit": "0"}),
        client.get(INSPECT, params={"project_path": "a" * 20_000}),
    ]
    assert [reason(answer) for answer in answers] == [
        (400, "duplicate_key"), (400, "unknown_field"), (400, "wrong_type"), (400, "out_of_range"),
        (413, "body_too_large"),
    ]  # fmt: skip


def test_every_answer_carries_the_safe_headers(client):
    headers = client.get("/nope").headers
    assert [headers[name] for name in ("x-content-type-options", "cache-control", "referrer-policy")] == [
        "nosniff", "no-store", "no-referrer",
    ]  # fmt: skip
    assert "server" not in headers


def test_no_path_of_the_server_is_told_to_the_caller(client, films):
    for path in ("nowhere", "../x", "/etc/passwd"):
        assert str(films) not in client.post(PACKAGE, json={"project_path": path}).text
