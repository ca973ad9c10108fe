"""The engine for many machines: procrastinate, on the Postgres that holds the tasks.

Procrastinate wakes workers by LISTEN and NOTIFY. Its `lock` is not used: the job of a dead worker would block the same
key for good. What belongs to whom is said by our leases alone.
"""

import asyncio
import contextlib
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import procrastinate
from procrastinate.schema import SchemaManager
from sqlalchemy import Connection
from typing_extensions import override

from storycore.errors import Unavailable
from storycore.observe import logging
from storycore.tasks.dispatch.hands import Hands
from storycore.tasks.dispatch.records import JOB, QUEUE, DispatchRecords
from storycore.tasks.engine import Engine
from storycore.tasks.records import TaskRecords
from storycore.tasks.task import Task
from storycore.tasks.worker import Worker

LOOK_SECONDS = 1.0
"""How often waiting tasks are looked for whose job was lost, or whose key has become free."""

_SILENT_SECONDS = 60.0  # procrastinate's workers beat every ten
_AGAIN_SECONDS = 1.0
_FAREWELL_SECONDS = 3.0

log = logging.get(__name__)


class ProcrastinateEngine(Engine):
    """Workers woken by procrastinate.

    Args:
        worker: takes and does tasks.
        records: where tasks stand.
        dispatch: where procrastinate's jobs stand.
        url: of the database, as libpq takes it.
        slots: how many tasks are done at a time.
    """

    def __init__(
        self, worker: Worker, records: TaskRecords, dispatch: DispatchRecords, url: str, *, slots: int
    ) -> None:
        self._worker, self._records, self._dispatch = worker, records, dispatch
        self._url, self._number = url, slots
        self._stopping = threading.Event()
        self._hands = Hands()
        self._pool = ThreadPoolExecutor(slots, thread_name_prefix="storycore-worker")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._job: asyncio.Task[None] | None = None
        self._threads = [
            threading.Thread(target=self._serve, name="storycore-procrastinate", daemon=True),
            threading.Thread(target=self._look, name="storycore-sweep", daemon=True),
        ]
        dispatch.prepare(SchemaManager.get_schema())

    @override
    def reserve(self) -> None:
        """Whoever is free on any machine shall take it."""

    @override
    def unreserve(self) -> None:
        """Nothing was kept."""

    @override
    def do(self, task: Task) -> Task | None:
        return self._worker.do(task)

    @override
    def submit(self, connection: Connection, task: Task) -> None:
        self._dispatch.defer(connection, task)

    @override
    def submitted(self, task: Task) -> None:
        """The database has told the workers."""

    @override
    def wake(self) -> None:
        with contextlib.suppress(RuntimeError):  # it ends
            self._pool.submit(self._work)

    @override
    def cancelled(self, task_id: str) -> None:
        self._worker.cancel(task_id)

    @override
    def run(self) -> None:
        for thread in self._threads:
            thread.start()

    @override
    def stop(self, *, seconds: float) -> None:
        until = time.monotonic() + seconds
        self._stopping.set()
        self._worker.drain()
        if self._loop and self._job:
            with contextlib.suppress(RuntimeError):  # the loop has ended by itself
                self._loop.call_soon_threadsafe(self._job.cancel)
        self._wait(until)
        self._pool.shutdown(wait=False)

    def _wait(self, until: float) -> None:
        """Until the threads have ended: as long as a task is being done, and then for a farewell to the database.

        One that is gone is not waited for. What is left there others clear.
        """
        farewell = float("inf")
        for thread in self._threads:
            while thread.is_alive() and time.monotonic() < min(until, farewell):
                thread.join(0.05)
                if farewell == float("inf") and self._worker.is_idle:
                    farewell = time.monotonic() + _FAREWELL_SECONDS

    def _serve(self) -> None:
        while not self._stopping.is_set():
            try:
                with asyncio.Runner(loop_factory=_loop) as runner:
                    runner.run(self._listen())
            except asyncio.CancelledError:
                return
            except Exception as fault:  # noqa: BLE001 - whatever broke, the next try begins from nothing
                log.warning("dispatch_broke", kind=type(fault).__name__)
            self._stopping.wait(_AGAIN_SECONDS)

    async def _listen(self) -> None:
        """Takes jobs until it is cancelled, or the connection breaks."""
        app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=self._url))

        @app.task(name=JOB, queue=QUEUE, pass_context=True)
        async def work(
            context: procrastinate.JobContext,
            task_id: str,  # noqa: ARG001 - which task comes next is decided by the table
        ) -> None:
            job, worker = context.job.id or 0, context.job.worker_id or 0  # they have both, once they were fetched
            self._hands.take(job, worker)
            doing = self._pool.submit(self._work)
            doing.add_done_callback(lambda _: self._hands.drop(job))  # also if this loop breaks before it has ended
            await asyncio.wrap_future(doing)

        async with app.open_async():
            self._loop, self._job = asyncio.get_running_loop(), asyncio.create_task(self._run(app))
            if self._stopping.is_set():
                self._job.cancel()
            await self._job

    async def _run(self, app: procrastinate.App) -> None:
        await app.run_worker_async(
            queues=[QUEUE], concurrency=self._number, install_signal_handlers=False, listen_notify=True,
            fetch_job_polling_interval=LOOK_SECONDS, delete_jobs="always", shutdown_graceful_timeout=20,
        )  # fmt: skip

    def _work(self) -> None:
        try:
            self._worker.work()
        except Unavailable as fault:
            log.warning("database_does_not_answer", reason=fault.reason.value)

    def _clear(self) -> None:
        """Ends the jobs that other processes have abandoned, and those that this one has left behind."""
        self._dispatch.clear_abandoned(_SILENT_SECONDS)
        left = self._hands.left(self._dispatch.doing(self._hands.workers.copy()))
        if left:
            log.warning("jobs_left_behind", count=len(left))
            self._dispatch.clear(left)

    def _look(self) -> None:
        swept = float("-inf")
        while not self._stopping.wait(LOOK_SECONDS):
            try:
                if time.monotonic() - swept >= self._worker.sweep_seconds:
                    swept = time.monotonic()
                    self._worker.sweep()
                    self._clear()
                if self._records.waits():
                    self._dispatch.offer_again()
            except Unavailable as fault:
                log.warning("database_does_not_answer", reason=fault.reason.value)
            except Exception:
                log.exception("sweep_broke")


def _loop() -> asyncio.AbstractEventLoop:
    """The kind of loop that the driver of Postgres works with; on Windows that is not the usual one."""
    return asyncio.SelectorEventLoop() if sys.platform == "win32" else asyncio.new_event_loop()
