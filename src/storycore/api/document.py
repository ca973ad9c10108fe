"""The OpenAPI 3.1 document, made from the catalogue."""

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from storycore import __version__
from storycore.api.envelope_schema import Failure, Metadata
from storycore.errors import REASONS
from storycore.loading import load
from storycore.operations.catalog import OPERATIONS, Operation
from storycore.operations.request import Request
from storycore.operations.task import TaskStatusResult

_STATUSES = {
    400: "The request is not acceptable",
    401: "A key is needed",
    403: "Not allowed",
    404: "Not found",
    405: "Another method is needed",
    408: "The request came too slowly",
    409: "It clashes with how things stand",
    413: "The body is too large",
    415: "The body is not JSON",
    421: "The server is not known by this host name",
    429: "Too many calls",
    431: "The headers are too large",
    500: "A fault of StoryCore's own",
    502: "Something that StoryCore stands on failed",
    503: "Not now",
    504: "It took too long",
}


def document(*, is_open: bool = True) -> dict[str, Any]:
    """The whole document; the same for the same version and kind of server.

    Args:
        is_open: whether callers without a key are let in.
    """
    requests: dict[str, type[Request[Any]]] = {item.name: load(item.request) for item in OPERATIONS}
    results = {name: request.result_type() for name, request in requests.items()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "StoryCore",
            "version": __version__,
            "description": "Packs, verifies and describes film projects made with generative AI.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": {
            f"/v1/{item.name}": {item.method.lower(): _operation(item, requests[item.name], results[item.name])}
            for item in OPERATIONS
        },
        "security": [{}, {"key": []}] if is_open else [{"key": []}],
        "components": {
            "schemas": _schemas(requests, results),
            "responses": _failures(),
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API key. Callers on the server's own machine need none, unless it says so.",
                }
            },
        },
    }


def _operation(item: Operation, request: type[Request[Any]], result: type[BaseModel]) -> dict[str, Any]:
    statuses = [status for status in _STATUSES if item.method == "POST" or status not in (408, 415)]
    shape: dict[str, Any] = {
        "operationId": item.name,
        "summary": item.summary,
        "tags": [item.words[0]],
        "responses": {
            "200": {"description": (result.__doc__ or "").strip().splitlines()[0], "content": _content(item, result)},
            **({"202": _accepted()} if item.long else {}),
            **({"307": _elsewhere()} if item.answer == "file" else {}),
            **{str(status): {"$ref": f"#/components/responses/{status}"} for status in statuses},
        },
    }
    if item.method == "POST":
        schema = {"$ref": f"#/components/schemas/{request.__name__}"}
        shape["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    else:
        shape["parameters"] = _parameters(request)
    return shape


def _content(item: Operation, result: type[BaseModel]) -> dict[str, Any]:
    if item.answer == "events":
        return {"text/event-stream": {}}
    if item.answer == "file":
        return {"*/*": {"schema": {"type": "string", "format": "binary"}}}
    content: dict[str, Any] = {"application/json": {"schema": _answer(result.__name__)}}
    if item.stream:
        content["application/zip"] = {"schema": {"type": "string", "format": "binary"}}
    return content


def _accepted() -> dict[str, Any]:
    """Of long work that goes on when the caller has waited long enough."""
    shape = _answer(TaskStatusResult.__name__)
    shape["properties"]["status"] = {"const": "pending"}
    text = {"type": "string"}
    return {
        "description": "It was accepted, and goes on; ask for it at Location",
        "headers": {"Location": {"schema": text}, "Retry-After": {"schema": text}},
        "content": {"application/json": {"schema": shape}},
    }


def _elsewhere() -> dict[str, Any]:
    """Of a file that the server keeps in an object store."""
    return {
        "description": "It is in an object store; Location is a link that needs no key and soon runs out",
        "headers": {"Location": {"schema": {"type": "string"}}},
    }


def _answer(result: str) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["status", "data", "metadata"],
        "properties": {
            "status": {"const": "success"},
            "data": {"$ref": f"#/components/schemas/{result}"},
            "metadata": {"$ref": f"#/components/schemas/{Metadata.__name__}"},
        },
    }


def _parameters(request: type[Request[Any]]) -> list[dict[str, Any]]:
    schema = request.model_json_schema()
    needed = schema.get("required", [])
    return [
        {
            "name": name,
            "in": "query",
            "required": name in needed,
            "description": facts.pop("description", ""),
            "schema": _without_null(facts),
        }
        for name, facts in schema["properties"].items()
    ]


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A query can leave a field out, but can't say null."""
    kinds = [kind for kind in schema.pop("anyOf", []) if kind.get("type") != "null"]
    if schema.get("default", "") is None:
        del schema["default"]
    return {**schema, **kinds[0]} if kinds else schema


def _schemas(requests: dict[str, type[Request[Any]]], results: dict[str, type[BaseModel]]) -> dict[str, Any]:
    models: list[tuple[type[BaseModel], Any]] = [(model, "validation") for model in requests.values()]
    answers: tuple[type[BaseModel], ...] = (*results.values(), Failure, Metadata)
    models += [(model, "serialization") for model in answers]
    _, schema = models_json_schema(models, ref_template="#/components/schemas/{model}")
    found: dict[str, Any] = schema["$defs"]
    found["Failure"]["description"] = "An answer with an error. Reasons: " + ", ".join(sorted(REASONS)) + "."
    found["Problem"] = {
        "type": "object",
        "description": "The same error as problem details (RFC 9457).",
        "required": ["type", "title", "status", "detail", "instance", "code", "details", "remediation"],
        "properties": {
            name: {"type": "integer" if name == "status" else "object" if name == "details" else "string"}
            for name in ("type", "title", "status", "detail", "instance", "code", "details", "remediation")
        },
    }
    return dict(sorted(found.items()))


def _failures() -> dict[str, Any]:
    content = {
        "application/json": {"schema": {"$ref": "#/components/schemas/Failure"}},
        "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}},
    }
    return {str(status): {"description": text, "content": content} for status, text in _STATUSES.items()}
