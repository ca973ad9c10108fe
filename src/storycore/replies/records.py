"""Answers by Idempotency-Key in the database: every statement about them stands here."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from storycore.database.connect import Database
from storycore.database.tables import answers
from storycore.errors import Conflict, Reason
from storycore.json_text import write
from storycore.units import now

KEPT = timedelta(hours=24)
_STUCK = timedelta(minutes=10)


class Taken(Exception):  # noqa: N818 - it is no error: another call with the same key was quicker
    """The key stands in the database already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call that may come again.

    Attributes:
        caller: id of the API key, or "".
        operation: dotted name.
        key: as the caller chose it.
        fingerprint: of the request.
        owner: process that answers it.
    """

    caller: str
    operation: str
    key: str
    fingerprint: str
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What is known of such a call.

    Attributes:
        task_id: the task that it became, or None.
        data: what was answered, or None while that is not known.
    """

    task_id: str | None
    data: dict[str, Any] | None


class ReplyRecords:
    """All of them.

    Args:
        database: where they are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, call: Call) -> Reply | None:
        """What came of an earlier call like this; None if there was none in the last day.

        Raises:
            Conflict: idempotency_mismatch: it asked for something else; idempotency_in_progress: it is not answered.
        """
        with self._database.read() as connection:
            row = connection.execute(select(answers).where(_same(call))).first()
        if row is None or row.created_at < now() - KEPT:
            return None
        if row.fingerprint != call.fingerprint:
            raise Conflict("This Idempotency-Key came with another request.", reason=Reason.IDEMPOTENCY_MISMATCH)
        if row.task_id is None and row.body is None:
            if row.created_at < now() - _STUCK:
                return None
            raise Conflict("The first call with this key is not answered.", reason=Reason.IDEMPOTENCY_IN_PROGRESS)
        return Reply(task_id=row.task_id, data=row.body)

    def note(self, connection: Connection, call: Call, task_id: str | None) -> None:
        """Keeps a call within a transaction.

        Raises:
            Taken: another one like it was quicker; the transaction must be undone.
        """
        instant = now()
        old = answers.c.created_at < instant - (KEPT if task_id else _STUCK)
        connection.execute(delete(answers).where(_same(call), old))
        values = {
            "caller": call.caller, "operation": call.operation, "key": call.key, "fingerprint": call.fingerprint,
            "owner": call.owner, "task_id": task_id, "body": None, "created_at": instant,
        }  # fmt: skip
        try:
            connection.execute(insert(answers), values)
        except IntegrityError:
            raise Taken from None

    def begin(self, call: Call) -> None:
        """Keeps a call whose answer is not known yet.

        Raises:
            Taken: another one like it was quicker.
        """
        with self._database.accept() as connection:
            self.note(connection, call, None)

    def finish(self, call: Call, data: Mapping[str, Any]) -> None:
        """Keeps its answer."""
        with self._database.accept() as connection:
            connection.execute(update(answers).where(_same(call)).values(body=dict(data)))

    def forget(self, call: Call) -> None:
        """It was refused: the same key may come with a mended request."""
        with self._database.accept() as connection:
            connection.execute(delete(answers).where(_same(call)))

    def expire(self, before: datetime, *, limit: int = 1000) -> int:
        """Forgets what is older; gives how many, at most `limit`."""
        old = select(answers.c.number).where(answers.c.created_at < before).limit(limit)
        with self._database.read() as connection:  # looking must not keep others from writing
            if connection.execute(old.limit(1)).first() is None:
                return 0
        with self._database.write() as connection:
            return connection.execute(delete(answers).where(answers.c.number.in_(old))).rowcount


def fingerprint(request: Mapping[str, Any]) -> str:
    """The same for the same request, however it was written."""
    return hashlib.sha256(write(request, indent=None).encode(errors="surrogatepass")).hexdigest()


def _same(call: Call) -> Any:
    return (
        (answers.c.caller == call.caller) & (answers.c.operation == call.operation) & (answers.c.key == call.key)
    )  # fmt: skip
