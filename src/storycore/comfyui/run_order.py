"""What is to be run, what came of it, and how a run stands in between."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol

from storycore.comfyui.backend import Backend
from storycore.comfyui.fetch import Fetched
from storycore.comfyui.prepare import Workflow
from storycore.comfyui.records import ComfyRecords, RunRecord
from storycore.comfyui.verdict import Judgement
from storycore.comfyui.wire import Preview
from storycore.units import now

POSTED: Final = "posted"
"""It was posted, or was about to be."""


class Voice(Protocol):
    """Whoever a run tells how far it is, and hears from that it must stop."""

    def say(self, step: str, fraction: float) -> None:
        """What is being done, and how much of the whole is."""

    def show(self, preview: Preview) -> None:
        """A picture of work in progress."""

    def stops(self) -> bool:
        """Whether it was asked to stop."""

    def leaves(self) -> bool:
        """Whether another process goes on with it, so that nothing is to be stopped at the server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOrder:
    """What is to be run.

    Attributes:
        workflow: the graph and what is filled in.
        task_id: the task that it belongs to.
        folder: new folder for what it makes.
        priority: 0 low, 1 normal, 2 high.
        timeout_seconds: from the first post to the end.
        resubmit: whether it is tried again, once, if the server died over it.
        facts: what stands in each sidecar beside what the run knows itself.
        extra_data: given to the server with the prompt; it puts some of it into the files that it saves.
    """

    workflow: Workflow
    task_id: str
    folder: Path
    priority: int = 1
    timeout_seconds: float = 300
    resubmit: bool = True
    facts: Mapping[str, Any] = field(default_factory=dict)
    extra_data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A run that has ended.

    Attributes:
        record: as it stands in the database.
        judgement: how it counts.
        files: what was brought home; of a failed run, what was made before.
        backend: the server that ran it.
        home_at: when all of it was at home.
        warnings: what was odd, for people.
    """

    record: RunRecord
    judgement: Judgement
    files: list[Fetched]
    backend: Backend | None
    home_at: datetime
    warnings: tuple[str, ...] = ()


class RunState:
    """A run as it stands: the database knows each change before anything is done on its strength.

    Args:
        records: where it stands.
        order: what is to be run.
        voice: hears how far it is.
    """

    def __init__(self, records: ComfyRecords, order: RunOrder, voice: Voice) -> None:
        self.records, self.order, self.voice = records, order, voice
        self.record = records.run(order.workflow.id, order.task_id)
        self._reached = 0.0
        self._held: dict[str, Any] = {}
        self._noted = False

    @property
    def tried(self) -> list[str]:
        """What tries were made for already."""
        return list(self.record.facts.get("tried", ()))

    @property
    def partners(self) -> list[str]:
        """The node classes in it that call paid services."""
        return list(self.record.facts.get("partners", ()))

    @property
    def outputs(self) -> list[str]:
        """Ids of its output nodes."""
        return list(self.record.facts.get("ends", ()))

    def change(self, *, surely: bool = False, **values: Any) -> None:
        """Changes it; `surely` so that no power cut undoes it."""
        held, self._held = self._held, {}
        self.record = self.records.change(self.record, surely=surely, **{**held, **values})

    async def take_place(self, backend_id: str, values: Mapping[str, Any]) -> bool:
        """Takes a place on a server and notes that it is about to be posted there; False if no place is free.

        Guarantee: both are on the disk when this returns.
        """
        record = self.record
        facts = {"seen": POSTED, "submissions": record.submissions + 1, "submitted_at": record.submitted_at or now()}
        placed = await asyncio.to_thread(self.records.take_place, record, backend_id, **values, **facts)
        if placed is None:
            return False
        self.record, self._noted = placed, True
        return True

    async def note_post(self) -> int:
        """Notes that it is about to be posted, if that is not noted yet; gives the count of the post.

        Guarantee: it is on the disk when this returns.
        """
        record, noted, self._noted = self.record, self._noted, False
        if not noted:
            facts = {"submissions": record.submissions + 1, "seen": POSTED,
                     "submitted_at": record.submitted_at or now()}  # fmt: skip
            await asyncio.to_thread(partial(self.change, surely=True, **facts))
        return self.record.submissions

    @property
    def is_unposted(self) -> bool:
        """Whether a post was noted here that was not made yet."""
        return self._noted

    def hold(self, **values: Any) -> None:
        """Changes it here; in the database with the next change, since nothing is done on the strength of this one."""
        self._held |= values
        self.record = replace(self.record, **values)

    def say(self, step: str, fraction: float) -> None:
        """Tells how far it is; never less than before."""
        self._reached = max(self._reached, fraction)
        self.voice.say(step, self._reached)
