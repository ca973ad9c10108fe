"""What is sent: the bytes, the headers and the signature of one attempt. Pure.

Source: Standard Webhooks 1.0.0; CloudEvents 1.0.2, "JSON Event Format", structured mode.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from storycore import __version__
from storycore.webhooks.delivery import Leased
from storycore.webhooks.endpoint import BodyFormat
from storycore.webhooks.signing import Secret, sign
from storycore.webhooks.url import Target

AGENT: Final = f"StoryCore/{__version__} (webhooks)"
_MEDIA_TYPES: Final = {
    BodyFormat.STANDARD: "application/json",
    BodyFormat.CLOUDEVENTS: "application/cloudevents+json; charset=utf-8",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One message, ready to be sent.

    Attributes:
        target: where to.
        headers: all that are ours to set, and the caller's own.
        body: as it is signed.
    """

    target: Target
    headers: Mapping[str, str] = field(repr=False)
    body: bytes


def compose(
    leased: Leased, target: Target, keys: Sequence[Secret], own: Mapping[str, str], instant: datetime
) -> Outgoing:
    """The message of an attempt that begins at `instant`."""
    form = leased.endpoint.options.body_format
    body = (leased.body if form is BodyFormat.STANDARD else _cloud_event(leased)).encode()
    timestamp = int(instant.timestamp())
    headers = {
        **own,
        "Content-Type": _MEDIA_TYPES[form],
        "User-Agent": AGENT,
        "Accept-Encoding": "identity",
        "webhook-id": leased.event_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(keys, leased.event_id, timestamp, body),
    }
    return Outgoing(target=target, headers=headers, body=body)


def _cloud_event(leased: Leased) -> str:
    content = json.loads(leased.body)
    event = {
        "specversion": "1.0",
        "id": leased.event_id,
        "source": "/storycore",
        "type": f"storycore.{leased.event_type}",
        "time": content["timestamp"],
        "datacontenttype": "application/json",
        "data": content["data"],
    }
    return json.dumps(event, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
