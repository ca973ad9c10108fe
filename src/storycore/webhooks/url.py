"""URLs of webhooks: read strictly, refused rather than repaired. Pure.

Two readers that understand one URL differently are how guards are passed. So there is one form here, and whatever is
not in it is refused: odd spellings of IPv4, user names, fragments, backslashes, control characters, zone ids.

Source: RFC 3986 for the form, RFC 1123 2.1 and RFC 1035 for names, RFC 5952 for IPv6 texts.
"""

import ipaddress
import re
from dataclasses import dataclass
from typing import Final

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

MOST_LETTERS: Final = 2048
_FORM = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9.-]{1,253})(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?(?P<query>\?[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?"
)
_LABEL = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)")
_LIKE_A_NUMBER = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")
_DECIMAL = re.compile(r"(?:0|[1-9][0-9]{0,2})(?:\.(?:0|[1-9][0-9]{0,2})){3}")
_HALF_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ESCAPED_CONTROL = re.compile(r"%(?:[01][0-9A-Fa-f]|7[Ff])")


class BadUrl(ValueError):  # noqa: N818 - says what it is
    """A text that is no acceptable URL of a webhook; the message says why and holds nothing of the text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a message goes.

    Attributes:
        url: as it is called.
        scheme: "http" or "https".
        host: name in lower case, or the text of the address, without brackets.
        port: 1-65535.
        address: the host, if it is an address and not a name.
    """

    url: str
    scheme: str
    host: str
    port: int
    address: Address | None


def read_url(text: str) -> Target:
    """Where a URL leads.

    Raises:
        BadUrl: it is not one of the plain form `https://host[:port]/path?query`, in ASCII.
    """
    if len(text) > MOST_LETTERS:
        raise BadUrl(f"it is longer than {MOST_LETTERS} characters")
    if not text.isascii():
        raise BadUrl("it is not ASCII; write names in their xn-- form and the rest with % escapes")
    found = _FORM.fullmatch(text)
    if found is None:
        raise BadUrl(_why(text))
    for part in (found["path"] or "", found["query"] or ""):
        if _HALF_ESCAPE.search(part) or _ESCAPED_CONTROL.search(part):
            raise BadUrl("it holds a % escape that is damaged, or means a control character")
    scheme = found["scheme"]
    port = int(found["port"] or (443 if scheme == "https" else 80))
    if not 1 <= port <= 65535 or (found["port"] or "1").startswith("0"):
        raise BadUrl("the port is none from 1 to 65535")
    host, address = _host(found["host"])
    return Target(url=text, scheme=scheme, host=host, port=port, address=address)


def _host(text: str) -> tuple[str, Address | None]:
    if text.startswith("["):
        try:
            address = ipaddress.IPv6Address(text[1:-1])
        except ValueError:
            raise BadUrl("the IPv6 address can't be read") from None
        return str(address), address
    labels = text.split(".")
    if _LIKE_A_NUMBER.fullmatch(labels[-1]):
        return text, _ipv4(text)
    if not all(_LABEL.fullmatch(label) for label in labels):
        raise BadUrl("the host is no name: letters, digits and hyphens, 1 to 63 of them between dots")
    return text.lower(), None


def _ipv4(text: str) -> ipaddress.IPv4Address:
    """One that is spelled in the one way that everybody reads alike."""
    if _DECIMAL.fullmatch(text):
        try:
            return ipaddress.IPv4Address(text)
        except ValueError:
            pass
    raise BadUrl("an IPv4 address is written as four decimal numbers from 0 to 255, without leading zeros")


_WHYS: Final = (
    (r"(?i)(?!https?:)[a-z][a-z0-9+.-]*:.*", "it must begin with https:// or http://"),
    (r"(?!https?://).*", "it must begin with https:// or http://, in lower case"),
    (r".*[\x00-\x20\x7f].*", "it holds a space or a control character"),
    (r".*\\.*", "it holds a backslash"),
    (r".*#.*", "it has a fragment, which is never sent"),
    (r"https?://[^/?]*@.*", "it holds a user name or a password; use a header instead"),
    (r"https?://\[[^\]]*%.*", "it names a zone"),
    (r"https?://(?:[/?:].*)?", "it names no host"),
    (r"https?://[^/?]*%.*", "its host is written with % escapes"),
    (r"https?://[^/?]*:[0-9]*(?:[/?].*)?", "the port is none from 1 to 65535"),
)


def _why(text: str) -> str:
    found = (why for form, why in _WHYS if re.fullmatch(form, text, re.DOTALL))
    return next(found, "it is not of the form https://host/path")
