"""What is open to each server: one client and its sockets, shared by every run of this process."""

import contextlib
import uuid
from collections.abc import Callable
from contextlib import AsyncExitStack

from storycore.comfyui.address import Address
from storycore.comfyui.client import Client
from storycore.comfyui.ear import Ear, Socket


class Line:
    """Open to one server.

    Args:
        client: open.

    Attributes:
        client: for its routes.
        client_id: what this process submits runs under.
    """

    def __init__(self, client: Client) -> None:
        self.client = client
        self.client_id = uuid.uuid4().hex
        self._sockets: dict[str, Socket] = {}

    def ear(self, client_id: str, prompt_id: str) -> Ear:
        """Hears of a run that was submitted under `client_id`; another than ours if that was before a crash of ours."""
        return Ear(self._sockets.setdefault(client_id, Socket(self.client, client_id)), prompt_id)


class Lines:
    """All that is open; lives in one event loop.

    Args:
        make: a client for an address, not open yet.
    """

    def __init__(self, make: Callable[[Address], Client]) -> None:
        self._make = make
        self._lines: dict[str, Line] = {}
        self._stack = AsyncExitStack()

    async def to(self, backend_id: str, address: Address) -> Line:
        """The line to a server; a new one if it is called in another way by now.

        Raises:
            AccessDenied: address_forbidden.
            InvalidInput: setting_invalid: its CA file can't be read.
        """
        line = self._lines.get(backend_id)
        if line is None or line.client.address != address:
            client = await self._stack.enter_async_context(self._make(address))  # runs may still use the old one
            line = self._lines[backend_id] = Line(client)
        return line

    async def close(self) -> None:
        """Closes everything."""
        self._lines.clear()
        with contextlib.suppress(Exception):
            await self._stack.aclose()
