"""What the server says of itself, and that it keeps to it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from fixtures.projects import make_project
from fixtures.servers import serving
from storycore import PackageRequest, StoryCore
from storycore.api.document import document
from storycore.operations.catalog import OPERATIONS

SEED = ["--seed", "1"] if os.environ.get("CI") else []
"""In CI the same requests each time, so that a red run tells of the change."""

FIXTURES = Path(__file__).parents[1] / "fixtures"


def test_every_operation_is_documented_under_its_own_name():
    documented = {
        (path, method, shape["operationId"])
        for path, methods in document()["paths"].items()
        for method, shape in methods.items()
    }
    assert documented == {(f"/v1/{item.name}", item.method.lower(), item.name) for item in OPERATIONS}


def test_unknown_fields_are_ruled_out_by_the_document_too():
    schemas = document()["components"]["schemas"]
    assert [
        name for name in schemas if name.endswith("Request") and schemas[name].get("additionalProperties") is not False
    ] == []


def test_the_server_answers_with_the_document(server):
    assert httpx.get(f"{server}/openapi.json").json() == json.loads(json.dumps(document()))


@pytest.fixture
def url(films):
    """A server with one film and one package of it."""
    film = make_project(films / "film")
    with StoryCore() as sc:
        sc.run(PackageRequest(project_path=str(film), output_path=str(film / "exports/film.zip")))
    with serving(films, webhook_proxy="http://127.0.0.1:9") as base:  # so that no message could leave this machine
        yield base


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_the_server_keeps_to_its_document_whatever_is_sent(url):
    """Schemathesis makes requests that fit the document and requests that don't, every other one on a real film."""
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "schemathesis.cli",
            "run",
            f"{url}/openapi.json",
            "-n",
            "20",
            "--no-color",
            "--request-timeout",
            "60",
            *SEED,
        ],
        cwd=FIXTURES,
        env={**os.environ, "SCHEMATHESIS_HOOKS": "schemathesis_hooks"},
        capture_output=True,
        text=True,
        timeout=390,
    )
    assert run.returncode == 0, run.stdout[-5000:] + run.stderr[-2000:]
    assert "Unsupported regex" not in run.stdout
