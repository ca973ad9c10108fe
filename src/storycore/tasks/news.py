"""Tells whoever waits in this process that something happened to a task."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class News:
    """Callbacks by task; safe from any thread. What other processes do is not heard here: look there now and then."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: dict[str, list[Callable[[], None]]] = {}

    @contextmanager
    def listening(self, task_id: str, callback: Callable[[], None]) -> Iterator[None]:
        """While the block runs, `callback` is called, from some thread, after each thing that happens to a task."""
        with self._lock:
            self._listeners.setdefault(task_id, []).append(callback)
        try:
            yield
        finally:
            with self._lock:
                self._listeners[task_id].remove(callback)
                if not self._listeners[task_id]:
                    del self._listeners[task_id]

    def tell(self, task_id: str) -> None:
        """Something happened to this task."""
        with self._lock:
            callbacks = list(self._listeners.get(task_id, ()))
        for callback in callbacks:
            callback()

    def tell_all(self) -> None:
        """Something happened that may concern every task."""
        with self._lock:
            tasks = list(self._listeners)
        for task_id in tasks:
            self.tell(task_id)
