"""Long work by HTTP: it is accepted as a task, waited for a while, and answered with its result or with its id.

Source: RFC 7240 for `Prefer: wait=N`.
"""

import asyncio
import contextlib
import re
import time
from collections.abc import AsyncGenerator, Iterable, Iterator
from typing import Any
from urllib.parse import urlencode

import anyio.to_thread
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from storycore.api.answers import accept, fail, succeed
from storycore.api.events import Event, EventStream
from storycore.errors import Reason, Unavailable
from storycore.library import StoryCore
from storycore.loading import load
from storycore.operations.request import Request
from storycore.operations.run import operation_of
from storycore.operations.task import TaskEventsRequest, TaskEventsResult, TaskStatusRequest, TaskStatusResult

WAIT_SECONDS = 10
"""How long a caller waits that says nothing of it."""

MOST_WAIT_SECONDS = 300
REPLAYED = {"Idempotent-Replayed": "true"}

LOOK_SECONDS = 1.0
"""How often a waiter looks for what other processes did."""

_WAIT = re.compile(r"""\s*wait\s*=\s*"?(\d{1,9})"?\s*(?:;.*)?""", re.IGNORECASE)


def wanted_wait(prefer: Iterable[str]) -> int | None:
    """Seconds that Prefer headers ask to wait, at most `MOST_WAIT_SECONDS`; None if they don't say."""
    for preference in ",".join(prefer).split(","):
        found = _WAIT.fullmatch(preference)
        if found:
            return min(int(found[1]), MOST_WAIT_SECONDS)
    return None


async def answer_task(core: StoryCore, request: Request[Any], http: HttpRequest, caller: str) -> Response:
    """200 with the result, the error of the failed task, or 202 with the task that goes on.

    Some operations answer at once to callers who do not say that they wait; then 200 tells that it was accepted.

    A caller who hangs up changes nothing: what was accepted is done.

    Raises:
        StoryCoreError: the request was refused before it was accepted.
    """
    facts = {
        "request_id": http.scope.get("storycore.request_id", ""),
        "traceparent": (http.scope.get("storycore.traceparent") or "")[:64],
        "caller": caller,
    }
    key, headers = http.headers.get("idempotency-key"), {}
    if key is None:
        task = await anyio.to_thread.run_sync(lambda: core.submit(request, **facts))
    else:
        task, replayed = await anyio.to_thread.run_sync(lambda: core.submit_once(request, key, **facts))
        headers = REPLAYED if replayed else {}
    asked = wanted_wait(http.headers.getlist("prefer"))
    operation = operation_of(type(request))
    if asked is None and operation.accepted:
        return succeed(http, load(operation.accepted)(request, task.task_id), headers)
    task = await _wait(core, task, WAIT_SECONDS if asked is None else asked)
    applied = {} if asked is None else {"Preference-Applied": f"wait={asked}"}
    return answer_state(http, task, {**headers, **applied})


async def answer_once(core: StoryCore, request: Request[Any], http: HttpRequest, key: str, caller: str) -> Response:
    """200 with the result of short work, made now or when the same key came before.

    Raises:
        StoryCoreError: whatever the operation raises; the key came with another request, or is not answered yet.
    """
    data, replayed = await anyio.to_thread.run_sync(lambda: core.run_once(request, key, caller=caller))
    return succeed(http, data, REPLAYED if replayed else {})


def answer_state(http: HttpRequest, task: TaskStatusResult, headers: dict[str, str]) -> Response:
    """The answer for a task as it stands."""
    fault = task.fault()
    if fault:
        return fail(http, fault, headers)
    if task.result is not None:
        return succeed(http, task.result, headers)
    where = f"/v1/storycore.task.status?{urlencode({'task_id': task.task_id})}"
    return accept(http, task, {**headers, "Location": where, "Retry-After": "1"})


async def follow(core: StoryCore, request: TaskEventsRequest) -> EventStream:
    """What happens to a task, sent as it happens.

    Raises:
        NotFound: task_not_found.
    """
    first = await anyio.to_thread.run_sync(core.run, request)
    return EventStream(_happenings(core, request, first))


async def _happenings(
    core: StoryCore, request: TaskEventsRequest, page: TaskEventsResult
) -> AsyncGenerator[Event, None]:
    after = request.after
    with _listening(core, request.task_id) as happened:
        while True:
            for item in page.items:
                after = item.id
                yield item.id, item.event, {**item.data, "created_at": item.created_at}
            if page.ended:
                return
            if core.draining:  # the caller comes back, and goes on after what it has seen
                raise Unavailable("The server is stopping.", reason=Reason.DRAINING)
            if not page.items:
                await _either(happened, LOOK_SECONDS)
            page = await anyio.to_thread.run_sync(core.run, TaskEventsRequest(task_id=request.task_id, after=after))


async def _wait(core: StoryCore, task: TaskStatusResult, seconds: float) -> TaskStatusResult:
    until = time.monotonic() + seconds
    with _listening(core, task.task_id) as happened:
        while True:
            task = await anyio.to_thread.run_sync(core.run, TaskStatusRequest(task_id=task.task_id))
            left = until - time.monotonic()
            if task.status not in ("pending", "running") or left <= 0 or core.draining:
                return task
            await _either(happened, min(LOOK_SECONDS, left))


@contextlib.contextmanager
def _listening(core: StoryCore, task_id: str) -> Iterator[asyncio.Event]:
    """An event that is set when this process does something to the task."""
    happened = asyncio.Event()
    loop = asyncio.get_running_loop()

    def happen() -> None:
        loop.call_soon_threadsafe(happened.set)

    with core.listening(task_id, happen):
        yield happened


async def _either(happened: asyncio.Event, seconds: float) -> None:
    """Waits until it happened, or for that long."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(happened.wait(), seconds)
    happened.clear()
