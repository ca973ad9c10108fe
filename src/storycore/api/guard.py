"""What every call passes first: an id, a log line and a count, the Host allow-list, the Origin rule, safe headers.

The Host header is checked before anything else: a page on the internet can make its own name resolve to 127.0.0.1
(DNS rebinding), and then Host and Origin agree. `Origin: null` is foreign.

Source: the Fetch standard's `Sec-Fetch-Site`; the cross-origin protection of Go 1.25's net/http; W3C
Trace Context for `traceparent`.
"""

import contextlib
import re
import time
import uuid
from collections.abc import Collection, Iterable
from contextlib import AbstractContextManager

from starlette.requests import Request as HttpRequest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from storycore.api import health
from storycore.api.answers import fail
from storycore.errors import AccessDenied, InvalidInput, Reason, StoryCoreError
from storycore.observe import logging, tracing
from storycore.observe.metrics import Metrics
from storycore.operations.catalog import find

_TRACE = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-[\x21-\x7e]{1,200})?"
)
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)

HEAD_BYTES = 32_768
MOST_HEADERS = 200

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})
_NAMES = {**health.NAMES, "/openapi.json": "openapi", "/mcp": "mcp"}

log = logging.get(__name__)


class Guard:
    """ASGI middleware around the whole HTTP surface.

    Args:
        app: what is guarded.
        names: by which the server may be called, in lower case, without ports.
        metrics: where every answer is counted, those that the guard gives itself too.
    """

    def __init__(self, app: ASGIApp, names: Collection[str], metrics: Metrics) -> None:
        self._app = app
        self._names = frozenset(names)
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a refused call itself; passes any other on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        http = HttpRequest(scope, receive)
        wanted = http.headers.get("x-request-id", "")
        request_id = wanted if _ID.fullmatch(wanted) else uuid.uuid4().hex
        begun = time.monotonic()
        scope["storycore.begun"], scope["storycore.request_id"] = begun, request_id
        status = 500

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = _completed(message.get("headers", ()), request_id)
            await send(message)

        with _traced(http, request_id) as told, logging.bound(request_id=request_id, **_ids(told.traceparent)):
            scope["storycore.traceparent"] = told.traceparent or None
            fault = self._fault(http)
            inner: ASGIApp = fail(http, fault) if fault else self._app
            try:
                await inner(scope, receive, answer)
            finally:
                self._note(scope, status, time.monotonic() - begun)
                told.tell({"http.response.status_code": status})
                if status >= 500:
                    told.fail(str(status))

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        path: str = scope["path"]
        self._metrics.http(scope.get("storycore.counted_as") or _operation(path), status, seconds)
        # Supervisors ask every few seconds: that would drown the log.
        tell = log.debug if path in health.NAMES and status < 400 else log.info
        tell(
            "http_request",
            method=scope["method"],
            path=path[:200],
            status=status,
            duration_ms=round(seconds * 1000, 1),
        )

    def _fault(self, http: HttpRequest) -> StoryCoreError | None:
        hosts = http.headers.getlist("host")
        if len(hosts) != 1 or _host_name(hosts[0]) not in self._names:
            return InvalidInput("The server is not known by this host name.", reason=Reason.HOST_NOT_ALLOWED)
        if (
            len(http.headers) > MOST_HEADERS
            or sum(len(name) + len(value) for name, value in http.headers.raw) > HEAD_BYTES
        ):
            return InvalidInput("The headers are too many or too long.", reason=Reason.HEADERS_TOO_LARGE)
        if _is_foreign(http, hosts[0]):
            return AccessDenied("Calls from pages of other sites are refused.", reason=Reason.CROSS_ORIGIN)
        return None


def _traced(http: HttpRequest, request_id: str) -> AbstractContextManager[tracing.Span]:
    """A call, told as a part of its caller's trace; those of supervisors, who ask every few seconds, are not."""
    path: str = http.scope["path"]
    name = path.removeprefix("/v1/")
    if path in health.NAMES:
        return contextlib.nullcontext(tracing.silent())
    method = http.method if http.method in _METHODS else "_OTHER"
    attributes: dict[str, str] = {
        "http.request.method": method, "url.scheme": http.scope["scheme"], "url.path": path[:200],
        "storycore.request.id": request_id,
    }  # fmt: skip
    if path.startswith("/v1/") and find(name):
        attributes |= {"http.route": path, "storycore.operation": name}
    title = f"{method} {path}" if "http.route" in attributes else method
    return tracing.span(title, tracing.Kind.SERVER, parent=_parent(http), attributes=attributes)


def _parent(http: HttpRequest) -> str:
    """The caller's traceparent if there is one and it is well formed, else "".

    Of a later version than ours, the part that we know, told as ours.
    """
    given = http.headers.getlist("traceparent")
    found = _TRACE.fullmatch(given[0]) if len(given) == 1 else None
    if found is None or (found[0].startswith("00") and len(found[0]) != 55):
        return ""
    return f"00{found[0][2:55]}"


def _ids(traceparent: str) -> dict[str, str]:
    """The id of a trace, for the log."""
    return {"trace_id": traceparent[3:35]} if traceparent else {}


def _completed(headers: Iterable[tuple[bytes, bytes]], request_id: str) -> list[tuple[bytes, bytes]]:
    """The headers of an answer and the safe ones that it lacks: what an answer says itself stands."""
    given = list(headers)
    names = {name.lower() for name, _ in given}
    ours = (*_HEADERS, (b"x-request-id", request_id.encode()))
    return given + [(name, value) for name, value in ours if name not in names]


def _operation(path: str) -> str:
    """What a call is counted under: the name that the path has, if it is a name; the metrics know which are."""
    return _NAMES.get(path) or path.removeprefix("/v1/")


def _host_name(host: str) -> str:
    """Name of a Host header in lower case, without its port; "" if it is malformed."""
    found = re.fullmatch(r"(\[[0-9a-f:.]+\]|[^\[\]:/@\s]+)(?::\d{1,5})?", host.lower())
    return found[1] if found else ""


def _is_foreign(http: HttpRequest, host: str) -> bool:
    if any(_netloc(origin) != host.lower() for origin in http.headers.getlist("origin")):
        return True
    site = http.headers.get("sec-fetch-site")
    return site is not None and site.lower() not in ("same-origin", "none") and not _is_link(http)


def _is_link(http: HttpRequest) -> bool:
    """Whether a person followed a link of another site to a page: that shows, does nothing, and tells the site nothing.

    Never to the API, whose answers are for programs.
    """
    told = (http.headers.get("sec-fetch-mode", ""), http.headers.get("sec-fetch-dest", ""))
    is_page = not http.url.path.startswith("/v1/") and http.url.path not in _NAMES
    return http.method == "GET" and told == ("navigate", "document") and is_page


def _netloc(origin: str) -> str:
    """Host and port of an Origin header in lower case; "" for `null`, other schemes and what is malformed."""
    found = re.fullmatch(r"https?://([^/?#@\\\s]+)", origin.lower())
    return found[1] if found else ""
