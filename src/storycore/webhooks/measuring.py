"""What is measured of one attempt, and what is kept of an answer. Nothing here touches a network."""

import hashlib
import time
from collections.abc import Mapping
from typing import Any, Final

from storycore.units import now
from storycore.webhooks.delivery import MOST_BODY_BYTES, Attempt, Code, code_of

_MOST_HEADERS: Final = 64
_MOST_HEADER_LETTERS: Final = 1024
_MOST_LENGTH: Final = 2**63 - 1  # what databases hold; receivers can say twice as much
_OF_NOTHING: Final = hashlib.sha256(b"").hexdigest()


class Measure:
    """What is measured of one attempt, by whichever layer knows it.

    Attributes:
        phase: how it ends if its time ends now.
        fault: what went wrong, if somebody knows better than what is raised.
        dns_ms, connect_ms, remote: see `Attempt`.
    """

    __slots__ = (
        "_begun", "_body", "_head", "_headers_ms", "_length", "_started_at", "_url", "connect_ms", "dns_ms", "fault",
        "phase", "remote",
    )  # fmt: skip

    def __init__(self, url: str) -> None:
        self._url = url
        self.phase, self.remote = Code.TIMEOUT_CONNECT, ""
        self.fault: Code | None = None
        self.dns_ms: float | None = None
        self.connect_ms: float | None = None
        self._headers_ms: float | None = None
        self._head: Any = None
        self._body: bytes | bytearray = b""
        self._length: int | None = None
        self._started_at, self._begun = now(), time.perf_counter()

    async def read(self, head: Any, body: Any) -> bool:
        """Reads an answer to its end, or as far as it is kept; gives whether that was all."""
        self._headers_ms = (time.perf_counter() - self._begun) * 1000
        self._head = head
        kept = bytearray()
        while chunk := await body.readany():
            kept += chunk
            self._body = kept
            if len(kept) > MOST_BODY_BYTES:
                self._length = _said_length(head.headers.get("Content-Length", ""))
                return False
        self._length = len(kept)
        return True

    def ended(self) -> Attempt:
        """The attempt, when an answer came."""
        code = code_of(self._head.code)
        return self.failed(code, "" if code is Code.OK else f"The receiver answered {self._head.code}.")

    def failed(self, code: Code, why: str) -> Attempt:
        """The attempt, when no whole answer came."""
        head, body = self._head, bytes(self._body[:MOST_BODY_BYTES])
        return Attempt(
            started_at=self._started_at,
            url=self._url,
            code=code,
            status_code=head.code if head else None,
            dns_ms=self.dns_ms,
            connect_ms=self.connect_ms,
            headers_ms=self._headers_ms,
            total_ms=(time.perf_counter() - self._begun) * 1000,
            remote_address=self.remote,
            response_headers=_kept(head.headers) if head else {},
            response_body=body,
            response_bytes=self._length,
            response_sha256=(hashlib.sha256(body).hexdigest() if body else _OF_NOTHING) if head else "",
            message=why,
        )


def _said_length(value: str) -> int | None:
    said = int(value) if value.isascii() and value.isdecimal() and len(value) < 20 else None
    return said if said is None or said <= _MOST_LENGTH else None


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    names = [*dict.fromkeys(headers)]
    if len(names) > _MOST_HEADERS:  # what decides is kept, however many stand before it
        names = sorted(names, key=lambda name: name.lower() != "retry-after")[:_MOST_HEADERS]
    return {name: _readable(headers[name][:_MOST_HEADER_LETTERS]) for name in names}


def _readable(value: str) -> str:
    r"""A header as text that can be stored and shown: bytes that are no UTF-8 stand as `\xe9`."""
    return value if value.isascii() else value.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
