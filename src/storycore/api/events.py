"""Events sent while they happen: Server-Sent Events that a caller can take up again where it lost them.

Source: the HTML standard, "Server-sent events".
"""

import re
from collections.abc import AsyncIterator
from typing import Any

import anyio
from anyio.abc import ObjectReceiveStream, ObjectSendStream
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from typing_extensions import override

from storycore.api.connection import cancel_when_gone
from storycore.errors import FieldFault, InvalidInput, Reason, StoryCoreError
from storycore.json_text import write
from storycore.observe import logging

RETRY_MS = 2000
KEEP_ALIVE_SECONDS = 15.0
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_ID = re.compile(r"[0-9]{1,18}")
_WAITING = 16
_HEADERS = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
]

log = logging.get(__name__)

Event = tuple[int, str, dict[str, Any]]
"""Its id, higher than that of any event before it; its name; its data."""


class EventStream(Response):
    """Sends events as they come, and `event: end` after the last.

    A comment is sent after each silence of `keep_alive_seconds`, so that nothing between the two ends takes the
    connection for dead. The iterator is closed in any case: at its end, when the caller hangs up, and when it fails.
    If it fails, no `end` is sent, so the caller comes back with the id that it saw last; a `StoryCoreError` is an
    ordinary way to say so (the server stops), anything else is a fault of ours and cuts the connection.

    The answer begins at once: whatever can be refused must have been refused before.
    """

    def __init__(self, events: AsyncIterator[Event], *, keep_alive_seconds: float = KEEP_ALIVE_SECONDS) -> None:
        super().__init__(media_type="text/event-stream")
        self._events = events
        self._keep_alive = keep_alive_seconds

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            fault = await self._stream(receive, send)
        finally:
            close = getattr(self._events, "aclose", None)
            if close:
                with anyio.CancelScope(shield=True):
                    await close()
        if fault:
            raise fault

    async def _stream(self, receive: Receive, send: Send) -> Exception | None:
        """Sends it all; gives the fault that broke it off."""
        writing, reading = anyio.create_memory_object_stream[bytes](_WAITING)
        fault: Exception | None = None

        async def make() -> None:
            nonlocal fault
            async with writing:
                try:
                    await self._write(writing)
                except StoryCoreError as met:
                    log.info("event_stream_ended_early", reason=met.reason.value)
                except Exception as met:  # noqa: BLE001 - given back, outside the group that would wrap it
                    fault = met

        with reading:
            async with anyio.create_task_group() as group:
                group.start_soon(make)
                group.start_soon(cancel_when_gone, receive, group.cancel_scope)
                await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
                await self._send(reading, send)
                if not fault:
                    await send({"type": "http.response.body", "body": b""})
                group.cancel_scope.cancel()
        return fault

    async def _write(self, writing: ObjectSendStream[bytes]) -> None:
        async for number, name, data in self._events:
            await writing.send(frame(name, data, number=number))
        await writing.send(frame("end", {}))

    async def _send(self, reading: ObjectReceiveStream[bytes], send: Send) -> None:
        text = f"retry: {RETRY_MS}\n\n".encode()
        while True:
            await send({"type": "http.response.body", "body": text, "more_body": True})
            text = b": keep-alive\n\n"
            try:
                with anyio.move_on_after(self._keep_alive):
                    text = await reading.receive()
            except anyio.EndOfStream:
                return


def frame(name: str, data: dict[str, Any], *, number: int | None = None) -> bytes:
    """One event as it is sent; without a number the caller keeps the id that it has.

    Raises:
        ValueError: the name is none, or the data is not JSON.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of an event")
    lead = "" if number is None else f"id: {number}\n"
    # JSON holds no line break, so data is always one line.
    text = f"{lead}event: {name}\ndata: {write(data, indent=None)}\n"
    return text.encode(errors="backslashreplace")


def after_of(http: HttpRequest) -> int:
    """The id that events are wanted after: the Last-Event-ID header, else `?after=`, else 0.

    Raises:
        InvalidInput: out_of_range: not a whole number from 0; duplicate_key: it is given twice.
    """
    given = http.headers.getlist("last-event-id") or http.query_params.getlist("after") or ["0"]
    if len(given) > 1:
        raise InvalidInput("The id to go on after is given twice.", reason=Reason.DUPLICATE_KEY)
    if not _ID.fullmatch(given[0]):
        fault = FieldFault("/after", Reason.OUT_OF_RANGE, "a whole number from 0 is needed")
        raise InvalidInput(
            "The id to go on after must be a whole number from 0.", reason=Reason.OUT_OF_RANGE, errors=[fault]
        )
    return int(given[0])
