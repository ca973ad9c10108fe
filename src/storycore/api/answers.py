"""Answers by HTTP: the one place where results and errors become responses here."""

import time
import uuid
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from storycore.errors import Code, StoryCoreError
from storycore.json_text import write
from storycore.operations import envelope
from storycore.operations.request import Result
from storycore.units import now

PROBLEM = "application/problem+json"


def succeed(http: HttpRequest, data: Result | dict[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    """200 with the envelope of a result."""
    return _json(envelope.success(data, _facts(http)), 200, "application/json", headers or {})


def accept(http: HttpRequest, task: Result, headers: Mapping[str, str]) -> Response:
    """202 with the envelope of work that goes on."""
    return _json(envelope.pending(task, _facts(http)), 202, "application/json", headers)


def fail(http: HttpRequest, fault: StoryCoreError, headers: Mapping[str, str] | None = None) -> Response:
    """The envelope of an error, or RFC 9457 problem details if the caller prefers them."""
    facts = _facts(http)
    status = fault.facts.http_status
    told = {**_hints(fault), **(headers or {})}
    if _prefers_problem(http.headers.get("accept", "")):
        return _json(_problem(fault, facts), status, PROBLEM, told)
    return _json(envelope.failure(fault, facts), status, "application/json", told)


def _hints(fault: StoryCoreError) -> dict[str, str]:
    if fault.code is Code.AUTHENTICATION_REQUIRED:
        return {"WWW-Authenticate": 'Bearer realm="StoryCore"'}
    wait_seconds = fault.details.get("retry_after_seconds")
    return {} if wait_seconds is None else {"Retry-After": str(wait_seconds)}


def _problem(fault: StoryCoreError, facts: dict[str, Any]) -> dict[str, Any]:
    body = fault.as_dict()
    return {
        "type": f"urn:storycore:error:{fault.reason}",
        "title": _TITLES[fault.code],
        "status": fault.facts.http_status,
        "detail": body["message"],
        "instance": f"urn:storycore:request:{facts['request_id']}",
        "code": body["code"],
        "details": body["details"],
        "remediation": body["remediation"],
    }


_TITLES = {
    Code.VALIDATION_ERROR: "The request is not acceptable",
    Code.AUTHENTICATION_REQUIRED: "A key is needed",
    Code.AUTHORIZATION_DENIED: "Not allowed",
    Code.NOT_FOUND: "Not found",
    Code.CONFLICT: "It clashes with how things stand",
    Code.RATE_LIMIT_EXCEEDED: "Too many calls",
    Code.DEPENDENCY_ERROR: "Something that StoryCore stands on failed",
    Code.SERVICE_UNAVAILABLE: "Not now",
    Code.INTERNAL_ERROR: "A fault of StoryCore's own",
}


def _prefers_problem(accept: str) -> bool:
    kinds = [part.split(";")[0].strip().lower() for part in accept.split(",")]
    return PROBLEM in kinds and "application/json" not in kinds


def _facts(http: HttpRequest) -> dict[str, Any]:
    begun = http.scope.get("storycore.begun", time.monotonic())
    request_id = http.scope.get("storycore.request_id") or uuid.uuid4().hex
    return envelope.metadata(request_id, now(), time.monotonic() - begun)


def _json(body: dict[str, Any], status: int, media_type: str, headers: Mapping[str, str]) -> Response:
    content = write(body, indent=None).encode(errors="backslashreplace")
    return Response(content, status, headers=dict(headers), media_type=media_type)
