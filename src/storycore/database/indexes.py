"""Every index, as the newest migration leaves it, for those who look at the form of the database.

They stand apart from `tables`, which every command loads: a condition on an index has SQLAlchemy load the whole
dialect of each database that it is for.
"""

from sqlalchemy import Index, text

from storycore.database.tables import (
    answers,
    artifacts,
    attempts,
    comfyui_runs,
    deliveries,
    events,
    metadata,
    task_events,
    tasks,
)

__all__ = ["metadata"]

_WAITING, _RUNNING = text("status = 'pending'"), text("status = 'running'")
Index("ix_tasks_waiting", tasks.c.priority.desc(), tasks.c.number, sqlite_where=_WAITING, postgresql_where=_WAITING)
Index(
    "ux_tasks_running_key", tasks.c.serial_key, unique=True,
    sqlite_where=text("status = 'running' AND serial_key IS NOT NULL"),
    postgresql_where=text("status = 'running' AND serial_key IS NOT NULL"),
)  # fmt: skip
Index("ix_tasks_running", tasks.c.owner, sqlite_where=_RUNNING, postgresql_where=_RUNNING)
Index("ix_tasks_status", tasks.c.status, tasks.c.number)
Index("ix_tasks_finished", tasks.c.finished_at)
_PART = text("parent IS NOT NULL")
Index("ix_tasks_parent", tasks.c.parent, tasks.c.number, sqlite_where=_PART, postgresql_where=_PART)
Index("ix_task_events_task", task_events.c.task_id, task_events.c.id)
Index("ix_artifacts_task", artifacts.c.task_id, artifacts.c.number)
Index("ix_answers_created", answers.c.created_at)
Index("ix_events_occurred", events.c.occurred_at)
_DUE, _LEASED = text("state IN ('pending', 'retry')"), text("state = 'leased'")
_OPEN = text("state IN ('pending', 'retry', 'leased')")
Index("ix_deliveries_due", deliveries.c.webhook, deliveries.c.due_at, deliveries.c.number,
      sqlite_where=_DUE, postgresql_where=_DUE)  # fmt: skip
Index("ix_deliveries_open", deliveries.c.webhook, deliveries.c.number, sqlite_where=_OPEN, postgresql_where=_OPEN)
Index("ix_deliveries_leased", deliveries.c.webhook, sqlite_where=_LEASED, postgresql_where=_LEASED)
Index("ix_deliveries_webhook", deliveries.c.webhook, deliveries.c.number)
Index("ix_deliveries_event", deliveries.c.event)
Index("ix_attempts_delivery", attempts.c.delivery, attempts.c.number)
Index("ix_comfyui_runs_task", comfyui_runs.c.task_id)
Index("ix_comfyui_runs_backend", comfyui_runs.c.backend_id, comfyui_runs.c.holding)
