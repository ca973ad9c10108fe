"""Who of the threads of this process writes next."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class Line:
    """One at a time, first come first served; those who are quick go before those who wait for the disk.

    Hundreds of callers who hand in tasks would otherwise keep the few workers waiting that do them. A plain lock knows
    no order, and SQLite's own waiting is a matter of luck.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._busy = False
        self._quick: deque[threading.Lock] = deque()
        self._others: deque[threading.Lock] = deque()

    @contextmanager
    def turn(self, *, quick: bool) -> Iterator[None]:
        """The block runs while no other does."""
        self._enter(self._quick if quick else self._others)
        try:
            yield
        finally:
            self._leave()

    def _enter(self, queue: deque[threading.Lock]) -> None:
        with self._lock:
            if not self._busy:
                self._busy = True
                return
            ticket = threading.Lock()
            ticket.acquire()
            queue.append(ticket)
        try:
            ticket.acquire()  # until `_leave` of another lets it go
        except BaseException:
            self._give_up(ticket, queue)
            raise

    def _give_up(self, ticket: threading.Lock, queue: deque[threading.Lock]) -> None:
        """Interrupted while waiting; the turn may have come in that very moment, and is then passed on."""
        with self._lock:
            waits = ticket in queue
            if waits:
                queue.remove(ticket)
        if not waits:
            self._leave()

    def _leave(self) -> None:
        with self._lock:
            queue = self._quick or self._others
            if queue:
                queue.popleft().release()  # it is busy still, for that one
            else:
                self._busy = False
