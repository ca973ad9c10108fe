"""Connections that bear with no flood: what comes before an answer is bounded.

aiohttp bounds a head, but not how many 1xx answers may come before it, nor how many of them it holds in memory. Here
a chunk is handed on piece by piece, and the connection is cut when too many wait or too much has come.
"""

from typing import Any, Final

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.http_exceptions import HttpProcessingError
from typing_extensions import override

_PIECE_BYTES: Final = 4096
_MOST_BYTES: Final = 1024 * 1024
_MOST_WAITING: Final = 8
"""So many answers may wait to be read; an honest receiver sends one, and perhaps a 1xx before it."""


class BoundedWire(ResponseHandler):
    """A connection whose other side may not say much before its answer."""

    before_answer = True
    _said_bytes = 0

    def expect_answer(self) -> None:
        """A message was sent; its answer has not begun."""
        self.before_answer, self._said_bytes = True, 0

    @override
    def data_received(self, data: bytes) -> None:
        if not self.before_answer:
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


class BoundedAnswer(aiohttp.ClientResponse):
    """An answer over such a connection."""

    @override
    async def start(self, connection: Any) -> aiohttp.ClientResponse:
        wire = connection.protocol
        wire.expect_answer()
        await super().start(connection)
        wire.before_answer = False
        return self
