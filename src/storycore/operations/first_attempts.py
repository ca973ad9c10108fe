"""First attempts of a process that ends soon: what it has told itself, nobody else's."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from storycore.app import App
from storycore.database.owner import new_owner
from storycore.errors import StoryCoreError
from storycore.observe import logging

if TYPE_CHECKING:
    from storycore.webhooks.delivery import Leased, Outcome

_ROOM = 64

log = logging.get(__name__)


def send_first(app: App, seconds: float) -> int:
    """Sends the events that this process has written, each once at most; gives how many deliveries still wait."""
    noted = app.noted_events()
    if not noted:
        return 0
    owner, until = new_owner(), time.monotonic() + seconds
    try:
        while time.monotonic() < until:
            leased = app.queue.turn(owner, (), room=_ROOM, only=noted)
            if not leased:
                break
            _send(app, leased, until)
    except StoryCoreError as fault:
        log.warning("webhooks_not_sent", reason=fault.reason.value)
    except KeyboardInterrupt:  # whoever wants to know how many wait asks again
        for event_id in noted:
            app.note_event(event_id)
        raise
    finally:
        app.queue.release_all(owner)
    return app.deliveries.waiting(only=noted)


def _send(app: App, leases: "Sequence[Leased]", until: float) -> None:
    outcomes: list[Outcome] = []
    try:
        app.post.send(leases, outcomes.append, until=until)
    finally:
        app.queue.settle(outcomes)
