"""Lets out only messages whose webhook still is what it was when they were leased."""

import threading
from collections.abc import Awaitable, Callable
from datetime import datetime

from storycore.webhooks.endpoint import Endpoint

LetOut = Callable[[Callable[[], None]], None]
"""Calls what hands a message over, or raises Withdrawn."""

Check = Callable[[], Awaitable[None]]
"""Makes sure that a message may still go, or raises Withdrawn; may take a moment."""

_MOST_REMEMBERED = 10_000


class Withdrawn(Exception):  # noqa: N818 - says what it is
    """The webhook was changed or deleted before a byte was sent."""


class Gate:
    """Knows what this process has changed or deleted; what other processes did, it does not know.

    Guarantee: after `shut` has returned, no message begins to go out that was meant for what the webhook was before.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._changed: dict[int, datetime] = {}

    def shut(self, webhook: int, changed_at: datetime) -> None:
        """A webhook (its number) was changed: messages meant for an older form of it do not go any more."""
        with self._lock:
            if len(self._changed) >= _MOST_REMEMBERED:  # the oldest; nothing that was leased before waits that long
                del self._changed[next(iter(self._changed))]
            self._changed.pop(webhook, None)
            self._changed[webhook] = changed_at

    def is_open(self, target: Endpoint) -> bool:
        """Whether a message for the webhook may go, as it was read."""
        changed_at = self._changed.get(target.number)
        return changed_at is None or target.updated_at >= changed_at

    def pass_through(self, target: Endpoint, send: Callable[[], None]) -> None:
        """Sends, unless the webhook has changed; nobody shuts the gate meanwhile.

        Args:
            target: the webhook as it was read.
            send: hands all bytes over at once, and waits for nothing.

        Raises:
            Withdrawn: nothing was sent.
        """
        with self._lock:
            if not self.is_open(target):
                raise Withdrawn("the webhook has changed")
            send()
