"""Takes waiting tasks and does them, one by one, in whatever thread calls."""

import threading
import time
from collections.abc import Callable, Collection, Mapping
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
from storycore.tasks.task import Outcome, Task

Work = Callable[[Mapping[str, Any], Progress], Outcome]

Admit = Callable[[Mapping[str, str]], Collection[str]]
"""The tasks that run here, id → kind → the kinds of which another may begin here now."""

log = logging.get(__name__)


class Watch(Protocol):
    """Whoever counts what a worker does."""

    def started(self, task: Task) -> None:
        """A task begins here."""

    def ended(self, task: Task, seconds: float) -> None:
        """It has ended here, after that time, as it stands there."""


class Worker:
    """Does tasks of known kinds, and sweeps up after processes that died.

    Args:
        records: where tasks stand.
        news: hears of what happens to them.
        kinds: what to do for each kind.
        lease_seconds: a task whose process is silent for that long is offered again.
        watch: is told of each task that begins and ends here; None for nobody.
        admit: says which kinds may begin now; None for all.

    Attributes:
        owner: name that it claims tasks by.
        sweep_seconds: how often it should sweep.
        turns_away: whether tasks of some kinds had to wait when it looked last, though a thread was free.
    """

    def __init__(  # noqa: PLR0913 - all that a worker stands on
        self,
        records: TaskRecords,
        news: News,
        kinds: Mapping[str, Work],
        *,
        lease_seconds: float,
        watch: "Watch | None" = None,
        admit: Admit | None = None,
    ) -> None:
        self.owner = new_owner()
        self.sweep_seconds = lease_seconds / 4
        self._records, self._news, self._kinds, self._watch = records, news, kinds, watch
        self._admit = admit
        self._claiming = threading.Lock()
        self.turns_away = False
        self._heard = 0  # how often it was said that a task may wait that nobody was called for
        self._nothing_of: tuple[int, frozenset[str]] = 0, frozenset()
        self._keeper = Keeper(records, self.owner, beat_seconds=min(1.0, lease_seconds / 5))
        self._sweep = Sweep(records, lease_seconds=lease_seconds)
        self._running: dict[str, Attempt] = {}
        self._lock = threading.Lock()
        self._draining = threading.Event()

    @property
    def is_idle(self) -> bool:
        """Whether no task is being done."""
        return not self._running

    def work(self, *, called: bool = True) -> bool:
        """Takes the task that comes next and does it to its end; False if none waits, or none is to be taken.

        Args:
            called: whether somebody said that one may wait; if not, and nothing was found before, none is looked for.

        Raises:
            Unavailable: the database does not answer.
        """
        if self._draining.is_set():
            return False
        attempt = self._claim(called=called)
        if attempt is None:
            return False
        self._do(attempt)
        return True

    def do(self, task: Task) -> Task | None:
        """Does a task that was claimed for `owner`, to its end; gives it as it ended.

        None if it waits again, or is another process's, or its end could not be recorded.
        """
        attempt = self._take(task)
        self._do(attempt)
        return attempt.ended

    def may_begin(self, kind: str) -> bool:
        """Whether a task of a kind that was accepted just now may begin here; if not, it is found when one may."""
        self._heard += 1
        return kind in self._admitted()

    def _claim(self, *, called: bool) -> Attempt | None:
        """An attempt at the task that comes next; one thread at a time, so that each counts what others took."""
        with self._claiming:
            kinds, heard = self._admitted(), self._heard
            if not called and (heard, True) == (self._nothing_of[0], kinds <= self._nothing_of[1]):
                return None
            task = self._records.claim(self.owner, kinds) if kinds else None
            self._nothing_of = heard, kinds if task is None else frozenset()
            self.turns_away = task is None and len(kinds) < len(self._kinds)
            return None if task is None else self._take(task)

    def _admitted(self) -> frozenset[str]:
        with self._lock:
            running = {attempt.task.id: attempt.task.kind for attempt in self._running.values()}
        return frozenset(self._admit(running) if self._admit else self._kinds)

    def _take(self, task: Task) -> Attempt:
        attempt = Attempt(self._records, self._news, self._keeper, task)
        with self._lock:
            self._running[task.id] = attempt
            if self._draining.is_set():
                attempt.give_back()
        return attempt

    def _do(self, attempt: Attempt) -> None:
        task = attempt.task
        self._news.tell(task.id, goes_on=True)
        try:
            self._watched(attempt, task)
        finally:
            with self._lock:
                del self._running[task.id]
            if task.serial_key is not None:
                self._heard += 1  # the next of this key may begin

    def _watched(self, attempt: Attempt, task: Task) -> None:
        begun = time.monotonic()
        if self._watch:
            self._watch.started(task)
        try:
            self._run(attempt, task)
        finally:
            if self._watch and attempt.ended:
                self._watch.ended(attempt.ended, time.monotonic() - begun)

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
