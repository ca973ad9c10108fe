"""What is to be run, what came of it, and how a run stands in between."""

import asyncio
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from storycore.comfyui.backend import Backend
from storycore.comfyui.fetched import Fetched
from storycore.comfyui.graph.api_graph import speaking_nodes
from storycore.comfyui.prepare import Workflow
from storycore.comfyui.run_record import POSTED, Heir, RunRecord
from storycore.comfyui.runs.records import RunRecords
from storycore.comfyui.verdict import Judgement
from storycore.comfyui.wire import Preview
from storycore.storage.staging import Staging
from storycore.units import now


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
        most_bytes: that may come home.
        min_free_bytes: that stay free on the disk.
        extra_data: given to the server with the prompt; it puts some of it into the files that it saves.
        is_new: whether nobody can have begun it before.
        staging: of the folder that `folder` is in, shared by several runs; None for one of its own.
    """

    workflow: Workflow
    task_id: str
    folder: Path
    priority: int = 1
    timeout_seconds: float = 300
    resubmit: bool = True
    facts: Mapping[str, Any] = field(default_factory=dict)
    most_bytes: int = sys.maxsize
    min_free_bytes: int = 0
    extra_data: Mapping[str, Any] = field(default_factory=dict)
    is_new: bool = False
    staging: Staging | None = None


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

    Attributes:
        spoken: pictures that nodes put out over the socket, with the node of each.
    """

    def __init__(self, records: RunRecords, order: RunOrder, voice: Voice) -> None:
        self.records, self.order, self.voice = records, order, voice
        self.record = records.run(order.workflow.id, order.task_id, is_new=order.is_new)
        self.spoken: list[tuple[str, Preview]] = []
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

    async def take_place(self, wanted: Mapping[str, Mapping[str, Any]], *, polite: bool) -> bool:
        """Takes a place on a server and notes that it is about to be posted there; False if no place is free.

        Guarantee: both are on the disk when this returns.

        Args:
            wanted: servers that could run it, best first → what is known of it once it is there.
            polite: whether others go first that have waited longer or matter more.
        """
        noted = {backend_id: {**values, **self._post_noted()} for backend_id, values in wanted.items()}
        yields_at = self.order.priority if polite else None
        placed = await asyncio.to_thread(self.records.take_place, self.record, noted, yields_at=yields_at)
        if placed is None:
            return False
        self.placed(placed)
        return True

    def heir(self, backend_id: str, values: Mapping[str, Any], *, polite: bool) -> Heir:
        """What it is stored as with the place of another, when it is about to be posted.

        Args:
            backend_id: server of that place.
            values: what is known of it there.
            polite: whether others go first that have waited longer or matter more.
        """
        yields_at = self.order.priority if polite else None
        noted = {**values, **self._post_noted()}
        return Heir(record=self.record, backend_id=backend_id, values=noted, yields_at=yields_at)

    def placed(self, record: RunRecord) -> None:
        """It was stored with a place, and with the post that is about to be made."""
        self.record, self._noted = record, True

    def inherited(self, record: RunRecord) -> None:
        """It has the place of another; who gave it may still be writing that down, so it goes with the next change."""
        self.placed(record)
        self._held |= {name: getattr(record, name) for name in ("holding", "submissions", "submitted_at")}

    def noted(self, record: RunRecord) -> None:
        """Another has noted it in the database, before it has a place."""
        self.record = record

    def give_up(self, values: Mapping[str, Any]) -> tuple[None, list[RunRecord]]:
        """Changes it, so that it has no place any more; nobody gets that."""
        self.change(**values)
        return None, []

    def hand_over(
        self, values: Mapping[str, Any], heir: Heir, ahead: Sequence[Heir]
    ) -> tuple[RunRecord | None, list[RunRecord]]:
        """Changes it, so that it has no place any more, and gives that to another, see `RunRecords.hand_over`."""
        held, self._held = self._held, {}
        self.record, placed, noted = self.records.hand_over(self.record, {**held, **values}, heir, ahead)
        return placed, noted

    def _post_noted(self) -> dict[str, Any]:
        record = self.record
        return {"seen": POSTED, "submissions": record.submissions + 1, "submitted_at": record.submitted_at or now()}

    async def note_post(self) -> int:
        """Notes that it is about to be posted, if that is not noted yet; gives the count of the post.

        Guarantee: it is on the disk when this returns.
        """
        noted, self._noted = self._noted, False
        if not noted:
            await asyncio.to_thread(partial(self.change, surely=True, **self._post_noted()))
        return self.record.submissions

    @property
    def speaking(self) -> list[str]:
        """Ids of its nodes that put out pictures over the socket."""
        return speaking_nodes(self.record.graph or {})

    def unheard(self, blocked: Collection[str]) -> list[str]:
        """Ids of nodes that put out pictures over the socket of which none came."""
        heard = {node for node, _ in self.spoken}
        return [node for node in self.speaking if node not in heard and node not in blocked]

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
