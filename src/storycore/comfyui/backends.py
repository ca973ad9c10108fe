"""The servers that are known: reached, looked at, and chosen among."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Final, TypeVar

from storycore.comfyui.address import Address, Reach, Rule
from storycore.comfyui.backend import Backend, Status
from storycore.comfyui.client import Client, Refused, Unreachable
from storycore.comfyui.exchange import Exchange
from storycore.comfyui.graph.api_graph import ObjectInfo
from storycore.comfyui.lines import Line, Lines
from storycore.comfyui.look import stop
from storycore.comfyui.pace import Pace
from storycore.comfyui.records import ServerRecords
from storycore.comfyui.runs.records import RunRecords
from storycore.comfyui.turns import Turns
from storycore.comfyui.verdict import Verdict
from storycore.errors import AccessDenied, InvalidInput, StoryCoreError
from storycore.observe import logging
from storycore.units import now

LOOK_SECONDS: Final = 5.0
"""How often each server is looked at."""
_LOOK_TIMEOUT_SECONDS: Final = 5.0
_REMEMBER_SECONDS: Final = 300.0
_AT_ONCE: Final = 8
_MOST_ASKED: Final = 200
"""Node classes that are asked for one by one; for more, the server is asked once for all that it has."""
_MODEL_FOLDERS: Final = ("checkpoints", "diffusion_models", "loras")

T = TypeVar("T")

log = logging.get(__name__)


class Backends:
    """The servers of one database, as one process reaches them.

    Args:
        records: where they stand.
        runs: where runs on them stand.
        allow: what callers over the network may have called beside this machine.
        pace: how long is waited for what.

    Attributes:
        turns: who of the runs of this process gets the next place.
        places_freed: how many places were given back here that no run of this process took.
    """

    def __init__(self, records: ServerRecords, runs: RunRecords, allow: tuple[Rule, ...], pace: Pace) -> None:
        self.records, self.runs, self.pace = records, runs, pace
        self._allow = allow
        self._nodes: dict[tuple[str, str], tuple[float, dict[str, Any]]] = {}
        self._exchange, self._lines = Exchange(), Lines(self.client)
        self.turns = Turns()
        self.places_freed = 0
        self._on_place: Callable[[], None] = lambda: None

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """What `work` gives, done in the one loop in which this process talks to its servers.

        Raises:
            BaseException: whatever `work` raises.
        """
        return self._exchange.run(work)

    def close(self) -> None:
        """Closes what is open to servers; what still goes on ends."""
        self._exchange.close(self._lines.close)

    async def line(self, backend: Backend) -> Line:
        """What is open to a server; only for work that is given to `do`.

        Raises:
            AccessDenied, InvalidInput: see `Lines.to`.
        """
        return await self._lines.to(backend.id, backend.address)

    def tell_of_places(self, callback: Callable[[], None]) -> None:
        """From now on `callback` is called when a task that generates may begin here."""
        self._on_place = callback

    def freed(self, backend_id: str) -> None:
        """A run of this process has given its place on a server back: the next here may look for one, or others."""
        turn = self.turns.next_for(backend_id)
        if turn is None:
            self.left_over()
        else:
            turn.give(None)

    def left_over(self) -> None:
        """A place is free that nobody here took."""
        self.places_freed += 1
        self._on_place()

    def end_looking(self, task_id: str) -> None:
        """A run of a task has found its place, or gives up: if nobody here looks for one, another task may begin."""
        if self.turns.end(task_id):
            self._on_place()

    def client(self, address: Address, *, timeout_seconds: float | None = None) -> Client:
        """A client for a server, not open yet."""
        reach = Reach(self._allow if address.confined else None)
        return Client(address, reach, timeout_seconds=timeout_seconds or self.pace.call)

    async def node_facts(self, backend_id: str, client: Client, classes: Sequence[str]) -> ObjectInfo:
        """What a server tells of some node classes; those that it lacks are left out. Remembered for a while.

        Raises:
            Unreachable, Refused, AccessDenied: see `Client.call`.
        """
        instant, gate = time.monotonic(), asyncio.Semaphore(_AT_ONCE)
        kept = {name: self._nodes.get((backend_id, name)) for name in classes}  # others may forget it meanwhile
        found = {name: it[1] for name, it in kept.items() if it and instant - it[0] <= _REMEMBER_SECONDS}
        missing = [name for name in classes if name not in found]

        async def ask(name: str) -> None:
            async with gate:
                if (facts := await client.node_info(name)) is not None:
                    found[name] = facts

        if len(missing) > _MOST_ASKED:
            everything = await client.all_nodes()
            found |= {name: everything[name] for name in missing if isinstance(everything.get(name), dict)}
        else:
            await asyncio.gather(*(ask(name) for name in missing))
        self._nodes.update({(backend_id, name): (instant, found[name]) for name in missing if name in found})
        return found

    def forget_nodes(self, backend_id: str) -> None:
        """Forgets what a server told of its classes: it was started anew, or its files have changed."""
        for key in [key for key in list(self._nodes) if key[0] == backend_id]:  # others may add meanwhile
            self._nodes.pop(key, None)

    async def look_at(self, backend: Backend) -> Status:
        """Looks at a server once and keeps how it was found."""
        try:
            async with self.client(backend.address, timeout_seconds=_LOOK_TIMEOUT_SECONDS) as client:
                values = await probe(client)
        except (Unreachable, Refused, StoryCoreError) as fault:
            self.forget_nodes(backend.id)
            values = {"status": Status.DOWN, "error": told(fault), "queue_remaining": None}
        self.records.tell(backend.id, values)
        return Status(values["status"])

    async def look_at_all(self) -> list[Status]:
        """Looks at every server once."""
        return await asyncio.gather(*(self.look_at(backend) for backend in self.records.backends()))

    async def stop_what_is_left(self) -> None:
        """Stops at the servers what was cancelled after the process that had begun it died.

        A server that does not answer is told when it does again.
        """
        known = {it.id: it for it in self.records.known()}
        for record in self.runs.left_running():
            backend = known.get(record.backend_id or "")
            with contextlib.suppress(Unreachable, Refused):
                if backend is not None:
                    await stop((await self.line(backend)).client, record.prompt_id)
                self.runs.change(record, verdict=Verdict.CANCELLED.value, holding=False, finished_at=now())


class Monitor:
    """Looks at every server now and then, in a thread of its own.

    Args:
        backends: the servers.
    """

    def __init__(self, backends: Backends) -> None:
        self._backends = backends
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="storycore-comfyui-monitor", daemon=True)

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def stop(self) -> None:
        """Ends; waits for the look that goes on."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(_LOOK_TIMEOUT_SECONDS + 1)

    def _run(self) -> None:
        while True:
            try:
                self._backends.do(self._backends.look_at_all())
                self._backends.do(self._backends.stop_what_is_left())
            except StoryCoreError as fault:
                log.warning("comfyui_not_looked_at", reason=fault.reason.value)
            except Exception:
                log.exception("comfyui_monitor_broke")  # it must not end while the server runs
            if self._stopping.wait(LOOK_SECONDS):
                return


async def probe(client: Client) -> dict[str, Any]:
    """How a server stands now.

    Raises:
        Unreachable, Refused, AccessDenied: see `Client.call`.
    """
    begun = time.perf_counter()
    remaining = await client.remaining()
    latency = (time.perf_counter() - begun) * 1000
    return {
        "status": Status.UP, "error": "", "latency_ms": latency, "queue_remaining": remaining,
        "facts": _facts(await client.system_stats()),
    }  # fmt: skip


async def available_models(client: Client) -> dict[str, list[str]]:
    """The models that a server has, by folder."""
    listed = await asyncio.gather(*(client.models(folder) for folder in _MODEL_FOLDERS))
    return {folder: names for folder, names in zip(_MODEL_FOLDERS, listed, strict=True) if names}


def told(fault: Exception) -> str:
    """Why a server can't be used, in words for people."""
    if isinstance(fault, (AccessDenied, InvalidInput)):
        return fault.message
    if isinstance(fault, Refused):
        if fault.status in (401, 403):
            return f"It wants to know who calls (HTTP {fault.status}); give a token or headers."
        return f"It answers, but not as ComfyUI does (HTTP {fault.status})."
    return f"It does not answer: {fault}"


def _facts(stats: Mapping[str, Any]) -> dict[str, Any]:
    system, devices = stats.get("system"), stats.get("devices")
    system = system if isinstance(system, dict) else {}
    listed = [device for device in devices if isinstance(device, dict)] if isinstance(devices, list) else []
    free = [_whole(device.get("vram_free")) for device in listed]
    total = [_whole(device.get("vram_total")) for device in listed]
    return {
        "version": str(system.get("comfyui_version") or ""),
        "devices": [str(device.get("name") or "") for device in listed],
        "vram_free_bytes": max(free, default=0),
        "vram_total_bytes": max(total, default=0),
    }


def _whole(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
