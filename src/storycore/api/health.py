"""What a supervisor asks a server: does it live, is it ready, how is it doing. Outside the envelope."""

import contextlib
from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio
import anyio.to_thread
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from storycore.errors import StoryCoreError
from storycore.observe import logging
from storycore.observe.metrics import MEDIA_TYPE, Metrics
from storycore.observe.readiness import Checks

CHECK_SECONDS = 5.0
NAMES = {"/healthz": "health", "/readyz": "health", "/metrics": "metrics"}
"""Path → how calls to it are called in the metrics."""

T = TypeVar("T")

log = logging.get(__name__)


def routes(
    metrics: Metrics,
    *,
    checks: Callable[[], Checks],
    draining: Callable[[], bool],
    admit: Callable[[HttpRequest, str], Awaitable[str]],
    limit_seconds: float = CHECK_SECONDS,
) -> list[Route]:
    """`/healthz`, `/readyz` and `/metrics`.

    Args:
        metrics: what is told at /metrics.
        checks: what must be well for the server to be ready; may block, and is given up after `limit_seconds`.
        draining: whether the server was told to stop.
        admit: raises for a caller who may not see details.
        limit_seconds: for a disk or a database that does not answer.
    """
    # Threads of their own, and few: when a disk hangs, asking again and again must not use up those of the work.
    threads = [anyio.CapacityLimiter(1), anyio.CapacityLimiter(1)]

    async def healthz(_: HttpRequest) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(http: HttpRequest) -> Response:
        if draining():
            return JSONResponse({"status": "draining", "checks": {}}, 503)
        try:
            found = dict(await _in_time(checks, threads[0], limit_seconds))
        except TimeoutError:
            found = {"checks": f"no answer within {limit_seconds:g} s"}
        problems = {name: problem for name, problem in found.items() if problem}
        if problems:
            log.warning("server_not_ready", checks=problems)
        body: dict[str, object] = {"status": "unavailable" if problems else "ok"}
        with contextlib.suppress(StoryCoreError):
            await admit(http, "metrics:read")
            body["checks"] = found
        return JSONResponse(body, 503 if problems else 200)

    async def tell(http: HttpRequest) -> Response:
        await admit(http, "metrics:read")
        try:
            return Response(await _in_time(metrics.text, threads[1], limit_seconds), media_type=MEDIA_TYPE)
        except TimeoutError:
            log.warning("metrics_not_told", limit_seconds=limit_seconds)
            return Response("The disk or the database does not answer.\n", 503, media_type="text/plain")

    answers: dict[str, Callable[[HttpRequest], Awaitable[Response]]] = {
        "/healthz": healthz, "/readyz": readyz, "/metrics": tell,
    }  # fmt: skip
    return [Route(path, answer, methods=["GET"]) for path, answer in answers.items()]  # HEAD comes with GET


async def _in_time(work: Callable[[], T], thread: anyio.CapacityLimiter, limit_seconds: float) -> T:
    """What `work` gives, run in a thread that is left behind after `limit_seconds`.

    Raises:
        TimeoutError: it took longer.
    """
    with anyio.fail_after(limit_seconds):
        return await anyio.to_thread.run_sync(work, abandon_on_cancel=True, limiter=thread)
