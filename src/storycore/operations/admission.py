"""Which kinds of tasks may begin in this process now.

What generates waits for a server most of the time, so it takes no turn of the work that is done here; how much of it
goes on is decided by the places that servers have. It stays in our queue until there is one: only there is the order
ours.
"""

import time
from collections.abc import Collection, Mapping
from typing import Final

from storycore.app import App
from storycore.operations.catalog import OPERATIONS

GENERATING: Final = frozenset(it.name for it in OPERATIONS if it.long and it.words[0] == "comfyui")
_OTHERS: Final = frozenset(it.name for it in OPERATIONS if it.long) - GENERATING

_HOLDS_SECONDS: Final = 0.25

MOST_GENERATING: Final = 16
"""Tasks that generate in one process at a time, whatever its servers could take."""


class Admission:
    """Says which kinds may begin.

    Args:
        app: knows the servers.
        workers: how many tasks are done here at a time, beside those that generate.
    """

    def __init__(self, app: App, workers: int) -> None:
        self._app, self._workers = app, workers
        self._looked: tuple[tuple[int, int], float, bool] = (-1, -1), 0.0, False

    def __call__(self, busy: Mapping[str, int]) -> Collection[str]:
        """The kinds of which another may begin, while so many of each run here."""
        generating = sum(count for kind, count in busy.items() if kind in GENERATING)
        found: set[str] = set()
        if sum(busy.values()) - generating < self._workers:
            found |= _OTHERS
        if generating < MOST_GENERATING and self._has_place(generating):
            found |= GENERATING
        return found

    def _has_place(self, generating: int) -> bool:
        """Whether a server has a place that nobody here is about to take; one task at a time waits for a server.

        The answer holds for a moment, unless a run here has begun or has given its place back since.
        """
        if generating == 0:
            return True
        servers, instant = self._app.comfyui, time.monotonic()
        standing = generating, servers.places_freed
        if self._looked[0] != standing or instant - self._looked[1] > _HOLDS_SECONDS:
            free, ours = servers.records.places()
            self._looked = standing, instant, free - max(0, generating - ours) > 0
        return self._looked[2]
