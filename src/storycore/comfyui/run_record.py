"""A run as it stands in the database."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

POSTED: Final = "posted"
"""It was posted, or was about to be."""


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
        seen: "", `POSTED`, "queued" or "running": how the server had it when we last looked.
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

    @property
    def is_ahead(self) -> bool:
        """Whether it was noted as posted before it had a place; it may have been posted since, or not."""
        return self.seen == POSTED and not self.holding and self.verdict is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Heir:
    """A run that is to have the place that another gives back.

    Attributes:
        record: of the run.
        backend_id: server of the place.
        values: what is known of it once it is there.
        yields_at: its priority, if it lets others go first, see `RunRecords.is_outranked`; None if it does not.
    """

    record: RunRecord
    backend_id: str
    values: Mapping[str, Any]
    yields_at: int | None

    @property
    def ahead(self) -> dict[str, Any]:
        """What is noted of it before it has the place: enough to find it at the server, should it be posted."""
        known = {name: self.values[name] for name in ("graph", "facts")}
        return {**known, "backend_id": self.backend_id, "seen": POSTED}

    @property
    def is_noted(self) -> bool:
        """Whether all of that stands in the database."""
        return self.record.is_ahead and all(getattr(self.record, name) == it for name, it in self.ahead.items())

    @property
    def taken(self) -> dict[str, Any]:
        """What changes of it with the place."""
        return {**self.values, "backend_id": self.backend_id, "holding": True}
