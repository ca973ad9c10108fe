"""The sink itself: reads HTTP by hand, so that it is quick, and free to answer in ways that no library would."""

import asyncio
import ssl
from collections.abc import Sequence
from typing import Final

from typing_extensions import override

from storycore.sink.behaviour import BEHAVIOURS, head
from storycore.sink.ledger import Ledger
from storycore.webhooks.receiver import NotVerified, verify

_MOST_BYTES: Final = 4 * 1024 * 1024
_DONE: Final = head(204, "Content-Length: 0\r\n")
_WRONG: Final = head(401, "Content-Length: 0\r\n")
_BAD: Final = head(400, "Content-Length: 0\r\nConnection: close\r\n")


class Sink:
    """A receiver; runs in the event loop that is there.

    Args:
        ledger: what comes is noted there.
        secrets: messages are verified with; none takes every message.
        tls: certificate and key, for https.
    """

    def __init__(self, ledger: Ledger, secrets: Sequence[str] = (), *, tls: ssl.SSLContext | None = None) -> None:
        self.ledger, self._secrets, self._tls = ledger, list(secrets), tls
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Transport] = set()
        self._answers: set[asyncio.Task[None]] = set()

    async def listen(self, host: str, port: int) -> int:
        """Begins to take messages; gives the port."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), host, port, ssl=self._tls, backlog=512)
        return int(self._server.sockets[0].getsockname()[1])

    def close(self) -> None:
        """Takes no more, and ends every connection."""
        if self._server:
            self._server.close()
        for answer in self._answers:
            answer.cancel()
        for transport in self._open:
            transport.abort()

    def opened(self, transport: asyncio.Transport) -> None:
        """A connection stands; one that was let in at the very end is ended at once."""
        self._open.add(transport)
        if self._server and not self._server.is_serving():
            transport.abort()

    def ended(self, transport: asyncio.Transport) -> None:
        """A connection stands no more."""
        self._open.discard(transport)

    def take(self, transport: asyncio.Transport, path: str, headers: dict[str, str], body: bytes) -> None:
        """Judges a message, notes it and answers."""
        verified = self._is_genuine(headers, body)
        message_id = headers.get("webhook-id", "")
        word, _, rest = path.strip("/").partition("/")
        behaviour = BEHAVIOURS.get(word)
        if verified is False or behaviour is None:
            answer, number = (_WRONG, 401) if verified is False else (_DONE, 204)
            self.ledger.note(message_id=message_id, body=body, verified=verified, status=number, path=path)
            transport.write(answer)
            return

        async def misbehave() -> None:
            number = await behaviour(transport, rest)
            self.ledger.note(message_id=message_id, body=body, verified=verified, status=number, path=path)

        task = asyncio.get_running_loop().create_task(misbehave())
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)

    def _is_genuine(self, headers: dict[str, str], body: bytes) -> bool | None:
        if not self._secrets:
            return None
        try:
            verify(body, headers, self._secrets)
        except NotVerified:
            return False
        return True


class _Connection(asyncio.Protocol):
    """One connection: requests with a Content-Length, one after the other."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - what a server's protocol is given
        self._transport = transport
        self._sink.opened(transport)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if self._transport:
            self._sink.ended(self._transport)

    @override
    def data_received(self, data: bytes) -> None:
        self._buffer += data
        transport = self._transport
        while transport and (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            lines = self._buffer[:end].decode("latin-1").split("\r\n")
            headers = {
                name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])
            }
            words, length = lines[0].split(" "), headers.get("content-length", "0")
            if len(words) != 3 or not length.isdecimal() or int(length) > _MOST_BYTES:
                transport.write(_BAD)
                transport.close()
                return
            whole = end + 4 + int(length)
            if len(self._buffer) < whole:
                return
            body = bytes(self._buffer[end + 4 : whole])
            del self._buffer[:whole]
            self._sink.take(transport, words[1].partition("?")[0], headers, body)
        if len(self._buffer) > _MOST_BYTES + 65536 and transport:
            transport.abort()
