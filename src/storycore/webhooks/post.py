"""Sends one delivery: opens its secrets, composes the message, makes the attempt, and says what it leads to."""

import asyncio
import json
import random
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from storycore.observe import tracing
from storycore.units import now
from storycore.webhooks.address import Guard
from storycore.webhooks.delivery import MOST_BODY_BYTES, Attempt, Code, Leased, Outcome, decide
from storycore.webhooks.dialling import check_place
from storycore.webhooks.endpoint import Endpoint
from storycore.webhooks.gate import Check, Gate
from storycore.webhooks.message import Letterhead, Outgoing, compose, letterhead
from storycore.webhooks.sealing import Vault
from storycore.webhooks.sender import Sender
from storycore.webhooks.signing import Pen, pen_of, read_secret
from storycore.webhooks.url import BadUrl, Target, read_url

_MOST_REMEMBERED = 10_000
_LEAST_HIDDEN, _MASK = 8, "[your own]"  # shorter values are no secrets, and stand in any text


@dataclass(frozen=True, slots=True)
class _Opened:
    """What is needed to speak to a webhook, as it stood at `of`."""

    of: datetime
    letterhead: Letterhead
    shown: Mapping[str, str]
    pens: Sequence[tuple[Pen, datetime | None]]
    hidden: Sequence[str]


class Post:
    """Composes and sends.

    Args:
        vault: opens secrets.
        guard: says what may be called.
        gate: says which webhooks have changed meanwhile.
        timeout_seconds: for one attempt in all.
        require_https: whether http:// is refused.
        proxy: URL of a proxy, or "".
        ca_file: of the certificates that are trusted; None for the system's.
    """

    def __init__(  # noqa: PLR0913 - all that can be chosen
        self,
        vault: Vault,
        guard: Guard,
        gate: Gate,
        *,
        timeout_seconds: float,
        require_https: bool = False,
        proxy: str = "",
        ca_file: Path | None = None,
    ) -> None:
        self.guard, self.gate, self.timeout_seconds = guard, gate, timeout_seconds
        self._vault, self._require_https = vault, require_https
        self._proxy, self._ca_file = proxy, ca_file
        self._opened: dict[int, _Opened] = {}

    def sender(self) -> Sender:
        """A sender for the event loop that runs now."""
        return Sender(self.guard, timeout_seconds=self.timeout_seconds, proxy=self._proxy, ca_file=self._ca_file)

    def target(self, url: str) -> Target:
        """Where a URL leads, if it is one that webhooks may have.

        Raises:
            BadUrl: it is not.
        """
        target = read_url(url)
        if self._require_https and target.scheme != "https":
            raise BadUrl("only https:// is taken here")
        return target

    def check(self, url: str) -> bool:
        """Whether a URL leads somewhere now; the same rules as when it is called.

        Raises:
            BadUrl: it is not one that webhooks may have.
            Blocked: it leads to an address that may not be called.
        """
        target = self.target(url)
        with asyncio.Runner(loop_factory=new_loop) as runner:
            return runner.run(check_place(self.guard, target))

    def send(self, leases: Sequence[Leased], ended: Callable[[Outcome], None], *, until: float = float("inf")) -> None:
        """Sends deliveries at once, all at a time; what has not ended at a time is cut off, and its outcome says so.

        The same if Ctrl-C comes meanwhile: no attempt that was begun goes without a word.

        Args:
            leases: what is sent.
            ended: is told of each outcome; of those of which no attempt came about there is none.
            until: monotonic time.

        Raises:
            Withdrawn, Unavailable (sealing_key_unusable): of no delivery an attempt came about.
            KeyboardInterrupt: after all outcomes were told.
        """
        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(self._send(leases, ended, until))

    async def _send(self, leases: Sequence[Leased], ended: Callable[[Outcome], None], until: float) -> None:
        async def tell(sender: Sender, leased: Leased) -> None:
            ended(await self.attempt(sender, leased))

        async with self.sender() as sender:
            tasks = [asyncio.create_task(tell(sender, leased)) for leased in leases]
            limit = None if until == float("inf") else max(0.0, until - time.monotonic())
            try:
                await asyncio.wait(tasks, timeout=limit)
            finally:
                for task in tasks:
                    task.cancel()
                faults = await asyncio.gather(*tasks, return_exceptions=True)
        unmade = [it for it in faults if it is not None]
        if unmade and len(unmade) == len(tasks):
            raise unmade[0]

    def compose(self, leased: Leased) -> Outgoing:
        """The message of an attempt that begins now.

        Raises:
            BadUrl: the URL is not acceptable any more.
            Unavailable: sealing_key_unusable.
        """
        instant = now()
        opened = self._open(leased.endpoint)
        pens = [pen for pen, until in opened.pens if until is None or instant < until]
        return compose(leased, opened.letterhead, pens, instant)

    async def attempt(self, sender: Sender, leased: Leased, check: Check | None = None) -> Outcome:
        """One attempt, and what it leads to.

        Args:
            sender: makes it.
            leased: what is sent.
            check: awaited when a new connection stands, before anything is sent; may raise Withdrawn.

        Raises:
            Unavailable: sealing_key_unusable; then nothing was sent.
            Withdrawn: the webhook was changed or deleted; then nothing was sent.
        """
        try:
            message = self.compose(leased)
        except BadUrl as fault:
            made = Attempt(
                started_at=now(), url=leased.endpoint.url, code=Code.INVALID_URL, total_ms=0.0,
                message=f"The URL can't be called: {fault}.",
            )  # fmt: skip
        else:
            opened = self._open(leased.endpoint)
            made = await self._send_traced(sender, leased, message, check)
            made = _masked(made, opened.hidden) if opened.hidden else made
            told = {**opened.shown, **(made.request_headers or message.stamp), "Content-Length": str(len(message.body))}
            made = made._replace(request_headers=told)
        return decide(leased, made, chance=random.random(), instant=now())  # noqa: S311 - it only spreads load

    async def _send_traced(self, sender: Sender, leased: Leased, message: Outgoing, check: Check | None) -> Attempt:
        """The attempt, told as a part of the trace that made its event, if there is one."""
        let_out, target = partial(self.gate.pass_through, leased.endpoint), message.letterhead.target
        if not leased.traceparent:
            return await sender.send(message, let_out, check)
        attributes: tracing.Attributes = {
            "http.request.method": "POST", "server.address": target.host, "server.port": target.port,
            "url.scheme": target.scheme, "storycore.webhook.id": leased.endpoint.id,
            "storycore.event.type": leased.event_type, "storycore.event.id": leased.event_id,
            "storycore.webhook.attempt": leased.attempt,
        }  # fmt: skip
        with tracing.leaf("POST", parent=leased.traceparent, attributes=attributes) as told:
            stamp = {**message.stamp, "traceparent": told.traceparent}
            made = (await sender.send(message._replace(stamp=stamp), let_out, check))._replace(request_headers=stamp)
            if made.status_code is not None:
                told.tell({"http.response.status_code": made.status_code})
            if not made.success:
                told.fail(made.code.value)
        return made

    def _open(self, endpoint: Endpoint) -> _Opened:
        known = self._opened.get(endpoint.number)
        if known is not None and known.of == endpoint.updated_at:
            return known
        headers = (
            json.loads(self._vault.open(endpoint.options.headers, endpoint.id)) if endpoint.options.headers else {}
        )
        pens = [(pen_of(read_secret(self._vault.open(it.sealed, endpoint.id))), it.until) for it in endpoint.secrets]
        head = letterhead(self.target(endpoint.url), endpoint.options.body_format, headers)
        shown = {name: _MASK if name in headers else value for name, value in head.headers.items()}
        opened = _Opened(endpoint.updated_at, head, shown, pens, _hidden(headers.values()))
        if len(self._opened) >= _MOST_REMEMBERED:
            self._opened.clear()
        self._opened[endpoint.number] = opened
        return opened


def _hidden(secrets: Iterable[str]) -> Sequence[str]:
    """What must not be shown of the caller's own headers, the longest first."""
    parts = {part for text in secrets for part in (text, text.split()[-1]) if len(part) >= _LEAST_HIDDEN}
    return sorted(parts, key=len, reverse=True)


def _masked(made: Attempt, hidden: Sequence[str]) -> Attempt:
    """The attempt without the caller's own headers, which some receivers send back; they lie sealed, and stay so."""
    body, told = made.response_body, dict(made.response_headers)
    for part in hidden:
        body = body.replace(part.encode(), _MASK.encode())
        told = {name: value.replace(part, _MASK) for name, value in told.items()}
    return made._replace(response_body=body[:MOST_BODY_BYTES], response_headers=told)


def new_loop() -> asyncio.AbstractEventLoop:
    """The kind of loop that finds names; on Windows that is not the usual one."""
    return asyncio.SelectorEventLoop() if sys.platform == "win32" else asyncio.new_event_loop()
