"""What the long-running commands are made of: the only place above the surfaces."""

import contextlib
import socket
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click
from typing_extensions import override

from storycore.errors import DependencyFailed, InvalidInput, NotFound, Reason, StoryCoreError

if TYPE_CHECKING:
    import asyncio

    import uvicorn
    from starlette.routing import BaseRoute

    from storycore.library import StoryCore

AgentsMode = Literal["none", "read-only", "all"]
"""What is offered to agents at `/mcp`."""

HEAD_SECONDS = 20.0
_HEAD_BYTES = 32_768


_WORKERS = "Tasks that are done at a time.  [default: one for each processor, up to 4]"
_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.command("serve", context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=int, help="Port to listen on; 0 takes a free one.  [default: 8765]")
@click.option(
    "--root", "roots", multiple=True, type=click.Path(path_type=Path),
    help="Folder that projects may be read from; may be given several times.  [default: this folder]",
)  # fmt: skip
@click.option("--workers", type=int, help=_WORKERS)
@click.option("--mcp", is_flag=True, help="Answer agents too, at /mcp (Model Context Protocol).")
@click.option("--mcp-read-only", is_flag=True, help="The same, but only with what changes nothing.")
def serve(  # noqa: PLR0913, PLR0917 - one parameter for each option
    host: str | None, port: int | None, roots: tuple[Path, ...], workers: int | None, mcp: bool, mcp_read_only: bool
) -> int:
    """Answer by HTTP.

    Lists show all work of the database, also on projects outside the roots, which are not read.
    """
    agents: AgentsMode = "read-only" if mcp_read_only else "all" if mcp else "none"
    return in_words(lambda: _serve(host, port, roots, workers, agents))


def _serve(
    host: str | None, port: int | None, roots: tuple[Path, ...], workers: int | None, agents: "AgentsMode"
) -> None:
    from storycore import __version__
    from storycore.library import StoryCore
    from storycore.observe import logging, tracing
    from storycore.settings import Settings

    settings = Settings.read(host=host, port=port, roots=roots or None, workers=workers)
    for root in settings.roots:
        if not root.is_dir():
            raise InvalidInput(f"The root {root} is not a folder.", reason=Reason.SETTING_INVALID)
    logging.configure(settings.log_level)
    if agents != "none":
        _need_mcp()
    with (
        tracing.running(__version__),
        StoryCore(settings, default_root=Path.cwd()) as core,
        listen(settings.host, settings.port) as listener,
    ):
        _refuse_unguarded(core)
        if not settings.is_local:
            click.echo("Others can read along: put TLS in front, for example Caddy or nginx.", err=True)
        core.work()
        name = f"[{settings.host}]" if ":" in settings.host else settings.host
        click.echo(f"StoryCore answers at http://{name}:{listener.getsockname()[1]}  (stop with Ctrl-C)", err=True)
        http_server(core, agents=agents).run(sockets=[listener])


@click.command("mcp", context_settings=_SETTINGS)
@click.option(
    "--root", "roots", multiple=True, type=click.Path(path_type=Path),
    help="Folder that projects may be read from; may be given several times.  [default: this folder]",
)  # fmt: skip
@click.option("--read-only", is_flag=True, help="Offer only what changes nothing.")
def mcp(roots: tuple[Path, ...], read_only: bool) -> int:
    """Answer an agent over stdin and stdout (Model Context Protocol)."""
    return in_words(lambda: _answer_agent(roots, read_only=read_only))


def _answer_agent(roots: tuple[Path, ...], *, read_only: bool) -> None:
    from storycore import __version__
    from storycore.library import StoryCore
    from storycore.observe import logging, tracing
    from storycore.settings import Settings

    _need_mcp()
    settings = Settings.read(roots=roots or None)
    for root in settings.roots:
        if not root.is_dir():
            raise InvalidInput(f"The root {root} is not a folder.", reason=Reason.SETTING_INVALID)
    here = Path.cwd()
    if not settings.roots and here in (Path(here.anchor), Path.home()):  # where hosts start it that don't care
        raise InvalidInput(
            "An agent would be given the whole disk, or your whole home.",
            reason=Reason.SETTING_INVALID,
            remediation="Name the folder of your projects:  storycore mcp --root FOLDER",
        )
    logging.configure("warning" if settings.log_level == "info" else settings.log_level)
    from storycore.mcp.stdio import serve as answer

    with tracing.running(__version__), StoryCore(settings, default_root=here) as core:
        _end_on_signals(core)
        if not read_only:
            core.work()
        answer(core, read_only=read_only)


def _end_on_signals(core: "StoryCore") -> None:
    """Ends the program when it is told to, after giving tasks back; a second signal ends it at once.

    Without a last word of the interpreter, which would wait for the thread that waits for the next line of stdin.
    """
    import os
    import signal
    import threading

    from storycore.cli.stops import stops

    told = threading.Event()

    def end(number: int) -> None:
        core.drain()
        os._exit(130 if number == signal.SIGINT else 0)

    def stop(number: int, _frame: object) -> None:
        if told.is_set():
            os._exit(130)
        told.set()
        threading.Thread(target=end, args=(number,)).start()

    for number in stops():
        signal.signal(number, stop)


def _need_mcp() -> None:
    import importlib.util

    if importlib.util.find_spec("mcp") is None:
        raise DependencyFailed(
            "Agents need the mcp library: pip install 'storycore[mcp]'.", reason=Reason.LIBRARY_MISSING
        )


@click.command("worker", context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--workers", type=int, help=_WORKERS)
@click.option(
    "--root", "roots", multiple=True, type=click.Path(path_type=Path),
    help="Folder that projects may be read from; may be given several times.  [default: this folder]",
)  # fmt: skip
def worker(workers: int | None, roots: tuple[Path, ...]) -> int:
    """Do tasks of the database."""
    return in_words(lambda: _work(workers, roots))


def _work(workers: int | None, roots: tuple[Path, ...]) -> None:
    import signal
    import threading

    from storycore import __version__
    from storycore.cli.stops import stops
    from storycore.library import StoryCore
    from storycore.observe import logging, tracing
    from storycore.settings import Settings

    settings = Settings.read(workers=workers, roots=roots or None)
    logging.configure(settings.log_level)
    told = threading.Event()
    for number in stops():
        signal.signal(number, lambda _number, _frame: told.set())
    with tracing.running(__version__), StoryCore(settings, default_root=Path.cwd()) as core:
        core.work()
        click.echo(f"Doing tasks, {settings.workers} at a time  (stop with Ctrl-C)", err=True)
        while not told.wait(1):  # in steps, since Windows hears of Ctrl-C only between waits
            pass
        click.echo("Giving back what is not done …", err=True)


def http_server(
    core: "StoryCore", *, head_seconds: float = HEAD_SECONDS, agents: AgentsMode = "none"
) -> "uvicorn.Server":
    """The server of the API and the dashboard, not started yet: bounded heads, no proxy headers, no name of its own.

    With `agents` it answers those at `/mcp` too.

    A connection is ended that has not sent the whole head of a request within `head_seconds`.

    When it is told to stop, `/readyz` says so, for `drain_seconds` during which everything else is answered as
    before; then it stops what still runs, gives tasks back, and answers those callers before it ends. A second signal
    ends the wait.
    """
    import anyio
    import anyio.to_thread
    import uvicorn

    from storycore.api.access import Access
    from storycore.api.document import document
    from storycore.api.download import hand_out
    from storycore.api.server import build
    from storycore.dashboard.site import Doors, routes

    def pages(access: Access) -> "Sequence[BaseRoute]":
        def describe() -> dict[str, Any]:
            return document(is_open=core.settings.is_open)

        return routes(core, Doors(recognise=access.recognise, hand_out=hand_out, document=describe))

    surface = None
    if agents != "none":
        from storycore.mcp.http import Agents

        surface = Agents(core, read_only=agents == "read-only")

    class Server(uvicorn.Server):
        @override
        async def serve(self, sockets: list[socket.socket] | None = None) -> None:
            async with surface.running() if surface else contextlib.nullcontext():
                await super().serve(sockets)

        @override
        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            until = time.monotonic() + core.settings.drain_seconds
            while not self.force_exit and (left := until - time.monotonic()) > 0:  # noqa: ASYNC110 - set by a signal
                await anyio.sleep(min(left, 0.1))
            await anyio.to_thread.run_sync(core.drain)
            await super().shutdown(sockets)

    server = Server(
        uvicorn.Config(
            build(core, draining=lambda: server.should_exit, pages=pages, agents=surface),
            http=_impatient(head_seconds), ws="none",
            lifespan="off", log_config=None,
            access_log=False, server_header=False, proxy_headers=False, h11_max_incomplete_event_size=_HEAD_BYTES,
            timeout_keep_alive=15, timeout_graceful_shutdown=30,
        )
    )  # fmt: skip
    return server


def _impatient(head_seconds: float) -> "type[asyncio.Protocol]":
    """HTTP/1.1 as uvicorn speaks it, but a request that is never finished does not hold its connection for good.

    And what is streamed is followed by its digest, which uvicorn can't send.
    """
    import asyncio

    import h11
    from uvicorn.protocols.http.h11_impl import H11Protocol

    from storycore.api.trailer import DigestingConnection

    class Impatient(H11Protocol):
        _limit: asyncio.TimerHandle | None = None

        def __init__(self, *words: Any, **named: Any) -> None:
            super().__init__(*words, **named)
            self.conn = DigestingConnection(h11.SERVER, _HEAD_BYTES)

        @override
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as its parent
            super().connection_made(transport)
            self._watch()

        @override
        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self._watch()

        @override
        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            self._unwatch()

        def _watch(self) -> None:
            """From its first moment on, and from the first byte of each later request, a head has its time."""
            cycle: Any = self.cycle  # none before the first request, whatever its type says
            if cycle and not cycle.response_complete:
                self._unwatch()
            elif self._limit is None:
                self._limit = self.loop.call_later(head_seconds, self.timeout_keep_alive_handler)

        def _unwatch(self) -> None:
            if self._limit is not None:
                self._limit.cancel()
                self._limit = None

    return Impatient


def _refuse_unguarded(core: "StoryCore") -> None:
    """Whoever can be reached by others, or asks for keys, needs one that opens."""
    settings = core.settings
    if settings.is_open or core.has_usable_key():
        return
    why = "needs keys (require_key)" if settings.is_local else f"can be reached from other machines ({settings.host})"
    raise InvalidInput(
        f"This server {why}, and there is no usable API key.",
        reason=Reason.SETTING_INVALID,
        remediation="Make one first:  storycore key create NAME",
    )


def listen(host: str, port: int) -> socket.socket:
    """An open door at that address.

    Raises:
        InvalidInput: setting_invalid: it is taken, or is no address of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # By its number, since asyncio sends small answers at once only over sockets that name their protocol; by default
    # an answer's end would wait for the caller's word on its beginning, for 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if sys.platform != "win32":  # there it would let others take the port over
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(1024)
    except OSError as fault:
        listener.close()
        raise InvalidInput(
            f"Can't listen on {host}:{port}: {fault.strerror}.",
            reason=Reason.SETTING_INVALID,
            remediation="Choose another port with --port, or stop the program that uses this one.",
        ) from None
    return listener


@click.command("demo", context_settings={"help_option_names": ["-h", "--help"]})
@click.option("-o", "--output", type=click.Path(path_type=Path), help="New folder for it all.  [default: demo-film]")
@click.option("--serve", "goes_on", is_flag=True, help="Go on to the dashboard with all of it, until Ctrl-C.")
@click.option("--port", type=int, help="Port of the dashboard; 0 takes a free one.  [default: 8765]")
def demo(output: Path | None, goes_on: bool, port: int | None) -> int:
    """Make a small film project, pack it, verify it, render it and describe it."""
    from storycore.demo.tour import tour

    if port is not None and not goes_on:
        raise click.UsageError("--port is the dashboard's: say --serve too.")
    return in_words(lambda: _serve_demo(output, port) if goes_on else tour(output))


def _serve_demo(output: Path | None, port: int | None) -> None:
    """The tour, then the dashboard with what came of it; on this machine only, whatever the settings say."""
    from storycore.demo.tour import tour
    from storycore.library import StoryCore
    from storycore.observe import logging
    from storycore.settings import Settings

    settings = Settings.read(host="127.0.0.1", port=port)
    if settings.database_url == "none":
        raise InvalidInput(
            "The dashboard shows what is remembered, and nothing is (database_url is none).",
            reason=Reason.SETTING_INVALID,
            remediation="Leave --serve out, or STORYCORE_DATABASE_URL.",
        )
    with listen(settings.host, settings.port) as listener:  # before the work, so that a taken port is told at once

        def go_on(place: Path, told: Settings) -> None:
            logging.configure("warning" if settings.log_level == "info" else settings.log_level)
            shown = settings.model_copy(update={"roots": (place,), "webhook_allow": told.webhook_allow})
            with StoryCore(shown, default_root=place) as core:
                _refuse_unguarded(core)
                core.work()
                where = f"http://{settings.host}:{listener.getsockname()[1]}/"
                click.echo(f"\nAll of it is at {where}  (stop with Ctrl-C)")
                http_server(core).run(sockets=[listener])

        tour(output, go_on)


@click.command("sink", context_settings=_SETTINGS)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=9000, show_default=True, help="0 takes a free one.")
@click.option(
    "--secret-file", "secrets", multiple=True, type=click.Path(path_type=Path),
    help="File with a secret that messages are verified with; may be given several times.",
)  # fmt: skip
@click.option("--ledger", type=click.Path(path_type=Path), help="File that each message is noted in, as a JSON line.")
@click.option(
    "--compare", "to_compare", type=click.Path(path_type=Path),
    help="Receive nothing; compare this ledger with what the database says was delivered.",
)  # fmt: skip
def webhook_sink(host: str, port: int, secrets: tuple[Path, ...], ledger: Path | None, to_compare: Path | None) -> int:
    """Receive webhooks, to try them."""
    from storycore.sink.command import compare_with_records, receive

    if to_compare is not None:
        agrees: list[bool] = []
        code = in_words(lambda: agrees.append(compare_with_records(to_compare)))
        return code or (0 if agrees == [True] else 1)
    return in_words(lambda: receive(host, port, secrets, ledger))


@click.command("verify", context_settings=_SETTINGS)
@click.argument("body", type=click.Path(path_type=Path))
@click.option("--headers", type=click.Path(path_type=Path), required=True, help="File with the headers, one a line.")
@click.option(
    "--secret-file", "secrets", multiple=True, required=True, type=click.Path(path_type=Path),
    help="File with the secret, or the whpk_ key; may be given several times.",
)  # fmt: skip
@click.option("--tolerance", type=float, default=300.0, show_default=True, help="How old it may be, in seconds.")
def webhook_verify(body: Path, headers: Path, secrets: tuple[Path, ...], tolerance: float) -> int:
    """Tell whether a message that came is genuine."""
    from storycore.sink.command import check_message

    verdicts: list[bool] = []
    code = in_words(lambda: verdicts.append(check_message(body, headers, secrets, tolerance)))
    return code or (0 if verdicts == [True] else 1)


def in_words(work: Callable[[], None]) -> int:
    """Exit code of a process; its errors are told in words."""
    from storycore.cli.words import show_error
    from storycore.storage.local import from_system

    try:
        work()
    except StoryCoreError as fault:
        show_error(fault)
        return fault.facts.exit_code
    except BrokenPipeError:
        raise
    except OSError as fault:
        told = from_system(fault) or NotFound(f"{fault.strerror}: {fault.filename}.")
        show_error(told)
        return told.facts.exit_code
    return 0
