"""How webhooks, deliveries and events look on the terminal. URLs and answers are strangers' text."""

from rich.console import Console
from rich.text import Text

from storycore.cli.tables import instant, next_page, table, words
from storycore.cli.words import command
from storycore.operations.delivery import (
    DeliveryEntry,
    WebhookDeliveriesResult,
    WebhookPingResult,
    WebhookTriggerResult,
)
from storycore.operations.event import EventListResult
from storycore.operations.webhook import WebhookListResult, WebhookRegisterResult, WebhookRotateSecretResult

_HOOKS = {"active": ("✓", "green"), "failing": ("!", "yellow"), "inactive": ("○", "dim"), "disabled": ("✗", "red")}
_DELIVERIES = {
    "pending": ("○", "waiting", "dim"),
    "leased": ("▶", "under way", "dark_orange"),
    "delivered": ("✓", "delivered", "green"),
    "retry": ("!", "tried again", "yellow"),
    "exhausted": ("✗", "given up", "red"),
    "cancelled": ("✗", "cancelled", "dim"),
    "blocked": ("✗", "not allowed", "red"),
}


def show_registered(result: WebhookRegisterResult, console: Console) -> None:
    """A new webhook; its secret stands on a line of its own, so that it can be copied whole."""
    console.print(Text("✓ Webhook registered", style="green"), Text(result.webhook_id))
    _secret(result.secret, result.public_key, console)
    for warning in result.warnings:
        console.print(Text(f"! {warning}", style="yellow"))
    console.print(Text("Try it: ", style="dim"), Text(command("webhook", "ping", result.webhook_id)), sep="")


def show_rotated(result: WebhookRotateSecretResult, console: Console) -> None:
    """The new secret."""
    console.print(Text("✓ New secret", style="green"), Text(result.webhook_id))
    _secret(result.secret, result.public_key, console)
    console.print(Text("The old one signs too until "), instant(result.old_until), Text(" UTC."), sep="")


def show_list(result: WebhookListResult, console: Console) -> None:
    """Webhooks, one a line."""
    if not result.items:
        first = command("webhook", "register", "https://studio.example/hooks", "--event", "export.*")
        console.print(Text(f"No webhooks yet. The first one:  {first}"), soft_wrap=True)
        return
    shown = table("Webhook", "State", "Hears", "Where")
    for hook in result.items:
        mark, style = _HOOKS[hook.state]
        shown.add_row(
            hook.webhook_id, Text(f"{mark} {hook.state}", style=style), " ".join(hook.event_types), words(hook.url)
        )
    console.print(shown)
    _more(result.next_cursor, console)


def show_deliveries(result: WebhookDeliveriesResult, console: Console) -> None:
    """Deliveries, each with its event below it, followed by its attempts if they were asked for."""
    if not result.items:
        console.print(Text("Nothing was sent yet, and nothing waits."))
        return
    shown = table("Delivery", "State", "Last", "Next try")
    for item in result.items:
        what = Text.assemble(item.delivery_id, "\n", (f"  {item.event_type}", "dim"))
        shown.add_row(what, _state(item), _last(item), instant(item.due_at))
        for tried in item.attempts:
            answer = f" {tried.status_code}" if tried.status_code else ""
            shown.add_row(
                Text(f"  {tried.attempt}.", style="dim"), Text(f"{tried.total_ms:.0f} ms"),
                Text(f"{tried.code}{answer}"), instant(tried.started_at),
            )  # fmt: skip
    console.print(shown)
    for item in result.items:
        if item.body is not None:
            console.print(Text(f"{item.delivery_id} says:", style="dim"))
            console.print(words(item.body), soft_wrap=True)
        for tried in item.attempts:
            if tried.request_headers is not None:
                console.print(Text(f"{item.delivery_id}, attempt {tried.attempt}, was sent with:", style="dim"))
                for name, value in tried.request_headers.items():
                    console.print(words(f"{name}: {value}"), soft_wrap=True)
            if tried.response_body:
                console.print(Text(f"{item.delivery_id}, attempt {tried.attempt}, was answered:", style="dim"))
                console.print(words(tried.response_body), soft_wrap=True)
    _more(result.next_cursor, console)


def show_attempt(result: WebhookPingResult | WebhookTriggerResult, console: Console) -> None:
    """How an attempt went; in test mode what would be sent."""
    sent = getattr(result, "request", None)
    if sent is not None:
        console.print(words(f"POST {sent.url}"), soft_wrap=True)
        for name, value in sent.headers.items():
            console.print(words(f"{name}: {value}"), soft_wrap=True)
        console.print(words(sent.body), soft_wrap=True)
        return
    if result.success:
        console.print(
            Text("✓ taken", style="green"), Text(f"{result.response_status}, {result.response_time_ms:.0f} ms")
        )
        return
    console.print(Text(f"✗ {result.code}", style="red"), words(result.error_message or ""))
    if result.delivery_id and result.response_status is not None:
        more = command("webhook", "deliveries", "--event-id", result.event_id, "--bodies")
        console.print(Text("See what it answered: ", style="dim"), Text(more), sep="", soft_wrap=True)


def show_events(result: EventListResult, console: Console) -> None:
    """Events, one a line, and where to go on."""
    if not result.items:
        console.print(Text("Nothing happened since."))
        return
    shown = table("When", "Event", "Id")
    for event in result.items:
        shown.add_row(instant(event.timestamp), event.event_type, event.event_id)
    console.print(shown)
    console.print(Text(f"Go on with --after {result.next_cursor}", style="dim"))


def _secret(secret: str | None, public_key: str | None, console: Console) -> None:
    if secret is not None:
        console.print(Text(secret, style="bold"), soft_wrap=True)
        console.print(Text("The secret is shown this once; receivers verify messages with it."))
    if public_key is not None:
        console.print(Text(public_key, style="bold"), soft_wrap=True)
        console.print(Text("Receivers need this key alone, which anybody may see."))


def _state(item: DeliveryEntry) -> Text:
    mark, word, style = _DELIVERIES[item.state]
    return Text(f"{mark} {word}", style=style)


def _last(item: DeliveryEntry) -> Text:
    answer = f" {item.status_code}" if item.status_code else ""
    return Text(f"{item.code}{answer}")


def _more(cursor: str | None, console: Console) -> None:
    more = next_page(cursor)
    if more:
        console.print(more, soft_wrap=True)
