"""A server that wants a key of everybody: with one it keeps to its document, without one nothing happens at all."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from fixtures.projects import make_project, snapshot
from fixtures.servers import serving
from storycore import KeyCreateRequest, PackageRequest, Settings, StoryCore
from storycore.operations.catalog import OPERATIONS

FIXTURES = Path(__file__).parents[1] / "fixtures"
ANY = {"project_path": "film", "package_path": "film/exports/film.zip", "target_format": "json", "name": "x",
       "task_id": "task_1", "artifact_id": "artifact_1", "key_id": "00000000"}  # fmt: skip


@pytest.fixture
def database(tmp_path, empty_database):
    path = tmp_path / "storycore.db"
    path.write_bytes(empty_database.read_bytes())
    return path


@pytest.fixture
def secret(database):
    with StoryCore(Settings.read(database_url=f"sqlite:///{database}")) as core:
        return core.run(KeyCreateRequest(name="test", scopes=["admin"])).key


@pytest.fixture
def locked(films, database, secret):
    """The server, with one film and one package of it."""
    film = make_project(films / "film")
    with StoryCore() as core:
        core.run(PackageRequest(project_path=str(film), output_path=str(film / "exports/film.zip")))
    url = f"sqlite:///{database}"
    with serving(films, database_url=url, require_key=True, rate_limit_per_minute=0) as base:
        yield base


def dump(database):
    with closing(sqlite3.connect(database)) as connection:
        return list(connection.iterdump())


def test_without_a_key_every_operation_is_refused_and_changes_nothing(locked, films, database):
    before = (dump(database), snapshot(films))
    with httpx.Client(base_url=locked, timeout=30) as client:
        found = {}
        for operation in OPERATIONS:
            sent = {"params": ANY} if operation.method == "GET" else {"json": ANY}
            for headers in ({}, {"Authorization": "Bearer sck_00000000_" + "0" * 43}, {"Authorization": "Basic eDp4"}):
                answer = client.request(operation.method, f"/v1/{operation.name}", headers=headers, **sent)
                found[operation.name, str(headers)] = answer.status_code, answer.json()["error"]["code"]
    assert set(found.values()) == {(401, "AUTHENTICATION_REQUIRED")}
    assert (dump(database), snapshot(films)) == before


def test_its_document_says_that_a_key_is_needed(locked, server):
    assert httpx.get(f"{locked}/openapi.json").json()["security"] == [{"key": []}]
    assert httpx.get(f"{server}/openapi.json").json()["security"] == [{}, {"key": []}]


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_with_a_key_the_server_keeps_to_its_document_and_without_it_opens_nothing(locked, secret):
    """Schemathesis calls with the key, and checks by itself that the same calls without it or with another fail."""
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{locked}/openapi.json", "-n", "8", "--no-color",
               "--request-timeout", "60", *(["--seed", "1"] if os.environ.get("CI") else []),
               "--header", f"Authorization: Bearer {secret}"]  # fmt: skip
    run = subprocess.run(
        command,
        cwd=FIXTURES,
        env={**os.environ, "SCHEMATHESIS_HOOKS": "schemathesis_hooks"},
        capture_output=True,
        text=True,
        timeout=390,
    )
    assert run.returncode == 0, run.stdout[-5000:] + run.stderr[-2000:]
