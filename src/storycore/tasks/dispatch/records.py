"""Procrastinate's jobs in the database: every statement about them stands here.

A job only wakes a worker: which task that worker takes is decided by the table of tasks. So a job that is lost is a
delay until the next look, and one too many finds nothing to do.
"""

from collections.abc import Collection
from typing import Final

from sqlalchemy import Connection, text

from storycore.database.connect import Database
from storycore.tasks.task import Task

QUEUE: Final = "storycore"
JOB: Final = "storycore.work"

_LOCK: Final = 0x53746F727944  # one above that of our own migrations
_DEFER = text(
    "SELECT procrastinate_defer_jobs_v1(ARRAY[ROW(CAST(:queue AS varchar), CAST(:job AS varchar),"
    " CAST(:priority AS integer), NULL::text, NULL::text, jsonb_build_object('task_id', CAST(:task_id AS text)),"
    " CAST(:at AS timestamptz))]::procrastinate_job_to_defer_v1[])"
)
_ABANDONED = text(
    "DELETE FROM procrastinate_jobs WHERE status = 'doing' AND queue_name = :queue AND NOT EXISTS(SELECT 1"
    " FROM procrastinate_workers worker WHERE worker.id = worker_id"
    " AND worker.last_heartbeat >= now() - make_interval(secs => :seconds))"
)
_DOING = text(
    "SELECT id FROM procrastinate_jobs WHERE status = 'doing' AND queue_name = :queue AND worker_id = ANY(:workers)"
)
_CLEAR = text("DELETE FROM procrastinate_jobs WHERE status = 'doing' AND queue_name = :queue AND id = ANY(:jobs)")
_PRUNE = text("SELECT procrastinate_prune_stalled_workers_v1(:seconds)")
_READY = text(
    "SELECT EXISTS(SELECT 1 FROM procrastinate_jobs WHERE status = 'todo' AND queue_name = :queue"
    " AND (scheduled_at IS NULL OR scheduled_at <= now()))"
)


class DispatchRecords:
    """Procrastinate's side of our tasks.

    Args:
        database: a Postgres.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def prepare(self, schema: str) -> None:
        """Makes procrastinate's tables, once for a database, by the text of its own schema."""
        with self._database.accept() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            if connection.execute(text("SELECT to_regclass('procrastinate_jobs')")).scalar() is None:
                # Without parameters, since the driver would take each % in it for one.
                connection.connection.cursor().execute(schema)

    def defer(self, connection: Connection, task: Task) -> None:
        """A job for a task, within the caller's transaction."""
        values = {"queue": QUEUE, "job": JOB, "priority": int(task.priority), "task_id": task.id}
        connection.execute(_DEFER, {**values, "at": task.not_before})

    def offer_again(self) -> None:
        """A job for whatever waits, unless there is one that nobody has taken yet."""
        with self._database.write() as connection:
            if not connection.execute(_READY, {"queue": QUEUE}).scalar():
                values = {"queue": QUEUE, "job": JOB, "priority": 0, "task_id": "", "at": None}
                connection.execute(_DEFER, values)

    def clear_abandoned(self, seconds: float) -> None:
        """Ends the jobs of workers that have been silent for that long, and forgets these workers."""
        with self._database.write() as connection:
            connection.execute(_ABANDONED, {"queue": QUEUE, "seconds": seconds})
            connection.execute(_PRUNE, {"seconds": seconds}).all()

    def doing(self, workers: Collection[int]) -> set[int]:
        """The jobs that these workers are said to be doing."""
        with self._database.read() as connection:
            found = connection.execute(_DOING, {"queue": QUEUE, "workers": list(workers)})
            return {row.id for row in found}

    def clear(self, jobs: Collection[int]) -> None:
        """Ends jobs that nobody does any more."""
        with self._database.write() as connection:
            connection.execute(_CLEAR, {"queue": QUEUE, "jobs": list(jobs)})
