"""The HTTP surface: one route for each operation of the catalogue, none of which holds logic."""

import contextlib
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import anyio
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from storycore import __version__
from storycore.api import health
from storycore.api.access import Access
from storycore.api.agents import PATH as AGENTS_PATH
from storycore.api.agents import AgentDoor
from storycore.api.answers import fail, succeed
from storycore.api.document import document
from storycore.api.download import hand_out
from storycore.api.events import after_of
from storycore.api.guard import Guard
from storycore.api.reading import read_body, read_query
from storycore.api.routes import Endpoint, OperationRoutes
from storycore.api.streaming import ProductStream, wants_zip
from storycore.api.waiting import answer_once, answer_task, follow, idempotency_key
from storycore.errors import InvalidInput, NotFound, Reason, StoryCoreError, Unexpected
from storycore.json_text import write
from storycore.library import StoryCore
from storycore.loading import load
from storycore.observe import logging
from storycore.observe.progress import Progress
from storycore.observe.readiness import Checks, check_places
from storycore.operations.catalog import OPERATIONS, Operation
from storycore.operations.request import Request, Result
from storycore.operations.task import TaskEventsRequest

ACCEPTING = 40
"""How many calls may hand in tasks at the same time, beside those that do them."""

LOCAL_NAMES = ("127.0.0.1", "localhost", "[::1]")

log = logging.get(__name__)


def build(
    core: StoryCore,
    *,
    draining: Callable[[], bool] = lambda: False,
    pages: Callable[[Access], Sequence[BaseRoute]] = lambda _access: (),
    agents: ASGIApp | None = None,
) -> ASGIApp:
    """The whole HTTP surface over an open library door, guarded.

    Args:
        core: does the work.
        draining: tells whether the server was told to stop.
        pages: makes the routes of what people see, by who may call.
        agents: answers what agents send to `/mcp`, once it was let in; None if that is not wanted.
    """
    metrics = core.metrics()
    access = Access(core)
    app = FastAPI(
        title="StoryCore", version=__version__, openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False
    )
    threads = anyio.CapacityLimiter(core.settings.workers + ACCEPTING)
    endpoints = {operation: _endpoint(operation, core, access, threads) for operation in OPERATIONS}
    app.routes.append(OperationRoutes(endpoints))
    if agents:
        app.routes.append(Route(AGENTS_PATH, AgentDoor(access, agents), methods=["POST"]))
    app.add_api_route("/openapi.json", _openapi(core.settings.is_open), methods=["GET"], response_model=None)
    app.routes.extend(health.routes(metrics, checks=lambda: _checks(core), draining=draining, admit=access.admit))
    app.routes.extend(pages(access))
    app.add_exception_handler(StoryCoreError, _refused)
    app.add_exception_handler(Exception, _refused)
    app.add_exception_handler(HTTPException, _not_routed)
    return Guard(_Answered(app), {*LOCAL_NAMES, core.settings.host.lower(), *core.settings.allowed_hosts}, metrics)


def _checks(core: StoryCore) -> Checks:
    floor = core.settings.min_free_bytes
    places = check_places(core.roots, core.settings.output_roots, min_free_bytes=floor)
    return {**places, "database": core.database_problem()}


def _endpoint(operation: Operation, core: StoryCore, access: Access, threads: anyio.CapacityLimiter) -> Endpoint:
    request_type: type[Request[Any]] = load(operation.request)

    async def endpoint(request: HttpRequest) -> Response:
        caller = await access.admit(request, operation.scope)
        with logging.bound(key_id=caller) if caller else contextlib.nullcontext():
            return await answer(request, caller)

    async def answer(request: HttpRequest, caller: str) -> Response:
        if operation.method == "POST":
            values = await read_body(request, core.settings, least_limit=operation.body_bytes)
        else:
            values = read_query(request, request_type)
        if operation.answer == "events":
            return await follow(core, TaskEventsRequest(**{**values, "after": after_of(request)}))
        wanted = request_type(**values)
        if operation.stream and wants_zip(request.headers.get("accept", "")):
            return ProductStream(core, wanted)
        if operation.long:
            return await answer_task(core, wanted, request, caller, threads)
        key = idempotency_key(request)
        if key is not None and operation.method == "POST":
            return await answer_once(core, wanted, request, key, caller)
        result = await _run(core, wanted, request)
        return hand_out(result) if operation.answer == "file" else succeed(request, result)

    return endpoint


async def _run(core: StoryCore, request: Request[Any], http: HttpRequest) -> Result:
    """Runs in a worker thread; when the caller hangs up, the work is cancelled."""
    progress = Progress()

    async def watch() -> None:
        while (await http.receive())["type"] != "http.disconnect":
            pass
        progress.cancel()

    outcome: Result | Exception
    async with anyio.create_task_group() as group:
        group.start_soon(watch)
        try:
            outcome = await anyio.to_thread.run_sync(lambda: core.run(request, progress=progress))
        except Exception as fault:  # noqa: BLE001 - raised below, outside the group that would wrap it
            outcome = fault
        finally:
            progress.cancel()  # does nothing to work that has ended
        group.cancel_scope.cancel()
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def _openapi(is_open: bool) -> Callable[[], Response]:
    text = _document_text(is_open)

    def openapi() -> Response:
        return Response(text, media_type="application/json")

    return openapi


@cache
def _document_text(is_open: bool) -> str:
    """The description of the API; made once in a process, which takes a quarter of a second."""
    return write(document(is_open=is_open))


async def _refused(http: HttpRequest, fault: Exception) -> Response:
    if isinstance(fault, StoryCoreError) and fault.reason is not Reason.UNEXPECTED:
        return fail(http, fault)
    log.error("unexpected_error", exc_info=fault)  # the traceback goes to the log, never to the caller
    return fail(http, Unexpected("A fault of StoryCore's own; it was logged."))


async def _not_routed(http: HttpRequest, fault: Exception) -> Response:
    assert isinstance(fault, HTTPException)  # noqa: S101 - as registered
    if fault.status_code == 405:
        allowed = InvalidInput(f"{http.method} is not the method of this operation.", reason=Reason.METHOD_NOT_ALLOWED)
        return fail(http, allowed, fault.headers)
    return fail(http, NotFound("There is no such operation.", reason=Reason.OPERATION_NOT_FOUND))


class _Answered:
    """Forgets a fault that was answered already; an answer that broke off half-way still cuts the connection."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        whole = False

        async def watch(message: Message) -> None:
            nonlocal whole
            whole = message["type"] == "http.response.body" and not message.get("more_body", False)
            await send(message)

        try:
            await self._app(scope, receive, watch)
        except Exception:
            if not whole:
                raise
