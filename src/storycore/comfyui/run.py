"""One run, from a workflow to what it made at home.

The database knows each step before it is taken: which server, under which prompt id, how often it was posted. So a run
that begins anew after a crash of ours goes on where it was: it finds its prompt at the server and posts none twice.
A crash of the server is told apart from a run that somebody removed, and is tried once more.
"""

import asyncio
import contextlib
import time
import uuid
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Protocol

from storycore.comfyui.backend import Backend, preferred
from storycore.comfyui.backends import Backends
from storycore.comfyui.client import Client, Refused, Unreachable
from storycore.comfyui.ear import Ear
from storycore.comfyui.fetch import Fetched, Gone, fetch
from storycore.comfyui.follow import Fate, Follower, Way
from storycore.comfyui.graph.api_graph import title_of
from storycore.comfyui.look import Where, look, stop
from storycore.comfyui.prepare import Prepared, Workflow, prepare, send_files, wanted_classes
from storycore.comfyui.progress import GraphProgress
from storycore.comfyui.records import RunRecord
from storycore.comfyui.submission import find, post
from storycore.comfyui.verdict import Failure, Judgement, Retry, Verdict, judge, retry_for
from storycore.comfyui.wire import Event, Preview
from storycore.errors import Cancelled, DependencyFailed, InvalidInput, Reason
from storycore.units import now

_GENERATED: Final = 0.95
"""Share of the whole that generating is; the rest is bringing it home."""
_CLASS_OFFSETS: Final = (1e9, 0.0, -1e9)
"""Low, normal, high: the server takes smaller numbers first."""
_LOOK_AGAIN_SECONDS: Final = 2.0
_YIELD_SECONDS: Final = 5.0
"""How long a place is left to work of a higher priority that waits to be begun; then nobody seems to begin it."""
_QUARANTINE_SECONDS: Final = 60.0
_MOST_QUARANTINE_SECONDS: Final = 3600.0


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
        warnings: what was odd, for people.
    """

    record: RunRecord
    judgement: Judgement
    files: list[Fetched]
    backend: Backend | None
    warnings: tuple[str, ...] = ()


class Run:
    """One run.

    Args:
        backends: the servers.
        order: what is to be run.
        voice: hears how far it is.
    """

    def __init__(self, backends: Backends, order: RunOrder, voice: Voice) -> None:
        self._backends, self._order, self._voice = backends, order, voice
        self._records, self._pace = backends.records, backends.pace
        self._record: RunRecord
        self._backend: Backend | None = None
        self._clients: dict[str, Client] = {}
        self._fits: dict[str, Prepared] = {}
        self._unfit: dict[str, InvalidInput] = {}
        self._avoid: set[str] = set()
        self._stack = AsyncExitStack()
        self._reached = 0.0

    async def run(self) -> Finished:
        """Runs it to its end, or goes on with it.

        Raises:
            InvalidInput: workflow_invalid: no server can run it, and why.
            DependencyFailed: comfyui_not_connected: no server can be reached; comfyui_rejected.
            Cancelled: it was asked to stop; the server was told so too, unless it goes on elsewhere.
        """
        self._record = self._records.run(self._order.workflow.id, self._order.task_id)
        async with self._stack:
            try:
                return await self._to_its_end()
            except Cancelled:
                raise
            except BaseException:
                self._change(holding=False)
                raise

    async def _to_its_end(self) -> Finished:
        while True:
            client = await self._take_place()
            fate = None if "outputs" in self._record.facts else await self._once(client)
            if fate is not None and fate.way is Way.AWAY and not self._others():
                continue  # nobody else could do it: it is waited for as long as it may take
            judgement = self._kept() if fate is None else self._judge(fate)
            if fate is not None and fate.way in (Way.STOPPED, Way.TIMED_OUT):
                await self._stop(client, fate)
            retry = self._retry_for(judgement)
            if retry is None:
                try:
                    return await self._finish(client, judgement)
                except Gone as gone:
                    retry = self._after_gone(gone)
            await self._again(client, retry, fate)

    # Placing

    async def _take_place(self) -> Client:
        """The client of the server that has the run, or that it has just got a place on, with its graph ready."""
        record = self._record
        if record.graph is not None and (record.holding or "outputs" in record.facts):
            return await self._return_to(record.backend_id or "")
        until, looked = time.monotonic() + self._order.timeout_seconds, float("-inf")
        yields_until = time.monotonic() + _YIELD_SECONDS
        while True:
            self._check()
            if not self._usable() and time.monotonic() - looked > _LOOK_AGAIN_SECONDS:
                await self._backends.look_at_all()
                looked = time.monotonic()
            for backend in self._usable():
                await self._try_on(backend)
            fitting = [backend.id for backend in self._usable() if backend.id in self._fits]
            polite = time.monotonic() < yields_until and self._records.is_outranked(self._order.priority)
            placed = self._records.take_place(record, fitting) if fitting and not polite else None
            if placed is not None:
                self._record = placed
                return await self._ready(placed.backend_id or "")
            self._refuse_hopeless(until)
            self._say("waiting for a ComfyUI server", 0.0)
            await asyncio.sleep(self._pace.place)

    def _usable(self) -> list[Backend]:
        instant = now()
        return preferred([it for it in self._records.backends() if it.takes_work(instant) and it.id not in self._avoid])

    def _others(self) -> bool:
        """Whether another server could take the run over."""
        may = self._order.resubmit and Retry.LOST not in self._tried and not self._record.facts.get("partners")
        return may and any(it.id != self._record.backend_id and it.id not in self._unfit for it in self._usable())

    async def _try_on(self, backend: Backend) -> None:
        """Finds out whether a server can run the workflow."""
        if backend.id in self._fits or backend.id in self._unfit:
            return
        try:
            client = await self._client(backend)
            facts = await self._backends.node_facts(backend.id, client, wanted_classes(self._order.workflow.definition))
            self._fits[backend.id] = prepare(self._order.workflow, facts)
        except InvalidInput as fault:
            self._unfit[backend.id] = fault
        except (Unreachable, Refused):
            await self._backends.look_at(backend)

    def _refuse_hopeless(self, until: float) -> None:
        usable = self._usable()
        if usable and all(backend.id in self._unfit for backend in usable):
            raise min((self._unfit[it.id] for it in usable), key=lambda fault: len(fault.details.get("findings", ())))
        if time.monotonic() >= until:
            raise DependencyFailed(
                "No ComfyUI server had room for it in time." if usable else "No ComfyUI server answers.",
                reason=Reason.COMFYUI_NOT_CONNECTED,
            )

    async def _ready(self, backend_id: str) -> Client:
        client, prepared = self._clients[backend_id], self._fits[backend_id]
        self._backend = self._find(backend_id)
        try:
            graph = await send_files(client, prepared)
        except Unreachable as fault:
            raise DependencyFailed(f"The ComfyUI server went away: {fault}", reason=Reason.COMFYUI_LOST) from None
        if prepared.uploads:
            self._backends.forget_nodes(backend_id)
        facts = {**self._record.facts, "partners": prepared.partners, "ends": prepared.outputs,
                 "warnings": list(prepared.warnings)}  # fmt: skip
        self._change(graph=graph, facts=facts)
        return client

    async def _return_to(self, backend_id: str) -> Client:
        self._backend = self._find(backend_id)
        if self._backend is None:
            raise DependencyFailed(
                "The ComfyUI server that has it was disconnected.", reason=Reason.COMFYUI_LOST,
                remediation="Connect the server again, and start the workflow again.",
            )  # fmt: skip
        return await self._client(self._backend)

    async def _client(self, backend: Backend) -> Client:
        if backend.id not in self._clients:
            client = self._backends.client(backend.address)
            self._clients[backend.id] = await self._stack.enter_async_context(client)
        return self._clients[backend.id]

    def _find(self, backend_id: str) -> Backend | None:
        return next((it for it in self._records.backends() if it.id == backend_id), None)

    # Running

    async def _once(self, client: Client) -> Fate:
        """One try: posts it unless the server has it, and follows it."""
        deadline = self._deadline()
        async with Ear(client, self._record.prompt_id) as ear:
            seen = self._record.seen
            where = None
            if seen:
                where = await find(client, self._record.prompt_id, self._pace, self._voice.stops, deadline=deadline)
                if where is None:
                    return self._unheard(deadline)
                if where is Where.UNKNOWN and seen != "posted":
                    return Fate(way=Way.GONE, seen=Where(seen), broken=True)  # who knows what was while we were away
            if where in (None, Where.UNKNOWN):
                where = await self._post(client, deadline)
                if where is None:
                    return self._unheard(deadline)
            return await self._follow(client, ear, where, self._deadline())

    async def _post(self, client: Client, deadline: float) -> Where | None:
        record = self._record

        def before_post() -> int:
            self._change(
                submissions=self._record.submissions + 1, seen="posted",
                submitted_at=self._record.submitted_at or now(), surely=True,
            )  # fmt: skip
            return self._record.submissions

        def body(count: int) -> dict[str, Any]:
            number = _CLASS_OFFSETS[self._order.priority] + record.number + count / 1024
            return {
                "prompt": record.graph, "prompt_id": record.prompt_id, "client_id": record.prompt_id,
                "number": number, "extra_data": {"preview_method": "auto", **self._order.extra_data},
            }  # fmt: skip

        try:
            posted = await post(
                client, record.prompt_id, body, self._pace,
                before_post=before_post, stops=self._voice.stops, deadline=deadline,
            )  # fmt: skip
        except Refused as fault:
            raise _rejected(fault.body) from None
        if posted is None:
            return None
        if posted.prompt_id != record.prompt_id:  # an old server, that chooses ids itself
            self._change(prompt_id=posted.prompt_id)
        if posted.faults:
            await self._stop_surely(client)
            raise _rejected({"node_errors": posted.faults})
        self._change(seen=posted.where.value)
        return posted.where

    async def _follow(self, client: Client, ear: Ear, where: Where, deadline: float) -> Fate:
        record = self._record
        graph = record.graph or {}
        progress = GraphProgress(graph, list(record.facts.get("ends", ())), record.prompt_id)

        def on_event(event: Event) -> None:
            progress.hear(event)
            done, whole = progress.count
            name = title_of(graph[progress.node]) if progress.node in graph else "generating"
            self._say(f"{name} ({done}/{whole})" if whole else name, progress.fraction * _GENERATED)

        def on_seen(seen: Where) -> None:
            self._change(seen=seen.value)
            if seen is Where.QUEUED:
                self._say("waiting in the ComfyUI queue", progress.fraction * _GENERATED)

        follower = Follower(
            client, record.prompt_id, self._pace, deadline=deadline, stops=self._voice.stops,
            on_event=on_event, on_preview=self._voice.show, on_seen=on_seen,
        )  # fmt: skip
        return await follower.follow(ear, seen=where)

    def _unheard(self, deadline: float) -> Fate:
        seen = Where(self._record.seen) if self._record.seen in ("queued", "running") else Where.UNKNOWN
        way = Way.STOPPED if self._voice.stops() else Way.TIMED_OUT if time.monotonic() >= deadline else Way.AWAY
        return Fate(way=way, seen=seen, broken=True, away=True)

    def _deadline(self) -> float:
        since = self._record.submitted_at
        spent = (now() - since).total_seconds() if since else 0.0
        return time.monotonic() + self._order.timeout_seconds - spent

    def _judge(self, fate: Fate) -> Judgement:
        facts = self._record.facts
        return judge(fate, outputs=facts.get("ends", ()), partners=facts.get("partners", ()))

    # Stopping, and trying again

    async def _stop(self, client: Client, fate: Fate) -> None:
        """Stops it at the server, and waits until the server says so."""
        if self._voice.leaves():
            raise _cancelled()
        if not fate.away:
            self._say("stopping", self._reached)
            await self._stop_surely(client)
        if fate.way is Way.STOPPED:
            self._change(holding=False, verdict=Verdict.CANCELLED.value, finished_at=now())
            raise _cancelled()

    async def _stop_surely(self, client: Client) -> None:
        until = time.monotonic() + self._pace.grace
        while time.monotonic() < until:
            with contextlib.suppress(Unreachable, Refused):
                await stop(client, self._record.prompt_id)
                if (await look(client, self._record.prompt_id)).where in (Where.DONE, Where.UNKNOWN):
                    return
            await asyncio.sleep(min(0.1, self._pace.grace / 5))

    @property
    def _tried(self) -> list[str]:
        return list(self._record.facts.get("tried", ()))

    def _retry_for(self, judgement: Judgement) -> Retry | None:
        facts = self._record.facts
        return retry_for(
            judgement, tried=self._tried, partners=facts.get("partners", ()), resubmit=self._order.resubmit
        )

    def _after_gone(self, gone: Gone) -> Retry:
        if Retry.KEPT_FILE_GONE in self._tried or self._record.facts.get("partners"):
            raise DependencyFailed(
                f"The ComfyUI server does not have {gone} any more, though it says that it made it.",
                reason=Reason.COMFYUI_FAILED,
            ) from None
        return Retry.KEPT_FILE_GONE

    async def _again(self, client: Client, retry: Retry, fate: Fate | None) -> None:
        """Makes ready for another try."""
        facts = {name: value for name, value in self._record.facts.items() if name != "outputs"}
        facts["tried"] = [*self._tried, retry.value]
        changed: dict[str, Any] = {"facts": facts, "seen": ""}
        own = self._record.backend_id or ""
        if retry is Retry.LOST:
            self._note_crash()
            move = fate is not None and fate.away and self._others()
        else:
            changed["prompt_id"] = str(uuid.uuid4())
            with contextlib.suppress(Unreachable, Refused):
                await client.free()
            move = retry is Retry.OOM and self._seek_larger()
        if move:
            self._avoid.add(own)
            changed |= {"holding": False, "graph": None}
        self._change(**changed)

    def _note_crash(self) -> None:
        """Counts the death of a server; one that dies again and again is left alone for a while."""
        backend = self._find(self._record.backend_id or "")
        if backend is None:
            return
        self._backends.forget_nodes(backend.id)
        seconds = min(_MOST_QUARANTINE_SECONDS, _QUARANTINE_SECONDS * 2 ** (backend.crashes - 1))
        until = now() + timedelta(seconds=seconds) if backend.crashes else None
        self._records.crashed(backend.id, until)

    def _seek_larger(self) -> bool:
        """Leaves out every server that has no more memory than this one; False if none is left."""
        own = self._find(self._record.backend_id or "")
        most = own.vram_total_bytes if own else 0
        smaller = {it.id for it in self._records.backends() if it.vram_total_bytes <= most}
        if not any(it.id not in smaller for it in self._usable()):
            return False
        self._avoid |= smaller
        return True

    # Ending

    def _kept(self) -> Judgement:
        """The judgement that stood before a crash of ours."""
        facts = self._record.facts
        failure = facts.get("failure")
        return Judgement(
            verdict=Verdict(facts["verdict"]), failure=Failure(failure) if failure else None,
            blocked=tuple(facts.get("blocked", ())), outputs=facts["outputs"],
        )  # fmt: skip

    async def _finish(self, client: Client, judgement: Judgement) -> Finished:
        record, backend = self._record, self._backend
        if judgement.is_good and "outputs" not in record.facts:
            kept = {"outputs": dict(judgement.outputs), "verdict": judgement.verdict.value,
                    "blocked": list(judgement.blocked)}  # fmt: skip
            self._change(facts={**record.facts, **kept})
        files = await self._bring_home(client, judgement)
        if judgement.verdict is Verdict.LOST:
            self._note_crash()
        elif backend is not None and backend.crashes:
            self._records.well(backend.id)
        self._change(holding=False, verdict=judgement.verdict.value, finished_at=now())
        return Finished(
            record=self._record, judgement=judgement, files=files, backend=backend,
            warnings=tuple(record.facts.get("warnings", ())),
        )  # fmt: skip

    async def _bring_home(self, client: Client, judgement: Judgement) -> list[Fetched]:
        if not judgement.outputs:
            return []
        until = time.monotonic() + self._pace.down

        def on_file(count: int, whole: int) -> None:
            self._check()
            self._say(f"bringing home {count + 1} of {whole}", _GENERATED + 0.04 * count / max(1, whole))

        while True:
            try:
                return await fetch(client, judgement.outputs, self._order.folder, self._describe, on_file=on_file)
            except Unreachable as fault:
                if time.monotonic() >= until:
                    raise DependencyFailed(
                        f"It was made, but the ComfyUI server does not hand it out: {fault}",
                        reason=Reason.COMFYUI_LOST,
                    ) from None
            except Gone:
                if judgement.is_good:
                    raise
                return []  # what failed is not tried again for what it made before
            await asyncio.sleep(min(self._pace.poll, 1.0))

    def _describe(self, item: Fetched) -> dict[str, Any]:
        record, backend = self._record, self._backend
        return {
            "schema": "storycore.generated/1",
            "workflow_id": record.id, "prompt_id": record.prompt_id, **self._order.facts,
            "file": {"name": item.path.name, "size_bytes": item.size_bytes, "sha256": item.sha256,
                     "media_type": item.media_type, "kind": item.kind, "node": item.node, "remote": item.remote},
            "graph": record.graph, "parameters": dict(self._order.workflow.parameters),
            "seeds": seeds_of(record.graph or {}), "models": models_of(record.graph or {}),
            "backend": {"name": backend.address.name, "version": backend.version,
                        "devices": backend.facts.get("devices", [])} if backend else None,
            "submitted_at": record.submitted_at.isoformat() if record.submitted_at else None,
            "fetched_at": now().isoformat(),
        }  # fmt: skip

    def _change(self, **values: Any) -> None:
        self._record = self._records.change(self._record, **values)

    def _say(self, step: str, fraction: float) -> None:
        self._reached = max(self._reached, fraction)
        self._voice.say(step, self._reached)

    def _check(self) -> None:
        if self._voice.stops():
            if not self._voice.leaves():
                self._change(holding=False)
            raise _cancelled()


def seeds_of(graph: Mapping[str, Any]) -> dict[str, int]:
    """The seeds in a graph: `node.input` → seed."""
    return {
        f"{node}.{name}": value
        for node, facts in graph.items()
        for name, value in (facts.get("inputs") or {}).items()
        if name in ("seed", "noise_seed") and isinstance(value, int) and not isinstance(value, bool)
    }


def models_of(graph: Mapping[str, Any]) -> list[str]:
    """The names of models in a graph."""
    suffixes = (".safetensors", ".ckpt", ".pt", ".pth", ".gguf", ".sft", ".onnx")
    values = [value for facts in graph.values() for value in (facts.get("inputs") or {}).values()]
    return sorted({value for value in values if isinstance(value, str) and value.lower().endswith(suffixes)})


def _cancelled() -> Cancelled:
    return Cancelled("Stopped on request; nothing was kept.")


def _rejected(body: Any) -> DependencyFailed:
    """What the server finds wrong with a workflow, in its own words made whole."""
    body = body if isinstance(body, dict) else {"error": {"message": str(body)[:500]}}
    node_errors = body.get("node_errors")
    node_errors = node_errors if isinstance(node_errors, dict) else {}
    lines = [
        f"node {node} ({told.get('class_type')}): {error.get('message')} {error.get('details') or ''}".strip()
        for node, told in node_errors.items()
        if isinstance(told, dict)
        for error in told.get("errors") or ()
        if isinstance(error, dict)
    ]
    error = body.get("error")
    whole = error.get("message") if isinstance(error, dict) else error
    message = "; ".join(lines[:5]) or str(whole or "no reason given")
    missing = isinstance(error, dict) and error.get("type") == "missing_node_type"
    return DependencyFailed(
        f"The ComfyUI server refuses the workflow: {message}",
        reason=Reason.COMFYUI_REJECTED,
        details={"class": (Failure.MISSING_NODE if missing else Failure.BAD_INPUT).value, "node_errors": node_errors},
    )
