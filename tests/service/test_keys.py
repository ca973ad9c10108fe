"""Who may call the server, and that those who may not change nothing."""

import json
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import httpx
import pytest

from fixtures.programs import storycore
from fixtures.projects import snapshot
from fixtures.servers import serving
from storycore import KeyCreateRequest, KeyRevokeRequest, StoryCore

PACKAGE = "/v1/storycore.export.package"
LIST = "/v1/storycore.task.list"
TABLES = ("tasks", "task_events", "artifacts", "answers")


@pytest.fixture
def database(tmp_path, empty_database):
    path = tmp_path / "storycore.db"
    path.write_bytes(empty_database.read_bytes())
    return path


@pytest.fixture
def locked(films, database):
    """A server that wants a key of everybody."""
    with serving(films, database_url=f"sqlite:///{database}", require_key=True) as url:
        yield url


def make_key(films, database, **facts):
    from storycore import Settings

    with StoryCore(Settings.read(database_url=f"sqlite:///{database}")) as sc:
        return sc.run(KeyCreateRequest(name="test", **facts))


def bearer(secret):
    return {"Authorization": f"Bearer {secret}"}


def rows(database):
    with closing(sqlite3.connect(database)) as connection:
        return {table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in TABLES}


def told(answer):
    body = answer.json()
    return answer.status_code, body["error"]["code"], body["error"]["details"]["reason"]


def test_without_a_key_nothing_is_told_but_that_one_is_needed(locked):
    answer = httpx.get(locked + LIST)
    assert told(answer) == (401, "AUTHENTICATION_REQUIRED", "key_missing")
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert httpx.get(f"{locked}/metrics").status_code == 401
    assert httpx.get(f"{locked}/healthz").json() == {"status": "ok"}
    assert set(httpx.get(f"{locked}/readyz").json()) == {"status"}


def test_unknown_revoked_expired_and_malformed_keys_are_refused_in_the_same_words(films, database, locked):
    good = make_key(films, database)
    revoked = make_key(films, database)
    with StoryCore(settings_of(database)) as sc:
        sc.run(KeyRevokeRequest(key_id=revoked.key_id))
    other = good.key[:-1] + ("0" if good.key[-1] != "0" else "1")
    bodies = []
    for secret in (revoked.key, other, "sck_00000000_" + "0" * 43, "nonsense", "x"):
        answer = httpx.get(locked + LIST, headers=bearer(secret))
        assert told(answer) == (401, "AUTHENTICATION_REQUIRED", "key_invalid")
        bodies.append(answer.json()["error"])
    assert all(body == bodies[0] for body in bodies)
    assert httpx.get(locked + LIST, headers=bearer(good.key)).status_code == 200


def settings_of(database):
    from storycore import Settings

    return Settings.read(database_url=f"sqlite:///{database}")


def test_a_key_opens_what_its_scopes_name_and_nothing_else(films, film, database, locked):
    reader = make_key(films, database, scopes=["tasks:read"])
    admin = make_key(films, database, scopes=["admin"])
    refused = httpx.post(locked + PACKAGE, json={"project_path": film.name}, headers=bearer(reader.key))
    assert told(refused) == (403, "AUTHORIZATION_DENIED", "scope_missing")
    assert refused.json()["error"]["details"]["scope"] == "exports:write"
    assert httpx.get(locked + LIST, headers=bearer(reader.key)).status_code == 200
    done = httpx.post(locked + PACKAGE, json={"project_path": film.name}, headers=bearer(admin.key), timeout=60)
    assert done.status_code == 200


def test_a_key_that_is_sent_is_checked_even_where_none_is_needed(server):
    assert told(httpx.get(server + LIST, headers=bearer("wrong")))[2] == "key_invalid"


def test_more_calls_than_the_limit_are_told_when_to_come_again(films, database):
    with serving(films, database_url=f"sqlite:///{database}", rate_limit_per_minute=3) as url:
        headers = bearer(make_key(films, database).key)
        statuses = [httpx.get(url + LIST, headers=headers).status_code for _ in range(4)]
        last = httpx.get(url + LIST, headers=headers)
        keyless = [httpx.get(url + LIST).status_code for _ in range(6)]
    assert statuses == [200, 200, 200, 429]
    assert told(last) == (429, "RATE_LIMIT_EXCEEDED", "rate_limited")
    assert 1 <= int(last.headers["retry-after"]) <= 20
    assert keyless == [200] * 6


def test_what_must_be_refused_is_refused_and_changes_nothing(films, film, database, locked):
    reader = bearer(make_key(films, database, scopes=["tasks:read"]).key)
    writer = bearer(make_key(films, database).key)
    body = {"project_path": film.name}
    before = (rows(database), snapshot(film))
    json_type = {"Content-Type": "application/json"}
    attempts = {
        "rebinding": (421, {**writer, "Host": "evil.example"}, {"json": body}),
        "other origin": (403, {**writer, "Origin": "https://evil.example"}, {"json": body}),
        "null origin": (403, {**writer, "Origin": "null"}, {"json": body}),
        "other site": (403, {**writer, "Sec-Fetch-Site": "cross-site"}, {"json": body}),
        "form": (415, writer, {"data": body}),
        "text": (415, {**writer, "Content-Type": "text/plain"}, {"content": json.dumps(body)}),
        "oversize": (413, {**writer, **json_type}, {"content": b" " * 2_000_000 + json.dumps(body).encode()}),
        "deep": (400, {**writer, **json_type}, {"content": b'{"metadata":' + b"[" * 500 + b"]" * 500 + b"}"}),
        "malformed": (400, {**writer, **json_type}, {"content": b'{"project_path": "little"'}),
        "twice": (400, {**writer, **json_type}, {"content": b'{"project_path": "a", "project_path": "little"}'}),
        "no key": (401, {}, {"json": body}),
        "bad key": (401, bearer("sck_"), {"json": body}),
        "scope": (403, reader, {"json": body}),
        "two keys": (401, [("Authorization", "Bearer a"), ("Authorization", "Bearer b")], {"json": body}),
        "bad idempotency": (400, {**writer, "Idempotency-Key": "x" * 256}, {"json": body}),
    }
    found = {}
    with httpx.Client(base_url=locked, timeout=30) as client:
        for name, (_, headers, sent) in attempts.items():
            found[name] = client.post(PACKAGE, headers=headers, **sent).status_code
    assert found == {name: wanted for name, (wanted, *_) in attempts.items()}
    assert (rows(database), snapshot(film)) == before


def test_the_same_idempotency_key_gives_the_same_task_and_another_request_is_refused(server, film):
    headers = {"Idempotency-Key": "one", "Prefer": "wait=60"}
    first = httpx.post(server + PACKAGE, json={"project_path": film.name}, headers=headers, timeout=90)
    again = httpx.post(server + PACKAGE, json={"project_path": film.name}, headers=headers, timeout=90)
    other = httpx.post(server + PACKAGE, json={"project_path": film.name, "compression_level": 1}, headers=headers)
    assert again.json()["data"] == first.json()["data"]
    assert ("idempotent-replayed" in first.headers, again.headers["idempotent-replayed"]) == (False, "true")
    assert told(other) == (409, "CONFLICT", "idempotency_mismatch")
    assert len(httpx.get(server + LIST).json()["data"]["items"]) == 1


def test_of_equal_calls_at_the_same_time_one_task_is_made(server, film):
    gate = threading.Barrier(8)

    def call():
        gate.wait(30)
        headers = {"Idempotency-Key": "race", "Prefer": "wait=0"}
        answer = httpx.post(server + PACKAGE, json={"project_path": film.name}, headers=headers, timeout=60)
        body = answer.json()["data"]
        return body.get("task_id") or "done"

    with ThreadPoolExecutor(8) as pool:
        ids = {future.result() for future in [pool.submit(call) for _ in range(8)]}
    listed = httpx.get(server + LIST).json()["data"]["items"]
    assert len(listed) == 1
    assert ids - {"done"} <= {listed[0]["task_id"]}


def test_short_work_is_replayed_too_and_a_refused_request_may_be_mended(server, film):
    plan = f"{server}/v1/storycore.export.plan"
    headers = {"Idempotency-Key": "plan"}
    refused = httpx.post(plan, json={"project_path": "nowhere"}, headers=headers)
    first = httpx.post(plan, json={"project_path": film.name}, headers=headers)
    (film / "more.md").write_text("new")
    again = httpx.post(plan, json={"project_path": film.name}, headers=headers)
    assert (refused.status_code, first.status_code) == (404, 200)
    assert (again.json()["data"], again.headers["idempotent-replayed"]) == (first.json()["data"], "true")


def test_a_new_key_is_shown_once_and_kept_nowhere(server, films, empty_database, monkeypatch):
    answer = httpx.post(f"{server}/v1/storycore.key.create", json={"name": "edit suite"})
    secret = answer.json()["data"]["key"]
    listed = httpx.get(f"{server}/v1/storycore.key.list").text
    kept = httpx.post(f"{server}/v1/storycore.key.create", json={"name": "x"}, headers={"Idempotency-Key": "again"})
    assert secret not in listed
    assert told(kept) == (400, "VALIDATION_ERROR", "idempotency_key_invalid")


def test_a_server_for_others_does_not_start_without_a_key(films, database):
    environment = {"STORYCORE_DATABASE_URL": f"sqlite:///{database}"}
    run = storycore("serve", "--host", "0.0.0.0", "--port", "0", cwd=films, **environment)
    assert (run.returncode, run.stdout) == (2, "")
    assert "storycore key create" in run.stderr


def test_keys_are_made_listed_and_revoked_on_the_command_line(films, database):
    environment = {"STORYCORE_DATABASE_URL": f"sqlite:///{database}"}
    made = storycore("key", "create", "suite", "--scope", "tasks:read", "--json", cwd=films, **environment)
    key = json.loads(made.stdout)["data"]
    ended = storycore("key", "revoke", key["key_id"], "--json", cwd=films, **environment)
    listed = storycore("key", "list", "--json", cwd=films, **environment)
    assert (made.returncode, ended.returncode, key["scopes"]) == (0, 0, ["tasks:read"])
    assert [item["state"] for item in json.loads(listed.stdout)["data"]["items"]] == ["revoked"]
    assert key["key"] not in listed.stdout
