"""The way in for agents, at `/mcp`: the same guard, keys and rates as every other call, then another surface."""

from starlette.requests import Request as HttpRequest
from starlette.types import ASGIApp, Receive, Scope, Send

from storycore.api.access import Access
from storycore.errors import InvalidInput, Reason
from storycore.observe import logging

PATH = "/mcp"
CALLER = "storycore.caller"
"""Where `(id of the key, its scopes)` is left in the ASGI scope for that surface."""


class AgentDoor:
    """Lets calls in, one POST each; there are no sessions that a GET could listen to.

    Args:
        access: knows the keys.
        app: answers calls that were let in.
    """

    def __init__(self, access: Access, app: ASGIApp) -> None:
        self._access = access
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one call.

        Raises:
            NotAuthenticated, RateLimited, InvalidInput: it is not let in.
        """
        http = HttpRequest(scope, receive)
        key_id, scopes = await self._access.let_in(http)
        media_type = http.headers.get("content-type", "").split(";")[0].strip().lower()
        if media_type != "application/json" or http.headers.get("content-encoding", "identity") != "identity":
            raise InvalidInput(
                "The body must be application/json, not compressed.", reason=Reason.UNSUPPORTED_MEDIA_TYPE
            )
        scope[CALLER] = key_id, scopes
        with logging.bound(**({"key_id": key_id} if key_id else {})):
            await self._app(scope, receive, send)
