"""Finds the addresses of names; the only door to aiodns.

In a time limit of its own, without search domains, and without a thread: a name server that is slow or hostile holds
up nobody else.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Sequence
from typing import Final

import aiodns
import pycares

from storycore.webhooks.url import Address

LIMIT_SECONDS: Final = 2.0
_MOST_ADDRESSES = 64


class NameNotFound(OSError):  # noqa: N818 - says what it is
    """No name server knows an address of the name, or none answers well."""


class NameTimedOut(OSError):  # noqa: N818 - says what it is
    """Name servers did not answer in time."""


class Names:
    """A resolver; made, used and closed inside one event loop.

    Args:
        servers: name servers, `address:port`; None for the system's.
    """

    def __init__(self, servers: Sequence[str] | None = None) -> None:
        self._resolver = aiodns.DNSResolver(
            nameservers=servers,
            timeout=LIMIT_SECONDS,
            tries=2,
            flags=pycares.ARES_FLAG_NOSEARCH | pycares.ARES_FLAG_EDNS,
        )

    async def addresses(self, name: str) -> list[Address]:
        """Every address of a name, of both families.

        Raises:
            NameNotFound, NameTimedOut: no address was found.
        """
        try:
            async with asyncio.timeout(LIMIT_SECONDS):
                answer = await self._resolver.getaddrinfo(
                    name, family=socket.AF_UNSPEC, type=socket.SOCK_STREAM, flags=0
                )
        except TimeoutError:
            raise NameTimedOut(f"no answer within {LIMIT_SECONDS:g} s") from None
        except aiodns.error.DNSError as fault:
            if fault.args and fault.args[0] == pycares.errno.ARES_ETIMEOUT:
                raise NameTimedOut("the name servers did not answer") from None
            raise NameNotFound(str(fault.args[1]) if len(fault.args) > 1 else "not found") from None
        found = dict.fromkeys(ipaddress.ip_address(_text(node.addr[0])) for node in answer.nodes)
        if not found or len(found) > _MOST_ADDRESSES:
            raise NameNotFound("no address, or too many")
        return list(found)

    async def close(self) -> None:
        """Ends what is under way."""
        await self._resolver.close()


def _text(address: bytes | str) -> str:
    return address.decode("ascii") if isinstance(address, bytes) else address
