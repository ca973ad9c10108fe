"""How many calls a caller may make: one bucket of tokens for each API key.

A bucket holds a minute's worth of tokens and is refilled evenly; each call takes one. It is kept as one number, the
instant at which it will be full again, so nothing runs in the background and what is full can be forgotten.

Source: the generic cell rate algorithm (ITU-T I.371), which is a token bucket without a counter.
"""

import time
from collections import OrderedDict
from collections.abc import Callable

from storycore.errors import RateLimited
from storycore.units import SECOND_NS

_MINUTE_NS = 60 * SECOND_NS


class RateLimiter:
    """Buckets by key; for one thread.

    Time is counted in whole units, `per_minute` of them to a nanosecond, so that one token is a whole number of
    them and nothing is ever rounded.

    Args:
        per_minute: calls a minute, and at most at once; 0 sets no limit.
        clock: nanoseconds that never go back.
        max_keys: how many buckets are kept; beyond, the one used longest ago is forgotten, which counts as full.
    """

    def __init__(
        self, per_minute: int, *, clock: Callable[[], int] = time.monotonic_ns, max_keys: int = 10_000
    ) -> None:
        self._rate = per_minute
        self._clock = clock
        self._max_keys = max_keys
        self._full_at: OrderedDict[str, int] = OrderedDict()

    def wait_seconds(self, key: str) -> int:
        """0 if the call may pass, and then it is counted; else after how many whole seconds one may.

        A call that may not pass takes no token: who keeps calling is not shut out for longer.
        """
        if not self._rate:
            return 0
        now = self._clock() * self._rate
        full_at = max(now, self._full_at.get(key, now))
        missing = full_at - now + _MINUTE_NS - _MINUTE_NS * self._rate
        if missing > 0:
            return -(-missing // (self._rate * SECOND_NS))
        self._full_at[key] = full_at + _MINUTE_NS
        self._full_at.move_to_end(key)
        self._forget(now)
        return 0

    def check(self, key: str) -> None:
        """Counts a call of `key`.

        Raises:
            RateLimited: with `details.retry_after_seconds`, which becomes the Retry-After header.
        """
        wait_seconds = self.wait_seconds(key)
        if wait_seconds:
            raise RateLimited(
                f"There were more than {self._rate} calls a minute with this key.",
                details={"retry_after_seconds": wait_seconds},
            )

    def _forget(self, now: int) -> None:
        """Forgets the buckets used longest ago as long as they are full, or too many."""
        while self._full_at:
            key, full_at = next(iter(self._full_at.items()))
            if full_at > now and len(self._full_at) <= self._max_keys:
                return
            del self._full_at[key]
