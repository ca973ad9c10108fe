"""What attempts led to, in the database: a row for each, and where its delivery stands now.

A result changes the state of a delivery only under its newest lease; the attempt is kept in any case, since it was
made.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Connection, bindparam, update

from storycore.database.bulk import (
    execute_many,
    execute_spelled,
    insert_rows,
    numbers_in,
    stored,
    stored_json,
    stored_texts,
)
from storycore.database.tables import attempts, deliveries
from storycore.webhooks.delivery import Outcome, State
from storycore.webhooks.health.records import note_health
from storycore.webhooks.leasing.records import LEASED
from storycore.webhooks.outbox.records import EventRecords

_COLUMNS: Final = tuple(column.name for column in attempts.c if not column.primary_key)
_RETRY: Final = (
    update(deliveries)
    .where(deliveries.c.number == bindparam("b_number"), deliveries.c.lease == bindparam("b_lease"), LEASED)
    .values(
        state=bindparam("b_state"), owner=bindparam("b_owner"), attempts=bindparam("b_attempts"),
        due_at=bindparam("b_due_at"),
        code=bindparam("b_code"), status_code=bindparam("b_status_code"), finished_at=bindparam("b_finished_at"),
    )
)  # fmt: skip


def settle(connection: Connection, outbox: EventRecords, outcomes: Sequence[Outcome]) -> None:
    """Writes down what was met.

    Args:
        connection: in a transaction.
        outbox: where it is told that a webhook has failed for long.
        outcomes: of attempts.
    """
    if not outcomes:
        return
    insert_rows(connection, attempts, _COLUMNS, [_attempt_row(item) for item in outcomes])
    ended: dict[tuple[Any, ...], list[Outcome]] = {}
    for item in outcomes:
        if item.state is not State.RETRY:
            ended.setdefault(_ending(item), []).append(item)
    for alike in ended.values():
        _end(connection, alike)
    execute_many(connection, _RETRY, [_retried(item) for item in outcomes if item.state is State.RETRY])
    for event, number in note_health(connection, outcomes):
        outbox.write(connection, event, but=number)


@lru_cache(maxsize=2)
def _ended(dialect: str) -> Any:
    """Deliveries that ended alike."""
    alike = deliveries.c.number.in_(numbers_in("b_numbers", dialect))
    return (
        update(deliveries)
        .where(alike, deliveries.c.lease == bindparam("b_lease"), LEASED)
        .values(
            state=bindparam("b_state"), owner=None, attempts=bindparam("b_attempts"), due_at=bindparam("b_instant"),
            code=bindparam("b_code"), status_code=bindparam("b_status_code"), finished_at=bindparam("b_instant"),
        )
    )  # fmt: skip


def _ending(outcome: Outcome) -> tuple[Any, ...]:
    """What the rows of deliveries that ended alike have in common."""
    leased, made = outcome.leased, outcome.attempt
    return leased.lease, leased.attempt, made.status_code, str(outcome.state), str(made.code)


def _end(connection: Connection, alike: Sequence[Outcome]) -> None:
    """Writes down that deliveries ended, all in the same way, and as one: when the last of them did."""
    lease, attempt, status_code, state, code = _ending(alike[0])
    values = {
        "b_numbers": stored_json([item.leased.number for item in alike]), "b_lease": lease, "b_state": state,
        "b_attempts": attempt, "b_code": code, "b_status_code": status_code,
        "b_instant": stored(max([item.due_at for item in alike])),
    }  # fmt: skip
    execute_spelled(connection, _ended(connection.dialect.name), values)


def _retried(outcome: Outcome) -> dict[str, Any]:
    return {
        "b_number": outcome.leased.number, "b_lease": outcome.leased.lease, "b_owner": None,
        "b_state": str(outcome.state), "b_attempts": outcome.leased.attempt, "b_due_at": stored(outcome.due_at),
        "b_code": str(outcome.attempt.code), "b_status_code": outcome.attempt.status_code, "b_finished_at": None,
    }  # fmt: skip


def _attempt_row(outcome: Outcome) -> Sequence[Any]:
    """In the order of the columns; texts as plain ones, since drivers think long about their kinds."""
    leased, it = outcome.leased, outcome.attempt
    return (
        leased.number, leased.attempt, str(leased.origin), stored(it.started_at), it.url, str(it.code),
        it.status_code, it.dns_ms, it.connect_ms, it.headers_ms, it.total_ms, it.remote_address,
        stored_texts(it.response_headers), it.response_body, it.response_bytes, it.response_sha256, it.message,
        None if it.request_headers is None else stored_texts(it.request_headers),
    )  # fmt: skip
