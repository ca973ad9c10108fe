"""Makes one attempt and measures it.

Redirects are not followed, nothing is unpacked, and of the answer no more is read than is kept. Where it may go is
judged in `dialling`.
"""

import asyncio
import functools
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from storycore.webhooks.address import Guard
from storycore.webhooks.delivery import Attempt, Code
from storycore.webhooks.dialling import Dialler
from storycore.webhooks.faults import code_of_fault
from storycore.webhooks.gate import Check, LetOut, Withdrawn
from storycore.webhooks.measuring import Measure
from storycore.webhooks.message import Letterhead, Outgoing
from storycore.webhooks.names import Names
from storycore.webhooks.patience import Patience
from storycore.webhooks.wire import KEPT_SECONDS, ConnectionEnded, Standing, cut, opening, posting

_NOT_ALLOWED = "It leads to an address that webhooks may not call; STORYCORE_WEBHOOK_ALLOW opens one by host and port."
_MOST_WAYS = 4096


@dataclass(slots=True)
class _Way:
    """How a webhook is reached.

    Attributes:
        place: what the dialler must know of it.
        standing: connections that stand.
        opening: how each message begins; b"" before the first connection, of which a proxy's part is known.
    """

    place: Any
    standing: Standing
    opening: bytes = b""


def _at_once(write: Callable[[], None]) -> None:
    write()


class Sender:
    """Sends messages; made, used and closed inside one event loop.

    Args:
        guard: says what may be called.
        timeout_seconds: for one attempt in all.
        proxy: URL of a proxy, or "".
        ca_file: of the certificates that are trusted; None for the system's.
        names: finds addresses; one that asks the system's name servers if None.
    """

    def __init__(
        self,
        guard: Guard,
        *,
        timeout_seconds: float,
        proxy: str = "",
        ca_file: Path | None = None,
        names: Names | None = None,
    ) -> None:
        self._dialler = Dialler(guard, proxy=proxy, ca_file=ca_file, names=names)
        self._patience = Patience(timeout_seconds)
        self._ways: dict[Letterhead, _Way] = {}
        self._of_places: dict[Any, Standing] = {}
        self._standing: set[Standing] = set()
        self._sweeping: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._patience.close()
        if self._sweeping is not None:
            self._sweeping.cancel()
        for standing in self._standing:
            standing.release()
        await self._dialler.close()

    async def send(self, message: Outgoing, let_out: LetOut = _at_once, check: Check | None = None) -> Attempt:
        """One attempt, as it went; whatever the other side does, nothing is raised and the time limit holds.

        If the task is cancelled, the attempt ends as it stands then, with the code `cancelled`, and so it is given.

        Args:
            message: what is sent.
            let_out: calls what hands the message over, in the moment in which that can be done.
            check: awaited when a new connection stands, since that may have taken long.

        Raises:
            Withdrawn: by `let_out` or `check`; nothing was sent.
        """
        measure = Measure(message.letterhead.target.url)
        turn = self._patience.begin()
        try:
            await self._exchange(message, measure, let_out, check)
        except Withdrawn:
            self._patience.end(turn)
            raise
        except (Exception, asyncio.CancelledError) as fault:  # noqa: BLE001 - a finding, not an error of ours
            return measure.failed(*_found(fault, measure, late=self._patience.end(turn)))
        self._patience.end(turn)
        return measure.ended()

    async def _exchange(self, message: Outgoing, measure: Measure, let_out: LetOut, check: Check | None) -> None:
        head = message.letterhead
        if self._dialler.through_proxy:
            await self._dialler.check_behind_proxy(head.target, measure)
        way = self._ways.get(head) or self._find_way(head)
        connection = way.standing.take(time.monotonic())
        broken: Exception | None = None
        if connection is not None:
            broken = await self._speak_again(way, connection, message, measure, let_out)
            if broken is None:
                return
        measure.phase = Code.TIMEOUT_CONNECT
        try:
            connection = await self._dialler.connect(way.place, head.target, measure)
            await self._speak(way, connection, message, measure, let_out, check)
        except Withdrawn:
            if broken is None:
                raise
            raise broken from None  # something was sent

    async def _speak_again(
        self, way: _Way, connection: Any, message: Outgoing, measure: Measure, let_out: LetOut
    ) -> Exception | None:
        """Speaks over a connection that stood; gives how it ended if it did without a word.

        Receivers may end one at any time, and it may be that the message did not meet them any more.
        """
        wire = connection.protocol
        try:
            await self._speak(way, connection, message, measure, let_out)
        except ConnectionEnded as fault:
            if wire.has_heard:
                raise
            return fault
        return None

    async def _speak(  # noqa: PLR0913, PLR0917 - all that an exchange has
        self,
        way: _Way,
        connection: Any,
        message: Outgoing,
        measure: Measure,
        let_out: LetOut,
        check: Check | None = None,
    ) -> None:
        """Sends a message over a connection, and reads the answer."""
        wire = connection.protocol
        try:
            if check:
                await check()
            measure.remote, measure.phase = wire.remote or measure.remote, Code.TIMEOUT_HEADERS
            way.opening = way.opening or opening(way.place, message.letterhead.headers)
            let_out(functools.partial(wire.post, posting(way.opening, message.stamp, message.body)))
            answer, body = await wire.answer()
            measure.phase = Code.TIMEOUT_TOTAL
            whole = await measure.read(answer, body)
        except BaseException:
            cut(connection)
            raise
        if whole and wire.is_clean:
            self._keep(way, connection)
        else:
            cut(connection)

    def _keep(self, way: _Way, connection: Any) -> None:
        """Lets a connection stand for the next message, for a while."""
        way.standing.keep(connection, time.monotonic())
        self._standing.add(way.standing)
        if self._sweeping is None:
            self._sweeping = asyncio.get_running_loop().call_later(KEPT_SECONDS, self._sweep)

    def _sweep(self) -> None:
        """Closes connections that nobody has used for a while."""
        before = time.monotonic() - KEPT_SECONDS
        self._standing = {it for it in self._standing if it.close(before)}
        again = asyncio.get_running_loop().call_later
        self._sweeping = again(KEPT_SECONDS, self._sweep) if self._standing else None

    def _find_way(self, head: Letterhead) -> _Way:
        if len(self._ways) >= _MOST_WAYS:
            self._ways.clear()
            self._of_places.clear()
        place = self._dialler.place(head.target.url)
        way = _Way(place, self._of_places.setdefault(place.connection_key, Standing()))
        self._ways[head] = way
        return way


def _found(fault: BaseException, measure: Measure, *, late: bool) -> tuple[Code, str]:
    """How an attempt ended that did not end well, in a word and a sentence."""
    if late or isinstance(fault, TimeoutError):
        return measure.fault or measure.phase, "It took too long."
    if isinstance(fault, asyncio.CancelledError):
        return Code.CANCELLED, "It was cut off: the process that made it had to end."
    code, why = code_of_fault(fault)
    return measure.fault or code, _NOT_ALLOWED if measure.fault is Code.BLOCKED_ADDRESS else why
