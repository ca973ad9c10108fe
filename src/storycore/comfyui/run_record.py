"""A run as it stands in the database."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """One run as it stands in the database.

    Attributes:
        number: order of the runs; 0 before it is stored.
        id: name of the run.
        task_id: the task that it belongs to.
        backend_id: the server that has it or had it last; None before the first.
        prompt_id: what the server knows it by.
        graph: what is submitted, in API format; None before it was prepared.
        facts: what else was found out when it was prepared.
        submissions: how often it was posted, or was about to be.
        seen: "", "queued" or "running": how the server had it when we last looked.
        holding: whether it takes one of the places of its server.
        verdict: how it ended; None before that.
        submitted_at: when it was first posted.
        finished_at: when the server's part of it was known to have ended.
    """

    number: int
    id: str
    task_id: str
    backend_id: str | None
    prompt_id: str
    graph: dict[str, Any] | None
    facts: dict[str, Any]
    submissions: int
    seen: str
    holding: bool
    verdict: str | None
    submitted_at: datetime | None
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Heir:
    """A run that is to have the place that another gives back.

    Attributes:
        record: of the run.
        values: what is known of it once it is there.
        yields_at: its priority, if it lets others go first, see `ComfyRecords.is_outranked`; None if it does not.
    """

    record: RunRecord
    values: Mapping[str, Any]
    yields_at: int | None
