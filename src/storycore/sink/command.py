"""What the commands `webhook sink` and `webhook verify` do."""

import asyncio
import contextlib
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

import click

from storycore.cli.words import plain
from storycore.errors import InvalidInput, NotFound, Reason

_MOST_SECRET = 4096


def check_message(body: Path, headers: Path, secrets: Sequence[Path], tolerance: float) -> bool:
    """Whether a message that came is genuine; says why not."""
    from storycore.webhooks.receiver import NotVerified, verify

    given = dict(_header(line) for line in headers.read_text(encoding="latin-1").splitlines() if ":" in line)
    try:
        message = verify(body.read_bytes(), given, [_secret(path) for path in secrets], tolerance_seconds=tolerance)
    except NotVerified as fault:
        click.echo(f"✗ not genuine: {plain(str(fault))} ({fault.reason})")
        return False
    click.echo(f"✓ genuine  {plain(message.id)}, sent {message.sent_at.isoformat()}")
    return True


def _header(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip(), value.strip()


def _secret(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            return file.read(_MOST_SECRET).strip()
    except (OSError, UnicodeDecodeError):
        raise InvalidInput("The file of the secret can't be read.", reason=Reason.SECRET_INVALID) from None


def receive(host: str, port: int, secrets: Sequence[Path], path: Path | None) -> None:
    """Takes messages until it is stopped.

    Raises:
        InvalidInput: setting_invalid: the port can't be listened on; secret_invalid.
    """
    with contextlib.ExitStack() as stack:
        file = None if path is None else stack.enter_context(path.open("a", encoding="utf-8"))
        try:
            asyncio.run(_serve(host, port, [_secret(it) for it in secrets], file))
        except OSError as fault:
            raise InvalidInput(
                f"Can't listen on {host}:{port}: {fault.strerror}.", reason=Reason.SETTING_INVALID
            ) from None


async def _serve(host: str, port: int, secrets: Sequence[str], file: TextIO | None) -> None:
    from storycore.sink.ledger import Ledger
    from storycore.sink.server import Sink

    ledger = Ledger(file)
    receiver = Sink(ledger, secrets)
    number = await receiver.listen(host, port)
    click.echo(f"Receiving at http://{host}:{number}/  (stop with Ctrl-C)", err=True)
    click.echo(f"Let it be called: STORYCORE_WEBHOOK_ALLOW={host}:{number}", err=True)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C ends the loop by itself
            loop.add_signal_handler(name, ended.set)
    try:
        await ended.wait()
    finally:
        receiver.close()
        click.echo(f"{ledger.count} messages came.", err=True)


def compare_with_records(path: Path) -> bool:
    """Whether a ledger and the database tell the same; says each way in which they do not."""
    from storycore.library import StoryCore
    from storycore.operations.delivery import WebhookDeliveriesRequest
    from storycore.sink.ledger import compare, read

    if not path.is_file():
        raise NotFound(f"There is no ledger {path}.")
    sent: list[str] = []
    tried: list[str] = []
    cursor = None
    with StoryCore() as core:
        while True:
            page = core.run(WebhookDeliveriesRequest(limit=200, cursor=cursor))
            for item in page.items:
                (sent if item.state == "delivered" else tried).append(item.event_id)
            cursor = page.next_cursor
            if cursor is None:
                break
    found = compare(sent, read(path), tried=tried)
    for label, ids in (
        ("sent, never came", found.missing), ("came, never sent", found.unknown),
        ("came with different bodies", found.changed), ("not genuine", found.unverified),
    ):  # fmt: skip
        for message_id in ids:
            click.echo(f"✗ {label}: {plain(message_id)}")
    repeated = f", {len(found.repeated)} of them more than once" if found.repeated else ""
    click.echo(f"{'✓' if found.agrees else '✗'} {len(set(sent))} delivered, {found.received} received{repeated}")
    return found.agrees
