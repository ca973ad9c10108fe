"""The sockets of one client, which are all closed when it is.

TLS lets go of a socket only after the other side has answered its farewell. aiohttp does not wait for that, so that at
the end of an event loop such a socket would stay open behind it.
"""

import asyncio
import contextlib
import socket
import time
import weakref
from typing import Any, Final

_MOST_SECONDS: Final = 1.0
_STEP_SECONDS: Final = 0.005


class Sockets:
    """Makes them and knows them."""

    def __init__(self) -> None:
        self._made: weakref.WeakSet[socket.socket] = weakref.WeakSet()

    def make(self, place: tuple[Any, ...]) -> socket.socket:
        """One for an address, as `getaddrinfo` gives it."""
        family, kind, protocol, *_ = place
        made = socket.socket(family, kind, protocol)
        self._made.add(made)
        return made

    async def end(self) -> None:
        """Ends what is not closed yet, without a farewell, and waits until it is."""
        for it in self._open():
            with contextlib.suppress(OSError):  # the other side was quicker
                it.shutdown(socket.SHUT_RDWR)
        until = time.monotonic() + _MOST_SECONDS
        while self._open() and time.monotonic() < until:  # noqa: ASYNC110 - a socket tells nobody
            await asyncio.sleep(_STEP_SECONDS)

    def _open(self) -> list[socket.socket]:
        return [it for it in self._made if it.fileno() >= 0]
