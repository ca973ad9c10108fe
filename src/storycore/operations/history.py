"""How things stand now, and what was done lately: what people look at, read from the database and the disk."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final, TypeVar

from pydantic import Field

from storycore.app import App
from storycore.observe.readiness import free_bytes
from storycore.operations.request import Result
from storycore.tasks.history.records import Ended, HistoryRecords
from storycore.tasks.task import Status
from storycore.units import iso, now
from storycore.webhooks.delivery import Code
from storycore.webhooks.history.records import AttemptHistory

STEPS: Final = 48
"""How many stretches a time is cut into."""

MOST_ROWS: Final = 20_000
"""How many tasks, files and attempts are looked at, each; the newest."""

_NOT_THEIRS: Final = frozenset({Code.CANCELLED})

T = TypeVar("T")


class Standing(Result):
    """How things stand now."""

    counts: dict[str, int] = Field(description="How many tasks there are by status.")
    oldest_wait_seconds: float = Field(description="How long the task that waits longest has waited; 0 if none waits.")
    webhooks_waiting: int = Field(description="Deliveries that wait or are under way.")
    free_bytes: int | None = Field(description="Room on the fullest disk; null if nothing can tell.")
    failed_day: int = Field(description="Tasks that failed in the last 24 hours.")
    completed_day: int = Field(description="Tasks that were completed in the last 24 hours.")
    attempts_day: int = Field(description="Attempts at webhooks in the last 24 hours, of the newest 20,000.")
    attempts_ok_day: int = Field(description="How many of them were taken.")


class KindFigures(Result):
    """How tasks of one kind went."""

    kind: str
    completed: int
    failed: int
    cancelled: int
    half_seconds: float | None = Field(description="Half of the completed ones took no longer.")
    most_seconds: float | None = Field(description="95 of 100 took no longer.")


class History(Result):
    """What was done in a time, which is cut into stretches of the same length."""

    since: str
    until: str
    step_seconds: float
    completed: list[int] = Field(description="Tasks completed in each stretch.")
    failed: list[int] = Field(description="Tasks that failed in each stretch.")
    bytes_made: list[int] = Field(description="Bytes of the files made in each stretch.")
    attempts: list[int] = Field(description="Attempts at webhooks in each stretch.")
    attempts_failed: list[int] = Field(description="How many of them were not taken.")
    attempt_ms: list[float | None] = Field(description="Half of the attempts in each stretch took no longer.")
    kinds: list[KindFigures]
    codes: dict[str, int] = Field(description="How attempts ended.")
    is_cut: bool = Field(description="Whether there was more than is looked at, so that the oldest is left out.")


def standing(app: App) -> Standing:
    """How things stand now."""
    instant = now()
    day = instant - timedelta(days=1)
    since = app.tasks.records.waiting_since()
    ended = Counter(one.status for one in HistoryRecords(app.database).ended(day, limit=MOST_ROWS))
    tried = [one for one in AttemptHistory(app.database).tried(day, limit=MOST_ROWS) if one.code not in _NOT_THEIRS]
    return Standing(
        counts=app.tasks.records.counts(),
        oldest_wait_seconds=0.0 if since is None else max(0.0, (instant - since).total_seconds()),
        webhooks_waiting=app.deliveries.waiting(),
        free_bytes=free_bytes((*(app.places.roots or ()), *app.settings.output_roots)),
        failed_day=ended[Status.FAILED],
        completed_day=ended[Status.COMPLETED],
        attempts_day=len(tried),
        attempts_ok_day=sum(one.code is Code.OK for one in tried),
    )


def history(app: App, hours: int) -> History:
    """What was done in the last hours."""
    until = now()
    since = until - timedelta(hours=hours)
    step = timedelta(hours=hours) / STEPS
    ended = HistoryRecords(app.database).ended(since, limit=MOST_ROWS)
    made = HistoryRecords(app.database).made(since, limit=MOST_ROWS)
    tried = AttemptHistory(app.database).tried(since, limit=MOST_ROWS)

    def cut(items: Iterable[T], instant: Callable[[T], datetime]) -> list[list[T]]:
        stretches: list[list[T]] = [[] for _ in range(STEPS)]
        for item in items:
            stretches[min(STEPS - 1, max(0, (instant(item) - since) // step))].append(item)
        return stretches

    tasks = cut(ended, lambda one: one.finished_at)
    files = cut(made, lambda one: one.created_at)
    attempts = cut(tried, lambda one: one.started_at)
    return History(
        since=iso(since),
        until=iso(until),
        step_seconds=step.total_seconds(),
        completed=[_count(part, Status.COMPLETED) for part in tasks],
        failed=[_count(part, Status.FAILED) for part in tasks],
        bytes_made=[sum(one.size_bytes for one in part) for part in files],
        attempts=[len(part) for part in attempts],
        attempts_failed=[sum(one.code is not Code.OK for one in part) for part in attempts],
        attempt_ms=[share([one.total_ms for one in part], 0.5) for part in attempts],
        kinds=_kinds(ended),
        codes=dict(Counter(one.code.value for one in tried).most_common()),
        is_cut=MOST_ROWS in (len(ended), len(made), len(tried)),
    )


def share(values: Sequence[float], part: float) -> float | None:
    """The value that this part of all does not exceed, by the nearest rank; None of no values."""
    if not values:
        return None
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, max(0, -int(-part * len(ranked) // 1) - 1))]


def _count(part: Sequence[Ended], status: Status) -> int:
    return sum(one.status is status for one in part)


def _kinds(ended: Sequence[Ended]) -> list[KindFigures]:
    found = []
    for kind in sorted({one.kind for one in ended}):
        mine = [one for one in ended if one.kind == kind]
        seconds = [
            (one.finished_at - one.started_at).total_seconds()
            for one in mine
            if one.status is Status.COMPLETED and one.started_at is not None
        ]
        found.append(
            KindFigures(
                kind=kind, completed=_count(mine, Status.COMPLETED), failed=_count(mine, Status.FAILED),
                cancelled=_count(mine, Status.CANCELLED), half_seconds=share(seconds, 0.5),
                most_seconds=share(seconds, 0.95),
            )
        )  # fmt: skip
    return found
