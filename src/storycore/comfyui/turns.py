"""Who of the runs of this process gets the next place on a server.

What matters more goes first, and within that who came first. A place that a run gives back is handed to the next one
in the very transaction that gives it back, so that nobody has to look for it.
"""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from itertools import count
from typing import Final

from storycore.comfyui.run_record import Heir, RunRecord

MOST_WAITING: Final = 1
"""Tasks that have begun and wait for a place: one is made ready while others are computed; it lets others go first that
matter more."""
_AHEAD: Final = 2
"""So many of the line are noted in the database before they have a place."""
_BEHIND: Final = 4
"""How much more seldom those look who are not the first in line."""
_NUMBERS = count()


@dataclass(eq=False, slots=True, kw_only=True)
class Turn:
    """A run that wants a place; lives in one event loop.

    Attributes:
        task_id: task that it belongs to.
        priority: higher goes first.
        fits: ids of the servers that could run it, as far as is known.
        heir: what it is to be stored as on one of them; None if it must do something there first.
        number: order in which they came.
        on_noted: hears of its run as it was noted before it has a place.
        given: resolved when it is given something.
        noting: resolved when it stands in the database; None if nobody is noting it.
        is_taken: whether somebody is about to give it something.
    """

    task_id: str
    priority: int
    fits: set[str] = field(default_factory=set)
    heir: Callable[[str], Heir] | None = None
    number: int = field(default_factory=lambda: next(_NUMBERS))
    on_noted: Callable[[RunRecord], None] = lambda _record: None
    given: "asyncio.Future[RunRecord | None] | None" = None
    noting: "asyncio.Future[None] | None" = None
    is_taken: bool = False

    def give(self, record: RunRecord | None) -> bool:
        """Its run with a place, or None: it may look for one itself; whether it was waiting for that still."""
        if self.given is None or self.given.done():
            return False
        self.given.set_result(record)
        return True

    def end_noting(self, record: RunRecord | None) -> None:
        """Its run as it stands in the database now; None if that came to nothing."""
        if record is not None:
            self.on_noted(record)
        if self.noting and not self.noting.done():
            self.noting.set_result(None)
        self.noting = None


class Turns:
    """All that wait."""

    def __init__(self) -> None:
        self._waiting: list[Turn] = []
        self._lock = threading.Lock()
        self._looking: Counter[str] = Counter()
        self._placed: set[str] = set()

    def begin(self, task_id: str) -> None:
        """A run of a task begins, and looks for a place."""
        with self._lock:
            self._looking[task_id] += 1
            self._placed.discard(task_id)

    def end(self, task_id: str) -> bool:
        """A run of a task has found its place, or gives up; whether fewer tasks look for one than may wait in line."""
        with self._lock:
            self._looking[task_id] -= 1
            if not self._looking[task_id]:
                del self._looking[task_id]
                self._placed.add(task_id)
            return len(self._looking) < MOST_WAITING

    def looking(self, task_ids: Collection[str]) -> int:
        """How many of the tasks that generate here, which are `task_ids`, still look for a place; from any thread."""
        with self._lock:
            self._placed.intersection_update(task_ids)
            return sum(it not in self._placed for it in task_ids)

    def others_first(self, turn: Turn) -> bool:
        """Whether others wait for the same servers who go before `turn`."""
        return any(_order(it) < _order(turn) and it.fits & turn.fits for it in self._waiting if it is not turn)

    def next_for(self, backend_id: str) -> Turn | None:
        """Takes the first out of the line that could run on a server; who takes it must `give` it something."""
        for turn in self._waiting:
            if backend_id in turn.fits:
                self._waiting.remove(turn)
                turn.is_taken = True
                return turn
        return None

    def begin_noting(self, backend_id: str) -> list[tuple[Turn, Heir]]:
        """The first of the line that could run on a server and are not noted there; `Turn.end_noting` must follow."""
        first = [it for it in self._waiting if backend_id in it.fits and it.heir is not None][:_AHEAD]
        heirs = [(it, it.heir(backend_id)) for it in first if it.heir is not None and it.noting is None]
        found = [(it, heir) for it, heir in heirs if not heir.is_noted]
        for turn, _ in found:
            turn.noting = asyncio.get_running_loop().create_future()
        return found

    async def wait(self, turn: Turn, seconds: float) -> RunRecord | None:
        """Its run with a place that was handed to it, or None: a place may be free, or a while has passed.

        Args:
            turn: not in the line yet; keeps its place among the others from wait to wait.
            seconds: after which the first in line looks for itself, since places are given back in other processes
                too; those behind it do so more seldom.
        """
        given = turn.given = asyncio.get_running_loop().create_future()
        turn.is_taken = False
        self._waiting.append(turn)
        self._waiting.sort(key=_order)
        try:
            await asyncio.wait([given], timeout=seconds * (_BEHIND if self.others_first(turn) else 1))
            while turn.noting:  # another server's place may be given back in the very moment that one noting ends
                await asyncio.shield(turn.noting)  # its row is written by another just now
            if turn.is_taken:
                await given
            return given.result() if given.done() else None
        finally:
            if turn in self._waiting:
                self._waiting.remove(turn)


def _order(turn: Turn) -> tuple[int, int]:
    return -turn.priority, turn.number
