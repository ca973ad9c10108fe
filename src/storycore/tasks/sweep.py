"""Finds tasks whose process died, and lets them be done again.

A lease is lost when its beat stands still for a whole term on this observer's own clock, so that no clock that jumps
ends or keeps one. A process of this machine that is gone needs no watching.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from storycore.database.owner import is_gone
from storycore.errors import Cancelled, Reason, Unexpected
from storycore.observe import logging
from storycore.storage import traces
from storycore.tasks.records import TaskRecords
from storycore.tasks.task import Status, Task

log = logging.get(__name__)

_GOES_ON_WITH: Final = "the same command, or `storycore worker`"
_ENDS: Final[Mapping[bool, Mapping[Status, Mapping[str, Any]]]] = {
    several: {
        Status.CANCELLED: Cancelled("Stopped on request; its process had died.").as_dict(),
        Status.FAILED: Unexpected(text, reason=reason).as_dict(),
    }
    for several, text, reason in (
        (True, "Each process that tried it died.", Reason.POISONED),
        (False, "The process that did it died.", Reason.INTERRUPTED),
    )
}


class Sweep:
    """One observer of all leases.

    Args:
        records: where leases stand.
        lease_seconds: after how long without a beat one is lost.
        clock: monotonic seconds.
    """

    def __init__(
        self, records: TaskRecords, *, lease_seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._records = records
        self._lease_seconds = lease_seconds
        self._clock = clock
        self._seen: dict[tuple[str, str, int, int], float] = {}

    def sweep(self) -> list[Task]:
        """Looks at all leases once; gives the tasks that were taken from dead processes, as they stood.

        What such a process left on the disk is removed before its task is shown as ended; if the task is offered
        again, whoever takes it does that.

        Raises:
            Unavailable: the database does not answer.
        """
        instant = self._clock()
        found = self._records.running()
        self._seen = {lease: self._seen.get(lease, instant) for lease in found}
        taken = []
        for lease, since in self._seen.items():
            if instant - since < self._lease_seconds and not is_gone(lease[1]):
                continue
            task = self._take(lease)
            if task:
                taken.append(task)
        return taken

    def take_what_ended_here(self) -> list[Task]:
        """Takes from processes of this machine that are gone what they did by themselves; removes what they left.

        What goes on where it was is left to workers, and to the same command; that it waits for them is logged.

        Raises:
            Unavailable: the database does not answer.
        """
        gone = [lease for lease in self._records.running() if is_gone(lease[1])]
        found = [(lease, self._records.find(lease[0])) for lease in gone]
        for _, task in found:
            if task.most_attempts > 1 and task.status is Status.RUNNING:
                log.warning("task_left_unfinished", task_id=task.id, kind=task.kind, goes_on_with=_GOES_ON_WITH)
        ended = [self._take(lease) for lease, task in found if task.most_attempts == 1]
        return [task for task in ended if task]

    def _take(self, lease: tuple[str, str, int, int]) -> Task | None:
        task = self._records.find(lease[0])
        last = task.cancel_requested or task.attempt >= task.most_attempts
        if last and task.owner == lease[1] and task.beat == lease[3]:
            traces.take_back(task.files)
        taken = self._records.lapse(lease, _ENDS[task.most_attempts > 1])
        if taken:
            log.warning("task_taken_from_dead_process", task_id=taken.id, attempt=taken.attempt, last=last)
        return taken
