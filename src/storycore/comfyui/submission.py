"""Posts a run once: whenever it is not known whether a post arrived, the server is asked before another."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from storycore.comfyui.client import Client, Refused, Unreachable
from storycore.comfyui.look import Where, look
from storycore.comfyui.pace import Pace

_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MOST_POSTS: Final = 3
"""Of a prompt that surely did not arrive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """What came of it.

    Attributes:
        prompt_id: what the server knows the run by; old servers choose it themselves.
        where: how the server has it.
        faults: what the server finds wrong with nodes, by their ids; it then runs the rest of the graph.
    """

    prompt_id: str
    where: Where
    faults: Mapping[str, Any] = field(default_factory=dict)


async def find(
    client: Client, prompt_id: str, pace: Pace, stops: Callable[[], bool], *, deadline: float
) -> Where | None:
    """How the server has a run; `UNKNOWN` only if two looks with time between say so, None if it does not answer.

    An answer is waited for until the deadline, but not longer than `Pace.down`. The server is asked even if the
    deadline has passed: the run may have ended while nobody followed it.
    """
    missed, until = False, min(deadline, time.monotonic() + pace.down)
    while not stops():
        try:
            where = (await look(client, prompt_id)).where
        except (Unreachable, Refused):
            if time.monotonic() >= until:
                return None
            missed = False
        else:
            if where is not Where.UNKNOWN or missed:
                return where
            missed = True
        await _pause(pace.miss, stops)
    return None


async def post(  # noqa: PLR0913 - all that a post takes
    client: Client,
    prompt_id: str,
    make_body: Callable[[int], Mapping[str, Any]],
    pace: Pace,
    *,
    before_post: Callable[[], Awaitable[int]],
    stops: Callable[[], bool],
    deadline: float,
) -> Posted | None:
    """Posts a run that the server does not know.

    Args:
        client: of the server.
        prompt_id: what it is to be known by.
        make_body: what is posted, by the count of the post.
        pace: how often the server is asked.
        before_post: notes that a post is about to be made; gives its count.
        stops: whether we were asked to stop.
        deadline: monotonic instant after which we give up.

    Returns:
        None if the server did not answer, or we were asked to stop.

    Raises:
        Refused: the server wants none of it.
    """
    refused: Refused | None = None
    for _ in range(_MOST_POSTS):
        if stops() or time.monotonic() >= deadline:  # maybe while it got its place, or before a crash of ours
            return None
        try:
            answer = await client.submit(make_body(await before_post()))
        except Unreachable:
            pass  # it may have arrived all the same
        except Refused as fault:
            if fault.status < 500 and fault.status != 429:
                raise
            refused = fault
        else:
            faults, told = answer.get("node_errors"), answer.get("prompt_id")
            return Posted(
                prompt_id=told if isinstance(told, str) and _ID.fullmatch(told) else prompt_id, where=Where.QUEUED,
                faults=faults if isinstance(faults, dict) else {},
            )  # fmt: skip
        where = await find(client, prompt_id, pace, stops, deadline=deadline)
        if where is None:
            return None
        if where is not Where.UNKNOWN:
            return Posted(prompt_id=prompt_id, where=where)
    if refused:
        raise refused
    return None


async def _pause(seconds: float, stops: Callable[[], bool]) -> None:
    until = time.monotonic() + seconds
    while not stops() and (left := until - time.monotonic()) > 0:  # noqa: ASYNC110 - set from another thread
        await asyncio.sleep(min(0.1, left))
