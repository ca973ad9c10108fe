"""Follows one submitted run to where it leads.

The server's word by HTTP is the truth. The socket only says when it is worth asking, and shows progress; without one
the same verdicts come from asking alone.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from storycore.comfyui.client import Client, Refused, Unreachable
from storycore.comfyui.ear import Ear, Reopened
from storycore.comfyui.look import Look, Where, look
from storycore.comfyui.pace import Pace
from storycore.comfyui.wire import Ended, Event, Preview

_TICK_SECONDS: Final = 0.1
"""How long a wish to stop can go unheard."""
_ENDS: Final = frozenset({"execution_success", "execution_error", "execution_interrupted"})


class Way(StrEnum):
    """How following a run came to its end."""

    ENDED = "ended"
    """The history says how."""
    GONE = "gone"
    """The server answers, and knows nothing of it."""
    AWAY = "away"
    """The server has not answered for too long."""
    STOPPED = "stopped"
    """We were asked to stop."""
    TIMED_OUT = "timed_out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """Where a run led.

    Attributes:
        way: how following it came to its end.
        ended: what the history says, if it has ended.
        seen: how the server had it last, `Where.UNKNOWN` if it never had it.
        broken: whether the connection broke meanwhile, so that the server may have died.
        away: whether the server did not answer when we last asked.
        blocked: nodes that were kept from running, as far as was heard.
    """

    way: Way
    ended: Ended | None = None
    seen: Where = Where.UNKNOWN
    broken: bool = False
    away: bool = False
    blocked: tuple[str, ...] = ()


class Follower:
    """Follows one run.

    Args:
        client: of its server.
        prompt_id: what the server knows it by.
        pace: how often it is asked.
        deadline: monotonic instant after which it has taken too long.
        stops: whether we were asked to stop.
        on_event: hears each message about this run.
        on_preview: gets each picture of it.
        on_seen: is told when the server has it queued, and when it runs.
    """

    def __init__(  # noqa: PLR0913 - all that following takes
        self,
        client: Client,
        prompt_id: str,
        pace: Pace,
        *,
        deadline: float,
        stops: Callable[[], bool],
        on_event: Callable[[Event], None],
        on_preview: Callable[[Preview], None],
        on_seen: Callable[[Where], None],
    ) -> None:
        self._client, self._prompt_id, self._pace = client, prompt_id, pace
        self._deadline, self._stops = deadline, stops
        self._on_event, self._on_preview, self._on_seen = on_event, on_preview, on_seen
        self._seen, self._told_seen = Where.UNKNOWN, False
        self._blocked: dict[str, None] = {}
        self._broken = False
        self._away_since: float | None = None
        self._missed_at: float | None = None
        self._told_end_at: float | None = None
        self._pause = pace.poll_first
        self._next_look = time.monotonic() + pace.poll_first
        self._first_look = time.monotonic() + pace.miss

    async def follow(self, ear: Ear, *, seen: Where = Where.UNKNOWN) -> Fate:
        """Where the run leads; `seen` is how the server had it last."""
        self._seen = seen
        if seen is Where.DONE and (fate := await self._look(ear)):
            return fate  # though it is late, if nobody followed it meanwhile
        while True:
            self._take(await ear.next(self._until_look()))
            if self._stops():
                return self._fate(Way.STOPPED, ear)
            if time.monotonic() >= self._deadline:
                return self._fate(Way.TIMED_OUT, ear)
            if time.monotonic() < self._next_look:
                continue
            fate = await self._look(ear)
            if fate:
                return fate

    async def hear_out(self, ear: Ear) -> None:
        """Takes in what was said before the run ended, and has not come yet."""
        until = time.monotonic() + self._pace.settle
        while self._told_end_at is None and ear.is_open and (left := until - time.monotonic()) > 0:
            self._take(await ear.next(min(_TICK_SECONDS, left)))

    def _until_look(self) -> float:
        return min(_TICK_SECONDS, max(0.0, self._next_look - time.monotonic()))

    def _take(self, heard: Event | Preview | Reopened | None) -> None:
        if isinstance(heard, Reopened):
            self._next_look = time.monotonic()
        elif isinstance(heard, Preview):
            if heard.prompt_id in ("", self._prompt_id):
                self._on_preview(heard)
        elif heard is not None and heard.prompt_id == self._prompt_id:
            self._take_event(heard)

    def _take_event(self, event: Event) -> None:
        self._on_event(event)
        if event.blocks:
            self._blocked[str(event.data.get("node_id"))] = None
        elif event.ends:
            self._end_told(0.0)
        elif event.type in _ENDS:
            self._end_told(self._pace.poll_first)  # the history knows of it a moment later, and so does `ends`
        elif self._told_end_at is None and self._away_since is None:
            # What the server itself says is wanted once of each run that takes a while; then the socket will do.
            self._next_look = time.monotonic() + self._pace.watch if self._told_seen else self._first_look

    def _end_told(self, lag: float) -> None:
        self._told_end_at = self._told_end_at or time.monotonic()
        self._pause = self._pace.poll_first
        self._next_look = time.monotonic() + lag

    async def _look(self, ear: Ear) -> Fate | None:
        try:
            found = await look(self._client, self._prompt_id)
        except (Unreachable, Refused):
            return self._away(ear)
        self._away_since = None
        if found.where is Where.DONE:
            return self._fate(Way.ENDED, ear, found)
        if found.where is Where.UNKNOWN:
            return self._missed(ear)
        self._missed_at = None
        if found.where is not self._seen or not self._told_seen:
            self._seen, self._told_seen = found.where, True
            self._on_seen(found.where)
        await self._plan(ear)
        return None

    async def _plan(self, ear: Ear) -> None:
        """When to look again at a run that goes on."""
        instant = time.monotonic()
        if self._told_end_at is not None and instant - self._told_end_at < self._pace.settle:
            self._grow(self._pace.poll_first * 5)
        elif ear.is_open:
            if self._seen is Where.RUNNING and instant - ear.heard_at >= self._pace.silence:
                await ear.reopen()
            self._next_look = instant + self._pace.watch
        else:
            self._grow(self._pace.poll)

    def _grow(self, most: float) -> None:
        self._next_look = time.monotonic() + self._pause
        self._pause = min(most, self._pause * 1.5)

    def _missed(self, ear: Ear) -> Fate | None:
        """Twice in a row, with time between, and not while the history may still lag: only then it is gone."""
        instant = time.monotonic()
        settled = self._told_end_at is None or instant - self._told_end_at >= self._pace.settle
        if self._missed_at is not None and instant - self._missed_at >= self._pace.miss and settled:
            return self._fate(Way.GONE, ear)
        self._missed_at = self._missed_at or instant
        self._next_look = instant + (self._pace.miss if settled else self._pace.poll_first)
        return None

    def _away(self, ear: Ear) -> Fate | None:
        instant = time.monotonic()
        self._broken = True
        self._client.has_jobs = None  # another version may come back
        self._missed_at = None
        self._away_since = self._away_since or instant
        if instant - self._away_since >= self._pace.down:
            return self._fate(Way.AWAY, ear)
        self._grow(self._pace.poll)
        return None

    def _fate(self, way: Way, ear: Ear, found: Look | None = None) -> Fate:
        return Fate(
            way=way, ended=found.ended if found else None, seen=self._seen, broken=self._broken or ear.broke,
            away=self._away_since is not None, blocked=tuple(self._blocked),
        )  # fmt: skip
