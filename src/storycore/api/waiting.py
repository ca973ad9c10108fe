"""Long work by HTTP: it is accepted as a task, waited for a while, and answered with its result or with its id.

Source: RFC 7240 for `Prefer: wait=N`.
"""

import asyncio
import contextlib
import re
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from typing import Any, TypeVar
from urllib.parse import urlencode

import anyio
import anyio.to_thread
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from storycore.api.answers import accept, fail, succeed
from storycore.api.connection import cancel_when_gone
from storycore.api.events import Event, EventStream
from storycore.errors import Reason, Unavailable
from storycore.library import StoryCore
from storycore.loading import load
from storycore.operations.request import Request
from storycore.operations.run import operation_of, task_facts
from storycore.operations.task import (
    TaskEventsRequest,
    TaskEventsResult,
    TaskStatusRequest,
    TaskStatusResult,
    new_id,
)

WAIT_SECONDS = 10
"""How long a caller waits that says nothing of it."""

MOST_WAIT_SECONDS = 300
REPLAYED = {"Idempotent-Replayed": "true"}

LOOK_SECONDS = 1.0
"""How often a waiter looks for what other processes did."""

_BEGIN_SECONDS = 0.1
_GOES_ON = ("pending", "running")

T = TypeVar("T")

_WAIT = re.compile(r"""\s*wait\s*=\s*"?(\d{1,9})"?\s*(?:;.*)?""", re.IGNORECASE)


def wanted_wait(prefer: Iterable[str]) -> int | None:
    """Seconds that Prefer headers ask to wait, at most `MOST_WAIT_SECONDS`; None if they don't say."""
    for preference in ",".join(prefer).split(","):
        found = _WAIT.fullmatch(preference)
        if found:
            return min(int(found[1]), MOST_WAIT_SECONDS)
    return None


async def answer_task(
    core: StoryCore, request: Request[Any], http: HttpRequest, caller: str, threads: anyio.CapacityLimiter
) -> Response:
    """200 with the result, the error of the failed task, or 202 with the task that goes on.

    Some operations answer at once to callers who do not say that they wait; then 200 tells that it was accepted.

    A caller who hangs up changes nothing: what was accepted is done.

    Args:
        core: accepts it.
        request: what is asked.
        http: the call.
        caller: id of its key.
        threads: that tasks are accepted in, and done in while their callers wait; other calls need theirs meanwhile.

    Raises:
        StoryCoreError: the request was refused before it was accepted.
    """
    asked = wanted_wait(http.headers.getlist("prefer"))
    operation = operation_of(type(request))
    at_once = asked is None and operation.accepted
    seconds = 0 if at_once else WAIT_SECONDS if asked is None else asked
    until = time.monotonic() + seconds
    key = idempotency_key(http)
    facts: dict[str, Any] = {
        "id": new_id(),
        **task_facts(request),
        "request_id": http.scope.get("storycore.request_id", ""),
        "traceparent": (http.scope.get("storycore.traceparent") or "")[:64],
        "caller": caller,
        "stay": seconds > 0 and not operation.order,  # what has an order of its own keeps to it
    }

    def submit() -> tuple[TaskStatusResult, bool]:
        return (core.submit(request, **facts), False) if key is None else core.submit_once(request, key, **facts)

    begun = threading.Event()
    with core.listening(facts["id"], begun.set):
        submitted = await _within(submit, seconds, begun, threads)
    if submitted is None:
        submitted = await anyio.to_thread.run_sync(core.run, TaskStatusRequest(task_id=facts["id"])), False
    task = submitted[0]
    if at_once:
        told = load(operation.accepted)(request, task.task_id)
        return succeed(http, told, REPLAYED if submitted[1] else {})
    if task.status in _GOES_ON:
        async with anyio.create_task_group() as group:
            group.start_soon(cancel_when_gone, http.receive, group.cancel_scope)
            task = await _wait(core, task, until)
            group.cancel_scope.cancel()
    applied = {} if asked is None else {"Preference-Applied": f"wait={asked}"}
    return answer_state(http, task, {**(REPLAYED if submitted[1] else {}), **applied})


async def _within(
    work: Callable[[], T], seconds: float, begun: threading.Event, threads: anyio.CapacityLimiter
) -> T | None:
    """What `work` gives in a thread; None if that takes longer and it was `begun`: then it goes on by itself."""
    doing = asyncio.ensure_future(anyio.to_thread.run_sync(work, limiter=threads))
    doing.add_done_callback(lambda ended: ended.cancelled() or ended.exception())  # seen, whoever still waits for it
    await asyncio.wait([doing], timeout=seconds or None)
    while not doing.done() and not begun.is_set():  # it may still be refused
        await asyncio.wait([doing], timeout=_BEGIN_SECONDS)
    return doing.result() if doing.done() else None


def idempotency_key(http: HttpRequest) -> str | None:
    """The key of a call that may come again; two of them are joined to what is none."""
    given = http.headers.getlist("idempotency-key")
    return ", ".join(given) if given else None


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


async def _wait(core: StoryCore, task: TaskStatusResult, until: float) -> TaskStatusResult:
    """The task when it has ended, or as it stands at that time of the monotonic clock."""
    with _listening(core, task.task_id, to_its_end=True) as ended:
        ended.set()  # it may have, before anybody listened
        while task.status in _GOES_ON:
            left = until - time.monotonic()
            if left <= 0 or core.draining:
                break
            await _either(ended, min(LOOK_SECONDS, left))
            task = await anyio.to_thread.run_sync(core.run, TaskStatusRequest(task_id=task.task_id))
    return task


@contextlib.contextmanager
def _listening(core: StoryCore, task_id: str, *, to_its_end: bool = False) -> Iterator[asyncio.Event]:
    """An event that is set when this process does something to the task."""
    happened = asyncio.Event()
    loop = asyncio.get_running_loop()

    def happen() -> None:
        loop.call_soon_threadsafe(happened.set)

    with core.listening(task_id, happen, to_its_end=to_its_end):
        yield happened


async def _either(happened: asyncio.Event, seconds: float) -> None:
    """Waits until it happened, or for that long."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(happened.wait(), seconds)
    happened.clear()
