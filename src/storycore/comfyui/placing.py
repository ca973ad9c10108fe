"""Which server runs a workflow: one that is up, has what the workflow needs, and has room."""

import time
from typing import Any, Final

from storycore.comfyui.backend import MOST_IN_FLIGHT, Backend, preferred
from storycore.comfyui.backends import Backends
from storycore.comfyui.client import Refused, Unreachable
from storycore.comfyui.graph.api_graph import ApiGraph
from storycore.comfyui.lines import Line
from storycore.comfyui.look import Where
from storycore.comfyui.prepare import Prepared, prepare, send_files, wanted_classes
from storycore.comfyui.run_order import RunState
from storycore.comfyui.run_record import Heir
from storycore.comfyui.submission import find
from storycore.comfyui.turns import Turn
from storycore.comfyui.verdict import Retry
from storycore.errors import Cancelled, DependencyFailed, InvalidInput, Reason
from storycore.units import now

_LOOK_AGAIN_SECONDS: Final = 2.0
_YIELD_SECONDS: Final = 5.0
"""How long a place is left to work of a higher priority that waits to be begun; then nobody seems to begin it."""


class Placing:
    """Finds a server for one run, again and again if need be.

    Args:
        backends: the servers.
        state: of the run.

    Attributes:
        avoid: ids of servers that the run must not go to any more.
    """

    def __init__(self, backends: Backends, state: RunState) -> None:
        self.avoid: set[str] = set()
        self._backends, self._state = backends, state
        self._records, self._runs = backends.records, backends.runs
        self._fits: dict[str, Prepared] = {}
        self._sent: dict[str, ApiGraph] = {}
        self._unfit: dict[str, InvalidInput] = {}

    async def take(self) -> tuple[Backend, Line]:
        """The server that has the run, or that it has just got a place on for a post that is noted already.

        Raises:
            InvalidInput: no server can run it, and why; what `send_files` refuses.
            DependencyFailed: comfyui_not_connected, comfyui_lost, comfyui_rejected.
            Cancelled: we were asked to stop.
        """
        record = self._state.record
        if record.graph is not None and (record.holding or "outputs" in record.facts or await self._is_there()):
            return await self._return_to(record.backend_id or "")
        begun, looked = time.monotonic(), float("-inf")
        turn = Turn(task_id=self._state.order.task_id, priority=self._state.order.priority, on_noted=self._state.noted)
        while True:
            if self._state.voice.stops():
                raise Cancelled("Stopped on request; nothing was kept.")
            usable = self.usable()
            if not usable and time.monotonic() - looked > _LOOK_AGAIN_SECONDS:
                await self._backends.look_at_all()
                looked = time.monotonic()
            for backend in usable:
                await self._try_on(backend)
            turn.fits = {it.id for it in usable if it.id in self._fits}
            if not self._backends.turns.others_first(turn):
                placed = await self._take_one(usable, polite=time.monotonic() - begun < _YIELD_SECONDS)
                if placed:
                    return placed
            self._refuse_hopeless(usable, begun + self._state.order.timeout_seconds)
            self._state.say("waiting for a ComfyUI server", 0.0)
            placed = await self._wait(turn, usable, begun)
            if placed:
                return placed

    def usable(self) -> list[Backend]:
        """The servers that take work now, best first."""
        instant = now()
        return preferred([it for it in self._records.known() if it.takes_work(instant) and it.id not in self.avoid])

    def others(self) -> bool:
        """Whether another server could take the run over."""
        state = self._state
        may = state.order.resubmit and Retry.LOST not in state.tried and not state.partners
        return may and any(it.id != state.record.backend_id and it.id not in self._unfit for it in self.usable())

    def seek_larger(self) -> bool:
        """Leaves out every server that has no more memory than the present one; False if none is left."""
        own = self.find(self._state.record.backend_id or "")
        most = own.vram_total_bytes if own else 0
        smaller = {it.id for it in self._records.known() if it.vram_total_bytes <= most}
        if not any(it.id not in smaller for it in self.usable()):
            return False
        self.avoid |= smaller
        return True

    def find(self, backend_id: str) -> Backend | None:
        """A server as it stands now."""
        return next((it for it in self._records.known() if it.id == backend_id), None)

    async def _take_one(self, usable: list[Backend], *, polite: bool) -> tuple[Backend, Line] | None:
        """The best of the servers that could run it and have a place free, which is taken; None if there is none."""
        fitting = {it.id: it for it in usable if it.id in self._fits}
        if any(self._fits[it].uploads for it in fitting):  # files are sent to one that has a place, not to all
            free = preferred([it for it in self._records.backends() if it.in_flight < MOST_IN_FLIGHT])
            best = next((it for it in free if it.id in fitting), None)
            fitting = {best.id: best} if best and not self._is_early(polite=polite) else {}
        if not fitting:
            return None
        wanted = {it.id: await self._ready(it) for it in fitting.values()}
        if not await self._state.take_place(wanted, polite=polite):
            return None
        backend = fitting[self._state.record.backend_id or ""]
        return backend, await self._backends.line(backend)

    async def _wait(self, turn: Turn, usable: list[Backend], begun: float) -> tuple[Backend, Line] | None:
        """A server with the place that another run here gave back; None if it is to be looked for one."""
        fitting = {it.id: it for it in usable if it.id in turn.fits}
        ready = {it.id: await self._ready(it) for it in fitting.values() if not self._fits[it.id].uploads}

        def heir(backend_id: str) -> Heir:
            polite = time.monotonic() - begun < _YIELD_SECONDS
            return self._state.heir(backend_id, ready[backend_id], polite=polite)

        turn.heir = heir if len(ready) == len(fitting) else None
        record = await self._backends.turns.wait(turn, self._backends.pace.place)
        if record is None:
            return None
        self._state.inherited(record)
        backend = fitting[record.backend_id or ""]
        return backend, await self._backends.line(backend)

    def _is_early(self, *, polite: bool) -> bool:
        """Whether another goes first."""
        return polite and self._runs.is_outranked(self._state.order.priority, self._state.record.task_id)

    async def _try_on(self, backend: Backend) -> None:
        """Finds out whether a server can run the workflow."""
        if backend.id in self._fits or backend.id in self._unfit:
            return
        workflow = self._state.order.workflow
        try:
            client = (await self._backends.line(backend)).client
            facts = await self._backends.node_facts(backend.id, client, wanted_classes(workflow.definition))
            self._fits[backend.id] = prepare(workflow, facts)
        except InvalidInput as fault:
            self._unfit[backend.id] = fault
        except (Unreachable, Refused):
            await self._backends.look_at(backend)

    def _refuse_hopeless(self, usable: list[Backend], until: float) -> None:
        if usable and all(backend.id in self._unfit for backend in usable):
            raise min((self._unfit[it.id] for it in usable), key=lambda fault: len(fault.details.get("findings", ())))
        if time.monotonic() >= until:
            raise DependencyFailed(
                "No ComfyUI server had room for it in time." if usable else "No ComfyUI server answers.",
                reason=Reason.COMFYUI_NOT_CONNECTED,
            )

    async def _ready(self, backend: Backend) -> dict[str, Any]:
        """What is known of the run once the server has its files."""
        prepared, line = self._fits[backend.id], await self._backends.line(backend)
        if backend.id not in self._sent:
            try:
                self._sent[backend.id] = await send_files(line.client, prepared)
            except Unreachable as fault:
                raise DependencyFailed(f"The ComfyUI server went away: {fault}", reason=Reason.COMFYUI_LOST) from None
            if prepared.uploads:
                self._backends.forget_nodes(backend.id)
        facts = {**self._state.record.facts, "partners": prepared.partners, "ends": prepared.outputs,
                 "warnings": list(prepared.warnings), "client_id": line.client_id}  # fmt: skip
        return {"graph": self._sent[backend.id], "facts": facts}

    async def _is_there(self) -> bool:
        """Whether a run that has no place is to be looked for at its server: noted ahead, or failed before a crash.

        Only one that was noted ahead and never arrived is placed as a new one; whether one that was posted is tried
        again is for its verdict to say.
        """
        record, pace = self._state.record, self._backends.pace
        if not record.seen:
            return False
        backend = self.find(record.backend_id or "")
        if backend is None:
            return True  # nobody can say
        client = (await self._backends.line(backend)).client
        deadline = time.monotonic() + pace.down
        where = await find(client, record.prompt_id, pace, self._state.voice.stops, deadline=deadline)
        if where in (Where.QUEUED, Where.RUNNING):
            self._state.change(holding=True)
        return where is not Where.UNKNOWN or not record.is_ahead

    async def _return_to(self, backend_id: str) -> tuple[Backend, Line]:
        backend = self.find(backend_id)
        if backend is None:
            raise DependencyFailed(
                "The ComfyUI server that has it was disconnected.", reason=Reason.COMFYUI_LOST,
                remediation="Connect the server again, and start the workflow again.",
            )  # fmt: skip
        return backend, await self._backends.line(backend)
