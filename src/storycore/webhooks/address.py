"""Which addresses may be called. Pure: a table, and the exceptions that the settings name.

A webhook must not reach the network that it is sent from. So only addresses of the public internet are called, and of
IPv6 only those that nothing is wrapped in. Private networks and this machine are opened one by one, by an entry in
the settings; addresses at which clouds tell their secrets, never.

Source: the IANA special-purpose address registries for IPv4 and IPv6, RFC 6890 with its updates, RFC 4291, RFC 6052;
the vendors' documents for the addresses of metadata services.
"""

import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from storycore.webhooks.url import Address

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_DENIED_V4: Final = tuple(
    ipaddress.IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this host on this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared between a provider and its customers
        "127.0.0.0/8",  # this machine
        "168.63.129.16/32",  # Azure's wire server
        "169.254.0.0/16",  # link-local, and most metadata services
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments, and Oracle's metadata service
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
_GLOBAL_V6: Final = ipaddress.IPv6Network("2000::/3")
_DENIED_V6: Final = tuple(
    ipaddress.IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments: Teredo, ORCHID, AMT, AS112, benchmarks
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: an IPv4 address is wrapped in it
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)
_NEVER: Final[tuple[Network, ...]] = tuple(
    ipaddress.ip_network(text)
    for text in (
        "169.254.0.0/16",  # AWS, Azure, Google, DigitalOcean, …: .169.254 and its neighbours
        "100.100.100.200/32",  # Alibaba
        "168.63.129.16/32",  # Azure's wire server
        "192.0.0.192/32",  # Oracle
        "fd00:ec2::/32",  # AWS
        "fd20:ce::254/128",  # Google
        "fd00:42::42/128",  # Scaleway
        "fe80::/10",  # link-local
        "0.0.0.0/32",
        "::/128",
        "255.255.255.255/32",
        "224.0.0.0/4",
        "ff00::/8",
    )
)
_WRAPPED: Final = tuple(  # forms of IPv6 that lead to an IPv4 address, at which the exceptions are not looked up
    ipaddress.IPv6Network(text) for text in ("::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48")
)
_ENTRY = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+(?:/\d{1,3})?\]|[A-Za-z0-9.-]+(?:/\d{1,2})?):(?P<port>\d{1,5}|\*)")


class BadEntry(ValueError):  # noqa: N818 - says what it is
    """A text that is no acceptable exception."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A place that may be called although it is not public.

    Attributes:
        network: its addresses; None if it is a name.
        name: in lower case; "" if it is a network.
        port: the one that may be called; None for each.
    """

    network: Network | None
    name: str
    port: int | None


def read_entry(text: str) -> Opening:
    """An exception as the settings spell it: `127.0.0.1:9000`, `10.1.0.0/16:443`, `[fd00::/8]:*`, `hooks.lan:8080`.

    Raises:
        BadEntry: it is none of these; a port is always named, `*` for each.
    """
    found = _ENTRY.fullmatch(text)
    port = None if found is None or found["port"] == "*" else int(found["port"])
    if found is None or (port is not None and not 1 <= port <= 65535):
        raise BadEntry(f"{text!r} is not like 127.0.0.1:9000, 10.1.0.0/16:443, [fd00::/8]:* or hooks.lan:8080")
    host = found["host"].strip("[]")
    if re.search(r"[A-Za-z]", host) and ":" not in host:
        return Opening(network=None, name=host.lower(), port=port)
    try:
        return Opening(network=ipaddress.ip_network(host), name="", port=port)
    except ValueError:
        raise BadEntry(f"{text!r} names no network; its first address must be that of the network") from None


def is_public(address: Address) -> bool:
    """Whether an address is one of the public internet, with nothing wrapped inside."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _DENIED_V4)
    if address.scope_id is not None or address not in _GLOBAL_V6:
        return False
    return not any(address in network for network in _DENIED_V6)


class Guard:
    """Says which places may be called.

    Args:
        entries: exceptions, as `read_entry` takes them.

    Raises:
        BadEntry: one of them is none.
    """

    def __init__(self, entries: Iterable[str] = ()) -> None:
        self._exceptions: Sequence[Opening] = tuple(read_entry(text) for text in entries)

    def allows(self, address: Address, *, host: str, port: int) -> bool:
        """Whether the address may be called for that host and port.

        Args:
            address: what would be dialled.
            host: name in lower case that led there, or the address as text.
            port: what would be dialled.
        """
        if any(address in network for network in _NEVER) or _leads_to_never(address):
            return False
        return is_public(address) or any(self._matches(it, address, host, port) for it in self._exceptions)

    @staticmethod
    def _matches(entry: Opening, address: Address, host: str, port: int) -> bool:
        if entry.port is not None and entry.port != port:
            return False
        if entry.network is None:
            return entry.name == host
        return address in entry.network


def _leads_to_never(address: Address) -> bool:
    """Whether an IPv6 address is another spelling of an IPv4 address that is never called."""
    if isinstance(address, ipaddress.IPv4Address):
        return False
    inner: list[ipaddress.IPv4Address] = []
    if int(address) >> 32 == 0 or any(address in network for network in _WRAPPED):
        inner.append(ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF))
    if address.sixtofour is not None:
        inner.append(address.sixtofour)
    if address.teredo is not None:
        inner += address.teredo
    return any(one in network for one in inner for network in _NEVER)
