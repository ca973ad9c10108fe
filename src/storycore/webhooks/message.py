"""What is sent: the bytes, the headers and the signature of one attempt. Pure.

Source: Standard Webhooks 1.0.0; CloudEvents 1.0.2, "JSON Event Format", structured mode.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple

from storycore import __version__
from storycore.webhooks.delivery import Leased
from storycore.webhooks.endpoint import BodyFormat
from storycore.webhooks.signing import Pen, sign_with
from storycore.webhooks.url import Target

AGENT: Final = f"StoryCore/{__version__} (webhooks)"
_MEDIA_TYPES: Final = {
    BodyFormat.STANDARD: "application/json",
    BodyFormat.CLOUDEVENTS: "application/cloudevents+json; charset=utf-8",
}
_NOTHING: Final[Mapping[str, str]] = {}


@dataclass(frozen=True, slots=True, eq=False)
class Letterhead:
    """What all messages to a webhook have in common, as long as it is not changed; made once for many.

    Attributes:
        target: where to.
        headers: the caller's own, and those of ours that are always the same.
    """

    target: Target
    headers: Mapping[str, str] = field(repr=False)


class Outgoing(NamedTuple):
    """One message, ready to be sent.

    Attributes:
        letterhead: where to, and how it begins.
        body: as it is signed.
        stamp: headers of this attempt alone.
    """

    letterhead: Letterhead
    body: bytes
    stamp: Mapping[str, str] = _NOTHING

    @property
    def headers(self) -> Mapping[str, str]:
        """All that are ours to set, and the caller's own."""
        return {**self.letterhead.headers, **self.stamp}


def letterhead(target: Target, form: BodyFormat, own: Mapping[str, str]) -> Letterhead:
    """What messages of that form to a webhook have in common."""
    fixed = {"Content-Type": _MEDIA_TYPES[form], "User-Agent": AGENT, "Accept-Encoding": "identity"}
    return Letterhead(target, {**own, **fixed})


def compose(leased: Leased, head: Letterhead, pens: Sequence[Pen], instant: datetime) -> Outgoing:
    """The message of an attempt that begins at `instant`."""
    form = leased.endpoint.options.body_format
    body = written(form, leased.event_id, leased.event_type, leased.body).encode()
    timestamp = int(instant.timestamp())
    stamp = {
        "webhook-id": leased.event_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign_with(pens, leased.event_id, timestamp, body),
    }
    return Outgoing(head, body, stamp)


def written(form: BodyFormat, event_id: str, event_type: str, body: str) -> str:
    """An event as a message of that form has it.

    Args:
        form: of the message.
        event_id: of the event.
        event_type: of the event.
        body: as the event was written.
    """
    return body if form is BodyFormat.STANDARD else _cloud_event(event_id, event_type, body)


def form_of(headers: Mapping[str, str]) -> BodyFormat | None:
    """The form of a message, by its headers; None if they do not tell."""
    told = headers.get("Content-Type")
    return next((form for form, media_type in _MEDIA_TYPES.items() if media_type == told), None)


def _cloud_event(event_id: str, event_type: str, body: str) -> str:
    content = json.loads(body)
    event = {
        "specversion": "1.0",
        "id": event_id,
        "source": "/storycore",
        "type": f"storycore.{event_type}",
        "time": content["timestamp"],
        "datacontenttype": "application/json",
        "data": content["data"],
    }
    return json.dumps(event, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
