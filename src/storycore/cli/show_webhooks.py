"""How webhooks and what is on its way to them look on the terminal."""

from rich.console import Console
from rich.text import Text

from storycore.cli.tables import instant, next_page, table, words
from storycore.cli.words import command
from storycore.operations.delivery import DeliveryEntry, WebhookDeliveriesResult
from storycore.operations.webhook import WebhookListResult

_STATES = {"active": ("✓", "green"), "inactive": ("○", "dim"), "failing": ("!", "yellow"), "disabled": ("✗", "red")}
_DELIVERIES = {
    "delivered": ("✓", "green"),
    "retry": ("○", "yellow"),
    "exhausted": ("✗", "red"),
    "blocked": ("✗", "red"),
}
_WAITS = ("○", "dim")


def show_list(result: WebhookListResult, console: Console) -> None:
    """Webhooks, one a line."""
    if not result.items:
        first = command("webhook", "register", "https://studio.example/hooks", "--event", "export.completed")
        console.print(Text(f"No webhooks yet. The first one:  {first}"), soft_wrap=True)
        return
    shown = table("Webhook", "State", "Hears", "Where")
    for it in result.items:
        mark, style = _STATES[it.state]
        shown.add_row(
            it.webhook_id, Text(f"{mark} {it.state}", style=style), Text(" ".join(it.event_types)), words(it.url)
        )
    console.print(shown)
    _more(result.next_cursor, console)


def show_deliveries(result: WebhookDeliveriesResult, console: Console) -> None:
    """Deliveries, one a line, each with its attempts below if they were asked for."""
    if not result.items:
        console.print(Text("Nothing is, or was, on its way to a webhook."))
        return
    if not any(it.attempts for it in result.items):
        shown = table("Delivery", "Event", "State", "Tried", "Last", "Since", right=frozenset({"Tried"}))
        for it in result.items:
            when = instant(it.created_at)
            shown.add_row(it.delivery_id, it.event_type, _state(it), str(it.attempt_count), it.code, when)
        console.print(shown)
    else:
        for it in result.items:
            _with_attempts(it, console)
    _more(result.next_cursor, console)


def _with_attempts(it: DeliveryEntry, console: Console) -> None:
    console.print(Text(f"{it.delivery_id}  {it.event_type}  "), _state(it), sep="", soft_wrap=True)
    for tried in it.attempts:
        status = "" if tried.status_code is None else f" {tried.status_code}"
        told = f"  {tried.attempt}. {tried.started_at[:19].replace('T', ' ')}  {tried.code}{status}"
        phases = f"{tried.total_ms:.0f} ms  {tried.remote_address or tried.url}"
        console.print(Text(f"{told}  {phases}"), soft_wrap=True)
        if tried.response_body:
            console.print(Text("     "), words(tried.response_body, "dim"), sep="", soft_wrap=True)


def _state(it: DeliveryEntry) -> Text:
    mark, style = _DELIVERIES.get(it.state, _WAITS)
    return Text(f"{mark} {it.state}", style=style)


def _more(cursor: str | None, console: Console) -> None:
    more = next_page(cursor)
    if more:
        console.print(more, soft_wrap=True)
