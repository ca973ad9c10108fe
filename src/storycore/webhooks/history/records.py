"""Attempts at webhooks that were made lately, in the database."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select

from storycore.database.connect import Database
from storycore.database.tables import attempts
from storycore.webhooks.delivery import Code


class Tried(NamedTuple):
    """One attempt."""

    code: Code
    started_at: datetime
    total_ms: float


class AttemptHistory:
    """Attempts at webhooks.

    Args:
        database: where they are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def tried(self, since: datetime, *, limit: int) -> Sequence[Tried]:
        """Attempts since then, the newest first; only the newest `limit` of all are looked at."""
        columns = (attempts.c.code, attempts.c.started_at, attempts.c.total_ms)
        query = select(*columns).order_by(attempts.c.number.desc()).limit(limit)
        with self._database.read() as connection:
            found = [Tried(Code(row[0]), row[1], row[2]) for row in connection.execute(query)]
        return [one for one in found if one.started_at >= since]
