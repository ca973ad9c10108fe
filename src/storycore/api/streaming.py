"""A product streamed as it is made: no envelope, no length, its digest behind it; a failure cuts the connection."""

import contextlib
import re
from typing import Any, BinaryIO, cast

import anyio
import anyio.from_thread
import anyio.to_thread
from anyio.abc import ObjectReceiveStream, ObjectSendStream
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from typing_extensions import Buffer, override

from storycore.api.answers import fail
from storycore.api.trailer import TRAILER
from storycore.errors import Cancelled, StoryCoreError
from storycore.library import StoryCore
from storycore.observe.progress import Progress
from storycore.operations.request import Request

ZIP = "application/zip"
_REFUSED = re.compile(r"q=0(?:\.0*)?$")
_CHUNK_BYTES = 256 * 1024


def wants_zip(accept: str) -> bool:
    """Whether an Accept header names application/zip and does not rule it out."""
    parts = [[word.strip().lower() for word in part.split(";")] for part in accept.split(",")]
    return any(part[0] == ZIP and not any(_REFUSED.match(word) for word in part[1:]) for part in parts)


class ProductStream(Response):
    """Sends what `core.stream` writes.

    A refusal before the first byte is an ordinary error answer. When the caller hangs up, the work is cancelled.
    """

    def __init__(self, core: StoryCore, request: Request[Any]) -> None:
        super().__init__(media_type=ZIP)
        self._core = core
        self._request = request

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        progress = Progress()
        writing, reading = anyio.create_memory_object_stream[bytes](4)
        fault: StoryCoreError | None = None

        async def make() -> None:
            nonlocal fault
            try:
                await anyio.to_thread.run_sync(self._make, writing, progress)
            except StoryCoreError as met:
                fault = met
            except (anyio.BrokenResourceError, anyio.ClosedResourceError):
                fault = Cancelled("The caller hung up.")
            finally:
                await writing.aclose()

        gone = False

        async def watch() -> None:
            nonlocal gone
            while (await receive())["type"] != "http.disconnect":
                pass
            gone = True
            progress.cancel()
            await reading.aclose()

        with reading, writing:
            async with anyio.create_task_group() as group:
                group.start_soon(make)
                group.start_soon(watch)
                begun = await self._send(reading, send)
                if not begun and fault:
                    await fail(HttpRequest(scope, receive), fault)(scope, receive, send)
                elif not fault:
                    await send({"type": "http.response.body", "body": b""})
                group.cancel_scope.cancel()
        if begun and fault and not gone:
            raise fault  # the answer has begun: only a cut connection tells the caller that it is not whole

    def _make(self, writing: ObjectSendStream[bytes], progress: Progress) -> None:
        pipe = _Pipe(writing)
        self._core.stream(self._request, cast("BinaryIO", pipe), progress=progress)
        pipe.flush()

    async def _send(self, reading: ObjectReceiveStream[bytes], send: Send) -> bool:
        """Passes all chunks on; gives whether there was one. The last chunk is left open if the work failed."""
        begun = False
        with contextlib.suppress(anyio.ClosedResourceError):  # the caller hung up
            async for chunk in reading:
                if not begun:
                    headers = [(b"content-type", ZIP.encode()), (b"content-disposition", b"attachment"), TRAILER]
                    await send({"type": "http.response.start", "status": 200, "headers": headers})
                    begun = True
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        return begun


class _Pipe:
    """A sink that can't seek: gathers small writes, and waits while the caller is slow."""

    def __init__(self, writing: ObjectSendStream[bytes]) -> None:
        self._writing = writing
        self._gathered = bytearray()

    def seekable(self) -> bool:
        """No."""
        return False

    def write(self, data: Buffer, /) -> int:
        """Takes all of it."""
        view = memoryview(data).cast("B")
        self._gathered += view
        if len(self._gathered) >= _CHUNK_BYTES:
            self.flush()
        return len(view)

    def flush(self) -> None:
        """Sends what was gathered."""
        if self._gathered:
            anyio.from_thread.run(self._writing.send, bytes(self._gathered))
            self._gathered.clear()
