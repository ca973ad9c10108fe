"""Where a run stands, by the server's own word: its history, then its jobs, then its queue."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from storycore.comfyui.client import Client, Refused
from storycore.comfyui.wire import Ended, read_history


class Where(StrEnum):
    """Where a run stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    UNKNOWN = "unknown"
    """The server knows nothing of it; for a moment that is so between queue and history too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one look found.

    Attributes:
        where: where the run stands.
        ended: what the history says, if it is done.
    """

    where: Where
    ended: Ended | None = None


_JOB_STATES = {"pending": Where.QUEUED, "queued": Where.QUEUED, "in_progress": Where.RUNNING}


async def look(client: Client, prompt_id: str) -> Look:
    """Where a run stands now.

    Raises:
        Unreachable, Refused, AccessDenied: see `Client.call`.
    """
    if ended := read_history(await client.history(prompt_id), prompt_id):
        return Look(where=Where.DONE, ended=ended)
    if client.has_jobs is not False:
        try:
            job = await client.job(prompt_id)
        except Refused as fault:
            if fault.status not in (404, 405):
                raise
            client.has_jobs = False  # a server from before there was such a route
        else:
            client.has_jobs = True
            # Done by this word, but not in the history yet: it runs until the history says how it ended.
            return Look(where=Where.UNKNOWN if job is None else _JOB_STATES.get(str(job.get("status")), Where.RUNNING))
    return Look(where=_in_queue(await client.queue(), prompt_id))


async def stop(client: Client, prompt_id: str) -> None:
    """Tells the server to stop a run, whether it waits or runs; nothing of others is stopped.

    Raises:
        Unreachable, Refused, AccessDenied: see `Client.call`.
    """
    try:
        await client.call("POST", f"/jobs/{prompt_id}/cancel", api=True)
    except Refused as fault:
        if fault.status not in (404, 405):
            raise
    else:
        return
    await client.call("POST", "/queue", json={"delete": [prompt_id]})
    # An old server interrupts whatever runs, whichever id it is given: it is told only while it runs ours.
    if _in_queue(await client.queue(), prompt_id) is Where.RUNNING:
        await client.call("POST", "/interrupt", json={"prompt_id": prompt_id})


def _in_queue(queue: dict[str, Any], prompt_id: str) -> Where:
    for key, where in (("queue_running", Where.RUNNING), ("queue_pending", Where.QUEUED)):
        items = queue.get(key)
        for item in items if isinstance(items, list) else ():
            if isinstance(item, list) and len(item) > 1 and item[1] == prompt_id:
                return where
    return Where.UNKNOWN
