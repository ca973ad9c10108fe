"""One time limit for many that wait, with one timer for all: most end long before it, and a timer each costs more."""

import asyncio
from typing import Any


class Turn:
    """One of those that wait.

    Attributes:
        until: when its time has come, by the clock of the loop.
    """

    __slots__ = ("_asked", "_cut", "_task", "until")

    def __init__(self, task: asyncio.Task[Any], until: float) -> None:
        self.until = until
        self._task, self._asked = task, task.cancelling()
        self._cut = False

    def cut(self) -> None:
        """Its time has come: what it waits for is broken off."""
        self._cut = True
        self._task.cancel()

    def was_cut(self) -> bool:
        """Whether that is why it was broken off, and not the wish of somebody else. To be asked once, at its end."""
        return self._cut and self._task.uncancel() <= self._asked


class Patience:
    """Breaks off whatever takes longer; made and used inside one event loop.

    Args:
        seconds: how long each may take.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._turns: dict[Turn, None] = {}  # the oldest first, since all have the same time
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> Turn:
        """From now on the task that runs has so many seconds, until `end`.

        Then it is cancelled; at its end it must ask `was_cut`.
        """
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - whoever waits is in one
        turn = Turn(task, self._loop.time() + self._seconds)
        self._turns[turn] = None
        if self._timer is None:
            self._timer = self._loop.call_at(turn.until, self._look)
        return turn

    def end(self, turn: Turn) -> bool:
        """It has ended; gives whether it was broken off here."""
        self._turns.pop(turn, None)
        return turn.was_cut()

    def close(self) -> None:
        """Breaks off nothing more."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        self._timer = None
        instant = self._loop.time()
        while self._turns:
            oldest = next(iter(self._turns))
            if oldest.until > instant:
                self._timer = self._loop.call_at(oldest.until, self._look)
                return
            del self._turns[oldest]
            oldest.cut()
