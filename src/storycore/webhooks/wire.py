"""Connections to receivers, as aiohttp makes and parses them: a message goes out whole, and no flood comes in.

aiohttp bounds a head, but not how many 1xx answers may come before it, nor how many of them it holds in memory. Here
a chunk is handed on piece by piece, and the connection is cut when too many wait or too much has come. Redirects,
cookies and retries are what its sessions do; without a session there are none.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.http_exceptions import HttpProcessingError
from typing_extensions import override

KEPT_SECONDS: Final = 4.0
"""So long a connection is kept: shorter than the usual servers do, so that both don't meet at its end."""

ConnectionEnded: Final = aiohttp.ClientConnectionError
"""What is raised when a connection ends, in whatever way."""

_PIECE_BYTES: Final = 4096
_MOST_BYTES: Final = 1024 * 1024
_MOST_WAITING: Final = 8
"""So many answers may wait to be read; an honest receiver sends one, and perhaps a 1xx before it."""


class Wire(ResponseHandler):
    """A connection whose other side may not say much before its answer.

    Attributes:
        remote: address at its other end, with the port; "" if nobody knows.
    """

    remote = ""
    _before_answer = True
    _said_bytes = 0
    _rests = False

    @override
    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        peer = transport.get_extra_info("peername")
        self.remote = written(peer[0], peer[1]) if peer else ""

    def post(self, message: bytes) -> None:
        """Hands over a whole message and waits for nothing; what comes now is the answer.

        Raises:
            aiohttp.ClientConnectionResetError: the connection has ended.
        """
        if self.transport is None or self.transport.is_closing():
            raise aiohttp.ClientConnectionResetError("the connection has ended")
        self._before_answer, self._said_bytes, self._rests = True, 0, False
        self.set_response_params(read_until_eof=True, auto_decompress=False)
        self.transport.write(message)

    async def answer(self) -> tuple[Any, Any]:
        """The head and the body of the answer; what comes before it is passed over.

        Raises:
            aiohttp.ClientError, HttpProcessingError: none came.
        """
        head, body = await self.read()
        while 100 <= head.code <= 199 and head.code != 101:
            head, body = await self.read()
        self._before_answer = False
        return head, body

    @property
    def has_heard(self) -> bool:
        """Whether the other side has said anything since the last message."""
        return self._said_bytes > 0

    @property
    def is_clean(self) -> bool:
        """Whether all was taken that was handed over, so that another message may follow."""
        return self.transport is not None and not self.transport.get_write_buffer_size()

    def rest(self) -> None:
        """From now on, until the next message, the other side has nothing to say; if it does, it is cut off."""
        self._rests = True

    @override
    def data_received(self, data: bytes) -> None:
        if self._rests:
            if self.transport is not None:
                self.transport.abort()
            return
        self._said_bytes += len(data)
        if not self._before_answer or self._said_bytes <= _PIECE_BYTES:
            super().data_received(data)
            return
        for start in range(0, len(data), _PIECE_BYTES):
            super().data_received(data[start : start + _PIECE_BYTES])
            if len(self) > _MOST_WAITING or self._said_bytes > _MOST_BYTES:
                self._cut()
                return

    def _cut(self) -> None:
        self.set_exception(HttpProcessingError(message="too much before the answer"))
        if self.transport is not None:
            self.transport.abort()


class Standing:
    """Connections to one place that are kept for the next message; made and used inside one event loop."""

    def __init__(self) -> None:
        self._kept: list[tuple[aiohttp.connector.Connection, float]] = []

    def take(self, instant: float) -> aiohttp.connector.Connection | None:
        """The one that was used last and still stands; None if there is none.

        Args:
            instant: monotonic time, now.
        """
        while self._kept:
            connection, since = self._kept.pop()
            wire = connection.protocol
            if wire is not None and wire.is_connected() and not wire.should_close and instant - since <= KEPT_SECONDS:
                return connection
            cut(connection)
        return None

    def keep(self, connection: aiohttp.connector.Connection, instant: float) -> None:
        """Keeps one, if another message may go over it."""
        wire = connection.protocol
        if not isinstance(wire, Wire) or wire.should_close:
            cut(connection)
            return
        wire.rest()
        self._kept.append((connection, instant))

    def release(self) -> None:
        """Gives all of them back to whoever made them, who closes them well at the end."""
        while self._kept:
            self._kept.pop()[0].release()

    def close(self, before: float) -> bool:
        """Closes those that were used before then; gives whether others are left."""
        old = 0
        while old < len(self._kept) and self._kept[old][1] < before:
            cut(self._kept[old][0])
            old += 1
        del self._kept[:old]
        return bool(self._kept)


def cut(connection: aiohttp.connector.Connection) -> None:
    """Ends a connection at once: closing it would wait for who takes nothing more, or answers no farewell of TLS."""
    if connection.protocol is not None:
        connection.protocol.abort()
    connection.close()


def opening(place: aiohttp.ClientRequest, headers: Mapping[str, str]) -> bytes:
    """How each message to a place begins.

    Args:
        place: where to; made by `aiohttp.ClientRequest`, which also knows what a proxy must be told.
        headers: those that are always the same, without Host and Content-Length.

    Raises:
        ValueError: a header holds the end of a line.
    """
    to_proxy = place.proxy is not None and not place.is_ssl()
    also = [f"Proxy-Authorization: {place.headers[it]}" for it in ("Proxy-Authorization",) if it in place.headers]
    first = f"POST {place.url if to_proxy else place.url.raw_path_qs} HTTP/1.1"
    return _lines([first, f"Host: {place.headers['Host']}", *also, *map(": ".join, headers.items())])


def posting(begun: bytes, stamp: Mapping[str, str], body: bytes) -> bytes:
    """A message as it is sent.

    Args:
        begun: as `opening` gives it.
        stamp: further headers, without Content-Length.
        body: what follows the head.

    Raises:
        ValueError: a header holds the end of a line.
    """
    return b"%b%bContent-Length: %d\r\n\r\n%b" % (begun, _lines([*map(": ".join, stamp.items())]), len(body), body)


def _lines(lines: Sequence[str]) -> bytes:
    if not lines:
        return b""
    text = ("\r\n".join(lines) + "\r\n").encode("ascii")
    if not text.count(b"\r") == text.count(b"\n") == len(lines) or b"\0" in text:
        raise ValueError("a header holds the end of a line")
    return text


def written(address: str, port: int) -> str:
    """An address with its port."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
