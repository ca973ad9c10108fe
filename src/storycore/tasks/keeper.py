"""Keeps the leases of the attempts that run in this process, and hears there of cancellation and of lost leases."""

import threading
from typing import Protocol

from storycore.errors import StoryCoreError
from storycore.observe import logging
from storycore.tasks.records import TaskRecords

_IDLE_BEATS = 10  # starting a thread takes longer than many a task

log = logging.get(__name__)


class Held(Protocol):
    """An attempt that runs here."""

    @property
    def key(self) -> tuple[str, int]:
        """Task id and attempt."""

    @property
    def is_ending(self) -> bool:
        """Whether it records its end; that tells it whether it still holds its lease."""

    def cancel(self) -> None:
        """Somebody wants it to stop."""

    def lose(self) -> None:
        """Its lease has passed to another process."""


class Keeper:
    """Beats for every held attempt, in a thread that lives while there are any, and a little longer.

    Args:
        records: where leases stand.
        owner: name of this process.
        beat_seconds: between two beats; a third of a lease at most.
    """

    def __init__(self, records: TaskRecords, owner: str, *, beat_seconds: float) -> None:
        self._records = records
        self._owner = owner
        self._beat_seconds = beat_seconds
        self._held: dict[tuple[str, int], Held] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def hold(self, attempt: Held) -> None:
        """From now on its lease is renewed."""
        with self._lock:
            self._held[attempt.key] = attempt
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="storycore-leases", daemon=True)
                self._thread.start()

    def release(self, attempt: Held) -> None:
        """Its lease is renewed no more."""
        with self._lock:
            self._held.pop(attempt.key, None)

    def attempts(self) -> list[Held]:
        """What runs here."""
        with self._lock:
            return list(self._held.values())

    def _run(self) -> None:
        idle, pause = 0, threading.Event()
        while True:
            pause.wait(self._beat_seconds)
            with self._lock:
                idle = 0 if self._held else idle + 1
                if idle > _IDLE_BEATS:
                    self._thread = None
                    return
            if not idle:
                self.beat()

    def beat(self) -> None:
        """Renews all leases now; a database that does not answer is asked again next time."""
        with self._lock:
            held = dict(self._held)
        try:
            known = self._records.beat(self._owner)
        except StoryCoreError as fault:
            log.warning("leases_not_renewed", reason=fault.reason.value)
            return
        for key, attempt in held.items():
            if key not in known:
                self._lose(key, attempt)
            elif known[key]:
                attempt.cancel()

    def _lose(self, key: tuple[str, int], attempt: Held) -> None:
        with self._lock:
            still = key in self._held and not attempt.is_ending  # it may have ended while we asked
        if still:
            log.warning("lease_lost", task_id=key[0], attempt=key[1])
            attempt.lose()
