"""Makes connections, to addresses that may be called and to no others.

Addresses are judged twice: the whole answer of the name servers, and each address once more right before it is
dialled, since a URL can hold an address, for which no name is asked. Cookies and the proxies of the environment are
not used.
"""

import asyncio
import functools
import ipaddress
import socket
import ssl
import time
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from typing_extensions import override
from yarl import URL

from storycore.webhooks.address import Guard
from storycore.webhooks.delivery import Code
from storycore.webhooks.measuring import Measure
from storycore.webhooks.names import NameNotFound, Names, NameTimedOut
from storycore.webhooks.url import Address, Target
from storycore.webhooks.wire import Wire, written

CONNECT_SECONDS = 5.0
_TIMEOUTS = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS)


class Blocked(OSError):  # noqa: N818 - says what it is
    """An address that may not be called."""


@dataclass(frozen=True, slots=True)
class _Call:
    """For whom a connection is made."""

    target: Target
    through_proxy: bool
    measure: Measure


_call: ContextVar[_Call] = ContextVar("_call")


class Dialler:
    """Makes connections; made, used and closed inside one event loop.

    Args:
        guard: says what may be called.
        proxy: URL of a proxy, or "".
        ca_file: of the certificates that are trusted; None for the system's.
        names: finds addresses; one that asks the system's name servers if None.

    Attributes:
        through_proxy: whether there is a proxy.
    """

    def __init__(self, guard: Guard, *, proxy: str, ca_file: Path | None, names: Names | None) -> None:
        self.through_proxy = bool(proxy)
        self._guard, self._proxy, self._names = guard, proxy, names or Names()
        trusted = _trusted(None if ca_file is None else str(ca_file))
        self._connector = _Connector(
            resolver=_Resolver(self._names, guard), socket_factory=self._dial, use_dns_cache=False, ssl=trusted, limit=0
        )

    async def close(self) -> None:
        """Closes all connections."""
        await self._connector.close()
        await self._names.close()

    def place(self, url: str) -> aiohttp.ClientRequest:
        """What must be known of a URL."""
        proxy = URL(self._proxy) if self._proxy else None
        return aiohttp.ClientRequest("POST", URL(url, encoded=True), proxy=proxy, loop=asyncio.get_running_loop())

    async def connect(self, place: aiohttp.ClientRequest, target: Target, measure: Measure) -> Any:
        """A new connection; notes in `measure` what is met on the way.

        Raises:
            Blocked: it leads to an address that may not be called.
            OSError, aiohttp.ClientError: none came about.
        """
        _call.set(_Call(target, self.through_proxy, measure))
        begun = time.perf_counter()
        connection = await self._connector.connect(place, [], _TIMEOUTS)
        measure.connect_ms = (time.perf_counter() - begun) * 1000 - (measure.dns_ms or 0.0)
        return connection

    async def check_behind_proxy(self, target: Target, measure: Measure) -> None:
        """Judges what a proxy will call in our stead.

        Raises:
            Blocked: it may not be called.
        """
        found = [target.address] if target.address else await self._names.addresses(target.host)
        if not all(self._guard.allows(address, host=target.host, port=target.port) for address in found):
            measure.fault = Code.BLOCKED_ADDRESS
            raise Blocked("the address may not be called")

    def _dial(self, info: Any) -> socket.socket:
        """A socket for an address that may be called."""
        family, kind, protocol, _, place = info
        call = _call.get()
        address = ipaddress.ip_address(place[0])
        allowed = self._guard.allows(address, host=call.target.host, port=place[1])
        if not call.through_proxy and (not allowed or place[1] != call.target.port):
            call.measure.fault = Code.BLOCKED_ADDRESS
            raise Blocked("the address may not be called")
        call.measure.remote = written(place[0], place[1])
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
        measure = call.measure
        measure.phase = Code.TIMEOUT_DNS
        try:
            found = await self._names.addresses(host)
        except NameTimedOut:
            measure.fault = Code.TIMEOUT_DNS
            raise
        except NameNotFound:
            measure.fault = Code.DNS
            raise
        measure.dns_ms = (time.perf_counter() - begun) * 1000
        measure.phase = Code.TIMEOUT_CONNECT
        if not call.through_proxy and not all(self._guard.allows(it, host=host, port=port) for it in found):
            measure.fault = Code.BLOCKED_ADDRESS
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
