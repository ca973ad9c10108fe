"""How a sink answers: well, or in one of the ways that senders must survive. The path of the URL chooses."""

import asyncio
import contextlib
import gzip
import socket
import struct
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Final

Answer = Callable[[asyncio.Transport, str], Awaitable[int]]
"""Answers over a transport, as the rest of the path says; gives the status that went out, 0 for none whole."""

_MEBIBYTE = 1024 * 1024
_REASONS: Final = {200: "OK", 204: "No Content", 302: "Found", 410: "Gone", 429: "Too Many Requests", 500: "Oops"}


async def status(transport: asyncio.Transport, rest: str) -> int:
    """The status that is asked for: `/status/503`, with Retry-After as in `/status/503/120`."""
    code, _, wait = rest.partition("/")
    number = int(code) if code.isdecimal() else 204
    hint = f"Retry-After: {wait}\r\n" if wait else ""
    transport.write(head(number, f"{hint}Content-Length: 0\r\n"))
    return number


async def slow(transport: asyncio.Transport, rest: str) -> int:
    """204 after so many seconds: `/slow/2.5`."""
    await asyncio.sleep(float(rest or "1"))
    transport.write(head(204, "Content-Length: 0\r\n"))
    return 204


async def never(transport: asyncio.Transport, _rest: str) -> int:
    """No answer; the connection stays open."""
    await _until_closed(transport)
    return 0


async def drip(transport: asyncio.Transport, _rest: str) -> int:
    """A body that comes one byte at a time and does not end."""
    transport.write(head(200, "Content-Length: 1000000\r\n"))
    while not transport.is_closing():
        transport.write(b".")
        await asyncio.sleep(0.2)
    return 0


async def drip_head(transport: asyncio.Transport, _rest: str) -> int:
    """A head that comes one byte at a time and does not end."""
    transport.write(b"HTTP/1.1 200 OK\r\nX: ")
    while not transport.is_closing():
        transport.write(b".")
        await asyncio.sleep(0.2)
    return 0


async def endless_body(transport: asyncio.Transport, _rest: str) -> int:
    """A body without end, as fast as it is taken."""
    transport.write(head(200, "Transfer-Encoding: chunked\r\n"))
    await _pour(transport, b"10000\r\n" + b"x" * 65536 + b"\r\n")
    return 0


async def endless_head(transport: asyncio.Transport, _rest: str) -> int:
    """Headers without end."""
    transport.write(b"HTTP/1.1 200 OK\r\n")
    await _pour(transport, b"".join(b"X-%d: %b\r\n" % (number, b"y" * 100) for number in range(100)))
    return 0


async def informational(transport: asyncio.Transport, _rest: str) -> int:
    """1xx answers without end."""
    await _pour(transport, b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 200)
    return 0


async def gzip_bomb(transport: asyncio.Transport, _rest: str) -> int:
    """A small body that unpacks to a gigabyte."""
    body = _bomb()
    transport.write(head(200, f"Content-Encoding: gzip\r\nContent-Length: {len(body)}\r\n") + body)
    return 200


async def redirect(transport: asyncio.Transport, rest: str) -> int:
    """Elsewhere: `/redirect/127.0.0.1:22`."""
    where = f"http://{rest or '169.254.169.254/latest/meta-data/'}"
    transport.write(head(302, f"Location: {where}\r\nContent-Length: 0\r\n"))
    return 302


async def upgrade(transport: asyncio.Transport, _rest: str) -> int:
    """101, to another protocol."""
    transport.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: evil\r\nConnection: Upgrade\r\n\r\nhello")
    await _until_closed(transport)
    return 101


async def reset(transport: asyncio.Transport, _rest: str) -> int:
    """The connection is reset."""
    wire: socket.socket = transport.get_extra_info("socket")
    with contextlib.suppress(OSError):
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    return 0


async def close(transport: asyncio.Transport, _rest: str) -> int:
    """The connection is closed without an answer."""
    transport.close()
    return 0


async def cut(transport: asyncio.Transport, _rest: str) -> int:
    """The answer ends before its end."""
    transport.write(head(200, "Content-Length: 1000\r\n") + b"only this")
    transport.close()
    return 0


async def garbage(transport: asyncio.Transport, _rest: str) -> int:
    """Something that is not HTTP."""
    transport.write(b"SSH-2.0-OpenSSH_9.9\r\n" + bytes(range(256)))
    transport.close()
    return 0


BEHAVIOURS: Final[dict[str, Answer]] = {
    "status": status, "slow": slow, "never": never, "drip": drip, "drip-head": drip_head,
    "endless-body": endless_body, "endless-head": endless_head, "informational": informational,
    "gzip-bomb": gzip_bomb, "redirect": redirect, "upgrade": upgrade, "reset": reset, "close": close, "cut": cut,
    "garbage": garbage,
}  # fmt: skip
"""First word of the path → how it is answered; any other path is answered with 204."""


@cache
def _bomb() -> bytes:
    return gzip.compress(b"\0" * (16 * _MEBIBYTE)) * 64


def head(number: int, headers: str) -> bytes:
    """The head of an answer."""
    return f"HTTP/1.1 {number} {_REASONS.get(number, 'Status')}\r\n{headers}\r\n".encode("latin-1")


async def _pour(transport: asyncio.Transport, part: bytes) -> None:
    """Writes `part` again and again, no faster than it is taken."""
    while not transport.is_closing():
        transport.write(part)
        while transport.get_write_buffer_size() > _MEBIBYTE and not transport.is_closing():  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.005)
        await asyncio.sleep(0)


async def _until_closed(transport: asyncio.Transport) -> None:
    while not transport.is_closing():  # noqa: ASYNC110 - a transport has no event for that
        await asyncio.sleep(0.05)
