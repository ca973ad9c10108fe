"""When the next attempt is made, and what becomes of a webhook that keeps failing. Pure.

Source: Standard Webhooks 1.0.0, "Deliverability and reliability", for the usual delays; RFC 9110 10.2.3 for
Retry-After.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

USUAL_DELAYS: Final = (5.0, 300.0, 1800.0, 7200.0, 18_000.0, 36_000.0, 50_400.0, 72_000.0, 86_400.0)
"""Seconds between attempts if nothing is chosen: the last one is made three days after the first."""

LONGEST_SECONDS: Final = 86_400.0
"""No wait is longer, whatever the schedule or the receiver says."""

JITTER: Final = 0.1
"""Up to so much of a delay is added by chance, so that what failed together does not come again together."""

OPENS_AFTER: Final = 5
"""So many failures in a row, and only probes are sent until one succeeds."""

FIRST_PAUSE_SECONDS: Final = 15.0
LONGEST_PAUSE_SECONDS: Final = 900.0
"""Pause between two probes: it doubles from the first to the longest."""

DISABLED_AFTER: Final = timedelta(days=5)
WARNED_AFTER: Final = DISABLED_AFTER / 2

FARTHEST_DUE: Final = timedelta(hours=27)
FARTHEST_PAUSE: Final = timedelta(hours=2)
"""Farther ahead nothing is ever put; what is, was put there by a clock that was wrong."""

_SECONDS = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often and after what delays an attempt is made again.

    Attributes:
        delays: seconds before the second attempt, the third, …; one for each retry.
    """

    delays: Sequence[float] = USUAL_DELAYS

    @classmethod
    def exponential(cls, *, max_retries: int, retry_delay_seconds: float) -> "RetryPolicy":
        """Delays that double from the first."""
        delays = [min(LONGEST_SECONDS, retry_delay_seconds * 2.0**number) for number in range(max_retries)]
        return cls(delays=tuple(delays))

    def delay(self, attempt: int, *, chance: float, hint_seconds: float | None = None) -> float | None:
        """Seconds to wait after the failed attempt of that number (1 for the first); None if it was the last.

        Args:
            attempt: which attempt failed.
            chance: 0.0-1.0, by chance; how much of the jitter is added.
            hint_seconds: what the receiver asked for, or None.
        """
        if attempt > len(self.delays):
            return None
        scheduled = self.delays[attempt - 1] * (1 + JITTER * chance)
        return min(LONGEST_SECONDS * (1 + JITTER), max(scheduled, hint_seconds or 0.0))


def retry_after(value: str, instant: datetime) -> float | None:
    """Seconds that a Retry-After header asks to wait, at most a day; None if it says nothing that can be read."""
    text = value.strip()
    if _SECONDS.fullmatch(text):
        return min(LONGEST_SECONDS, float(text))
    try:
        wanted = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if wanted.tzinfo is None:
        wanted = wanted.replace(tzinfo=UTC)
    return min(LONGEST_SECONDS, max(0.0, (wanted - instant).total_seconds()))


def pause_seconds(failures: int) -> float:
    """How long nothing is sent after so many failures in a row; 0 while it is not many."""
    if failures < OPENS_AFTER:
        return 0.0
    return min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** min(20, failures - OPENS_AFTER))


def allowance(
    paced_at: datetime | None, instant: datetime, *, per_minute: int, wanted: int
) -> tuple[int, datetime | None]:
    """How many messages a rate limit lets through now, at most `wanted`, and what to remember of it.

    A tenth of a second's worth may go at once, and at least one message (the generic cell rate algorithm).

    Args:
        paced_at: what was remembered, or None.
        instant: now.
        per_minute: most messages a minute; 0 sets no limit.
        wanted: how many there are room for.
    """
    if per_minute == 0 or wanted == 0:
        return wanted, paced_at
    step = timedelta(minutes=1) / per_minute
    burst = max(step, timedelta(milliseconds=100))
    free_from = max(paced_at or instant, instant)
    if free_from > instant + burst:  # it was noted by a clock that has been put back
        free_from = instant
    room = (instant + burst - free_from) // step
    count = max(0, min(wanted, room))
    return count, (free_from + count * step) if count else paced_at
