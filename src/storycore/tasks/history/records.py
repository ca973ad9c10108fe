"""Tasks that ended lately, and the files that they made, in the database."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select

from storycore.database.connect import Database
from storycore.database.tables import artifacts, tasks
from storycore.tasks.records import WHOLE
from storycore.tasks.task import Status


class Ended(NamedTuple):
    """A task that ended."""

    kind: str
    status: Status
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime


class Made(NamedTuple):
    """A file that was made."""

    size_bytes: int
    created_at: datetime


class HistoryRecords:
    """What tasks have done.

    Args:
        database: where they are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def ended(self, since: datetime, *, limit: int) -> Sequence[Ended]:
        """Tasks that ended since then, the newest first, at most `limit`."""
        columns = (tasks.c.kind, tasks.c.status, tasks.c.created_at, tasks.c.started_at, tasks.c.finished_at)
        query = select(*columns).where(tasks.c.finished_at >= since, WHOLE)
        query = query.order_by(tasks.c.finished_at.desc()).limit(limit)
        with self._database.read() as connection:
            return [Ended(row[0], Status(row[1]), *row[2:]) for row in connection.execute(query)]

    def made(self, since: datetime, *, limit: int) -> Sequence[Made]:
        """Files made since then, the newest first, at most `limit`; those of tasks that are remembered."""
        query = select(artifacts.c.size_bytes, artifacts.c.created_at).order_by(artifacts.c.number.desc()).limit(limit)
        with self._database.read() as connection:
            found = [Made(*row) for row in connection.execute(query)]
        return [one for one in found if one.created_at >= since]
