"""Tells whoever waits in this process that something happened to a task."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class News:
    """Callbacks by task; safe from any thread. What other processes do is not heard here: look there now and then."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: dict[str, list[tuple[Callable[[], None], bool]]] = {}

    @contextmanager
    def listening(self, task_id: str, callback: Callable[[], None], *, to_its_end: bool = False) -> Iterator[None]:
        """While the block runs, `callback` is called, from some thread, after each thing that happens to a task.

        Args:
            task_id: which task; it may not have been accepted yet.
            callback: must not block.
            to_its_end: only when it may have ended.
        """
        listener = (callback, to_its_end)
        with self._lock:
            self._listeners.setdefault(task_id, []).append(listener)
        try:
            yield
        finally:
            with self._lock:
                self._listeners[task_id].remove(listener)
                if not self._listeners[task_id]:
                    del self._listeners[task_id]

    def tell(self, task_id: str, *, goes_on: bool = False) -> None:
        """Something happened to this task; `goes_on` if that was surely not its end."""
        with self._lock:
            listeners = list(self._listeners.get(task_id, ()))
        for callback, to_its_end in listeners:
            if not (goes_on and to_its_end):
                callback()

    def tell_all(self) -> None:
        """Something happened that may concern every task."""
        with self._lock:
            tasks = list(self._listeners)
        for task_id in tasks:
            self.tell(task_id)
