"""Makes one attempt and measures it.

Addresses are judged twice: the whole answer of the name servers, and each address once more right before it is
dialled, since a URL can hold an address, for which no name is asked. Redirects are not followed, nothing is unpacked,
cookies and the proxies of the environment are not used, and of the answer no more is read than is kept.
"""

import asyncio
import functools
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from typing_extensions import override
from yarl import URL

from storycore.webhooks.address import Guard
from storycore.webhooks.delivery import Attempt, Code
from storycore.webhooks.faults import code_of_fault
from storycore.webhooks.gate import Check, LetOut, Withdrawn
from storycore.webhooks.measuring import Measure
from storycore.webhooks.message import Outgoing
from storycore.webhooks.names import NameNotFound, Names, NameTimedOut
from storycore.webhooks.url import Address, Target
from storycore.webhooks.wire import Wire, posting, written

CONNECT_SECONDS = 5.0
_TIMEOUTS = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS)
_NOT_ALLOWED = "It leads to an address that webhooks may not call; STORYCORE_WEBHOOK_ALLOW opens one by host and port."
_MOST_PLACES = 4096
_KEPT_SECONDS = 4.0  # shorter than the usual servers keep an idle connection, so that both don't meet at its end


class Blocked(OSError):  # noqa: N818 - says what it is
    """An address that may not be called."""


@dataclass(slots=True)
class _Call:
    """What is noted during one attempt, by whichever layer knows it."""

    target: Target
    through_proxy: bool
    let_out: LetOut
    check: Check | None
    phase: Code = Code.TIMEOUT_CONNECT
    dns_ms: float | None = None
    connect_ms: float | None = None
    dialled: bool = False
    remote: str = ""
    fault: Code | None = None


_call: ContextVar[_Call] = ContextVar("_call")


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
        self._guard, self._timeout_seconds, self._proxy = guard, timeout_seconds, proxy
        self._names = names or Names()
        trusted = _trusted(None if ca_file is None else str(ca_file))
        self._connector = _Connector(
            resolver=_Resolver(self._names, guard), socket_factory=self._dial, use_dns_cache=False, ssl=trusted,
            limit=0, keepalive_timeout=_KEPT_SECONDS,
        )  # fmt: skip
        self._places: dict[str, aiohttp.ClientRequest] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._connector.close()
        await self._names.close()

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
        call = _Call(target=message.target, through_proxy=bool(self._proxy), let_out=let_out, check=check)
        _call.set(call)
        measure = Measure(message.target.url)
        try:
            async with asyncio.timeout(self._timeout_seconds):
                if self._proxy:
                    await self._check_target(message.target)
                await self._exchange(message, call, measure)
        except TimeoutError:
            return measure.failed(call, call.fault or call.phase, "It took too long.")
        except Withdrawn:
            raise
        except asyncio.CancelledError:
            return measure.failed(call, Code.CANCELLED, "It was cut off: the process that made it had to end.")
        except Exception as fault:  # noqa: BLE001 - what the other side causes is a finding, not an error of ours
            code, why = code_of_fault(fault)
            why = _NOT_ALLOWED if call.fault is Code.BLOCKED_ADDRESS else why
            return measure.failed(call, call.fault or code, why)
        return measure.ended(call)

    async def _exchange(self, message: Outgoing, call: _Call, measure: Measure) -> None:
        place, begun = self._place(message.target.url), time.perf_counter()
        connection = await self._connector.connect(place, [], _TIMEOUTS)
        wire: Any = connection.protocol
        try:
            if call.dialled:
                call.connect_ms = (time.perf_counter() - begun) * 1000 - (call.dns_ms or 0.0)
                if call.check:
                    await call.check()
            call.remote, call.phase = wire.remote or call.remote, Code.TIMEOUT_HEADERS
            call.let_out(functools.partial(wire.post, posting(place, message.headers, message.body)))
            head, body = await wire.answer()
            call.phase = Code.TIMEOUT_TOTAL
            whole = await measure.read(head, body)
        except BaseException:
            _cut(connection)
            raise
        if whole and wire.is_clean:
            connection.release()  # it may be used again
        else:
            _cut(connection)

    def _place(self, url: str) -> aiohttp.ClientRequest:
        """What the connector must know of a URL."""
        if len(self._places) > _MOST_PLACES:
            self._places.clear()
        if url not in self._places:
            self._places[url] = aiohttp.ClientRequest(
                "POST", URL(url, encoded=True), proxy=URL(self._proxy) if self._proxy else None,
                loop=asyncio.get_running_loop(),
            )  # fmt: skip
        return self._places[url]

    async def _check_target(self, target: Target) -> None:
        """What a proxy will call in our stead."""
        found = [target.address] if target.address else await self._names.addresses(target.host)
        if not all(self._guard.allows(address, host=target.host, port=target.port) for address in found):
            _call.get().fault = Code.BLOCKED_ADDRESS
            raise Blocked("the address may not be called")

    def _dial(self, info: Any) -> socket.socket:
        """A socket for an address that may be called."""
        family, kind, protocol, _, place = info
        call = _call.get()
        address = ipaddress.ip_address(place[0])
        allowed = self._guard.allows(address, host=call.target.host, port=place[1])
        if not call.through_proxy and (not allowed or place[1] != call.target.port):
            call.fault = Code.BLOCKED_ADDRESS
            raise Blocked("the address may not be called")
        call.dialled, call.remote = True, written(place[0], place[1])
        return socket.socket(family, kind, protocol)


@functools.cache
def _trusted(ca_file: str | None) -> ssl.SSLContext:
    """What servers are trusted by; read once, since that takes longer than most attempts."""
    return ssl.create_default_context(cafile=ca_file)


class _Connector(aiohttp.TCPConnector):
    """Makes connections of our own kind."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        # There is no public place for this; the tests of floods fail if it goes.
        self._factory: Any = functools.partial(Wire, loop=asyncio.get_running_loop())


class _Resolver(AbstractResolver):
    """Addresses of names, for aiohttp; an answer of which one address may not be called is refused as a whole."""

    def __init__(self, names: Names, guard: Guard) -> None:
        self._names, self._guard = names, guard

    @override
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        call, begun = _call.get(), time.perf_counter()
        call.phase = Code.TIMEOUT_DNS
        try:
            found = await self._names.addresses(host)
        except NameTimedOut:
            call.fault = Code.TIMEOUT_DNS
            raise
        except NameNotFound:
            call.fault = Code.DNS
            raise
        call.dns_ms = (time.perf_counter() - begun) * 1000
        call.phase = Code.TIMEOUT_CONNECT
        if not call.through_proxy and not all(self._guard.allows(it, host=host, port=port) for it in found):
            call.fault = Code.BLOCKED_ADDRESS
            raise Blocked("the name leads to an address that may not be called")
        return [
            ResolveResult(
                hostname=host, host=str(address), port=port, proto=0, flags=int(socket.AI_NUMERICHOST),
                family=socket.AF_INET if address.version == 4 else socket.AF_INET6,
            )
            for address in found
        ]  # fmt: skip

    @override
    async def close(self) -> None:
        """The names are closed by whoever made them."""


async def check_place(guard: Guard, target: Target) -> bool:
    """Whether a name leads somewhere now; made for registration, with the same rules as sending.

    Raises:
        Blocked: it leads to an address that may not be called.
    """
    found: list[Address] = []
    if target.address is not None:
        found = [target.address]
    else:
        names = Names()
        try:
            found = await names.addresses(target.host)
        except (NameNotFound, NameTimedOut):
            return False
        finally:
            await names.close()
    if not all(guard.allows(address, host=target.host, port=target.port) for address in found):
        raise Blocked("the address may not be called")
    return True


def _cut(connection: Any) -> None:
    """Ends a connection at once: closing it would wait for a receiver that takes nothing more."""
    if connection.protocol is not None:
        connection.protocol.abort()
    connection.close()
