"""Which of procrastinate's jobs this process has in hand, and which it has left behind.

When a connection breaks in the wrong moment, a job stays "doing" though nobody does it any more, and its worker may
live on, or be another one of the same process by then. Procrastinate itself never looks at such a job again.
"""

import threading
from collections.abc import Iterable


class Hands:
    """The jobs of one process, by their numbers; safe from any thread.

    Attributes:
        workers: every worker, by its number, that this process has been for procrastinate.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._jobs: set[int] = set()
        self._suspected: set[int] = set()
        self.workers: set[int] = set()

    def take(self, job: int, worker: int) -> None:
        """From now on this job is in hand."""
        with self._lock:
            self._jobs.add(job)
            self.workers.add(worker)

    def drop(self, job: int) -> None:
        """Its work is done."""
        with self._lock:
            self._jobs.discard(job)

    def left(self, doing: Iterable[int]) -> set[int]:
        """Those of the jobs that this process is said to be doing which it has left behind.

        One that was not in hand at the last look either: between taking a job and beginning it, and between its end
        and the word of it, a moment passes.
        """
        with self._lock:
            suspected, self._suspected = self._suspected, set(doing) - self._jobs
            return suspected & self._suspected
