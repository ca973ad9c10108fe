"""The socket to a server: it makes things quick and shows progress; it is never the truth.

A prompt's messages go to the client id that it was posted with, so one socket serves every run that goes by the same.
"""

import asyncio
import contextlib
import time
from collections import deque
from types import TracebackType
from typing import Final, Self

import aiohttp

from storycore.comfyui.client import Client, Unreachable
from storycore.comfyui.wire import Event, Preview, read_event, read_preview
from storycore.errors import StoryCoreError

_FLAGS: Final = {"type": "feature_flags", "data": {"supports_preview_metadata": True}}
_PAUSES: Final = (0.05, 0.2, 0.5, 1.0, 2.0, 5.0)
_LINGER_SECONDS: Final = 10.0
"""How long a socket that nobody listens to stays open: the next run is often near."""
_MOST_WAITING: Final = 1000


class Reopened:
    """The socket is open, or open again, or too much came at once: what was told before may be lost."""


Heard = Event | Preview | Reopened


class Socket:
    """The socket for one client id, open while anybody listens, and a little longer.

    Args:
        client: of its server.
        client_id: under which runs are submitted.

    Attributes:
        is_open: whether it is open now.
        breaks: how often it broke.
        heard_at: monotonic instant of the last word.
    """

    def __init__(self, client: Client, client_id: str) -> None:
        self.is_open = False
        self.breaks = 0
        self.heard_at = time.monotonic()
        self._client, self._client_id = client, client_id
        self._ears: list[Ear] = []
        self._about = ""
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._task: asyncio.Task[None] | None = None
        self._closing: asyncio.TimerHandle | None = None

    def join(self, ear: "Ear") -> None:
        """From now on `ear` hears what is said of its run."""
        self._ears.append(ear)
        if self._closing:
            self._closing.cancel()
            self._closing = None
        if self._task is None:
            self._task = asyncio.create_task(self._keep_open())

    def leave(self, ear: "Ear") -> None:
        """`ear` hears no more."""
        self._ears.remove(ear)
        if not self._ears:
            self._closing = asyncio.get_running_loop().call_later(_LINGER_SECONDS, self._close)

    async def reopen(self) -> None:
        """Opens it anew: it may be dead without knowing it."""
        self.heard_at = time.monotonic()
        if self._socket:
            await self._socket.close()

    def _close(self) -> None:
        self._closing = None
        if self._task and not self._ears:
            self._task.cancel()
            self._task = None

    async def _keep_open(self) -> None:
        pauses = iter(_PAUSES)
        while True:
            try:
                self._socket = await self._client.listen(self._client_id)
            except (Unreachable, StoryCoreError):
                await asyncio.sleep(next(pauses, _PAUSES[-1]))
                continue
            pauses = iter(_PAUSES)
            try:
                await self._listen(self._socket)
            finally:
                self.is_open = False
                await self._socket.close()
            await asyncio.sleep(next(pauses))

    async def _listen(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        with contextlib.suppress(ConnectionError):
            await socket.send_json(_FLAGS)  # must be the first word, or it is not heeded
        self.is_open, self.heard_at, self._about = True, time.monotonic(), ""
        for ear in self._ears:
            ear.hear(Reopened())
        async for message in socket:
            self.heard_at = time.monotonic()
            heard = _read(message)
            if heard is not None:
                self._pass_on(heard)
        self.breaks += 1

    def _pass_on(self, heard: Event | Preview) -> None:
        """Gives a message to the run that it is about; old pictures do not say, and are of the run that runs."""
        if isinstance(heard, Event) and heard.prompt_id:
            self._about = heard.prompt_id
        prompt_id = heard.prompt_id or (self._about if isinstance(heard, Preview) else "")
        for ear in self._ears:
            if ear.prompt_id == prompt_id:
                ear.hear(heard)


class Ear:
    """Hears what happens to one run.

    Args:
        socket: that its server speaks over.
        prompt_id: what the server knows it by; may be set anew when the server chooses another.
    """

    def __init__(self, socket: Socket, prompt_id: str) -> None:
        self.prompt_id = prompt_id
        self._socket, self._breaks = socket, socket.breaks
        self._heard: deque[Heard] = deque()
        self._waiter: asyncio.Future[None] | None = None

    @property
    def is_open(self) -> bool:
        """Whether there is a socket now."""
        return self._socket.is_open

    @property
    def broke(self) -> bool:
        """Whether it ever broke while this run listened."""
        return self._socket.breaks > self._breaks

    @property
    def heard_at(self) -> float:
        """Monotonic instant of the last word over the socket, about whatever."""
        return self._socket.heard_at

    async def reopen(self) -> None:
        """Opens the socket anew: it may be dead without knowing it."""
        await self._socket.reopen()

    async def __aenter__(self) -> Self:
        self._socket.join(self)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.leave(self)

    def hear(self, heard: Heard) -> None:
        """Something was said; if too much waits to be taken in, all of it is forgotten."""
        if len(self._heard) >= _MOST_WAITING:
            self._heard.clear()
            heard = Reopened()
        self._heard.append(heard)
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(None)

    async def next(self, seconds: float) -> Heard | None:
        """What comes next; None if nothing comes within that time."""
        if not self._heard:
            loop = asyncio.get_running_loop()
            waiter = self._waiter = loop.create_future()
            alarm = loop.call_later(seconds, _wake, waiter)
            try:
                await waiter
            finally:
                alarm.cancel()
                self._waiter = None
        return self._heard.popleft() if self._heard else None


def _wake(waiter: "asyncio.Future[None]") -> None:
    if not waiter.done():
        waiter.set_result(None)


def _read(message: aiohttp.WSMessage) -> Event | Preview | None:
    if message.type is aiohttp.WSMsgType.TEXT:
        return read_event(message.data)
    return read_preview(message.data) if message.type is aiohttp.WSMsgType.BINARY else None
