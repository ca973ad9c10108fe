"""Over stdin and stdout, for a host that starts StoryCore as its child: stdout carries the protocol alone."""

import anyio
from mcp.server.stdio import stdio_server

from storycore.library import StoryCore
from storycore.mcp.server import build


def serve(core: StoryCore, *, read_only: bool = False) -> None:
    """Answers until the host closes stdin. While it does, what anything prints goes to stderr."""
    server = build(core, read_only=read_only)

    async def run() -> None:
        async with stdio_server() as (reading, writing):
            await server.run(reading, writing, server.create_initialization_options())

    anyio.run(run)
