"""One event on its way to one webhook: its states, its attempts, and what an attempt leads to. Pure."""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from storycore.webhooks.endpoint import Endpoint
from storycore.webhooks.schedule import retry_after

MOST_BODY_BYTES: Final = 64 * 1024
"""So much of an answer is read and kept."""

_SLOWED_SECONDS = 2.0
_SLOWED_AT_MOST_SECONDS = 3600.0
_NO_HEADERS: Final[Mapping[str, str]] = {}


class State(StrEnum):
    """Where a delivery stands."""

    PENDING = "pending"
    LEASED = "leased"
    DELIVERED = "delivered"
    RETRY = "retry"
    EXHAUSTED = "exhausted"
    CANCELLED = "cancelled"
    BLOCKED = "blocked"


class Origin(StrEnum):
    """Why an attempt is made."""

    AUTO = "auto"
    MANUAL = "manual"
    TEST = "test"
    RECOVER = "recover"


class Code(StrEnum):
    """How an attempt ended, in a word; the same in logs, metrics and pages."""

    OK = "ok"
    HTTP_4XX = "http_4xx"
    HTTP_5XX = "http_5xx"
    REDIRECT = "redirect"
    GONE = "gone"
    RATE_LIMITED = "rate_limited"
    TIMEOUT_DNS = "timeout_dns"
    TIMEOUT_CONNECT = "timeout_connect"
    TIMEOUT_HEADERS = "timeout_headers"
    TIMEOUT_TOTAL = "timeout_total"
    DNS = "dns"
    REFUSED = "refused"
    RESET = "reset"
    CLOSED = "closed"
    TLS = "tls"
    PROTOCOL = "protocol"
    BLOCKED_ADDRESS = "blocked_address"
    INVALID_URL = "invalid_url"
    CANCELLED = "cancelled"


_ALONE: Final = {410: Code.GONE, 429: Code.RATE_LIMITED}
_HUNDREDS: Final = {2: Code.OK, 3: Code.REDIRECT, 4: Code.HTTP_4XX, 5: Code.HTTP_5XX}


def code_of(status: int) -> Code:
    """The word for the status of an answer."""
    return _ALONE.get(status) or _HUNDREDS.get(status // 100, Code.PROTOCOL)


class Attempt(NamedTuple):
    """One attempt, measured.

    Attributes:
        started_at: when it began.
        url: where it went.
        code: how it ended.
        total_ms: in all.
        status_code: of the answer; None without one.
        dns_ms: to find the address; None if that was not needed.
        connect_ms: to connect, TLS included; None over a connection that stood already.
        headers_ms: from the beginning to the head of the answer; None without one.
        remote_address: that was called, "" if none was.
        response_headers: of the answer, as text; of names that come several times the first.
        response_body: the first bytes of the answer.
        response_bytes: length of the whole answer; None if it was cut off and did not say.
        response_sha256: of what was read of it, as it came, 64 hex digits; "" without an answer.
        message: what went wrong, for people; "" if nothing did.
        request_headers: of the message, the caller's own without their values; None if that is not known.
    """

    started_at: datetime
    url: str
    code: Code
    total_ms: float
    status_code: int | None = None
    dns_ms: float | None = None
    connect_ms: float | None = None
    headers_ms: float | None = None
    remote_address: str = ""
    response_headers: Mapping[str, str] = _NO_HEADERS
    response_body: bytes = b""
    response_bytes: int | None = None
    response_sha256: str = ""
    message: str = ""
    request_headers: Mapping[str, str] | None = None

    @property
    def success(self) -> bool:
        """Whether the receiver took the message."""
        return self.code is Code.OK


class Leased(NamedTuple):
    """A delivery that one sender holds: nobody else sends it meanwhile.

    Attributes:
        number: its row.
        id: its name.
        lease: which lease; a result is taken only under the newest.
        endpoint: where to, as it stood when it was leased.
        attempt: which attempt this will be, from 1.
        origin: why it is made.
        probe: whether it finds out if a failing webhook works again.
        event_id: the same in each attempt.
        event_type: which kind.
        body: as the event was written.
        traceparent: trace context of what made the event, or "".
    """

    number: int
    id: str
    lease: int
    endpoint: Endpoint
    attempt: int
    origin: Origin
    probe: bool
    event_id: str
    event_type: str
    body: str
    traceparent: str = ""


class Outcome(NamedTuple):
    """What an attempt led to.

    Attributes:
        leased: what was sent.
        attempt: how that went.
        state: where the delivery stands now.
        due_at: when it is tried again, if it is.
        slow_seconds: how long the webhook wants to be left alone.
    """

    leased: Leased
    attempt: Attempt
    state: State
    due_at: datetime
    slow_seconds: float = 0.0


def decide(leased: Leased, attempt: Attempt, *, chance: float, instant: datetime) -> Outcome:
    """What an attempt leads to: delivered, tried again, or given up.

    Only what can't change by waiting is given up before the schedule ends: an address or URL that is forbidden, and
    the word of the receiver that it is gone. What was cut off here says nothing of the receiver, and may go at once.
    """
    if attempt.success:
        return Outcome(leased=leased, attempt=attempt, state=State.DELIVERED, due_at=instant)
    if attempt.code in (Code.BLOCKED_ADDRESS, Code.INVALID_URL):
        return Outcome(leased=leased, attempt=attempt, state=State.BLOCKED, due_at=instant)
    if attempt.code is Code.CANCELLED:
        return Outcome(leased=leased, attempt=attempt, state=State.RETRY, due_at=instant)
    if attempt.code is Code.GONE:
        return Outcome(leased=leased, attempt=attempt, state=State.EXHAUSTED, due_at=instant)
    told = {name.lower(): value for name, value in attempt.response_headers.items()}.get("retry-after", "")
    hint = retry_after(told, instant) if told else None
    delay = leased.endpoint.options.policy.delay(leased.attempt, chance=chance, hint_seconds=hint)
    slow = 0.0
    if attempt.status_code in (429, 502, 503, 504):
        slow = min(_SLOWED_AT_MOST_SECONDS, max(_SLOWED_SECONDS, hint or 0.0))
    return Outcome(
        leased=leased,
        attempt=attempt,
        state=State.EXHAUSTED if delay is None else State.RETRY,
        due_at=instant if delay is None else instant + timedelta(seconds=delay),
        slow_seconds=slow,
    )


def new_delivery_id() -> str:
    """A name that no other delivery has."""
    return f"delivery_{secrets.token_hex(8)}"
