"""Pages that go on while somebody looks: their changing part, sent again whenever it is another one.

However many look at the same page, it is made once a second; nothing is made while nobody looks.

Source: the HTML standard, "Server-sent events".
"""

import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Final

import anyio
import anyio.to_thread
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send
from typing_extensions import override

from storycore.dashboard.answering import Answering
from storycore.dashboard.page import Page, Place
from storycore.dashboard.visit import Visit
from storycore.errors import StoryCoreError

EVERY_SECONDS: Final = 1.0
KEEP_ALIVE_SECONDS: Final = 15.0
MOST_SECONDS: Final = 600.0
"""Then the browser comes back by itself, and whether its key still opens is looked at anew."""

_END: Final = b"event: end\ndata: {}\n\n"
_HEADERS: Final = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
]


@dataclass(slots=True)
class _Channel:
    """One page that is looked at."""

    lock: anyio.Lock = field(default_factory=anyio.Lock)
    made_at: float = float("-inf")
    frame: bytes = b""
    ended: bool = False
    viewers: int = 0


class Watching:
    """Makes pages anew for those who look at them.

    Args:
        answering: makes their changing part.
        threads: that pages are made in.
        is_over: whether the server is about to stop.
    """

    def __init__(self, answering: Answering, threads: anyio.CapacityLimiter, *, is_over: Callable[[], bool]) -> None:
        self._answering, self._threads, self._is_over = answering, threads, is_over
        self._channels: dict[tuple[str, str, frozenset[str]], _Channel] = {}

    async def follow(self, place: Place, visit: Visit) -> Response:
        """The page's part now and whenever it is another one, to its end.

        Raises:
            StoryCoreError: the page can't be made at all.
        """
        key = (visit.here, visit.address, visit.scopes)
        channel = self._channels.get(key) or _Channel()
        await self._renew(channel, place, visit)
        channel = self._channels.setdefault(key, channel)

        async def frames() -> AsyncIterator[bytes]:
            channel.viewers += 1
            last, told_at, begun = b"", time.monotonic(), time.monotonic()
            try:
                while not self._is_over() and time.monotonic() - begun < MOST_SECONDS:
                    with contextlib.suppress(StoryCoreError):  # a moment without the database; it may come back
                        await self._renew(channel, place, visit)
                    if channel.frame != last:
                        last, told_at = channel.frame, time.monotonic()
                        yield last
                    elif time.monotonic() - told_at > KEEP_ALIVE_SECONDS:
                        told_at = time.monotonic()
                        yield b": keep-alive\n\n"
                    if channel.ended:
                        yield _END
                        return
                    await anyio.sleep(EVERY_SECONDS)
            finally:
                channel.viewers -= 1
                if not channel.viewers:
                    self._channels.pop(key, None)

        return _Stream(frames())

    async def _renew(self, channel: _Channel, place: Place, visit: Visit) -> None:
        """Makes the page's part anew, unless somebody just has."""
        async with channel.lock:
            if time.monotonic() - channel.made_at < EVERY_SECONDS * 0.9:
                return
            text, ended = await anyio.to_thread.run_sync(self._make, place, visit, limiter=self._threads)
            channel.frame, channel.ended = frame(text), ended
            channel.made_at = time.monotonic()

    def _make(self, place: Place, visit: Visit) -> tuple[str, bool]:
        page = place.answer(visit)
        assert isinstance(page, Page)  # noqa: S101 - only pages are watched
        return self._answering.live(visit, page), page.ended or not page.live


class _Stream(Response):
    """Sends frames as they come, until their end or until the caller hangs up."""

    def __init__(self, frames: AsyncIterator[bytes]) -> None:
        super().__init__(media_type="text/event-stream")
        self._frames = frames

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with anyio.create_task_group() as group:

            async def watch() -> None:
                while (await receive())["type"] != "http.disconnect":
                    pass
                group.cancel_scope.cancel()

            group.start_soon(watch)
            await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            async with contextlib.aclosing(self._frames) as frames:  # type: ignore[type-var]  # it is a generator
                async for one in frames:
                    await send(_body(one))
            await send({"type": "http.response.body", "body": b""})
            group.cancel_scope.cancel()


def frame(text: str) -> bytes:
    """A text as one unnamed message."""
    lines = "".join(f"data: {line}\n" for line in text.splitlines())
    return f"{lines}\n".encode(errors="replace")


def _body(content: bytes) -> Message:
    return {"type": "http.response.body", "body": content, "more_body": True}
