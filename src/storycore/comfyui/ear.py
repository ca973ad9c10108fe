"""The socket of one run, kept open: it makes things quick and shows progress; it is never the truth."""

import asyncio
import contextlib
import time
from types import TracebackType
from typing import Final, Self

import aiohttp

from storycore.comfyui.client import Client, Unreachable
from storycore.comfyui.wire import Event, Preview, read_event, read_preview
from storycore.errors import StoryCoreError

_FLAGS: Final = {"type": "feature_flags", "data": {"supports_preview_metadata": True}}
_PAUSES: Final = (0.05, 0.2, 0.5, 1.0, 2.0, 5.0)
_MOST_WAITING: Final = 10_000


class Reopened:
    """The socket is open, or open again: whatever was told before is lost."""


Heard = Event | Preview | Reopened


class Ear:
    """Hears what happens to one run.

    Args:
        client: of its server.
        client_id: under which the run was submitted.

    Attributes:
        is_open: whether there is a socket now.
        broke: whether one ever broke.
        heard_at: monotonic instant of the last word.
    """

    def __init__(self, client: Client, client_id: str) -> None:
        self.is_open = False
        self.broke = False
        self.heard_at = time.monotonic()
        self._client, self._client_id = client, client_id
        self._heard: asyncio.Queue[Heard] = asyncio.Queue(_MOST_WAITING)
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._keep_open())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def next(self, seconds: float) -> Heard | None:
        """What comes next; None if nothing comes within that time."""
        if not self._heard.empty():
            return self._heard.get_nowait()
        try:
            return await asyncio.wait_for(self._heard.get(), seconds)
        except TimeoutError:
            return None

    async def reopen(self) -> None:
        """Opens the socket anew: this one may be dead without knowing it."""
        self.heard_at = time.monotonic()
        if self._socket:
            await self._socket.close()

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
        self.is_open, self.heard_at = True, time.monotonic()
        await self._heard.put(Reopened())
        async for message in socket:
            self.heard_at = time.monotonic()
            heard = _read(message)
            if heard is not None:
                await self._heard.put(heard)
        self.broke = True


def _read(message: aiohttp.WSMessage) -> Event | Preview | None:
    if message.type is aiohttp.WSMsgType.TEXT:
        return read_event(message.data)
    return read_preview(message.data) if message.type is aiohttp.WSMsgType.BINARY else None
