"""What is forgotten when its time has come: finished tasks with all that hangs on them, and answers kept for replay.

Files that tasks made stay where they are: they are the user's.
"""

import threading
from datetime import timedelta
from typing import Final

from storycore.app import App
from storycore.errors import Unavailable
from storycore.observe import logging
from storycore.units import now

_FIRST_SECONDS: Final = 60.0
_EVERY_SECONDS: Final = 3600.0
_AT_ONCE: Final = 500  # rows a transaction, so that others can write in between

log = logging.get(__name__)


def expire(app: App, *, most: int | None = None) -> int:
    """Forgets what is older than the settings say; gives how many rows.

    Args:
        app: with a database.
        most: about how many tasks; all of them if None.

    Raises:
        Unavailable: database_unavailable.
    """
    from storycore.replies.records import KEPT

    before = now() - timedelta(days=app.settings.retention_days)
    forgotten = 0
    for forget, until in ((app.tasks.records.expire, before), (app.replies.expire, now() - KEPT)):
        part = _AT_ONCE
        while part == _AT_ONCE and (most is None or forgotten < most):
            part = forget(until, limit=_AT_ONCE)
            forgotten += part
    return forgotten


class Upkeep:
    """Expires in a thread of its own, once an hour.

    Args:
        app: with a database.
    """

    def __init__(self, app: App) -> None:
        self._app = app
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="storycore-upkeep", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends, after the rows that are being forgotten."""
        self._stopping.set()
        self._thread.join(5)

    def _run(self) -> None:
        pause = _FIRST_SECONDS
        while not self._stopping.wait(pause):
            pause = _EVERY_SECONDS
            try:
                forgotten = expire(self._app)
            except Unavailable as fault:
                log.warning("database_does_not_answer", reason=fault.reason.value)
            else:
                log.info("expired", rows=forgotten)
