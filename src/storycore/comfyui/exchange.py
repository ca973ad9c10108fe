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
        self._thread: _Thread | None = None

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What `work` gives, done in the loop while this thread waits; the context of this thread goes with it.

        If this thread is interrupted, the work is cancelled.

        Raises:
            BaseException: whatever `work` raises.
        """
        with self._lock:  # what was handed over before the end is ended with the rest, never left waiting
            if self._thread is None:
                self._thread = _Thread()
            future = asyncio.run_coroutine_threadsafe(work, self._thread.loop)
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
            thread, self._thread = self._thread, None
        if thread is not None:
            thread.end(last)


class _Thread:
    """The thread.

    Attributes:
        loop: that it serves until it is ended.
    """

    def __init__(self) -> None:
        runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        self.loop = runner.get_loop()
        self._last: asyncio.Future[Callable[[], Coroutine[Any, Any, None]]] = self.loop.create_future()
        self._thread = threading.Thread(target=self._serve, args=(runner,), name="storycore-comfyui", daemon=True)
        self._thread.start()

    def end(self, last: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Ends what goes on, does `last`, and is over."""
        self.loop.call_soon_threadsafe(self._last.set_result, last)
        self._thread.join(2 * _END_SECONDS)

    def _serve(self, runner: asyncio.Runner) -> None:
        with runner:
            runner.run(self._until_ended())

    async def _until_ended(self) -> None:
        last = await self._last
        going_on = asyncio.all_tasks() - {asyncio.current_task()}
        for task in going_on:
            task.cancel()
        if going_on:
            await asyncio.wait(going_on, timeout=_END_SECONDS)
        await last()
