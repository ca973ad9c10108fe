"""Calls with an Idempotency-Key: done once, answered as often as they come.

Source: the IETF draft "The Idempotency-Key HTTP Header Field", with 409 for a key that came with another request.
"""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from storycore.app import App
from storycore.errors import InvalidInput, Reason
from storycore.observe.progress import Progress
from storycore.operations.request import Request, Result
from storycore.operations.run import call as do
from storycore.operations.run import operation_of, submit

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from storycore.replies.records import Call
    from storycore.tasks.task import Task

_KEY = re.compile(r"[\x21-\x7e]{1,255}")


def submit_once(app: App, request: Request[Any], key: str, **facts: Any) -> "tuple[Task, bool]":
    """Long work as a task, and whether it was accepted before for the same key.

    Guarantee: of calls that come with one key, at the same time too, one task is made.

    Raises:
        InvalidInput: idempotency_key_invalid.
        Conflict: idempotency_mismatch.
        StoryCoreError: see `submit`.
    """
    from storycore.replies.records import Taken

    call = _call(app, request, key, facts.get("caller", ""))
    known = app.replies.find(call)
    if known and known.task_id:
        return app.tasks.records.find(known.task_id), True

    def keep(connection: "Connection", task: "Task") -> None:
        app.replies.note(connection, call, task.id)

    try:
        return submit(app, request, also=keep, **facts), False
    except Taken:
        return submit_once(app, request, key, **facts)


def run_once(app: App, request: Request[Any], key: str, caller: str, progress: Progress) -> tuple[dict[str, Any], bool]:
    """The result of short work as JSON, and whether it was given before for the same key.

    Raises:
        InvalidInput: idempotency_key_invalid.
        Conflict: idempotency_mismatch, idempotency_in_progress.
        StoryCoreError: whatever the operation raises; then nothing is kept.
    """
    from storycore.replies.records import Taken

    call = _call(app, request, key, caller)
    known = app.replies.find(call)
    if known and known.data is not None:
        return known.data, True
    try:
        app.replies.begin(call)
    except Taken:
        return run_once(app, request, key, caller, progress)
    try:
        result: Result = do(app, request, progress)
    except BaseException:
        app.replies.forget(call)
        raise
    data: Mapping[str, Any] = result.model_dump(mode="json")
    app.replies.finish(call, data)
    return dict(data), False


def _call(app: App, request: Request[Any], key: str, caller: str) -> "Call":
    from storycore.replies.records import Call, fingerprint

    operation = operation_of(type(request))
    if not _KEY.fullmatch(key):
        raise InvalidInput(
            "An Idempotency-Key has 1 to 255 printable ASCII characters and no spaces.",
            reason=Reason.IDEMPOTENCY_KEY_INVALID,
        )
    if operation.secret:
        raise InvalidInput(
            f"What {operation.name} answers is kept nowhere, so it can't be answered again.",
            reason=Reason.IDEMPOTENCY_KEY_INVALID,
        )
    return Call(
        caller=caller,
        operation=operation.name,
        key=key,
        fingerprint=fingerprint(request.model_dump(mode="json")),
        owner=app.owner,
    )
