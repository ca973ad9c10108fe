"""storycore.integration.webhook.*: who is told of events, and how they are spoken to."""

import dataclasses
import json
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Field

from storycore.app import App
from storycore.operations.request import Facts, Flag, Request, Result, Spelling, Whole
from storycore.operations.task import Cursor, from_cursor, to_cursor
from storycore.operations.webhook_checks import check_url, read_caller_headers, read_policy, read_secret_text
from storycore.operations.webhook_entry import WebhookEntry, entry
from storycore.operations.webhook_fields import (
    HEADERS,
    OF_YOUR_OWN,
    WHEN,
    AtOnce,
    EventTypes,
    Headers,
    OwnSecret,
    PerMinute,
    Policy,
    Url,
    WebhookId,
)
from storycore.units import iso, now
from storycore.webhooks.endpoint import MOST_AT_ONCE, BodyFormat, Endpoint, Options, SealedSecret, new_webhook_id
from storycore.webhooks.signing import Scheme, Secret, new_secret

_MOST_SECRETS = 10


class WebhookRegisterResult(Result):
    """A new webhook; the secret is shown this once."""

    webhook_id: str = Field(description="webhook_ and 12 hex digits.")
    url: str
    event_types: list[str]
    active: bool
    created_at: str
    registration_time_ms: float
    metadata: dict[str, Any]
    secret: str | None = Field(description="What messages are signed with, if it was made here; kept sealed only.")
    public_key: str | None = Field(description="whpk_…, which checks v1a signatures.")
    warnings: list[str] = Field(description="What is odd: a name that leads nowhere now, for instance.")


class WebhookRegisterRequest(Request[WebhookRegisterResult]):
    """Tell another system of events."""

    url: Annotated[Url, Spelling()] = Field(description="Where messages are sent: https://host/path.")
    event_types: EventTypes = Field(description="What it is told of: export.completed, qa.*, *, ….")
    secret: OwnSecret | None = Field(default=None, repr=False, description=OF_YOUR_OWN)
    active: Flag = Field(default=True, description="Whether messages are sent.")
    retry_policy: Policy | None = Field(default=None, description=WHEN)
    metadata: Facts = Field(default={}, description="Facts of your own; they come back in the result.")
    signature: Literal["v1", "v1a"] = Field(default="v1", description="v1: HMAC-SHA256; v1a: ed25519.")
    headers: Headers = Field(default={})
    body_format: Literal["standard", "cloudevents"] = Field(default="standard", description="Form of the body.")
    ordered: Flag = Field(default=False, description="A message waits until the one before it has ended.")
    most_at_once: AtOnce = MOST_AT_ONCE
    per_minute: PerMinute = 0


class WebhookListResult(Result):
    """Webhooks, the newest first."""

    items: list[WebhookEntry]
    next_cursor: str | None = Field(description="For the next page; null on the last one.")


class WebhookListRequest(Request[WebhookListResult]):
    """List the webhooks."""

    active: Flag | None = Field(default=None, description="Only those that are, or are not.")
    limit: Whole = Field(default=50, ge=1, le=200, description="Most entries on a page.")
    cursor: Cursor | None = None


class WebhookGetResult(WebhookEntry):
    """A webhook, and how much waits for it."""

    waiting: int = Field(description="Deliveries that wait or are under way.")


class WebhookGetRequest(Request[WebhookGetResult]):
    """Show a webhook."""

    webhook_id: WebhookId


class WebhookUpdateResult(WebhookEntry):
    """The webhook as it is now."""

    warnings: list[str] = Field(description="What is odd: a name that leads nowhere now, for instance.")


class WebhookUpdateRequest(Request[WebhookUpdateResult]):
    """Change a webhook; what is left out stays as it is."""

    webhook_id: WebhookId
    url: Annotated[Url, Spelling(("--url",))] | None = Field(default=None, description="Where messages are sent.")
    event_types: EventTypes | None = Field(default=None, description="What it is told of.")
    active: Flag | None = Field(default=None, description="Whether messages are sent; true forgets its failures.")
    retry_policy: Policy | None = Field(default=None, description=WHEN)
    metadata: Facts | None = Field(default=None, description="Facts of your own.")
    headers: Headers | None = Field(default=None, description=HEADERS)
    body_format: Literal["standard", "cloudevents"] | None = Field(default=None, description="Form of the body.")
    ordered: Flag | None = Field(default=None, description="A message waits until the one before it has ended.")
    most_at_once: AtOnce | None = None
    per_minute: PerMinute | None = None


class WebhookDeleteResult(Result):
    """A webhook that is no more."""

    webhook_id: str
    deleted: bool
    cancelled: int = Field(description="Deliveries that waited for it and are not sent any more.")


class WebhookDeleteRequest(Request[WebhookDeleteResult]):
    """End a webhook, its secrets, and what waits for it."""

    webhook_id: WebhookId


class WebhookRotateSecretResult(Result):
    """The new secret, shown this once."""

    webhook_id: str
    secret: str | None = Field(description="The new secret, if it was made here.")
    public_key: str | None = Field(description="whpk_…, which checks v1a signatures.")
    old_until: str = Field(description="Until then messages are signed with the old secret too.")


class WebhookRotateSecretRequest(Request[WebhookRotateSecretResult]):
    """Give a webhook a new secret; for a while both sign."""

    webhook_id: WebhookId
    secret: OwnSecret | None = Field(default=None, repr=False, description=OF_YOUR_OWN)
    signature: Literal["v1", "v1a"] = Field(default="v1", description="v1: HMAC-SHA256; v1a: ed25519.")
    overlap_hours: Whole = Field(default=24, ge=0, le=720, description="How long the old one signs too.")


def register(app: App, request: WebhookRegisterRequest) -> WebhookRegisterResult:
    """A new webhook, on the disk.

    Raises:
        InvalidInput: url_invalid, secret_invalid, header_invalid; a retry policy that is none.
        AccessDenied: address_forbidden.
        Unavailable: sealing_key_unusable.
    """
    started = time.perf_counter()
    own = None if request.secret is None else read_secret_text(request.secret)
    policy = None if request.retry_policy is None else read_policy(request.retry_policy)
    caller_headers = read_caller_headers(request.headers)
    warnings = check_url(app, request.url)
    webhook_id = new_webhook_id()
    secret = own or new_secret(Scheme(request.signature))
    made = app.endpoints.create(
        webhook_id=webhook_id,
        url=request.url,
        event_types=request.event_types,
        active=request.active,
        options=Options(
            delays=policy, headers=_sealed_headers(app, webhook_id, caller_headers),
            header_names=sorted(caller_headers), body_format=BodyFormat(request.body_format),
            ordered=request.ordered, most_at_once=request.most_at_once, per_minute=request.per_minute,
        ),
        secrets=[_seal(app, webhook_id, secret, request.secret)],
        facts=request.metadata,
    )  # fmt: skip
    return WebhookRegisterResult(
        webhook_id=made.id, url=made.url, event_types=list(made.event_types), active=made.active,
        created_at=iso(made.created_at), registration_time_ms=(time.perf_counter() - started) * 1000,
        metadata=dict(made.facts), secret=secret.text if own is None else None, public_key=secret.public_text or None,
        warnings=warnings,
    )  # fmt: skip


def list_webhooks(app: App, request: WebhookListRequest) -> WebhookListResult:
    """One page of webhooks."""
    found = app.endpoints.page(before=from_cursor(request.cursor), limit=request.limit + 1, active=request.active)
    page = found[: request.limit]
    return WebhookListResult(
        items=[WebhookEntry(**entry(it)) for it in page],
        next_cursor=to_cursor(page[-1].number) if len(found) > len(page) else None,
    )


def get(app: App, request: WebhookGetRequest) -> WebhookGetResult:
    """One webhook.

    Raises:
        NotFound: webhook_not_found.
    """
    found = app.endpoints.find(request.webhook_id)
    return WebhookGetResult(**entry(found), waiting=app.deliveries.waiting(webhook=found.number))


def update(app: App, request: WebhookUpdateRequest) -> WebhookUpdateResult:
    """The webhook with what was given changed; deliveries that wait go to the new place, signed anew.

    Raises:
        NotFound: webhook_not_found.
        InvalidInput, AccessDenied, Unavailable: see `register`.
    """
    known = app.endpoints.find(request.webhook_id)
    warnings = [] if request.url is None else check_url(app, request.url)
    changed = app.endpoints.update(
        known.id,
        url=request.url,
        event_types=request.event_types,
        active=request.active,
        options=_changed(app, known, request),
        facts=request.metadata,
    )
    app.gate.shut(changed.number, changed.updated_at)
    app.wake_courier()
    return WebhookUpdateResult(**entry(changed), warnings=warnings)


def delete(app: App, request: WebhookDeleteRequest) -> WebhookDeleteResult:
    """Ends a webhook, its secrets, and what waits for it.

    Raises:
        NotFound: webhook_not_found.
    """
    ended, cancelled = app.endpoints.delete(request.webhook_id)
    app.gate.shut(ended.number, ended.updated_at)
    return WebhookDeleteResult(webhook_id=request.webhook_id, deleted=True, cancelled=cancelled)


def rotate_secret(app: App, request: WebhookRotateSecretRequest) -> WebhookRotateSecretResult:
    """A new secret; the old ones sign too until the overlap ends.

    Raises:
        NotFound: webhook_not_found.
        InvalidInput: secret_invalid.
        Unavailable: sealing_key_unusable.
    """
    known = app.endpoints.find(request.webhook_id)
    own = None if request.secret is None else read_secret_text(request.secret)
    secret = own or new_secret(Scheme(request.signature))
    instant = now()
    until = instant + timedelta(hours=request.overlap_hours)
    old = [
        dataclasses.replace(it, until=until if it.until is None else min(it.until, until))
        for it in known.secrets
        if it.signs(instant)
    ]
    kept = [it for it in old if it.signs(instant)][-(_MOST_SECRETS - 1) :]
    changed = app.endpoints.update(known.id, secrets=[_seal(app, known.id, secret, request.secret), *kept])
    app.gate.shut(changed.number, changed.updated_at)
    return WebhookRotateSecretResult(
        webhook_id=known.id,
        secret=secret.text if own is None else None,
        public_key=secret.public_text or None,
        old_until=iso(until),
    )


def _seal(app: App, webhook_id: str, secret: Secret, own: str | None) -> SealedSecret:
    """What is stored of a secret; one of the caller's own as it was given."""
    return SealedSecret(sealed=app.vault.seal(own or secret.text, webhook_id), public_text=secret.public_text)


def _sealed_headers(app: App, webhook_id: str, headers: Mapping[str, str]) -> str:
    return app.vault.seal(json.dumps(dict(headers)), webhook_id) if headers else ""


def _changed(app: App, known: Endpoint, request: WebhookUpdateRequest) -> Options:
    given = {
        "body_format": None if request.body_format is None else BodyFormat(request.body_format),
        "ordered": request.ordered,
        "most_at_once": request.most_at_once,
        "per_minute": request.per_minute,
        "delays": None if request.retry_policy is None else read_policy(request.retry_policy),
    }
    values: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if request.headers is not None:
        headers = read_caller_headers(request.headers)
        values |= {"headers": _sealed_headers(app, known.id, headers), "header_names": sorted(headers)}
    return dataclasses.replace(known.options, **values)
