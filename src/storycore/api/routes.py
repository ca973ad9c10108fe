"""All operations as one route: found by their path at once, however many there are."""

from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send
from typing_extensions import override

from storycore.operations.catalog import Operation

Endpoint = Callable[[HttpRequest], Awaitable[Response]]


class OperationRoutes(BaseRoute):
    """One route for each operation, `/v1/NAME`.

    Args:
        endpoints: what answers each operation.
    """

    def __init__(self, endpoints: Mapping[Operation, Endpoint]) -> None:
        routes = (_route(operation, endpoint) for operation, endpoint in endpoints.items())
        self._routes = {route.path: route for route in routes}

    @override
    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        route = self._routes.get(scope["path"])
        return route.matches(scope) if route else (Match.NONE, {})

    @override
    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._routes[scope["path"]].handle(scope, receive, send)


def _route(operation: Operation, endpoint: Endpoint) -> Route:
    route = Route(f"/v1/{operation.name}", endpoint, methods=[operation.method])  # HEAD comes with GET …
    if operation.answer == "events":  # … but not where the answer may go on for hours
        route.methods = {operation.method}
    return route
