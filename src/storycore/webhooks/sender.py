"""Makes one attempt and measures it.

Addresses are judged twice: the whole answer of the name servers, and each address once more right before it is
dialled, since a URL can hold an address, for which no name is asked. Redirects are not followed, nothing is unpacked,
cookies and the proxies of the environment are not used, and of the answer no more is read than is kept.
"""

import asyncio
import functools
import hashlib
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from typing_extensions import override
from yarl import URL

from storycore.units import now
from storycore.webhooks.address import Guard
from storycore.webhooks.delivery import MOST_BODY_BYTES, Attempt, Code, code_of
from storycore.webhooks.faults import code_of_fault
from storycore.webhooks.gate import Withdrawn
from storycore.webhooks.message import Outgoing
from storycore.webhooks.names import NameNotFound, Names, NameTimedOut
from storycore.webhooks.url import Address, Target
from storycore.webhooks.wire import Wire, posting, written

CONNECT_SECONDS = 5.0
_MOST_HEADERS, _MOST_HEADER_LETTERS = 64, 1024
_TIMEOUTS = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS)
_MOST_PLACES = 4096
_OF_NOTHING = hashlib.sha256(b"").hexdigest()
_MOST_LENGTH = 2**63 - 1  # what databases hold; receivers can say twice as much
_KEPT_SECONDS = 4.0  # shorter than the usual servers keep an idle connection, so that both don't meet at its end


class Blocked(OSError):  # noqa: N818 - says what it is
    """An address that may not be called."""


@dataclass(slots=True)
class _Call:
    """What is noted during one attempt, by whichever layer knows it."""

    target: Target
    through_proxy: bool
    phase: Code = Code.TIMEOUT_CONNECT
    dns_ms: float | None = None
    connect_ms: float | None = None
    dialled: bool = False
    remote: str = ""
    fault: Code | None = None


_call: ContextVar[_Call] = ContextVar("_call")


LetOut = Callable[[Callable[[], None]], None]


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
        trusted = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
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

    async def send(self, message: Outgoing, let_out: LetOut = _at_once) -> Attempt:
        """One attempt, as it went; whatever the other side does, nothing is raised and the time limit holds.

        If the task is cancelled, the attempt ends as it stands then, with the code `cancelled`, and so it is given.

        Args:
            message: what is sent.
            let_out: calls what hands the message over, in the moment in which that can be done.

        Raises:
            Withdrawn: by `let_out`; nothing was sent.
        """
        call = _Call(target=message.target, through_proxy=bool(self._proxy))
        _call.set(call)
        measure = _Measure(message.target.url)
        try:
            async with asyncio.timeout(self._timeout_seconds):
                if self._proxy:
                    await self._check_target(message.target)
                await self._exchange(message, let_out, call, measure)
        except TimeoutError:
            return measure.failed(call, call.fault or call.phase, "It took too long.")
        except Withdrawn:
            raise
        except asyncio.CancelledError:
            return measure.failed(call, Code.CANCELLED, "It was cut off: the process that made it had to end.")
        except Exception as fault:  # noqa: BLE001 - what the other side causes is a finding, not an error of ours
            code, why = code_of_fault(fault)
            return measure.failed(call, call.fault or code, why)
        return measure.ended(call)

    async def _exchange(self, message: Outgoing, let_out: LetOut, call: _Call, measure: "_Measure") -> None:
        place, begun = self._place(message.target.url), time.perf_counter()
        connection = await self._connector.connect(place, [], _TIMEOUTS)
        wire: Any = connection.protocol
        try:
            if call.dialled:
                call.connect_ms = (time.perf_counter() - begun) * 1000 - (call.dns_ms or 0.0)
            call.remote, call.phase = wire.remote or call.remote, Code.TIMEOUT_HEADERS
            let_out(functools.partial(wire.post, posting(place, message.headers, message.body)))
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


class _Measure:
    """What is measured of one attempt."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._started_at, self._begun = now(), time.perf_counter()
        self._headers_ms: float | None = None
        self._head: Any = None
        self._body = bytearray()
        self._length: int | None = None

    async def read(self, head: Any, body: Any) -> bool:
        """Reads an answer to its end, or as far as it is kept; gives whether that was all."""
        self._headers_ms = (time.perf_counter() - self._begun) * 1000
        self._head = head
        while chunk := await body.readany():
            self._body += chunk
            if len(self._body) > MOST_BODY_BYTES:
                self._length = _said_length(head.headers.get("Content-Length", ""))
                return False
        self._length = len(self._body)
        return True

    def ended(self, call: _Call) -> Attempt:
        """The attempt, when an answer came."""
        code = code_of(self._head.code)
        return self._attempt(call, code, "" if code is Code.OK else f"The receiver answered {self._head.code}.")

    def failed(self, call: _Call, code: Code, why: str) -> Attempt:
        """The attempt, when no whole answer came."""
        return self._attempt(call, code, why)

    def _attempt(self, call: _Call, code: Code, why: str) -> Attempt:
        head, body = self._head, bytes(self._body[:MOST_BODY_BYTES])
        return Attempt(
            started_at=self._started_at,
            url=self._url,
            code=code,
            status_code=head.code if head else None,
            dns_ms=call.dns_ms,
            connect_ms=call.connect_ms,
            headers_ms=self._headers_ms,
            total_ms=(time.perf_counter() - self._begun) * 1000,
            remote_address=call.remote,
            response_headers=_kept(head.headers) if head else {},
            response_body=body,
            response_bytes=self._length,
            response_sha256=(hashlib.sha256(body).hexdigest() if body else _OF_NOTHING) if head else "",
            message=why,
        )


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


def _said_length(value: str) -> int | None:
    said = int(value) if value.isascii() and value.isdecimal() and len(value) < 20 else None
    return said if said is None or said <= _MOST_LENGTH else None


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    names = list(dict.fromkeys(headers))
    if len(names) > _MOST_HEADERS:  # what decides is kept, however many stand before it
        names = sorted(names, key=lambda name: name.lower() != "retry-after")[:_MOST_HEADERS]
    return {name: _readable(headers[name][:_MOST_HEADER_LETTERS]) for name in names}


def _readable(value: str) -> str:
    r"""A header as text that can be stored and shown: bytes that are no UTF-8 stand as `\xe9`."""
    return value if value.isascii() else value.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
