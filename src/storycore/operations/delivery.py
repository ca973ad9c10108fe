"""storycore.integration.webhook.*: what is sent to webhooks, what came of it, and sending it again."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, NoReturn

from pydantic import BeforeValidator, Field, WithJsonSchema
from typing_extensions import override

from storycore.app import App
from storycore.database.owner import new_owner
from storycore.errors import Conflict, FieldFault, InvalidInput, NotFound, Reason
from storycore.events import OWN_TYPES, TYPES, wrap
from storycore.operations.request import Flag, Request, Result, Spelling, Whole, finite
from storycore.operations.task import Cursor, from_cursor, to_cursor
from storycore.operations.webhook_checks import check_url
from storycore.operations.webhook_fields import EventTypes, WebhookId, types_of
from storycore.units import iso, now
from storycore.webhooks.deliveries.records import Listed, Written
from storycore.webhooks.delivery import MOST_BODY_BYTES, Attempt, Leased, Origin, Outcome, State, new_delivery_id
from storycore.webhooks.endpoint import Endpoint
from storycore.webhooks.gate import Withdrawn
from storycore.webhooks.message import form_of, written
from storycore.webhooks.recovery.records import Span

PING = "webhook.ping"


def _given(value: object) -> object:
    if value is None:
        raise ValueError("is needed")
    return finite(value)


StateName = Literal["pending", "leased", "delivered", "retry", "exhausted", "cancelled", "blocked"]
DeliveryId = Annotated[
    str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.-]+$", description="Id of the delivery."), Spelling()
]
InstantText = Annotated[
    str,
    Field(
        max_length=40,
        json_schema_extra={
            "pattern": r"^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
            r"(Z|[+-]0[0-9]:00)$"
        },
    ),
]
"""An instant; the published schema names the usual forms, all of ISO 8601 is taken."""

AnyFacts = Annotated[
    dict[str, Any] | Any, BeforeValidator(_given), WithJsonSchema({"type": "object", "additionalProperties": True})
]
"""A JSON object, which is checked after all else, as callers expect."""


class AttemptEntry(Result):
    """One attempt, measured."""

    attempt: int
    origin: Literal["auto", "manual", "test", "recover"] = Field(description="Why it was made.")
    started_at: str
    url: str
    success: bool
    code: str = Field(description="ok, http_4xx, timeout_connect, refused, …: docs/webhooks.md lists them.")
    status_code: int | None
    dns_ms: float | None
    connect_ms: float | None
    headers_ms: float | None
    total_ms: float
    remote_address: str
    response_headers: dict[str, str]
    response_body: str | None = Field(description="The first 64 KiB, if asked for.")
    response_bytes: int | None = Field(description="Length of the whole answer; null if it was cut off.")
    response_sha256: str = Field(description="Of the first 64 KiB.")
    message: str
    request_headers: dict[str, str] | None = Field(
        description="Of the message, beside Host, if bodies are asked for; your own without their values. Null for "
        "attempts of which they were not kept."
    )


class DeliveryEntry(Result):
    """An event on its way to a webhook."""

    delivery_id: str
    webhook_id: str
    event_id: str = Field(description="What receivers see as webhook-id.")
    event_type: str
    state: StateName
    origin: Literal["auto", "manual", "test", "recover"]
    attempt_count: int
    due_at: str | None = Field(description="When it is tried next.")
    code: str = Field(description="How the last attempt ended.")
    status_code: int | None
    created_at: str
    finished_at: str | None
    webhook_ended: bool = Field(
        default=False, description="Whether its webhook was ended: nothing is sent to it any more, nor again."
    )
    attempts: list[AttemptEntry] = Field(description="If asked for.")
    body: str | None = Field(
        default=None,
        description="The message, as the last attempt sent it or the next one will, if bodies are asked "
        "for; its first 64 KiB.",
    )
    body_bytes: int | None = Field(default=None, description="Length of the whole message, if bodies are asked for.")


class SentMessage(Result):
    """Exactly what would be sent."""

    url: str
    headers: dict[str, str]
    body: str


class WebhookTriggerResult(Result):
    """How the first attempt went; if it failed, further ones follow."""

    webhook_id: str
    event_type: str
    triggered_at: str
    response_status: int | None
    response_time_ms: float
    success: bool
    error_message: str | None
    metadata: dict[str, Any]
    code: str = Field(description="How it ended, in a word.")
    event_id: str = Field(description="What the receiver sees as webhook-id.")
    delivery_id: str | None = Field(description="For `webhook deliveries`; null in test_mode.")
    request: SentMessage | None = Field(description="In test_mode: what would be sent.")

    @property
    @override
    def verdict(self) -> bool:
        return self.success


class WebhookTriggerRequest(Request[WebhookTriggerResult]):
    """Send a webhook a message of your own."""

    webhook_id: WebhookId
    event_type: Annotated[str, Spelling(("-e", "--event"))] = Field(
        max_length=64, description="One that the webhook is registered for."
    )
    payload: AnyFacts = Field(description="What stands as data in the message.")
    test_mode: Flag = Field(default=False, description="Only show what would be sent.")
    metadata: dict[str, Any] = Field(default={}, description="Facts of your own; they come back in the result.")


class WebhookPingResult(Result):
    """Whether a webhook answers."""

    webhook_id: str
    success: bool
    code: str
    response_status: int | None
    response_time_ms: float
    error_message: str | None
    delivery_id: str
    event_id: str

    @property
    @override
    def verdict(self) -> bool:
        return self.success


class WebhookPingRequest(Request[WebhookPingResult]):
    """Send a webhook one signed message of type webhook.ping, and see what it answers."""

    webhook_id: WebhookId


class WebhookDeliveriesResult(Result):
    """Deliveries, the newest first."""

    items: list[DeliveryEntry]
    next_cursor: str | None = Field(description="For the next page; null on the last one.")


class WebhookDeliveriesRequest(Request[WebhookDeliveriesResult]):
    """List what is, or was, on its way to webhooks."""

    webhook_id: Annotated[str, Spelling(("--webhook",))] | None = Field(
        default=None, max_length=64, description="Only to this webhook, which may have ended."
    )
    state: StateName | None = Field(default=None, description="Only those that stand so.")
    event_id: str | None = Field(default=None, max_length=64, description="Only of this event.")
    attempts: Flag = Field(default=False, description="Tell of each attempt too.")
    bodies: Flag = Field(default=False, description="And show what was sent and answered.")
    limit: Whole = Field(default=50, ge=1, le=200, description="Most entries on a page.")
    cursor: Cursor | None = None


class WebhookRedeliverResult(DeliveryEntry):
    """The delivery, which waits again."""


class WebhookRedeliverRequest(Request[WebhookRedeliverResult]):
    """Send one delivery again, whatever became of it."""

    delivery_id: DeliveryId


class WebhookRecoverResult(Result):
    """What is sent again."""

    webhook_id: str
    given_up: int = Field(description="Deliveries that had been given up.")
    missed: int = Field(description="Events that were never sent to the webhook.")
    dry_run: bool


class WebhookRecoverRequest(Request[WebhookRecoverResult]):
    """Send a webhook again what it did not get since a time."""

    webhook_id: WebhookId
    since: InstantText = Field(description="Since when, ISO 8601 with its zone: 2026-11-25T08:00:00+00:00.")
    until: InstantText | None = Field(default=None, description="Until when; up to now if left out.")
    event_types: EventTypes | None = Field(default=None, description="Only of these kinds.")
    missed: Flag = Field(default=True, description="Events too that were never sent to it.")
    dry_run: Flag = Field(default=False, description="Only count.")


def trigger(app: App, request: WebhookTriggerRequest) -> WebhookTriggerResult:
    """One real attempt, or in test_mode what it would send.

    Raises:
        NotFound: webhook_not_found.
        InvalidInput: webhook_inactive, unknown_value, event_not_registered, wrong_type, url_invalid.
        AccessDenied: address_forbidden, in test_mode; else the attempt is blocked and tells so.
        Unavailable: sealing_key_unusable.
    """
    target = app.endpoints.find(request.webhook_id)
    _check_trigger(target, request)
    event = wrap(request.event_type, request.payload)
    if request.test_mode:
        check_url(app, target.url)
        message = app.post.compose(
            Leased(
                number=0, id=new_delivery_id(), lease=0, endpoint=target, attempt=1, origin=Origin.TEST, probe=False,
                event_id=event.id, event_type=event.type, body=event.body,
            )
        )  # fmt: skip
        shown = {
            name: "[your own]" if name in target.options.header_names else value
            for name, value in message.headers.items()
        }
        return WebhookTriggerResult(
            webhook_id=target.id, event_type=event.type, triggered_at=iso(event.occurred_at), response_status=None,
            response_time_ms=0.0, success=True, error_message=None, metadata=request.metadata, code="ok",
            event_id=event.id, delivery_id=None,
            request=SentMessage(url=target.url, headers=shown, body=message.body.decode()),
        )  # fmt: skip
    outcome = _send(app, target, app.queue.lease_trial(event, target, Origin.MANUAL, new_owner()))
    made = outcome.attempt
    return WebhookTriggerResult(
        webhook_id=target.id, event_type=event.type, triggered_at=iso(made.started_at),
        response_status=made.status_code, response_time_ms=made.total_ms, success=made.success,
        error_message=made.message or None, metadata=request.metadata, code=made.code.value, event_id=event.id,
        delivery_id=outcome.leased.id, request=None,
    )  # fmt: skip


def ping(app: App, request: WebhookPingRequest) -> WebhookPingResult:
    """One real attempt with a message that means nothing; it is not repeated. Inactive webhooks answer too.

    Raises:
        NotFound: webhook_not_found.
        Unavailable: sealing_key_unusable.
    """
    target = app.endpoints.find(request.webhook_id)
    event = wrap(PING, {"webhook_id": target.id})
    outcome = _send(app, target, app.queue.lease_trial(event, target, Origin.TEST, new_owner()))
    made = outcome.attempt
    return WebhookPingResult(
        webhook_id=target.id, success=made.success, code=made.code.value, response_status=made.status_code,
        response_time_ms=made.total_ms, error_message=made.message or None, delivery_id=outcome.leased.id,
        event_id=event.id,
    )  # fmt: skip


def deliveries(app: App, request: WebhookDeliveriesRequest) -> WebhookDeliveriesResult:
    """One page of deliveries.

    Raises:
        NotFound: webhook_not_found.
    """
    webhook = None if request.webhook_id is None else app.endpoints.number(request.webhook_id)
    found = app.deliveries.page(
        before=from_cursor(request.cursor), limit=request.limit + 1, webhook=webhook,
        state=None if request.state is None else State(request.state), event_id=request.event_id,
    )  # fmt: skip
    page = found[: request.limit]
    numbers = [it.number for it in page]
    made = app.deliveries.attempts(numbers) if request.attempts or request.bodies else {}
    told = app.deliveries.messages(numbers) if request.bodies else {}
    return WebhookDeliveriesResult(
        items=[
            DeliveryEntry(
                **_entry(it),
                attempts=[_attempt(*tried, bodies=request.bodies) for tried in made.get(it.number, ())],
                **_message(it, told.get(it.number), [tried for *_, tried in made.get(it.number, ())]),
            )
            for it in page
        ],
        next_cursor=to_cursor(page[-1].number) if len(found) > len(page) else None,
    )


def redeliver(app: App, request: WebhookRedeliverRequest) -> WebhookRedeliverResult:
    """Lets one delivery be sent again, with the same webhook-id.

    Raises:
        NotFound: delivery_not_found; webhook_not_found: its webhook was ended.
        InvalidInput: webhook_inactive.
        Conflict: delivery_busy.
    """
    known = app.deliveries.find(request.delivery_id)
    if known.webhook_ended:
        raise NotFound(
            "It is not sent again: its webhook was ended.",
            reason=Reason.WEBHOOK_NOT_FOUND,
            remediation="Register its address anew; `storycore webhook recover` sends the new webhook what happened "
            "since a time.",
        )
    _check_active(app.endpoints.find(known.webhook_id))
    again = app.deliveries.redeliver(request.delivery_id)
    app.note_event(again.event_id)
    app.wake_courier()
    return WebhookRedeliverResult(**_entry(again), attempts=[])


def recover(app: App, request: WebhookRecoverRequest) -> WebhookRecoverResult:
    """Lets be sent again what a webhook did not get.

    Raises:
        NotFound: webhook_not_found.
        InvalidInput: webhook_inactive; out_of_range: a time that can't be read.
    """
    target = app.endpoints.find(request.webhook_id)
    if not request.dry_run:
        _check_active(target)
    span = Span(
        since=_instant("since", request.since),
        until=None if request.until is None else _instant("until", request.until),
        types=None if request.event_types is None else types_of(request.event_types),
        missed=request.missed,
    )
    given_up, missed = (app.recovery.count if request.dry_run else app.recovery.recover)(target, span)
    app.wake_courier()
    return WebhookRecoverResult(webhook_id=target.id, given_up=given_up, missed=missed, dry_run=request.dry_run)


def _check_trigger(target: Endpoint, request: WebhookTriggerRequest) -> None:
    if not request.test_mode:
        _check_active(target)
    if request.event_type not in (*TYPES, *OWN_TYPES):
        told = f"there is no event {request.event_type[:64]!r}"
        _refuse("event_type", Reason.UNKNOWN_VALUE, told)
    if not target.hears(request.event_type):
        _refuse("event_type", Reason.EVENT_NOT_REGISTERED, "the webhook is not registered for this event")
    if not isinstance(request.payload, dict):
        _refuse("payload", Reason.WRONG_TYPE, "an object is needed")


def _check_active(target: Endpoint) -> None:
    if not target.active:
        raise InvalidInput("The webhook is not active.", reason=Reason.WEBHOOK_INACTIVE)


def _send(app: App, target: Endpoint, leased: Leased) -> Outcome:
    made: list[Outcome] = []
    try:
        app.post.send([leased], made.append)
    except Withdrawn:
        app.queue.cancel(leased)
        app.endpoints.find(target.id)
        raise Conflict("The webhook was changed at this moment. Try again.", reason=Reason.DELIVERY_BUSY) from None
    except BaseException:
        if made:  # Ctrl-C: what was begun may have arrived, and is not repeated
            app.queue.settle([it._replace(state=State.CANCELLED) if it.state is State.RETRY else it for it in made])
        else:
            app.queue.cancel(leased)
        raise
    (outcome,) = made
    if outcome.state is State.RETRY and (leased.origin is Origin.TEST or not target.active):
        outcome = Outcome(leased=leased, attempt=outcome.attempt, state=State.EXHAUSTED, due_at=now())
    app.queue.settle([outcome])
    return outcome


def _instant(field: str, text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is None:
            _refuse(field, Reason.OUT_OF_RANGE, "a time needs its zone: +00:00")
        return datetime.fromtimestamp(found.timestamp(), tz=found.tzinfo)
    except (ValueError, OverflowError, OSError):
        _refuse(field, Reason.OUT_OF_RANGE, "not a time in ISO 8601")


def _refuse(field: str, reason: Reason, message: str) -> NoReturn:
    raise InvalidInput(f"{field}: {message}", reason=reason, errors=[FieldFault(f"/{field}", reason, message)])


def _entry(it: Listed) -> dict[str, Any]:
    waits = it.state in (State.PENDING, State.RETRY)
    return {
        "delivery_id": it.id, "webhook_id": it.webhook_id, "event_id": it.event_id, "event_type": it.event_type,
        "state": it.state.value, "origin": it.origin.value, "attempt_count": it.attempts,
        "due_at": iso(it.due_at) if waits else None, "code": it.code, "status_code": it.status_code,
        "created_at": iso(it.created_at), "finished_at": None if it.finished_at is None else iso(it.finished_at),
        "webhook_ended": it.webhook_ended,
    }  # fmt: skip


def _message(it: Listed, told: Written | None, made: Sequence[Attempt]) -> dict[str, Any]:
    """The message in the form in which it was sent last; the webhook may have another one by now."""
    if told is None:
        return {}
    forms = [form_of(tried.request_headers) for tried in made if tried.request_headers is not None]
    form = next((it for it in reversed(forms) if it is not None), told.form)
    body = written(form, it.event_id, it.event_type, told.body).encode()
    return {"body": body[:MOST_BODY_BYTES].decode(errors="ignore"), "body_bytes": len(body)}


def _attempt(number: int, origin: Origin, it: Attempt, *, bodies: bool) -> AttemptEntry:
    return AttemptEntry(
        attempt=number, origin=origin.value, started_at=iso(it.started_at), url=it.url, success=it.success,
        code=it.code.value, status_code=it.status_code, dns_ms=it.dns_ms, connect_ms=it.connect_ms,
        headers_ms=it.headers_ms, total_ms=it.total_ms, remote_address=it.remote_address,
        response_headers=dict(it.response_headers),
        response_body=it.response_body.decode(errors="replace") if bodies else None,
        response_bytes=it.response_bytes, response_sha256=it.response_sha256, message=it.message,
        request_headers=dict(it.request_headers) if bodies and it.request_headers is not None else None,
    )  # fmt: skip
