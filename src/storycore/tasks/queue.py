"""The queue of one process: accepts tasks, does them here or lets an engine do them, and tells what became of them."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TypeVar

from sqlalchemy import Connection

from storycore.database.owner import is_gone, new_owner
from storycore.errors import Cancelled
from storycore.observe.progress import Progress
from storycore.tasks.attempt import Attempt
from storycore.tasks.engine import Engine
from storycore.tasks.keeper import Keeper
from storycore.tasks.news import News
from storycore.tasks.records import TaskRecords
from storycore.tasks.sweep import Sweep
from storycore.tasks.task import Happening, Order, Outcome, Status, Task

T = TypeVar("T")

LOOK_SECONDS = 0.5
"""How often a waiter looks for what other processes did."""

_PATIENCE_SECONDS = 5
_PAGE = 500


class TaskQueue:
    """Tasks, seen from one process.

    Args:
        records: where they stand.
        news: what happens in this process.

    Attributes:
        owner: name of this process for the tasks that it does by itself.
    """

    def __init__(self, records: TaskRecords, news: News) -> None:
        self.records = records
        self.owner = new_owner()
        self.news = news
        self._engine: Engine | None = None
        self._keeper: Keeper | None = None
        self._looked = False

    @property
    def has_engine(self) -> bool:
        """Whether submitted tasks are done by workers; if not, only `run_here` does any."""
        return self._engine is not None

    def employ(self, engine: Engine) -> None:
        """From now on `engine` carries submitted tasks to workers."""
        self._engine = engine

    def submit(
        self, order: Order, *, also: Callable[[Connection, Task], None] | None = None, stay: bool = False
    ) -> Task:
        """A task that is accepted: it is on the disk, and will be done whatever dies.

        Args:
            order: what is to be done.
            also: writes more in the same transaction.
            stay: the caller has nothing else to do: if it is this task's turn and a worker is free, it is done in
                the thread that calls, and given as it ended. That saves most of the time that a short task takes.
        """
        engine = self._engine

        def within(connection: Connection, task: Task) -> None:
            if engine and task.status is Status.PENDING:
                engine.submit(connection, task)
            if also:
                also(connection, task)

        may_stay = stay and order.not_before is None and order.serial_key is None
        owner = engine.reserve() if engine and may_stay else None
        try:
            task = self.records.accept(order, also=within, owner=owner)
            if engine and task.status is Status.RUNNING:
                return engine.do(task) or self.records.find(task.id)
        finally:
            if engine and owner:
                engine.unreserve()
        if engine:
            engine.submitted(task)
        return task

    def submit_many(self, orders: Sequence[Order]) -> list[Task]:
        """Tasks that are accepted, all of them or none: parts of one that runs here, for whoever is free."""
        engine = self._engine

        def within(connection: Connection, task: Task) -> None:
            if engine:
                engine.submit(connection, task)

        accepted = self.records.accept_many(orders, also=within)
        if engine:
            for task in accepted:
                engine.submitted(task)
        return accepted

    def run_here(
        self,
        order: Order,
        work: Callable[[Progress], T],
        describe: Callable[[T], Outcome],
        progress: Progress,
        *,
        resumes: bool = False,
    ) -> T:
        """Does a task in this thread, and keeps record of it.

        Args:
            order: what is to be done.
            work: does it.
            describe: says what it has to show.
            progress: hears how far it is.
            resumes: whether it goes on where it was when it is begun anew. Then the same task of a process that is
                gone is taken up, if there is one, and what this process leaves behind is done by others. What does not
                is tried once, and dies with this process.

        What such processes left that died on this machine is removed first.

        Raises:
            StoryCoreError: whatever the work raises.
        """
        left = self.records.take_up(order, self.owner, is_gone) if resumes else None
        if not self._looked:
            self._looked = True
            Sweep(self.records, lease_seconds=0).take_what_ended_here()
        task = left or self.records.accept_running(order if resumes else replace(order, most_attempts=1), self.owner)
        attempt = Attempt(
            self.records, self.news, self._own_keeper(), task, progress=progress, patience_seconds=_PATIENCE_SECONDS
        )
        return attempt.run(work, describe)

    def cancel(self, task_id: str) -> Task:
        """Stops a task; a waiting one has ended when this returns, a running one ends soon.

        Raises:
            NotFound: task_not_found.
            Conflict: task_finished.
        """
        task = self.records.cancel(task_id, Cancelled("Cancelled before it began.").as_dict())
        if self._engine:
            self._engine.cancelled(task_id)
        self.news.tell(task_id)
        return task

    def wait(self, task_id: str, seconds: float) -> Task:
        """The task when it has ended, or as it stands after that time.

        Raises:
            NotFound: task_not_found.
        """
        until = time.monotonic() + seconds
        happened = threading.Event()
        with self.news.listening(task_id, happened.set, to_its_end=True):
            while True:
                task = self.records.find(task_id)
                left = until - time.monotonic()
                if task.status.is_final or left <= 0:
                    return task
                happened.wait(min(LOOK_SECONDS, left))
                happened.clear()

    def listening(
        self, task_id: str, callback: Callable[[], None], *, to_its_end: bool = False
    ) -> AbstractContextManager[None]:
        """While the block runs, `callback` is called after what this process does to the task, see `News`."""
        return self.news.listening(task_id, callback, to_its_end=to_its_end)

    def happenings(self, task_id: str, *, after: int) -> tuple[list[Happening], bool]:
        """What happened to a task after `after`, as far as one look gets, and whether that was all there will be.

        Raises:
            NotFound: task_not_found.
        """
        ended = self.records.find(task_id).status.is_final  # asked first: what follows then holds its end too
        found = self.records.happenings(task_id, after=after, limit=_PAGE)
        return found, ended and len(found) < _PAGE

    def follow(self, task_id: str, *, after: int, stop: Callable[[], bool]) -> Iterator[Happening]:
        """What happens to a task from `after` on, until its end or until `stop`.

        Raises:
            NotFound: task_not_found.
        """
        happened = threading.Event()
        with self.news.listening(task_id, happened.set):
            while not stop():
                happenings, ended = self.happenings(task_id, after=after)
                for happening in happenings:
                    after = happening.id
                    yield happening
                if ended:
                    return
                if happenings:
                    continue
                happened.wait(LOOK_SECONDS)
                happened.clear()

    def _own_keeper(self) -> Keeper:
        if self._keeper is None:
            self._keeper = Keeper(self.records, self.owner, beat_seconds=1.0)
        return self._keeper
