"""Streamable HTTP without sessions: each POST stands for itself, so that no caller can go on with another's.

Host, Origin and key are checked before a call comes here.
"""

from contextlib import AbstractAsyncContextManager

from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.types import Receive, Scope, Send

from storycore.library import StoryCore
from storycore.mcp.server import build
from storycore.operations.catalog import OPERATIONS

_AROUND_BYTES = 64 * 1024
"""What the protocol itself may add to the largest arguments."""


class Agents:
    """The ASGI application at `/mcp`; answers while `running`.

    Args:
        core: does the work and the tasks.
        read_only: offers only what changes nothing.
    """

    def __init__(self, core: StoryCore, *, read_only: bool = False) -> None:
        largest = max(core.settings.max_body_bytes, *(operation.body_bytes for operation in OPERATIONS))
        self._manager = StreamableHTTPSessionManager(
            build(core, read_only=read_only), stateless=True, max_request_body_size=largest + _AROUND_BYTES
        )

    def running(self) -> AbstractAsyncContextManager[None]:
        """While the block runs, calls are answered; once."""
        return self._manager.run()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one call that was let in."""
        await self._manager.handle_request(scope, receive, send)
