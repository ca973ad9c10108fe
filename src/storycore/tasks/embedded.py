"""The engine inside `serve`: threads of this process, woken at once when a task is submitted here."""

import threading
import time
from datetime import datetime

from sqlalchemy import Connection
from typing_extensions import override

from storycore.errors import Unavailable
from storycore.observe import logging
from storycore.tasks.engine import Engine
from storycore.tasks.records import TaskRecords
from storycore.tasks.task import Task
from storycore.tasks.worker import Worker
from storycore.units import now

LOOK_SECONDS = 1.0
"""How often tasks are looked for that came without a word: those of other processes, and those now due."""

log = logging.get(__name__)


class EmbeddedEngine(Engine):
    """Workers in threads.

    Args:
        worker: takes and does tasks.
        records: where tasks stand.
        slots: how many tasks are done at a time.
        more: further ones, for tasks that mostly wait; the worker says which.
    """

    def __init__(self, worker: Worker, records: TaskRecords, *, slots: int, more: int = 0) -> None:
        self._worker, self._records, self._more = worker, records, more
        self._called = threading.Condition()
        self._calls = self._idle = self._kept = 0
        self._stopping = threading.Event()
        self._slots = [
            threading.Thread(target=self._work, name=f"storycore-worker-{number}", daemon=True)
            for number in range(slots + more)
        ]
        self._watch = threading.Thread(target=self._look, name="storycore-sweep", daemon=True)

    @override
    def submit(self, connection: Connection, task: Task) -> None:
        """Nothing stands beside the table of tasks."""

    @override
    def reserve(self) -> str | None:
        with self._called:
            if self._stopping.is_set() or self._calls or self._idle - self._more <= self._kept:
                return None
            self._kept += 1
            return self._worker.owner

    @override
    def unreserve(self) -> None:
        with self._called:
            self._kept -= 1
            if self._worker.turns_away:
                self._calls = max(1, self._calls)
            if self._calls or self._stopping.is_set():  # waking a slot for nothing takes longer than many a task
                self._called.notify_all()

    @override
    def do(self, task: Task) -> Task | None:
        return self._worker.do(task)

    @override
    def submitted(self, task: Task) -> None:
        if task.not_before is None and self._worker.may_begin(task.kind):
            self._call(1)

    @override
    def wake(self) -> None:
        self._call(1)

    @override
    def cancelled(self, task_id: str) -> None:
        self._worker.cancel(task_id)

    @override
    def run(self) -> None:
        for thread in (*self._slots, self._watch):
            thread.start()

    @override
    def stop(self, *, seconds: float) -> None:
        until = time.monotonic() + seconds
        with self._called:
            self._stopping.set()
            self._called.notify_all()
        self._worker.drain()
        with self._called:
            self._called.wait_for(lambda: not self._kept, seconds)
        for thread in (*self._slots, self._watch):
            if thread.is_alive():
                thread.join(max(0.0, until - time.monotonic()))

    def _work(self) -> None:
        """One slot: as long as there are tasks it takes them, then it waits for word."""
        while not self._stopping.is_set():
            self._wait_for_call()
            try:
                called = True
                while not self._stopping.is_set() and self._worker.work(called=called):
                    called = False
            except Unavailable as fault:
                log.warning("database_does_not_answer", reason=fault.reason.value)
            except Exception:
                log.exception("worker_broke")  # a slot must not end while the server runs

    def _call(self, count: int) -> None:
        """Wakes slots; calls that find none idle are not heaped up, since a busy slot looks before it waits again."""
        with self._called:
            self._calls = min(len(self._slots), self._calls + count)
            self._called.notify(count)

    def _wait_for_call(self) -> None:
        with self._called:
            self._idle += 1
            self._called.wait_for(lambda: self._stopping.is_set() or (self._calls and self._idle > self._kept))
            self._idle -= 1
            self._calls = max(0, self._calls - 1)

    def _look(self) -> None:
        swept = float("-inf")
        while not self._stopping.wait(self._pause()):
            try:
                if time.monotonic() - swept >= self._worker.sweep_seconds:
                    swept = time.monotonic()
                    self._worker.sweep()
                if self._records.waits():
                    self._call(len(self._slots))
            except Unavailable as fault:
                log.warning("database_does_not_answer", reason=fault.reason.value)
            except Exception:
                log.exception("sweep_broke")

    def _pause(self) -> float:
        """Until the next look: less if a task comes due before."""
        try:
            due: datetime | None = self._records.next_due()
        except Unavailable:
            return LOOK_SECONDS
        left = LOOK_SECONDS if due is None else (due - now()).total_seconds()
        return min(LOOK_SECONDS, max(0.01, left))
