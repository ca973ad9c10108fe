"""How a run gives its place on a server to the next run of this process.

The next in line are noted in the database as posted before they have a place, by the transactions of those before
them. So the one whose turn it is can be posted at once, while the transaction that gives it the place goes to the disk:
whatever crashes meanwhile, it is looked for at the server before it is posted again.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from storycore.comfyui.backends import Backends
from storycore.comfyui.run_order import RunState
from storycore.comfyui.run_record import RunRecord
from storycore.comfyui.turns import Turn
from storycore.units import now

Handing = asyncio.Task[tuple[RunRecord | None, list[RunRecord]]]


async def pass_on(backends: Backends, state: RunState, **values: Any) -> None:
    """Changes a run, which takes no place on its server any more; the next run here gets that, if one waits for it.

    Guarantee: the run as it is changed is on the disk when this returns.
    """
    changed = {**values, "holding": False}
    backend_id = state.record.backend_id or ""
    takes_work = any(it.id == backend_id and it.takes_work(now()) for it in backends.records.known())
    turn = backends.turns.next_for(backend_id) if state.record.holding and takes_work else None
    if turn is None:
        await asyncio.to_thread(partial(state.change, **changed))
        backends.left_over()
        return
    try:
        handing, ahead = await _begin(backends, state, changed, turn)
    except BaseException:
        turn.give(None)
        raise
    handing.add_done_callback(partial(_handed, backends, turn, ahead))
    await asyncio.shield(handing)  # who waits is told even if this one is stopped meanwhile


async def _begin(
    backends: Backends, state: RunState, changed: Mapping[str, Any], turn: Turn
) -> tuple[Handing, list[Turn]]:
    """The transaction, and whom it notes; a run that is noted already is given the place before it ends."""
    backend_id = state.record.backend_id or ""
    if turn.noting:
        await asyncio.shield(turn.noting)
    if turn.heir is None:  # it must do something at the server first
        return asyncio.ensure_future(asyncio.to_thread(state.give_up, changed)), []
    heir = turn.heir(backend_id)
    if heir.is_noted and not (
        heir.yields_at is not None and backends.runs.is_outranked(heir.yields_at, heir.record.task_id)
    ):
        turn.give(replace(heir.record, **heir.taken))
        heir = replace(heir, yields_at=None)
    ahead = backends.turns.begin_noting(backend_id)
    handing = asyncio.to_thread(state.hand_over, changed, heir, [it for _, it in ahead])
    return asyncio.ensure_future(handing), [it for it, _ in ahead]


def _handed(backends: Backends, turn: Turn, ahead: Sequence[Turn], handing: Handing) -> None:
    failed = handing.cancelled() or handing.exception() is not None
    placed, noted = (None, []) if failed else handing.result()
    for number, it in enumerate(ahead):
        it.end_noting(None if failed else noted[number])
    if turn.give(placed) and placed is None:
        backends.left_over()
