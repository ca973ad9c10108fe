"""A webhook as it is registered: where it is, what it hears, how it is spoken to, and how it has been doing."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from storycore.webhooks.schedule import RetryPolicy

MOST_AT_ONCE = 16
"""Attempts at a time at one webhook, if nothing is chosen."""


class BodyFormat(StrEnum):
    """Form of the body."""

    STANDARD = "standard"
    CLOUDEVENTS = "cloudevents"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a webhook is spoken to.

    Attributes:
        delays: seconds before each retry; None for the product's own schedule.
        headers: sealed JSON of the caller's own headers, "" for none.
        header_names: names of these.
        body_format: form of the body.
        ordered: whether a message waits until the one before it has ended.
        most_at_once: attempts at a time, over all senders.
        per_minute: most messages a minute, over all senders; 0 sets no limit.
    """

    delays: Sequence[float] | None = None
    headers: str = field(default="", repr=False)
    header_names: Sequence[str] = ()
    body_format: BodyFormat = BodyFormat.STANDARD
    ordered: bool = False
    most_at_once: int = MOST_AT_ONCE
    per_minute: int = 0

    @property
    def policy(self) -> RetryPolicy:
        """When attempts are made again."""
        return RetryPolicy() if self.delays is None else RetryPolicy(delays=tuple(self.delays))


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedSecret:
    """A secret as it is stored.

    Attributes:
        sealed: opens with the key of the vault only.
        public_text: `whpk_…` of an ed25519 one, else "".
        until: when it stops signing, because another has taken its place; None for the present one.
    """

    sealed: str = field(repr=False)
    public_text: str = ""
    until: datetime | None = None

    def signs(self, instant: datetime) -> bool:
        """Whether messages are signed with it at that time."""
        return self.until is None or instant < self.until


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A webhook as it stands in the database.

    Attributes:
        number: order of registration.
        id: its name.
        url: where it is.
        event_types: what it hears; `export.*` and `*` stand for several.
        active: whether messages are sent.
        options: how it is spoken to.
        secrets: what messages are signed with.
        facts: the caller's own.
        failures: how many attempts failed in a row.
        failing_since: when they began to.
        warned_at: when that was told.
        disabled_reason: why it is not active: "" for the caller's wish, "failing", "gone".
        paused_until: nothing is sent before.
        paced_at: what its rate limit remembers.
    """

    number: int
    id: str
    url: str
    event_types: Sequence[str]
    active: bool
    options: Options
    secrets: Sequence[SealedSecret]
    facts: Mapping[str, Any]
    created_at: datetime
    updated_at: datetime
    failures: int
    failing_since: datetime | None
    warned_at: datetime | None
    disabled_reason: str
    paused_until: datetime | None
    paced_at: datetime | None

    def hears(self, kind: str) -> bool:
        """Whether it is registered for events of that kind."""
        return hears(self.event_types, kind)


def hears(wanted: Sequence[str], kind: str) -> bool:
    """Whether a list of kinds, with `export.*` and `*`, holds that kind; `*` leaves out what tells of webhooks."""
    group = kind.partition(".")[0]
    return kind in wanted or f"{group}.*" in wanted or ("*" in wanted and group != "webhook")


def new_webhook_id() -> str:
    """A name that no other webhook has."""
    return f"webhook_{secrets.token_hex(6)}"
