"""The dashboard as routes: who comes is known, the page is made in a thread, the answer is kept within its rules."""

import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

import anyio
import anyio.to_thread
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send
from typing_extensions import override

from storycore.dashboard.answering import COOKIE, Answering, address_of
from storycore.dashboard.assets import PREFIX, Assets, assets
from storycore.dashboard.forms import read_form
from storycore.dashboard.live import Watching
from storycore.dashboard.page import Place
from storycore.dashboard.places import PLACES
from storycore.dashboard.visit import Visit
from storycore.errors import NotAuthenticated, NotFound, Reason, StoryCoreError, Unexpected
from storycore.library import StoryCore
from storycore.observe import logging
from storycore.operations.artifact import ArtifactDownloadResult

AT_ONCE: Final = 8
"""Pages that are made at the same time; calls of the API have threads of their own."""

SLOW_AT_ONCE: Final = 4
"""What may take long has fewer threads, of its own."""

log = logging.get(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """What the HTTP surface gives to the pages.

    Attributes:
        recognise: id and scopes of the usable key that a text is.
        hand_out: answers with a finished file; `inline` has it shown.
        document: makes the OpenAPI document.
    """

    recognise: Callable[[str], Awaitable[tuple[str, frozenset[str]]]]
    hand_out: Callable[[ArtifactDownloadResult, bool], Response]
    document: Callable[[], dict[str, Any]]


def routes(core: StoryCore, doors: Doors) -> list[BaseRoute]:
    """Every route of the dashboard, over an open library door."""
    files = assets()
    site = _Site(core, doors, files)
    pages = [Route(place.path, site.endpoint(place), methods=[place.method]) for place in PLACES]
    statics = Route(f"{PREFIX}{{name}}", files.answer, methods=["GET"])
    return [statics, *pages, _Nowhere(site)]


class _Site:
    def __init__(self, core: StoryCore, doors: Doors, files: Assets) -> None:
        self._core, self._doors = core, doors
        self._answering = Answering(
            files.address, doors.hand_out, core.settings, frozenset(place.path for place in PLACES)
        )
        self._threads, self._slow_threads = anyio.CapacityLimiter(AT_ONCE), anyio.CapacityLimiter(SLOW_AT_ONCE)
        self._watching = Watching(self._answering, self._threads, is_over=lambda: core.draining)

    def endpoint(self, place: Place) -> Callable[[HttpRequest], Awaitable[Response]]:
        async def endpoint(http: HttpRequest) -> Response:
            http.scope["storycore.counted_as"] = "page"
            visit = Visit(core=self._core, path=http.url.path, address=address_of(http))
            try:
                visit = await self._visit(http, place)
                with logging.bound(key_id=visit.caller) if visit.caller else contextlib.nullcontext():
                    return await self._answer(http, place, visit)
            except NotAuthenticated as fault:
                return self._answering.sign_in(http, visit, fault)
            except StoryCoreError as fault:
                return self._answering.fault(http, visit, fault)
            except Exception as fault:
                log.error("unexpected_error", exc_info=fault)  # noqa: TRY400 - with the traceback, as elsewhere
                told = Unexpected("A fault of StoryCore's own; it was logged.")
                return self._answering.fault(http, visit, told)

        return endpoint

    async def _visit(self, http: HttpRequest, place: Place) -> Visit:
        caller, scopes = ("", frozenset[str]()) if place.is_open else await self._identify(http)
        form = await read_form(http, self._core.settings.max_body_bytes) if place.method == "POST" else {}
        return Visit(
            core=self._core, path=http.url.path, names=dict(http.path_params), query=dict(http.query_params),
            form=form, scopes=scopes, caller=caller, request_id=http.scope.get("storycore.request_id", ""),
            address=address_of(http), document=self._doors.document,
        )  # fmt: skip

    async def _identify(self, http: HttpRequest) -> tuple[str, frozenset[str]]:
        """The visitor's key and scopes; who needs no key may do everything."""
        sent = http.headers.getlist("authorization")
        if sent:
            kind, _, secret = (sent[0] if len(sent) == 1 else "").partition(" ")
            return await self._doors.recognise(secret.strip() if kind.lower() == "bearer" else "")
        if self._core.settings.is_open:
            return "", frozenset({"admin"})
        secret = http.cookies.get(COOKIE, "")
        if not secret:
            raise NotAuthenticated("A key is needed to see this.", reason=Reason.KEY_MISSING)
        return await self._doors.recognise(secret)

    async def _answer(self, http: HttpRequest, place: Place, visit: Visit) -> Response:
        if http.method == place.method == "GET" and visit.asked("live"):
            return await self._watching.follow(place, visit)
        threads = self._slow_threads if place.is_slow else self._threads
        answer = await anyio.to_thread.run_sync(place.answer, visit, limiter=threads)
        return self._answering.respond(http, visit, answer)

    async def nowhere(self, http: HttpRequest) -> Response:
        """Words for people who took a wrong turn."""
        visit = Visit(core=self._core, path=http.url.path, scopes=frozenset(), address=address_of(http))
        return self._answering.fault(
            http, visit, NotFound("There is no such page.", reason=Reason.OPERATION_NOT_FOUND,
                                  remediation="Go back, or to the overview.")
        )  # fmt: skip


class _Nowhere(BaseRoute):
    """Any other path, for browsers; programs get the API's answer."""

    def __init__(self, site: _Site) -> None:
        self._route = Route("/{path:path}", site.nowhere, methods=["GET"])

    @override
    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] != "http" or scope["path"].startswith("/v1/"):
            return Match.NONE, {}
        wanted = next((value for name, value in scope["headers"] if name == b"accept"), b"")
        return self._route.matches(scope) if b"text/html" in wanted else (Match.NONE, {})

    @override
    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._route.handle(scope, receive, send)
