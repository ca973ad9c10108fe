"""storycore.event.*: what happened, told by other parts of a pipeline and asked for by those who poll."""

import json
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from storycore.app import App
from storycore.events import TYPES, Event, data_schema, make
from storycore.operations.request import Facts, Request, Result, Spelling, Whole
from storycore.operations.task import Cursor, from_cursor, to_cursor
from storycore.operations.webhook_fields import EventTypes, PublicTypeName, types_of
from storycore.units import iso


class EventPublishResult(Result):
    """An event that is on the disk, and will be sent whatever dies."""

    event_id: str = Field(description="What receivers see as webhook-id.")
    event_type: str
    timestamp: str
    deliveries: int = Field(description="How many webhooks hear of it.")
    new: bool = Field(description="False if the same key came before; then this is that event.")


def _one_of_each(schema: dict[str, Any]) -> None:
    """Says in the published schema which data each event asks for."""
    schema["oneOf"] = [
        {"properties": {"event_type": {"const": kind}, "data": data_schema(kind)}, "required": ["event_type", "data"]}
        for kind in TYPES
    ]


class EventPublishRequest(Request[EventPublishResult]):
    """Report an event of another part of the pipeline."""

    model_config = ConfigDict(json_schema_extra=_one_of_each)

    event_type: Annotated[PublicTypeName, Spelling()] = Field(description="Which of the twelve.")
    data: Facts = Field(description="Its facts, as the schema of the event asks for.")
    key: str | None = Field(
        default=None, min_length=1, max_length=255, pattern=r"^[\x21-\x7e]+$",
        description="A name of your own for it: of events with one key only the first is written.",
    )  # fmt: skip


class StoredEvent(Result):
    """An event."""

    event_id: str
    event_type: str
    timestamp: str = Field(description="When it happened.")
    data: dict[str, Any]


class EventListResult(Result):
    """Events, the oldest first."""

    items: list[StoredEvent]
    next_cursor: str = Field(description="Give it as `after` next time, to get what has happened since.")


class NewestEvents(Result):
    """Events, the newest first."""

    items: list[StoredEvent]
    next_cursor: str | None = Field(description="Where older ones go on; null if there are none.")


class EventListRequest(Request[EventListResult]):
    """List events since a place in their order; who asks again and again misses none."""

    after: Cursor | None = Field(default=None, description="`next_cursor` of the last answer; from the first if none.")
    event_types: EventTypes | None = Field(default=None, description="Only of these kinds.")
    limit: Whole = Field(default=50, ge=1, le=200, description="Most events in one answer.")


def publish(app: App, request: EventPublishRequest) -> EventPublishResult:
    """The event, on the disk with its deliveries when this returns.

    Raises:
        InvalidInput: unknown_value, event_invalid.
    """
    event, written = app.publish(make(request.event_type, request.data, key=request.key, public=True))
    return EventPublishResult(
        event_id=event.id,
        event_type=event.type,
        timestamp=iso(event.occurred_at),
        deliveries=written.deliveries,
        new=written.new,
    )


def list_events(app: App, request: EventListRequest) -> EventListResult:
    """Events in the order in which they were written."""
    after = from_cursor(request.after) or 0
    wanted = None if request.event_types is None else types_of(request.event_types)
    found = app.events.page(after=after, limit=request.limit, types=wanted)
    return EventListResult(
        items=[_stored(event) for _, event in found],
        next_cursor=to_cursor(found[-1][0] if found else after),
    )


def newest_events(app: App, *, types: list[str] | None, cursor: str | None, limit: int) -> NewestEvents:
    """Events from the newest on; those of some kinds, or all if None."""
    wanted = None if types is None else types_of(types)
    found = app.events.newest(before=from_cursor(cursor), limit=limit + 1, types=wanted)
    page = found[:limit]
    return NewestEvents(
        items=[_stored(event) for _, event in page],
        next_cursor=to_cursor(page[-1][0]) if len(found) > len(page) else None,
    )


def _stored(event: Event) -> StoredEvent:
    return StoredEvent(
        event_id=event.id,
        event_type=event.type,
        timestamp=iso(event.occurred_at),
        data=json.loads(event.body)["data"],
    )
