"""What the server says of itself, and that it keeps to it."""

import json

import httpx
import hypothesis
import pytest
import schemathesis

from fixtures.projects import make_project
from fixtures.servers import serving
from storycore.api.document import document
from storycore.operations.catalog import OPERATIONS


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


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    root = tmp_path_factory.mktemp("films")
    make_project(root / "film")
    with serving(root, cache_folder=tmp_path_factory.mktemp("cache")) as base:
        yield base


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("operation", [operation.name for operation in OPERATIONS])
def test_the_server_keeps_to_its_document_whatever_is_sent(operation, url):
    """Schemathesis makes requests that fit the document and requests that don't, some of them on a real project."""
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json").include(operation_id=operation)

    @schemathesis.hook("map_body").apply_to(operation_id=operation)
    def on_the_film(context, body):
        return _on_the_film(body)

    @schema.parametrize()
    @hypothesis.settings(max_examples=60, deadline=None, suppress_health_check=list(hypothesis.HealthCheck))
    def promise(case):
        case.call_and_validate()

    promise()


def _on_the_film(body):
    if isinstance(body, dict) and isinstance(body.get("project_path"), str) and len(body["project_path"]) % 2:
        return {**body, "project_path": "film"}
    return body
