"""For those who receive webhooks: one call that says whether a message is genuine.

Example:
    ```python
    from storycore.webhooks.receiver import NotVerified, verify

    def receive(headers, body):          # body: the bytes as they came, before anything parsed them
        try:
            message = verify(body, headers, "whsec_…")
        except NotVerified:
            return 401
        if already_seen(message.id):     # the same id comes again when an answer was lost
            return 204
        handle(message.type, message.data)
        return 204
    ```

Needs no server, no database, and nothing of StoryCore but this room's `signing`.
"""

import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from storycore.webhooks.signing import BadSecret, Check, is_signed, read_check

TOLERANCE_SECONDS: Final = 300
"""How far a message's time may be from ours, before and after."""

_ID = re.compile(r"[\x21-\x2d\x2f-\x7e]{1,256}")
_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_MOST_HEADER = 16_384


class NotVerified(Exception):  # noqa: N818 - says what the message is
    """The message is not genuine, or not for these keys; the only error of this module.

    Attributes:
        reason: header_missing, header_malformed, timestamp_too_old, timestamp_too_new, signature_wrong,
            secret_invalid, body_malformed.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message that is genuine.

    Attributes:
        id: the same each time that it is sent; remember it, to do things once.
        sent_at: when this attempt was sent.
        body: its bytes.
    """

    id: str
    sent_at: datetime
    body: bytes

    @property
    def type(self) -> str:
        """Which event, `export.completed` for instance."""
        return str(self._content().get("type", ""))

    @property
    def data(self) -> dict[str, Any]:
        """Facts about the event.

        Raises:
            NotVerified: body_malformed.
        """
        data = self._content().get("data", {})
        return data if isinstance(data, dict) else {}

    def _content(self) -> dict[str, Any]:
        try:
            content = json.loads(self.body)
        except (ValueError, RecursionError):
            raise NotVerified("body_malformed", "The body is not JSON.") from None
        if not isinstance(content, dict):
            raise NotVerified("body_malformed", "The body is not a JSON object.")
        return content


def verify(
    body: bytes,
    headers: Mapping[str, str],
    secrets: str | Sequence[str],
    *,
    tolerance_seconds: float = TOLERANCE_SECONDS,
    now: float | None = None,
) -> Message:
    """The message, if one of the secrets signed it and its time is near.

    Args:
        body: as it came, before anything has parsed or changed it.
        headers: of the request; names in any case.
        secrets: one or several of `whsec_…`, `whpk_…`, or the plain text that the webhook was registered with. During
            a rotation give both.
        tolerance_seconds: how far the message's time may be from ours, before and after.
        now: seconds since 1970; the clock's if None.

    Raises:
        NotVerified: it is not genuine; nothing else is ever raised, whatever comes.
    """
    given = {str(name).lower(): value for name, value in headers.items()}
    message_id = _header(given, "webhook-id", _ID)
    timestamp = int(_header(given, "webhook-timestamp", _TIMESTAMP))
    signature = _header(given, "webhook-signature", None)
    age_seconds = (time.time() if now is None else now) - timestamp
    if age_seconds > tolerance_seconds:
        raise NotVerified("timestamp_too_old", f"The message was sent {age_seconds:.0f} s ago.")
    if age_seconds < -tolerance_seconds:
        raise NotVerified("timestamp_too_new", f"The message comes from {-age_seconds:.0f} s in the future.")
    if not is_signed(_checks(secrets), signature, message_id, timestamp, body):
        raise NotVerified("signature_wrong", "No signature of the message was made with this secret.")
    return Message(id=message_id, sent_at=datetime.fromtimestamp(timestamp, UTC), body=body)


def _header(headers: Mapping[str, object], name: str, shape: re.Pattern[str] | None) -> str:
    value = headers.get(name)
    if value is None:
        raise NotVerified("header_missing", f"The header {name} is missing.")
    text = str(value)
    if len(text) > _MOST_HEADER or (shape is not None and not shape.fullmatch(text)):
        raise NotVerified("header_malformed", f"The header {name} is malformed.")
    return text


def _checks(secrets: str | Sequence[str]) -> list[Check]:
    try:
        return [read_check(text) for text in ([secrets] if isinstance(secrets, str) else secrets)]
    except BadSecret as fault:
        raise NotVerified("secret_invalid", f"The secret can't be used: {fault}.") from None
