"""A webhook as callers see it: how it is set, and how it is doing; its secrets are not shown."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from storycore.operations.request import Result
from storycore.units import iso, now
from storycore.webhooks.endpoint import Endpoint


class WebhookEntry(Result):
    """A webhook, without its secrets."""

    webhook_id: str
    url: str
    event_types: list[str] = Field(description="What it hears.")
    active: bool = Field(description="Whether messages are sent.")
    created_at: str
    updated_at: str
    state: Literal["active", "inactive", "failing", "disabled"] = Field(
        description="failing: it is left alone more and more; disabled: it failed for days, or answered 410."
    )
    disabled_reason: str = Field(description='"failing" or "gone" of a disabled one.')
    failures: int = Field(description="Attempts that failed in a row; more than five are not counted one by one.")
    failing_since: str | None
    paused_until: str | None = Field(description="Nothing is sent before.")
    retry_delays_seconds: list[float] = Field(description="How long is waited before each retry.")
    headers: list[str] = Field(description="Names of the headers of your own; values are not shown.")
    body_format: Literal["standard", "cloudevents"]
    ordered: bool = Field(description="Whether a message waits until the one before it has ended.")
    most_at_once: int
    per_minute: int
    public_keys: list[str] = Field(description="whpk_… keys that check v1a signatures.")
    secrets: int = Field(description="How many secrets sign now; two while one takes the place of another.")
    metadata: dict[str, Any]


def entry(it: Endpoint) -> dict[str, Any]:
    """The fields of `WebhookEntry`, as the webhook is now."""
    instant = now()
    signing = [secret for secret in it.secrets if secret.signs(instant)]
    return {
        "webhook_id": it.id, "url": it.url, "event_types": list(it.event_types), "active": it.active,
        "created_at": iso(it.created_at), "updated_at": iso(it.updated_at), "state": _state(it),
        "disabled_reason": it.disabled_reason, "failures": it.failures, "failing_since": _maybe(it.failing_since),
        "paused_until": _maybe(it.paused_until), "retry_delays_seconds": list(it.options.policy.delays),
        "headers": list(it.options.header_names), "body_format": it.options.body_format.value,
        "ordered": it.options.ordered, "most_at_once": it.options.most_at_once, "per_minute": it.options.per_minute,
        "public_keys": [secret.public_text for secret in signing if secret.public_text], "secrets": len(signing),
        "metadata": dict(it.facts),
    }  # fmt: skip


def _state(it: Endpoint) -> str:
    if not it.active:
        return "disabled" if it.disabled_reason else "inactive"
    return "failing" if it.failing_since else "active"


def _maybe(instant: datetime | None) -> str | None:
    return None if instant is None else iso(instant)
