"""One thread with one event loop, in which this process talks to all of its ComfyUI servers.

A loop for each run would need connections, sockets and threads of its own; here runs share them.
"""

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

T = TypeVar("T")

_END_SECONDS: Final = 5.0
_STEP_SECONDS: Final = 1.0


class Exchange:
    """The loop; its thread begins with the first work."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What `work` gives, done in the loop while this thread waits; the context of this thread goes with it.

        If this thread is interrupted, the work is cancelled.

        Raises:
            BaseException: whatever `work` raises.
        """
        future = asyncio.run_coroutine_threadsafe(work, self._running())
        try:
            while not future.done():  # in steps, since Windows hears of Ctrl-C only between waits
                concurrent.futures.wait([future], _STEP_SECONDS)
        except BaseException:
            future.cancel()
            raise
        return future.result()

    def close(self, last: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Ends what is still going on, does `last`, and ends the thread."""
        with self._lock:
            loop, thread, self._loop, self._thread = self._loop, self._thread, None, None
        if loop is None or thread is None:
            return
        asyncio.run_coroutine_threadsafe(_end(loop, last), loop)
        thread.join(2 * _END_SECONDS)

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=_serve, args=(self._loop,), name="storycore-comfyui", daemon=True
                )
                self._thread.start()
            return self._loop


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    """The thread: serves the loop until it is stopped."""
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
        loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        asyncio.set_event_loop(None)
        loop.close()


async def _end(loop: asyncio.AbstractEventLoop, last: Callable[[], Coroutine[Any, Any, None]]) -> None:
    try:
        going_on = asyncio.all_tasks() - {asyncio.current_task()}
        for task in going_on:
            task.cancel()
        if going_on:
            await asyncio.wait(going_on, timeout=_END_SECONDS)
        await last()
    finally:
        loop.stop()
