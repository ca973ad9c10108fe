"""One run, from a workflow to what it made at home.

The database knows each step before it is taken: which server, under which prompt id, how often it was posted. So a run
that begins anew after a crash of ours goes on where it was: it finds its prompt at the server and posts none twice.
A crash of the server is told apart from a run that somebody removed, and is tried once more.
"""

import asyncio
import contextlib
import time
import uuid
from datetime import timedelta
from typing import Any, Final

from storycore.comfyui.backend import Backend
from storycore.comfyui.backends import Backends
from storycore.comfyui.client import Client, Refused, Unreachable
from storycore.comfyui.fetch import Gone, Told, fetch
from storycore.comfyui.fetched import Fetched
from storycore.comfyui.follow import Fate, Way
from storycore.comfyui.handover import pass_on
from storycore.comfyui.home import at_home
from storycore.comfyui.placing import Placing
from storycore.comfyui.room import Room
from storycore.comfyui.run_order import Finished, RunOrder, RunState, Voice
from storycore.comfyui.sidecar import describe
from storycore.comfyui.trial import GENERATED, Trial
from storycore.comfyui.verdict import Failure, Judgement, Retry, Verdict, judge, retry_for
from storycore.errors import Cancelled, DependencyFailed, Reason
from storycore.storage.staging import Staging
from storycore.units import now

_QUARANTINE_SECONDS: Final = 60.0
_MOST_QUARANTINE_SECONDS: Final = 3600.0
_WHY_AGAIN: Final = {
    Retry.LOST: "once more, the server lost it", Retry.OOM: "once more, memory ran out",
    Retry.KEPT_FILE_GONE: "once more, a file is gone",
}  # fmt: skip


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
        self._state = RunState(backends.runs, order, voice)
        self._looks = False

    async def run(self) -> Finished:
        """Runs it to its end, or goes on with it.

        Raises:
            InvalidInput: workflow_invalid: no server can run it, and why.
            DependencyFailed: comfyui_not_connected: no server can be reached; comfyui_rejected; comfyui_lost: its
                files can't be fetched; comfyui_failed: they are not there.
            Cancelled: it was asked to stop; the server was told so too, unless it goes on elsewhere.
        """
        self._looks = True
        self._backends.turns.begin(self._order.task_id)
        try:
            return await self._to_its_end(Placing(self._backends, self._state))
        except BaseException as fault:
            if not (isinstance(fault, Cancelled) and self._voice.leaves()):
                self._give_back()
            raise
        finally:
            self._end_looking()

    def _end_looking(self) -> None:
        if self._looks:
            self._looks = False
            self._backends.end_looking(self._order.task_id)

    async def _to_its_end(self, placing: Placing) -> Finished:
        while True:
            backend, line = await placing.take()
            self._end_looking()
            trial = Trial(line, self._state, self._pace)
            fate = None if "outputs" in self._state.record.facts else await trial.run()
            if fate is not None and fate.way is Way.AWAY and not placing.others():
                continue  # nobody else could do it: it is waited for as long as it may take
            if fate is not None and fate.way in (Way.STOPPED, Way.TIMED_OUT):
                await self._stop(trial, fate)
            judgement = self._kept() if fate is None else self._judge(fate)
            retry = self._retry_for(judgement)
            if retry is None:
                try:
                    return await self._finish(backend, line.client, judgement)
                except Gone as gone:
                    retry = self._after_gone(gone)
            await self._again(placing, line.client, retry, fate)

    def _judge(self, fate: Fate) -> Judgement:
        speaking = self._state.speaking  # the history knows nothing of what they put out
        outputs = [node for node in self._state.outputs if node not in speaking]
        return judge(fate, outputs=outputs, partners=self._state.partners)

    def _kept(self) -> Judgement:
        """The judgement that stood before a crash of ours."""
        facts = self._state.record.facts
        failure = facts.get("failure")
        return Judgement(
            verdict=Verdict(facts["verdict"]), failure=Failure(failure) if failure else None,
            blocked=tuple(facts.get("blocked", ())), outputs=facts["outputs"],
        )  # fmt: skip

    async def _stop(self, trial: Trial, fate: Fate) -> None:
        """Stops it at the server too, unless it goes on elsewhere.

        Raises:
            Cancelled: we were asked to stop.
        """
        if self._voice.leaves():
            raise _cancelled()
        self._state.say("stopping", 0.0)
        await trial.stop()  # also if the server did not answer just now: it may run what it was given
        if fate.way is Way.STOPPED:
            self._state.change(verdict=Verdict.CANCELLED.value, finished_at=now())
            raise _cancelled()

    def _retry_for(self, judgement: Judgement) -> Retry | None:
        state = self._state
        return retry_for(judgement, tried=state.tried, partners=state.partners, resubmit=self._order.resubmit)

    def _after_gone(self, gone: Gone) -> Retry:
        if Retry.KEPT_FILE_GONE in self._state.tried or self._state.partners:
            raise DependencyFailed(
                f"The ComfyUI server does not have {gone} any more, though it says that it made it.",
                reason=Reason.COMFYUI_FAILED,
            ) from None
        return Retry.KEPT_FILE_GONE

    async def _again(self, placing: Placing, client: Client, retry: Retry, fate: Fate | None) -> None:
        """Makes ready for another try."""
        record = self._state.record
        self._state.say(_WHY_AGAIN[retry], 0.0)
        self._state.spoken.clear()
        facts = {name: value for name, value in record.facts.items() if name != "outputs"}
        changed: dict[str, Any] = {
            "facts": {**facts, "tried": [*self._state.tried, retry.value]}, "seen": "", "verdict": None,
            "finished_at": None,
        }  # fmt: skip
        if retry is Retry.LOST:
            self._note_crash(placing)
            move = fate is not None and fate.away and placing.others()
        else:
            changed["prompt_id"] = str(uuid.uuid4())
            with contextlib.suppress(Unreachable, Refused):
                await client.free()
            move = retry is Retry.OOM and placing.seek_larger()
        if move:
            placing.avoid.add(record.backend_id or "")
        if move or not record.holding:
            changed |= {"holding": False, "graph": None}  # it needs a place anew
        self._give_back(**changed) if move else self._state.change(**changed)

    def _note_crash(self, placing: Placing) -> None:
        """Counts the death of a server; one that dies again and again is left alone for a while."""
        backend = placing.find(self._state.record.backend_id or "")
        if backend is None:
            return
        self._backends.forget_nodes(backend.id)
        seconds = min(_MOST_QUARANTINE_SECONDS, _QUARANTINE_SECONDS * 2 ** min(16, backend.crashes - 1))
        until = now() + timedelta(seconds=seconds) if backend.crashes else None
        self._records.crashed(backend.id, until)

    async def _finish(self, backend: Backend, client: Client, judgement: Judgement) -> Finished:
        record = self._state.record
        if judgement.is_good and (unheard := self._state.unheard(judgement.blocked)):
            raise Gone(f"the pictures of node {', '.join(unheard)}")  # it was told over a socket that broke
        facts = dict(record.facts)
        if judgement.is_good and "outputs" not in facts:
            facts |= {"outputs": dict(judgement.outputs), "verdict": judgement.verdict.value,
                      "blocked": list(judgement.blocked)}  # fmt: skip
        # The server has done its part: the next run may have the place while this one is brought home.
        ended: dict[str, Any] = {"facts": facts, "verdict": judgement.verdict.value, "finished_at": now()}
        if judgement.verdict is Verdict.LOST:
            self._give_back(**ended)
        else:
            await pass_on(self._backends, self._state, **ended)
        files = await self._files(backend, client, judgement)
        if judgement.verdict is Verdict.LOST:
            self._note_crash(Placing(self._backends, self._state))
        elif backend.crashes:
            self._records.well(backend.id)
        return Finished(
            record=self._state.record, judgement=judgement, files=files, backend=backend,
            warnings=tuple(record.facts.get("warnings", ())), home_at=now(),
        )  # fmt: skip

    def _give_back(self, **values: Any) -> None:
        """Changes the run, which takes no place on its server any more."""
        record = self._state.record
        if record.holding or values:
            self._state.change(**{**values, "holding": False})
            self._backends.freed(record.backend_id or "")

    async def _files(self, backend: Backend, client: Client, judgement: Judgement) -> list[Fetched]:
        """What it made, at home; some of it may be there from before a crash of ours."""
        order, record = self._order, self._state.record
        if not order.is_new:
            there = await asyncio.to_thread(at_home, order.folder, record.id, record.prompt_id)
            if there is not None:
                return there
        if order.staging is not None:
            return await self._bring_home(backend, client, judgement, order.staging)
        staging = Staging(order.folder.parent)
        try:
            return await self._bring_home(backend, client, judgement, staging)
        finally:
            await asyncio.to_thread(staging.close)

    async def _bring_home(
        self, backend: Backend, client: Client, judgement: Judgement, staging: Staging
    ) -> list[Fetched]:
        until = time.monotonic() + self._pace.down

        def on_file(count: int, whole: int) -> None:
            if self._voice.stops():
                raise _cancelled()
            self._state.say(f"bringing home {count + 1} of {whole}", GENERATED + 0.04 * count / max(1, whole))

        def tell(item: Fetched) -> dict[str, Any]:
            return describe(item, self._order, self._state.record, backend, now())

        told = Told(outputs=judgement.outputs, spoken=self._state.spoken if judgement.is_good else ())
        order = self._order
        while True:
            room = Room(order.folder, most_bytes=order.most_bytes, min_free_bytes=order.min_free_bytes)
            try:
                return await fetch(client, told, order.folder, tell, staging=staging, room=room, on_file=on_file)
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


def _cancelled() -> Cancelled:
    return Cancelled("Stopped on request; nothing was kept.")
