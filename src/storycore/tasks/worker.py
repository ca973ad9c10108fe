"""Takes waiting tasks and does them, one by one, in whatever thread calls."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from storycore.database.owner import new_owner
from storycore.errors import StoryCoreError
from storycore.observe import logging
from storycore.observe.progress import Progress
from storycore.tasks.attempt import Attempt
from storycore.tasks.keeper import Keeper
from storycore.tasks.news import News
from storycore.tasks.records import TaskRecords
from storycore.tasks.sweep import Sweep
from storycore.tasks.task import Outcome, Status, Task

Work = Callable[[Mapping[str, Any], Progress], Outcome]

log = logging.get(__name__)


class Watch(Protocol):
    """Whoever counts what a worker does."""

    def started(self, task: Task) -> None:
        """A task begins here."""

    def ended(self, task: Task, status: Status, seconds: float, result: Mapping[str, Any]) -> None:
        """It has ended here, after that time; `result` is empty if it was not completed."""


class Worker:
    """Does tasks of known kinds, and sweeps up after processes that died.

    Args:
        records: where tasks stand.
        news: hears of what happens to them.
        kinds: what to do for each kind.
        lease_seconds: a task whose process is silent for that long is offered again.
        watch: is told of each task that begins and ends here; None for nobody.
    """

    def __init__(
        self,
        records: TaskRecords,
        news: News,
        kinds: Mapping[str, Work],
        *,
        lease_seconds: float,
        watch: "Watch | None" = None,
    ) -> None:
        self.owner = new_owner()
        self.sweep_seconds = lease_seconds / 4
        self._records, self._news, self._kinds, self._watch = records, news, kinds, watch
        self._keeper = Keeper(records, self.owner, beat_seconds=min(1.0, lease_seconds / 5))
        self._sweep = Sweep(records, lease_seconds=lease_seconds)
        self._running: dict[str, Attempt] = {}
        self._lock = threading.Lock()
        self._draining = threading.Event()

    def work(self) -> bool:
        """Takes the task that comes next and does it to its end; False if none waits, or none is to be taken.

        Raises:
            Unavailable: the database does not answer.
        """
        if self._draining.is_set():
            return False
        task = self._records.claim(self.owner, self._kinds)
        if task is None:
            return False
        self.do(task)
        return True

    def do(self, task: Task) -> None:
        """Does a task that was claimed for `owner`, to its end."""
        attempt = Attempt(self._records, self._news, self._keeper, task)
        with self._lock:
            self._running[task.id] = attempt
            if self._draining.is_set():
                attempt.give_back()
        self._news.tell(task.id, goes_on=True)
        try:
            self._watched(attempt, task)
        finally:
            with self._lock:
                del self._running[task.id]

    def _watched(self, attempt: Attempt, task: Task) -> None:
        begun = time.monotonic()
        if self._watch:
            self._watch.started(task)
        try:
            self._run(attempt, task)
        finally:
            if self._watch and attempt.status:
                self._watch.ended(task, attempt.status, time.monotonic() - begun, attempt.result)

    def _run(self, attempt: Attempt, task: Task) -> None:
        with logging.bound(request_id=task.request_id):
            try:
                attempt.run(lambda progress: self._kinds[task.kind](task.request, progress), lambda outcome: outcome)
            except StoryCoreError as fault:
                log.info("task_ended", task_id=task.id, kind=task.kind, reason=fault.reason.value)
            except Exception:  # noqa: BLE001 - it was logged by `Attempt`; this worker goes on with the next task
                log.info("task_ended", task_id=task.id, kind=task.kind, reason="unexpected")
            else:
                log.info("task_ended", task_id=task.id, kind=task.kind, reason="")

    def sweep(self) -> list[Task]:
        """Takes tasks from processes that died, see `Sweep`."""
        taken = self._sweep.sweep()
        for task in taken:
            self._news.tell(task.id)
        return taken

    def cancel(self, task_id: str) -> None:
        """Stops a task at once, if it runs here."""
        with self._lock:
            attempt = self._running.get(task_id)
        if attempt:
            attempt.cancel()

    def drain(self) -> None:
        """Takes no more tasks, and gives back those that run."""
        with self._lock:
            self._draining.set()
            attempts = list(self._running.values())
        for attempt in attempts:
            attempt.give_back()
