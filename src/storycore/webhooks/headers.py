"""Headers that a caller adds to each message of a webhook: which ones are acceptable. Pure.

Source: RFC 9110 5.1 and 5.5 for names and values.
"""

import re
from collections.abc import Mapping
from typing import Final

MOST: Final = 32
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}")
_VALUE = re.compile(r"[\x21-\x7e](?:[\t\x20-\x7e]{0,4094}[\x21-\x7e])?")
_OURS: Final = frozenset(
    {
        "host", "connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "expect", "cookie",
        "cookie2", "accept-encoding", "user-agent", "http2-settings", "origin", "referer", "date", "via",
        "max-forwards", "range", "if-match", "if-none-match", "traceparent", "tracestate",
    }
)  # fmt: skip
_PREFIXES: Final = ("content-", "proxy-", "webhook-", "sec-", "access-control-", "x-forwarded-", ":")


class BadHeader(ValueError):  # noqa: N818 - says what it is
    """A header that may not be added; the message names the header, never its value."""


def check_headers(headers: Mapping[str, str]) -> None:
    """Whether these headers may be added to each message.

    Raises:
        BadHeader: a name or value that RFC 9110 does not know, or a header that is ours to set.
    """
    if len(headers) > MOST:
        raise BadHeader(f"more than {MOST} headers")
    seen: set[str] = set()
    for name, value in headers.items():
        lower = name.lower()
        if not _NAME.fullmatch(name):
            raise BadHeader("a name of a header has letters, digits and a few marks, and no spaces")
        if lower in _OURS or lower.startswith(_PREFIXES):
            raise BadHeader(f"{name} is not yours to set")
        if lower in seen:
            raise BadHeader(f"{name} stands twice")
        if not _VALUE.fullmatch(value):
            raise BadHeader(f"the value of {name} has characters that no header may have, or is empty or too long")
        seen.add(lower)
