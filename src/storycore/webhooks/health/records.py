"""How webhooks are doing, in the database: failures in a row, pauses, and the end of one that fails for days.

One that fails is left alone more and more, and tried by one probe at a time; one success, and all is as before. After
days it is disabled, not before that was told. Nothing is ever removed.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, or_, select, update

from storycore.database.tables import webhooks
from storycore.events import Event, make
from storycore.units import iso, now
from storycore.webhooks.delivery import Code, Outcome
from storycore.webhooks.schedule import DISABLED_AFTER, OPENS_AFTER, WARNED_AFTER, pause_seconds

_DAY: Final = timedelta(days=1)
_RECOVERED = (
    update(webhooks)
    .where(
        webhooks.c.number.in_(bindparam("numbers", expanding=True)),
        or_(webhooks.c.failures > 0, webhooks.c.failing_since.is_not(None)),
    )
    .values(failures=0, failing_since=None, warned_at=None, paused_until=None)
)


def note_health(connection: Connection, outcomes: Sequence[Outcome]) -> Iterator[tuple[Event, int]]:
    """Notes what attempts tell of their webhooks; gives what must be told, each with the webhook (its number)."""
    grouped: dict[int, list[Outcome]] = {}
    for outcome in outcomes:
        if outcome.attempt.code is Code.CANCELLED:  # cut off here, which says nothing of the receiver
            continue
        grouped.setdefault(outcome.leased.endpoint.number, []).append(outcome)
    gone = {outcome.leased.endpoint.number for outcome in outcomes if outcome.attempt.code is Code.GONE}
    well = [number for number, group in grouped.items() if group[-1].attempt.success and number not in gone]
    failing = {
        number: failed
        for number, group in grouped.items()
        if number not in well and (failed := [item for item in group if not item.attempt.success])
    }
    if failing:  # all are locked at once and in one order, so that two senders can't wait for each other
        ours = select(webhooks.c.number).where(webhooks.c.number.in_([*well, *failing]))
        connection.execute(ours.order_by(webhooks.c.number).with_for_update()).all()
    if well:
        connection.execute(_RECOVERED, {"numbers": well})
    for number, failed in failing.items():
        yield from _note_failures(connection, number, failed)


def _note_failures(connection: Connection, number: int, failed: Sequence[Outcome]) -> Iterator[tuple[Event, int]]:
    row = connection.execute(select(webhooks).where(webhooks.c.number == number).with_for_update()).first()
    if row is None or not row.active:
        return
    instant = now()
    failures = _counted(row.failures, failed)
    pause = max(pause_seconds(failures), *(item.slow_seconds for item in failed))
    values: dict[str, Any] = {
        "failures": failures,
        "failing_since": row.failing_since or instant,
        "paused_until": _later(row, instant + timedelta(seconds=pause), failed) if pause else row.paused_until,
    }
    gone = any(item.attempt.code is Code.GONE for item in failed)
    event = _told(row, values, instant, gone=gone)
    connection.execute(update(webhooks).where(webhooks.c.number == number).values(values))
    if event is not None:
        yield event, number


def _counted(failures: int, failed: Sequence[Outcome]) -> int:
    """Failures in a row: those that were under way when the webhook was left alone count as one."""
    if failures < OPENS_AFTER:
        return min(OPENS_AFTER, failures + len(failed))
    return failures + any(item.leased.probe for item in failed)


def _later(row: Row[Any], until: datetime, failed: Sequence[Outcome]) -> datetime:
    """The end of the pause: of a probe its own, else the later one."""
    before: datetime | None = row.paused_until
    if before is None or any(item.leased.probe for item in failed):
        return until
    return max(before, until)


def _told(row: Row[Any], values: dict[str, Any], instant: datetime, *, gone: bool) -> Event | None:
    """What must be told of a webhook that fails; disables it when its time has come."""
    since = values["failing_since"]
    facts = {"webhook_id": row.id, "failing_since": iso(since), "reason": "gone" if gone else "failing"}
    lasted = instant - since
    if gone or (
        lasted >= DISABLED_AFTER
        and values["failures"] >= OPENS_AFTER
        and row.warned_at is not None
        and instant - row.warned_at >= _DAY
    ):
        values |= {"active": False, "disabled_reason": facts["reason"]}
        return make("webhook.disabled", facts)
    if lasted >= WARNED_AFTER and row.warned_at is None:
        values["warned_at"] = instant
        return make("webhook.warned", facts)
    return None
