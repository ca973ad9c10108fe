"""Where a ComfyUI server is, and which addresses may be called.

A person at this machine may name any server; a caller over the network only servers of this machine and those that
the settings list. The addresses that clouds answer with credentials from are never called.
"""

import ipaddress
import re
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from typing_extensions import override

from storycore.errors import AccessDenied, InvalidInput, Reason

Ip = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_METADATA: Final[tuple[Network, ...]] = tuple(
    ipaddress.ip_network(text)
    for text in ("169.254.0.0/16", "fe80::/10", "fd00:ec2::/32", "100.100.100.200/32", "168.63.129.16/32",
                 "192.0.0.192/32")
)  # fmt: skip
"""Where clouds tell a machine its secrets: AWS, Azure, GCP, Oracle, Alibaba."""
_OWN_NAMES: Final = ("localhost", "127.0.0.1")
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
_LABEL: Final = "[A-Za-z0-9](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?"
_NAME: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?")
_RULE: Final = re.compile(r"(?P<host>\[[^\]]+\](?:/\d+)?|[^:]+|[0-9A-Fa-f:.]+(?:/\d+)?)(?::(?P<port>\d{1,5}))?")


class Kind(StrEnum):
    """Who runs a server."""

    NATIVE = "native"
    """A ComfyUI of one's own."""
    CLOUD = "cloud"
    """Comfy Cloud: the same routes under /api."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a server is and how it is spoken to.

    Attributes:
        host: name or IP address.
        port: 1-65535.
        kind: who runs it.
        tls: whether it speaks TLS.
        base_path: before every route, "" or "/…" without a slash at the end.
        verify_tls: whether its certificate must be good.
        ca_file: certificates to trust beside those of the system; "" for none.
        headers: sent with every call and with the socket.
        token: sent as `Authorization: Bearer`, or as `token=` in the query; "" for none.
        token_in_query: whether the latter.
        confined: whether only what the settings allow may be called.
    """

    host: str
    port: int
    kind: Kind = Kind.NATIVE
    tls: bool = False
    base_path: str = ""
    verify_tls: bool = True
    ca_file: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    token: str = field(default="", repr=False)
    token_in_query: bool = False
    confined: bool = False

    @property
    def name(self) -> str:
        """What people call it: `host:port`, and the path if there is one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}{self.base_path}"

    @property
    def url(self) -> str:
        """Before every route."""
        return f"{'https' if self.tls else 'http'}://{self.name}"

    @property
    def urls(self) -> list[str]:
        """Every way to write `url` for the same server: `localhost` and 127.0.0.1 are one machine."""
        host = self.host.lower()
        hosts = _OWN_NAMES if host in _OWN_NAMES else (host,)
        return [self.url, *(replace(self, host=it).url for it in hosts if it != self.host)]


@dataclass(frozen=True, slots=True)
class Rule:
    """One entry of an allow-list: a host name or a network, and a port or any."""

    host: str
    network: Network | None
    port: int | None


@dataclass(frozen=True, slots=True)
class Reach:
    """Which addresses a caller may have called.

    Attributes:
        allow: beside this machine itself; None for any address.
    """

    allow: tuple[Rule, ...] | None

    def check(self, host: str, port: int, ip: Ip) -> None:
        """Refuses an address that a host name led to.

        Raises:
            AccessDenied: address_forbidden.
        """
        meant = _meant(ip)
        if any(meant in network for network in _METADATA):
            raise _forbidden(host, "is where clouds keep credentials")
        if self.allow is None or meant.is_loopback or any(_fits(rule, host, port, meant) for rule in self.allow):
            return
        raise _forbidden(host, "is not this machine, and not listed in STORYCORE_COMFYUI_ALLOW")


def rules(texts: Sequence[str]) -> tuple[Rule, ...]:
    """An allow-list from `host-or-CIDR[:port]` texts.

    Raises:
        InvalidInput: setting_invalid.
    """
    return tuple(_rule(text) for text in texts)


def check_host(host: str) -> str:
    """A host as it can be called, without the brackets of IPv6.

    Raises:
        InvalidInput: url_invalid.
    """
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not (_NAME.fullmatch(host) or (":" in bare and isinstance(literal(bare), ipaddress.IPv6Address))):
        raise InvalidInput(
            f"{host[:80]!r} is no host name and no IP address.",
            reason=Reason.URL_INVALID,
            remediation="Give a host name or an IP address.",
        )
    return bare.rstrip(".").lower()


def literal(host: str) -> Ip | None:
    """The IP address that a host is written as, or None if it is a name."""
    try:
        return ipaddress.ip_address(host.split("%", maxsplit=1)[0])
    except ValueError:
        return None


class GuardedResolver(AbstractResolver):
    """Looks names up, and gives only addresses that may be called, at the very moment of the call.

    Args:
        reach: which addresses may be called.
    """

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._resolver = ThreadedResolver()

    @override
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        for result in found:
            self._reach.check(host, port, ipaddress.ip_address(result["host"].split("%", maxsplit=1)[0]))
        return found

    @override
    async def close(self) -> None:
        await self._resolver.close()


def _rule(text: str) -> Rule:
    match = _RULE.fullmatch(text.strip())
    port = int(match["port"]) if match and match["port"] else None
    if match is None or port == 0 or (port or 0) > 65535:
        raise InvalidInput(f"{text!r} is no host-or-CIDR[:port].", reason=Reason.SETTING_INVALID)
    host = match["host"].replace("[", "").replace("]", "").lower()
    try:
        return Rule(host, ipaddress.ip_network(host, strict=False), port)
    except ValueError:
        return Rule(check_host(host), None, port)


def _fits(rule: Rule, host: str, port: int, ip: Any) -> bool:
    if rule.port is not None and rule.port != port:
        return False
    if rule.network is None:
        return rule.host == host.rstrip(".").lower()
    return bool(ip.version == rule.network.version and ip in rule.network)


def _meant(ip: Ip) -> Ip:
    """The address behind one that is wrapped into IPv6."""
    if isinstance(ip, ipaddress.IPv6Address):
        if ip in _NAT64:
            return ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)
        return ip.ipv4_mapped or ip.sixtofour or (ip.teredo or (None, None))[1] or ip
    return ip


def _forbidden(host: str, why: str) -> AccessDenied:
    return AccessDenied(
        f"{host[:80]} {why}.",
        reason=Reason.ADDRESS_FORBIDDEN,
        remediation="Add the host, with its port, to STORYCORE_COMFYUI_ALLOW.",
    )
