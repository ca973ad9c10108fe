"""Which kinds of tasks may begin in this process now.

What generates waits for a server most of the time, so it takes no turn of the work that is done here; how much of it
goes on is decided by the places that servers have. It stays in our queue until there is one: only there is the order
ours.
"""

import time
from collections.abc import Collection, Mapping
from typing import Final

from storycore.app import App
from storycore.comfyui.turns import MOST_WAITING
from storycore.operations.catalog import GENERATING, OPERATIONS

_OTHERS: Final = frozenset(it.name for it in OPERATIONS if it.long) - GENERATING

_HOLDS_SECONDS: Final = 0.25
MOST_GENERATING: Final = 16
"""Tasks that generate in one process at a time, whatever its servers could take."""


class Admission:
    """Says which kinds may begin.

    Args:
        app: knows the servers.
        workers: how many tasks are done here at a time, beside those that generate.
        helping: kinds of parts of others' tasks, which begin only where nothing else is done: a film that is rendered
            here has all of this machine already.
    """

    def __init__(self, app: App, workers: int, helping: frozenset[str] = frozenset()) -> None:
        self._app, self._workers, self._helping = app, workers, helping
        self._looked: tuple[tuple[int, int], float, int] = (-1, -1), 0.0, 0

    def __call__(self, running: Mapping[str, str]) -> Collection[str]:
        """The kinds of which another may begin, while these tasks run here: id → kind."""
        generating = [task_id for task_id, kind in running.items() if kind in GENERATING]
        found: set[str] = set()
        if len(running) - len(generating) < self._workers:
            found |= _OTHERS
        if len(running) == len(generating):
            found |= self._helping
        if len(generating) < MOST_GENERATING and self._has_place(generating):
            found |= GENERATING
        return found

    def _has_place(self, generating: Collection[str]) -> bool:
        """Whether a server has a place that nobody here is about to take; beside that one task waits in line for one.

        What was seen of places holds for a moment, unless one was taken or left over here since.
        """
        servers, instant = self._app.comfyui, time.monotonic()
        looking = servers.turns.looking(generating)
        if looking < MOST_WAITING:
            return True
        standing = servers.places_freed, len(generating) - looking
        if self._looked[0] != standing or instant - self._looked[1] > _HOLDS_SECONDS:
            free, _ = servers.records.places()
            self._looked = standing, instant, free
        return self._looked[2] + MOST_WAITING > looking
