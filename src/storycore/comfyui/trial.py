"""One try of a run on one server: posted unless the server has it, and followed to where it leads."""

import asyncio
import contextlib
import time
from typing import Any, Final

from storycore.comfyui.client import Refused, Unreachable
from storycore.comfyui.ear import Ear
from storycore.comfyui.follow import Fate, Follower, Way
from storycore.comfyui.graph.api_graph import title_of
from storycore.comfyui.lines import Line
from storycore.comfyui.look import Where, look, stop
from storycore.comfyui.pace import Pace
from storycore.comfyui.progress import GraphProgress
from storycore.comfyui.run_order import RunState
from storycore.comfyui.run_record import POSTED
from storycore.comfyui.submission import find, post
from storycore.comfyui.verdict import Failure
from storycore.comfyui.wire import Event, Preview, listed
from storycore.errors import DependencyFailed, Reason
from storycore.units import human_bytes, now

GENERATED: Final = 0.95
"""Share of the whole that generating is; the rest is bringing it home."""
_MOST_SPOKEN_BYTES: Final = 512 * 1024 * 1024
"""Of pictures that nodes put out over the socket, which stay in memory until they are at home."""
_CLASS_OFFSETS: Final = (1e9, 0.0, -1e9)
"""Low, normal, high: the server takes smaller numbers first."""


class Trial:
    """One try.

    Args:
        line: to the server.
        state: of the run.
        pace: how often the server is asked.
    """

    def __init__(self, line: Line, state: RunState, pace: Pace) -> None:
        self._line, self._client, self._state, self._pace = line, line.client, state, pace
        self._stops = state.voice.stops
        self._deadline = float("inf")

    async def run(self) -> Fate:
        """Where it led.

        Raises:
            DependencyFailed: comfyui_rejected.
        """
        record = self._state.record
        self._deadline = self._until()
        async with self._line.ear(self._client_id, record.prompt_id) as ear:
            where: Where | None = Where.UNKNOWN
            if record.seen and not self._state.is_unposted:
                where = await find(self._client, record.prompt_id, self._pace, self._stops, deadline=self._deadline)
                if where is Where.UNKNOWN and (record.seen != POSTED or record.verdict is not None):
                    # The server had it and has it no more; who knows what happened while we were away.
                    return Fate(way=Way.GONE, seen=_known(record.seen), broken=True)
            if where is Where.UNKNOWN:
                where = await self._post(ear)
            if where is None:
                return self._unheard()
            self._deadline = self._until()
            return await self._follow(ear, where)

    async def stop(self) -> None:
        """Stops it at the server, and waits until the server says so, or for as long as patience lasts."""
        until = time.monotonic() + self._pace.grace
        while time.monotonic() < until:
            with contextlib.suppress(Unreachable, Refused):
                await stop(self._client, self._state.record.prompt_id)
                if (await look(self._client, self._state.record.prompt_id)).where in (Where.DONE, Where.UNKNOWN):
                    return
            await asyncio.sleep(min(0.1, self._pace.grace / 5))

    async def _follow(self, ear: Ear, seen: Where) -> Fate:
        follower = self._follower()
        fate = await follower.follow(ear, seen=seen)
        if self._state.speaking and fate.ended is not None:
            await follower.hear_out(ear)
            if fate.broken or ear.broke:
                self._state.spoken.clear()  # nobody knows how many pictures there were
        return fate

    async def _post(self, ear: Ear) -> Where | None:
        state, record = self._state, self._state.record
        if state.speaking:
            await self._wait_for_socket(ear)
        try:
            posted = await post(
                self._client, record.prompt_id, self._body, self._pace,
                before_post=state.note_post, stops=self._stops, deadline=self._deadline,
            )  # fmt: skip
        except Refused as fault:
            raise rejected(fault.body) from None
        if posted is None:
            return None
        if posted.prompt_id != record.prompt_id:  # an old server, that chooses ids itself
            state.change(prompt_id=posted.prompt_id)
            ear.prompt_id = posted.prompt_id
        if posted.faults:
            await self.stop()
            raise rejected({"node_errors": posted.faults})
        state.hold(seen=posted.where.value)
        return posted.where

    @property
    def _client_id(self) -> str:
        """Under which it is submitted: messages go to that, also after a crash of ours."""
        return str(self._state.record.facts.get("client_id") or self._state.record.prompt_id)

    def _body(self, count: int) -> dict[str, Any]:
        """What is posted; no number is ever given twice, since the server breaks over that."""
        record, order = self._state.record, self._state.order
        return {
            "prompt": record.graph, "prompt_id": record.prompt_id, "client_id": self._client_id,
            "number": _CLASS_OFFSETS[order.priority] + record.number + count / 1024,
            "extra_data": {"preview_method": "auto", **order.extra_data},
        }  # fmt: skip

    def _follower(self) -> Follower:
        state, graph = self._state, self._state.record.graph or {}
        progress, speaking = GraphProgress(graph, state.outputs, state.record.prompt_id), set(state.speaking)

        def on_event(event: Event) -> None:
            progress.hear(event)
            done, whole = progress.count
            name = title_of(graph[progress.node]) if progress.node in graph else "generating"
            state.say(f"{name} ({done}/{whole})" if whole else name, progress.fraction * GENERATED)

        def on_seen(seen: Where) -> None:
            state.change(seen=seen.value)
            if seen is Where.QUEUED:
                state.say("waiting in the ComfyUI queue", progress.fraction * GENERATED)

        def on_preview(preview: Preview) -> None:
            node = preview.node or progress.node
            if node not in speaking:
                state.voice.show(preview)
            elif sum(len(it.data) for _, it in state.spoken) + len(preview.data) <= _MOST_SPOKEN_BYTES:
                state.spoken.append((node, preview))
            else:
                raise DependencyFailed(
                    f"Node {node} sends more than {human_bytes(_MOST_SPOKEN_BYTES)} over the socket.",
                    reason=Reason.GENERATED_TOO_LARGE, remediation="Save the pictures with SaveImage instead.",
                )  # fmt: skip

        return Follower(
            self._client, state.record.prompt_id, self._pace, deadline=self._deadline, stops=self._stops,
            on_event=on_event, on_preview=on_preview, on_seen=on_seen,
        )  # fmt: skip

    async def _wait_for_socket(self, ear: Ear) -> None:
        """What is put out over the socket is heard by those who listen before it begins.

        Raises:
            DependencyFailed: comfyui_lost: there is no socket.
        """
        until = time.monotonic() + self._pace.call
        while not ear.is_open and not self._stops():
            if time.monotonic() >= until:
                raise DependencyFailed(
                    "The workflow gives its pictures over the socket, and the server's does not open.",
                    reason=Reason.COMFYUI_LOST,
                    remediation="Let the proxy before ComfyUI pass WebSockets, or save with SaveImage instead.",
                )
            await asyncio.sleep(0.02)

    def _unheard(self) -> Fate:
        seen = self._state.record.seen
        way = Way.STOPPED if self._stops() else Way.TIMED_OUT if time.monotonic() >= self._deadline else Way.AWAY
        return Fate(way=way, seen=_known(seen), broken=True, away=True)

    def _until(self) -> float:
        since = self._state.record.submitted_at
        spent = (now() - since).total_seconds() if since else 0.0
        return time.monotonic() + self._state.order.timeout_seconds - spent


def _known(seen: str) -> Where:
    """How the server had a run last, as far as that was seen."""
    return Where(seen) if seen in (Where.QUEUED.value, Where.RUNNING.value) else Where.UNKNOWN


def rejected(body: Any) -> DependencyFailed:
    """What a server finds wrong with a workflow, in its own words made whole."""
    body = body if isinstance(body, dict) else {"error": {"message": str(body)[:500]}}
    node_errors = body.get("node_errors")
    node_errors = node_errors if isinstance(node_errors, dict) else {}
    lines = [
        f"node {node} ({told.get('class_type')}): {error.get('message')} {error.get('details') or ''}".strip()
        for node, told in node_errors.items()
        if isinstance(told, dict)
        for error in listed(told.get("errors"))
        if isinstance(error, dict)
    ]
    error = body.get("error")
    whole = error.get("message") if isinstance(error, dict) else error
    missing = isinstance(error, dict) and error.get("type") == "missing_node_type"
    return DependencyFailed(
        f"The ComfyUI server refuses the workflow: {'; '.join(lines[:5]) or whole or 'no reason given'}",
        reason=Reason.COMFYUI_REJECTED,
        details={"class": (Failure.MISSING_NODE if missing else Failure.BAD_INPUT).value, "node_errors": node_errors},
    )
