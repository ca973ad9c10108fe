"""Connections to receivers, as aiohttp makes and parses them: a message goes out whole, and no flood comes in.

aiohttp bounds a head, but not how many 1xx answers may come before it, nor how many of them it holds in memory. Here
a chunk is handed on piece by piece, and the connection is cut when too many wait or too much has come. Redirects,
cookies and retries are what its sessions do; without a session there are none.
"""

from collections.abc import Mapping
from typing import Any, Final

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.http_exceptions import HttpProcessingError
from typing_extensions import override

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
        self._before_answer, self._said_bytes = True, 0
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
    def is_clean(self) -> bool:
        """Whether all was taken that was handed over, so that another message may follow."""
        return self.transport is not None and not self.transport.get_write_buffer_size()

    @override
    def data_received(self, data: bytes) -> None:
        if not self._before_answer:
            super().data_received(data)
            return
        self._said_bytes += len(data)
        for start in range(0, len(data), _PIECE_BYTES):
            super().data_received(data[start : start + _PIECE_BYTES])
            if len(self) > _MOST_WAITING or self._said_bytes > _MOST_BYTES:
                self._cut()
                return

    def _cut(self) -> None:
        self.set_exception(HttpProcessingError(message="too much before the answer"))
        if self.transport is not None:
            self.transport.abort()


def posting(place: aiohttp.ClientRequest, headers: Mapping[str, str], body: bytes) -> bytes:
    """A message as it is sent.

    Args:
        place: where to; made by `aiohttp.ClientRequest`, which also knows what a proxy must be told.
        headers: without Host and Content-Length.
        body: what follows the head.

    Raises:
        ValueError: a header holds the end of a line.
    """
    to_proxy = place.proxy is not None and not place.is_ssl()
    also = [f"Proxy-Authorization: {place.headers[it]}" for it in ("Proxy-Authorization",) if it in place.headers]
    lines = [
        f"POST {place.url if to_proxy else place.url.raw_path_qs} HTTP/1.1",
        f"Host: {place.headers['Host']}",
        *also,
        *map(": ".join, headers.items()),
        f"Content-Length: {len(body)}",
        "\r\n",
    ]
    head = "\r\n".join(lines).encode("ascii")
    if not head.count(b"\r") == head.count(b"\n") == len(lines) or b"\0" in head:
        raise ValueError("a header holds the end of a line")
    return head + body


def written(address: str, port: int) -> str:
    """An address with its port."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
