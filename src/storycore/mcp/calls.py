"""One call of a tool: read within limits, run, followed for a while, stopped when the agent says so."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

import anyio
import anyio.to_thread
from mcp import types

from storycore.errors import FieldFault, InvalidInput, Reason, StoryCoreError, Unavailable
from storycore.json_text import BadJson, read_strict, write
from storycore.library import StoryCore
from storycore.mcp.answers import answer, refusal, without_secrets
from storycore.mcp.caller import Caller
from storycore.mcp.tools import MOST_WAIT_SECONDS, WAIT_SECONDS, Offer
from storycore.observe.progress import Progress
from storycore.operations.artifact import ArtifactEntry, ArtifactListRequest
from storycore.operations.request import Request
from storycore.operations.run import task_facts
from storycore.operations.task import TaskCancelRequest, TaskStatusRequest, TaskStatusResult, new_id

LOOK_SECONDS: Final = 0.5
"""How often a waiting call looks how far its task is."""

_MOST_LINKS: Final = 20
_GOES_ON: Final = ("pending", "running")

Tell = Callable[[float, str], Awaitable[None]]
"""Tells the agent how much is done (0.0-1.0), and the step."""


async def call(
    core: StoryCore, offer: Offer, arguments: dict[str, Any], caller: Caller, tell: Tell
) -> types.CallToolResult:
    """The answer to one call; errors are answers too.

    When the call is cancelled, so is its work: what was not finished is not kept.
    """
    operation = offer.operation
    try:
        caller.check(operation.scope)
        values = _bounded(arguments, max(core.settings.max_body_bytes, operation.body_bytes), core)
        if operation.long:
            return await _task(core, offer, values, caller, tell)
        request = offer.request_type(**values)
        result = await _run(core, request)
        data, withheld = without_secrets(result.model_dump(mode="json")) if operation.secret else (
            result.model_dump(mode="json"), "")  # fmt: skip
        made = [result] if isinstance(result, ArtifactEntry) else []
        told = answer(operation.name, data, made)
        if withheld:
            told.content.append(types.TextContent(type="text", text=withheld))
    except Exception as fault:  # noqa: BLE001 - agents get words, and the log what was not foreseen
        return refusal(fault)
    else:
        return told


def _bounded(arguments: dict[str, Any], limit: int, core: StoryCore) -> dict[str, Any]:
    """The arguments, if a body by HTTP might hold them."""
    try:
        text = write(arguments, indent=None)
        if len(text.encode(errors="replace")) > limit:
            raise InvalidInput(f"The arguments are larger than {limit} bytes.", reason=Reason.BODY_TOO_LARGE)
        values: dict[str, Any] = read_strict(text, max_depth=core.settings.max_json_depth)
    except (BadJson, ValueError, RecursionError) as fault:
        raise InvalidInput(f"The arguments are not acceptable: {fault}", reason=Reason.MALFORMED_JSON) from None
    return values


async def _run(core: StoryCore, request: Request[Any]) -> Any:
    """Short work, in a thread; it is told to stop when nobody waits for it any more."""
    progress = Progress()
    try:
        return await anyio.to_thread.run_sync(lambda: core.run(request, progress=progress), abandon_on_cancel=True)
    finally:
        progress.cancel()  # does nothing to work that has ended


async def _task(
    core: StoryCore, offer: Offer, values: dict[str, Any], caller: Caller, tell: Tell
) -> types.CallToolResult:
    until = time.monotonic() + _wait_seconds(values)
    request = offer.request_type(**values)
    facts = {"id": new_id(), **task_facts(request), "caller": caller.key_id}
    task = await anyio.to_thread.run_sync(lambda: core.submit(request, **facts))
    try:
        task = await _follow(core, task, until, tell)
    except asyncio.CancelledError:
        with anyio.CancelScope(shield=True), contextlib.suppress(StoryCoreError):  # it may have ended by itself
            if not core.draining:
                await anyio.to_thread.run_sync(core.run, TaskCancelRequest(task_id=task.task_id))
        raise
    fault = task.fault()
    if fault is not None:
        raise fault
    data = {name: getattr(task, name) for name in ("task_id", "status", "progress", "step", "result")}
    made = await _made(core, task.task_id) if task.status == "completed" else []
    return answer(offer.operation.name, data, made)


def _wait_seconds(values: dict[str, Any]) -> int:
    """Takes `wait_seconds` out of the arguments; it is the call's own, not the operation's."""
    wanted = values.pop("wait_seconds", WAIT_SECONDS)
    if isinstance(wanted, bool) or not isinstance(wanted, int):
        reason, words = Reason.WRONG_TYPE, "a whole number is needed"
    elif not 0 <= wanted <= MOST_WAIT_SECONDS:
        reason, words = Reason.OUT_OF_RANGE, f"must be from 0 to {MOST_WAIT_SECONDS}"
    else:
        return wanted
    fault = FieldFault("/wait_seconds", reason, words)
    raise InvalidInput(f"wait_seconds: {words}", reason=reason, errors=[fault])


async def _follow(core: StoryCore, task: TaskStatusResult, until: float, tell: Tell) -> TaskStatusResult:
    """The task when it has ended, or as it stands at that time of the monotonic clock; tells each change meanwhile."""
    told: tuple[float, str] | None = None
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()

    def end() -> None:
        loop.call_soon_threadsafe(ended.set)

    with core.listening(task.task_id, end, to_its_end=True):
        while True:
            with contextlib.suppress(Unavailable):  # it was accepted and goes on, whether or not we can see it
                task = await anyio.to_thread.run_sync(core.run, TaskStatusRequest(task_id=task.task_id))
            if told != (task.progress, task.step):
                told = (task.progress, task.step)
                await tell(*told)
            left = until - time.monotonic()
            if task.status not in _GOES_ON or left <= 0 or core.draining:
                return task
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), min(LOOK_SECONDS, left))
            ended.clear()


async def _made(core: StoryCore, task_id: str) -> list[ArtifactEntry]:
    page = await anyio.to_thread.run_sync(core.run, ArtifactListRequest(task_id=task_id, limit=_MOST_LINKS))
    return page.items
