"""One attempt of one task in this process: its progress, its traces on the disk, and how it ends."""

import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from storycore.errors import Cancelled, Conflict, Reason, StoryCoreError, Unavailable, Unexpected
from storycore.observe import logging, tracing
from storycore.observe.progress import Progress, Report
from storycore.storage import traces
from storycore.tasks.keeper import Keeper
from storycore.tasks.news import News
from storycore.tasks.records import TaskRecords
from storycore.tasks.task import Outcome, Status, Task

T = TypeVar("T")

REPORT_SECONDS = 0.5
"""Progress is stored at most this often."""

log = logging.get(__name__)


class Attempt:
    """One attempt.

    Args:
        records: where the task stands.
        news: hears of what happens to it.
        keeper: renews its lease.
        task: as claimed.
        progress: reports go to its listener too; one of its own if None.
        patience_seconds: how long its end is tried to be recorded while the database does not answer.

    Attributes:
        ended: the task as it ended, once that is recorded; None if it waits again or is another process's.
    """

    def __init__(  # noqa: PLR0913 - all that an attempt stands on
        self,
        records: TaskRecords,
        news: News,
        keeper: Keeper,
        task: Task,
        *,
        progress: Progress | None = None,
        patience_seconds: float = 60,
    ) -> None:
        self.task = task
        self.progress = progress or Progress()
        self.progress.accepted_at, self.progress.task_id = task.created_at, task.id
        self.progress.begins_anew = task.started_at != task.updated_at  # as it was leased just now
        self.progress.listen(self._report)
        self._records, self._news, self._keeper = records, news, keeper
        self._patience = patience_seconds
        self._files: list[tuple[str, str, str]] = []
        self._reported = time.monotonic()
        self._lost = False
        self._given_back = False
        self._ending = False
        self._over = threading.Event()
        self.ended: Task | None = None

    @property
    def key(self) -> tuple[str, int]:
        """Task id and attempt."""
        return self.task.id, self.task.attempt

    @property
    def is_ending(self) -> bool:
        """Whether the work is over and its end is being recorded."""
        return self._ending

    def cancel(self) -> None:
        """Somebody wants it to stop."""
        self.progress.cancel()

    def lose(self) -> None:
        """Its lease has passed to another process: it must leave nothing and tell nothing."""
        self._lost = True
        self.progress.leave()

    def give_back(self) -> None:
        """Stops it here, so that it is done again elsewhere or later."""
        self._given_back = True
        self.progress.leave()

    def run(self, work: Callable[[Progress], T], describe: Callable[[T], Outcome]) -> T:
        """Does the work and records how it ended.

        Guarantee: what an earlier attempt left on the disk is taken back first. When this returns or raises, the
        task has ended, or waits again, or belongs to another process.

        Raises:
            Conflict: lease_lost: another process took the task over; nothing of this attempt is left.
            StoryCoreError: whatever the work raises; it is recorded too.
        """
        task = self.task
        attributes: tracing.Attributes = {
            "storycore.task.id": task.id, "storycore.task.kind": task.kind, "storycore.task.attempt": task.attempt,
            "storycore.request.id": task.request_id,
        }  # fmt: skip
        with tracing.span(task.kind, tracing.Kind.CONSUMER, parent=task.traceparent, attributes=attributes):
            return self._run(work, describe)

    def _run(self, work: Callable[[Progress], T], describe: Callable[[T], Outcome]) -> T:
        traces.take_back(self.task.files)
        self._keeper.hold(self)
        try:
            with logging.bound(task_id=self.task.id), traces.tracing(self._label(), self._note):
                value = work(self.progress)
                outcome = describe(value)
        except BaseException as fault:
            self._fail(fault)
            raise
        else:
            self._complete(outcome)
            return value
        finally:
            self._keeper.release(self)
            self._over.set()
            self._news.tell(self.task.id)

    def wait(self, seconds: float) -> bool:
        """Whether it is over within that time."""
        return self._over.wait(seconds)

    def _label(self) -> str:
        return f"{self.task.id}.{self.task.attempt}"

    def _complete(self, outcome: Outcome) -> None:
        self._ending = True
        try:
            self.ended = self._patiently(lambda: self._records.finish(self.task, Status.COMPLETED, outcome=outcome))
            self.ended = self.ended or self._patiently(self._completed_unheard)
        except Unavailable as fault:
            log.warning("end_not_recorded", task_id=self.task.id, reason=fault.reason.value)
            return  # the lease runs out, and the task is done again from what was noted
        if self.ended is None:
            traces.take_back(self._files)
            stopped = _stopped()
            raise stopped if self._end(Status.CANCELLED, stopped.as_dict()) else _lost()

    def _completed_unheard(self) -> Task | None:
        """The task, if this attempt has completed it already and the word of that was lost on the way."""
        found = self._records.find(self.task.id)
        return found if (found.status, found.attempt) == (Status.COMPLETED, self.task.attempt) else None

    def _fail(self, fault: BaseException) -> None:
        if self._lost:
            return
        self._ending = True
        try:
            may_go_on = self._given_back and isinstance(fault, Cancelled)
            if may_go_on and self._patiently(lambda: self._records.give_back(self.task)):
                return
        except Unavailable as unheard:
            log.warning("end_not_recorded", task_id=self.task.id, reason=unheard.reason.value)
            return
        # The work has tidied up, unless a second Ctrl-C broke into just that. Nobody will know what was noted.
        traces.take_back([trace for trace in self._files if trace[0] in (traces.FOLDER, traces.PART)])
        self._end(*self._told(fault))

    def _end(self, status: Status, error: dict[str, Any]) -> bool:
        """Records an end without a result; False if it could not be recorded, or is another process's to tell."""
        try:
            self.ended = self._patiently(lambda: self._records.finish(self.task, status, error=error))
        except Unavailable as unheard:
            log.warning("end_not_recorded", task_id=self.task.id, reason=unheard.reason.value)
        return self.ended is not None

    def _told(self, fault: BaseException) -> tuple[Status, dict[str, Any]]:
        """How the task ends for what was raised, and what is told of it."""
        if isinstance(fault, (Cancelled, KeyboardInterrupt, SystemExit)):
            stopped = fault if isinstance(fault, Cancelled) else _stopped()
            return Status.CANCELLED, stopped.as_dict()
        if isinstance(fault, StoryCoreError):
            return Status.FAILED, fault.as_dict()
        log.error("task_broke", task_id=self.task.id, kind=self.task.kind, exc_info=fault)
        return Status.FAILED, Unexpected("A fault of StoryCore's own; it was logged.").as_dict()

    def _patiently(self, record: Callable[[], T]) -> T:
        """What `record` gives; it is tried again while the database does not answer.

        Raises:
            Unavailable: it did not answer for as long as we may wait.
        """
        until = time.monotonic() + self._patience
        pause = 0.1
        while True:
            try:
                return record()
            except Unavailable:
                if time.monotonic() + pause > until:
                    raise
            threading.Event().wait(pause)
            pause = min(pause * 2, 5)

    def _note(self, kind: str, path: str, mark: str) -> None:
        """Keeps a trace before it appears on the disk; forbids it if the lease is lost."""
        self._files.append((kind, path, mark))
        if self._lost or not self._patiently(lambda: self._records.note_files(self.task, self._files)):
            self._lost = True
            raise _lost()

    def _report(self, report: Report) -> None:
        instant = time.monotonic()
        if instant - self._reported < REPORT_SECONDS or report.fraction >= 1:
            return
        self._reported = instant
        try:
            step = f"{report.step}: {report.detail}" if report.detail else report.step
            if not self._records.report(self.task, report.fraction, step[:64]):
                self.lose()
        except Unavailable:
            return  # the next report may pass
        self._news.tell(self.task.id, goes_on=True)


def _stopped() -> Cancelled:
    return Cancelled("Stopped on request; nothing was kept.")


def _lost() -> Conflict:
    return Conflict("Another process took this task over.", reason=Reason.LEASE_LOST)
