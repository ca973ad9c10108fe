"""Whether the caller is still there."""

import anyio
from starlette.types import Receive


async def cancel_when_gone(receive: Receive, scope: anyio.CancelScope) -> None:
    """Waits until the caller hangs up, and cancels `scope` then; for answers whose request was read to its end."""
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()
