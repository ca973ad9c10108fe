"""Makes one attempt and measures it; the only door to aiohttp's client.

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
from storycore.webhooks.message import Outgoing
from storycore.webhooks.names import NameNotFound, Names, NameTimedOut
from storycore.webhooks.url import Address, Target
from storycore.webhooks.wire import BoundedAnswer, BoundedWire

CONNECT_SECONDS = 5.0
_MOST_HEADERS, _MOST_HEADER_LETTERS = 64, 1024
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
        self._session = aiohttp.ClientSession(
            connector=_Connector(
                resolver=_Resolver(self._names, guard), socket_factory=self._dial, use_dns_cache=False, ssl=trusted,
                limit=0, keepalive_timeout=_KEPT_SECONDS,
            ),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
            response_class=BoundedAnswer, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False, trust_env=False,
        )  # fmt: skip

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()
        await self._names.close()

    async def send(self, message: Outgoing) -> Attempt:
        """One attempt, as it went; whatever the other side does, nothing is raised and the time limit holds."""
        call = _Call(target=message.target, through_proxy=bool(self._proxy))
        _call.set(call)
        measure = _Measure(message.target.url)
        try:
            async with asyncio.timeout(self._timeout_seconds):
                if self._proxy:
                    await self._check_target(message.target)
                request = self._session.post(
                    _url(message.target.url), data=message.body, headers=message.headers,
                    allow_redirects=False, proxy=self._proxy or None,
                )  # fmt: skip
                async with request as answer:
                    call.phase = Code.TIMEOUT_TOTAL
                    await measure.read(answer)
        except TimeoutError as fault:
            code = Code.TIMEOUT_CONNECT if isinstance(fault, aiohttp.ServerTimeoutError) else call.phase
            return measure.failed(call, call.fault or code, "It took too long.")
        except Exception as fault:  # noqa: BLE001 - what the other side causes is a finding, not an error of ours
            code, why = code_of_fault(fault)
            return measure.failed(call, call.fault or code, why)
        return measure.ended(call)

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
        call.dialled, call.remote = True, _written(place[0], place[1])
        return socket.socket(family, kind, protocol)


@functools.cache
def _trusted(ca_file: str | None) -> ssl.SSLContext:
    """What servers are trusted by; read once, since that takes longer than most attempts."""
    return ssl.create_default_context(cafile=ca_file)


class _Connector(aiohttp.TCPConnector):
    """Notes how long a connection takes, and which address stands at its other end."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        # There is no public place for this; the tests of floods fail if it goes.
        self._factory: Any = functools.partial(BoundedWire, loop=asyncio.get_running_loop())

    @override
    async def connect(self, req: Any, traces: Any, timeout: Any) -> Any:
        call, begun = _call.get(), time.perf_counter()
        connection = await super().connect(req, traces, timeout)
        if call.dialled:
            call.connect_ms = (time.perf_counter() - begun) * 1000 - (call.dns_ms or 0.0)
        peer = connection.transport.get_extra_info("peername") if connection.transport else None
        if peer:
            call.remote = _written(peer[0], peer[1])
        call.phase = Code.TIMEOUT_HEADERS
        return connection


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
        self._answer: aiohttp.ClientResponse | None = None
        self._body = bytearray()
        self._length: int | None = None

    async def read(self, answer: aiohttp.ClientResponse) -> None:
        """Reads an answer to its end, or as far as it is kept; then the connection is cut."""
        self._headers_ms = (time.perf_counter() - self._begun) * 1000
        self._answer = answer
        while chunk := await answer.content.readany():
            self._body += chunk
            if len(self._body) > MOST_BODY_BYTES:
                answer.close()
                said = answer.content_length
                self._length = said if said is None or said <= _MOST_LENGTH else None
                return
        self._length = len(self._body)

    def ended(self, call: _Call) -> Attempt:
        """The attempt, when an answer came."""
        status = self._answer.status if self._answer else 0
        code = code_of(status)
        return self._attempt(call, code, "" if code is Code.OK else f"The receiver answered {status}.")

    def failed(self, call: _Call, code: Code, why: str) -> Attempt:
        """The attempt, when no whole answer came."""
        return self._attempt(call, code, why)

    def _attempt(self, call: _Call, code: Code, why: str) -> Attempt:
        answer, body = self._answer, bytes(self._body[:MOST_BODY_BYTES])
        return Attempt(
            started_at=self._started_at,
            url=self._url,
            code=code,
            status_code=answer.status if answer else None,
            dns_ms=call.dns_ms,
            connect_ms=call.connect_ms,
            headers_ms=self._headers_ms,
            total_ms=(time.perf_counter() - self._begun) * 1000,
            remote_address=call.remote,
            response_headers=_kept(answer) if answer else {},
            response_body=body,
            response_bytes=self._length,
            response_sha256=hashlib.sha256(body).hexdigest() if answer else "",
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


@functools.lru_cache(maxsize=4096)
def _url(text: str) -> URL:
    return URL(text, encoded=True)


def _kept(answer: aiohttp.ClientResponse) -> dict[str, str]:
    first = sorted(dict.fromkeys(answer.headers), key=lambda name: name.lower() != "retry-after")
    names = first[:_MOST_HEADERS]  # what decides is kept, however many stand before it
    return {name: answer.headers[name][:_MOST_HEADER_LETTERS] for name in names}


def _written(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
