"""Webhooks: who is told of events, and what came of each message."""

from datetime import timedelta
from typing import Any, get_args

from storycore.dashboard.page import Answer, Go, Page
from storycore.dashboard.visit import Visit
from storycore.errors import InvalidInput, NotFound, Reason
from storycore.events import TYPES
from storycore.json_text import BadJson, read_strict
from storycore.operations.delivery import (
    StateName,
    WebhookDeliveriesRequest,
    WebhookPingRequest,
    WebhookRecoverRequest,
    WebhookRedeliverRequest,
    WebhookTriggerRequest,
)
from storycore.operations.webhook import (
    WebhookDeleteRequest,
    WebhookGetRequest,
    WebhookListRequest,
    WebhookRegisterRequest,
    WebhookRotateSecretRequest,
    WebhookUpdateRequest,
)
from storycore.units import iso, now

_HOURS = (1, 6, 24, 72, 168, 720)


def webhooks(visit: Visit) -> Answer:
    """A page of webhooks, and what is on its way to them."""
    found = visit.run(WebhookListRequest(cursor=visit.asked("cursor")))
    newest = visit.run(WebhookDeliveriesRequest(limit=10)).items
    return Page(
        template="webhooks.html",
        title="Webhooks",
        data={"webhooks": found, "deliveries": newest},
        more={"events": tuple(TYPES)},
        live=visit.asked("cursor") is None,
    )


def webhook(visit: Visit) -> Answer:
    """One webhook."""
    return _shown(visit)


def register(visit: Visit) -> Answer:
    """A new webhook; its secret is shown this once."""
    chosen = visit.form.get("events", [])
    made = visit.run(WebhookRegisterRequest(url=visit.sent("url"), event_types=chosen))
    return Page(template="secret.html", title="Webhook registered", data={"made": made}, more={"old_until": ""})


def rotate(visit: Visit) -> Answer:
    """A new secret, shown this once."""
    made = visit.run(WebhookRotateSecretRequest(webhook_id=_id(visit)))
    return Page(template="secret.html", title="New secret", data={"made": made}, more={"old_until": made.old_until})


def ping(visit: Visit) -> Answer:
    """Whether it answers."""
    return _shown(visit, tried=visit.run(WebhookPingRequest(webhook_id=_id(visit))))


def trigger(visit: Visit) -> Answer:
    """A message of one's own, or what it would be."""
    test_mode = visit.sent("test") == "1"
    tried = visit.run(
        WebhookTriggerRequest(
            webhook_id=_id(visit), event_type=visit.sent("event"), payload=_json(visit.sent("payload") or "{}"),
            test_mode=test_mode,
        )
    )  # fmt: skip
    return _shown(visit, tried=tried)


def switch(visit: Visit) -> Answer:
    """Sends to it again, or no more for now."""
    visit.run(WebhookUpdateRequest(webhook_id=_id(visit), active=visit.sent("active") == "1"))
    return Go(to=f"/webhooks/{_id(visit)}", said="changed")


def delete(visit: Visit) -> Answer:
    """Ends it."""
    visit.run(WebhookDeleteRequest(webhook_id=_id(visit)))
    return Go(to="/webhooks", said="deleted")


def recover(visit: Visit) -> Answer:
    """Sends it again what it did not get, or only counts that."""
    hours = visit.sent("hours")
    if hours not in map(str, _HOURS):
        raise InvalidInput("Choose since when.", reason=Reason.OUT_OF_RANGE)
    recovered = visit.run(
        WebhookRecoverRequest(
            webhook_id=_id(visit), since=iso(now() - timedelta(hours=int(hours))), dry_run=visit.sent("count") == "1"
        )
    )
    return _shown(visit, recovered=recovered, hours=hours)


def deliveries(visit: Visit) -> Answer:
    """A page of deliveries."""
    wanted = {name: visit.asked(name) for name in ("webhook_id", "state", "event_id", "cursor")}
    found = visit.run(WebhookDeliveriesRequest(**wanted))
    return Page(
        template="deliveries.html",
        title="Deliveries",
        data={"deliveries": found},
        more={"states": get_args(StateName)},
        live=wanted["cursor"] is None,
    )


def delivery(visit: Visit) -> Answer:
    """One delivery, with every attempt and what was answered."""
    hook = visit.asked("webhook")
    is_there = hook is None or _is_there(visit, hook)
    wanted = WebhookDeliveriesRequest(
        webhook_id=hook if is_there else None, event_id=visit.asked("event"), attempts=True, bodies=True, limit=200
    )
    found = next((it for it in visit.run(wanted).items if it.delivery_id == visit.asked("id")), None)
    if found is None:
        raise NotFound("Delivery not found.", reason=Reason.DELIVERY_NOT_FOUND)
    return Page(
        template="delivery.html",
        title=f"Delivery {found.delivery_id}",
        data={"delivery": found},
        more={"is_there": is_there},
        live=True,
        ended=found.state in ("delivered", "cancelled", "blocked", "exhausted"),
    )


def _is_there(visit: Visit, webhook_id: str) -> bool:
    try:
        visit.run(WebhookGetRequest(webhook_id=webhook_id))
    except NotFound:  # it was ended; what was sent to it is kept for a while
        return False
    return True


def redeliver(visit: Visit) -> Answer:
    """Sends one delivery again."""
    again = visit.run(WebhookRedeliverRequest(delivery_id=visit.names["delivery_id"]))
    back = f"id={again.delivery_id}&event={again.event_id}&webhook={again.webhook_id}"
    return Go(to=f"/webhooks/deliveries/view?{back}", said="redelivered")


def _shown(visit: Visit, hours: str = "24", **more: Any) -> Page:
    found = visit.run(WebhookGetRequest(webhook_id=_id(visit)))
    newest = visit.run(WebhookDeliveriesRequest(webhook_id=found.webhook_id, limit=10)).items
    return Page(
        template="webhook.html",
        title=found.url,
        data={"webhook": found, "deliveries": newest, "tried": None, "recovered": None, **more},
        more={"hours": _HOURS, "chosen_hours": hours, "as_json": not more},
        live=not more,
    )


def _id(visit: Visit) -> str:
    return visit.names["webhook_id"]


def _json(text: str) -> Any:
    try:
        return read_strict(text)
    except BadJson as fault:
        raise InvalidInput(f"The data is no JSON: {fault}", reason=Reason.MALFORMED_JSON) from None
