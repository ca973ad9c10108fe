"""How long work tells how far it is, and hears that it must stop.

Work that can take more than a moment is given a `Progress`. It names its steps, counts what is done, and so comes by
a check for cancellation at each count.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from storycore.errors import Cancelled
from storycore.units import now


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How far a piece of work is.

    Attributes:
        step: what is being done now, in the film maker's words ("reading", "packing").
        done: how much of the step is done, in `unit`.
        total: how much there is in all, or None while that is unknown.
        unit: "bytes", "files", "shots" or "frames".
        fraction: of the whole work, 0.0-1.0; never goes down; 1.0 only when the result stands.
        elapsed_seconds: since the work began.
        detail: what is being done in the step this very moment; "" if that is all that there is to say.
    """

    step: str
    done: int
    total: int | None
    unit: str
    fraction: float
    elapsed_seconds: float
    detail: str = ""


_MOST_LETTERS = 64
"""Of a step; records keep no more."""

Listener = Callable[[Report], None]


class Progress:
    """Steps and counts of one piece of work; any thread may cancel it.

    Listeners hear of each new step at once and of counts at most every `interval_seconds`.

    Attributes:
        accepted_at: when the work was accepted; the same for each attempt at it.
        task_id: task that the work is of; "" if there is no record of it.
        goes_on_elsewhere: whether it was asked to stop only here, since another process goes on with it.
        begins_anew: whether the work may have been begun before, by a process that died or left it.
    """

    def __init__(self, listener: Listener | None = None, *, interval_seconds: float = 0.1) -> None:
        self.accepted_at: datetime = now()
        self.task_id = ""
        self.goes_on_elsewhere, self.begins_anew = False, True
        self._listeners: tuple[Listener, ...] = () if listener is None else (listener,)
        self._interval = interval_seconds
        self._started = time.monotonic()
        self._told = float("-inf")
        self._stop = threading.Event()
        self._step, self._detail, self._unit = "starting", "", "files"
        self._done, self._total = 0, None  # type: int, int | None
        self._from, self._to, self._reached = 0.0, 0.0, 0.0
        self._low, self._high = 0.0, 1.0
        self._name = ""
        self.kept = "nothing was kept"

    def cancel(self) -> None:
        """Asks the work to stop at its next count; safe from any thread and from a signal handler."""
        self._stop.set()

    def leave(self) -> None:
        """Asks the work to stop here without undoing it, since another process goes on with it."""
        self.goes_on_elsewhere = True
        self.cancel()

    @property
    def is_cancelled(self) -> bool:
        """Whether the work was asked to stop."""
        return self._stop.is_set()

    def listen(self, listener: Listener) -> None:
        """Tells one more listener from now on."""
        self._listeners += (listener,)

    def check(self) -> None:
        """Raises `Cancelled` if the work was asked to stop."""
        if self._stop.is_set():
            raise Cancelled(f"Stopped on request; {self.kept}.")

    def begin(self, step: str, *, total: int | None = None, unit: str = "files", until: float) -> None:
        """A new step, that ends when `until` (0.0-1.0) of the whole work is done."""
        reached = self._low + until * (self._high - self._low)
        self._from, self._to = self._to, max(self._to, min(reached, 0.999))
        self._step, self._detail = self._told_as(step), ""
        self._unit, self._done, self._total = unit, 0, total
        self._tell(force=True)
        self.check()

    @contextlib.contextmanager
    def within(self, low: float, high: float) -> Iterator[None]:
        """Work in the block that counts from 0.0 to 1.0 is this share of the whole, or of the block around it."""
        kept = self._low, self._high
        span = self._high - self._low
        self._low, self._high = self._low + low * span, self._low + high * span
        try:
            yield
        finally:
            self._low, self._high = kept

    @contextlib.contextmanager
    def named(self, name: str) -> Iterator[None]:
        """Steps that begin in the block are told with what they are for: `Screener (2 of 8): joining`."""
        kept, self._name = self._name, name
        try:
            yield
        finally:
            self._name = kept

    def advance(self, amount: int = 1) -> None:
        """Counts `amount` more of the step's unit as done.

        Raises:
            Cancelled: the work was asked to stop.
        """
        self._done += amount
        self.check()
        self._tell()

    def reach(self, step: str, fraction: float, detail: str = "") -> None:
        """Tells of work that another process does: its step, and how much of the whole is done.

        Raises:
            Cancelled: the work was asked to stop.
        """
        self._step, self._detail = self._told_as(step), detail
        self._from, self._to = min(fraction, 0.999), min(fraction, 0.999)
        self._done, self._total = 0, None
        self._tell(force=True)
        self.check()

    def finish(self) -> None:
        """The result stands: tells 1.0. From here on the work can't be cancelled any more."""
        self._from = self._to = 1.0
        self._step, self._detail = "done", ""
        self._tell(force=True)

    def _told_as(self, step: str) -> str:
        return f"{self._name}: {step}"[:_MOST_LETTERS] if self._name else step

    def _tell(self, *, force: bool = False) -> None:
        instant = time.monotonic()
        if not self._listeners or (not force and instant - self._told < self._interval):
            return
        self._told = instant
        share = min(1.0, self._done / self._total) if self._total else 0.0
        self._reached = max(self._reached, self._from + (self._to - self._from) * share)
        report = Report(
            step=self._step,
            done=self._done,
            total=self._total,
            unit=self._unit,
            fraction=self._reached,
            elapsed_seconds=instant - self._started,
            detail=self._detail,
        )
        for listener in self._listeners:
            listener(report)
