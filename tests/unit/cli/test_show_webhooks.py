"""Webhooks on the terminal: in 80 columns, with nothing of strangers that steers it."""

import io

from rich.console import Console

from storycore.cli.show import show
from storycore.cli.show_webhooks import show_attempt, show_deliveries, show_list
from storycore.cli.words import command
from storycore.operations.delivery import WebhookDeliveriesResult, WebhookPingResult
from storycore.operations.webhook import WebhookListResult


def shown(function, result):
    file = io.StringIO()
    function(result, Console(file=file, width=80, highlight=False, markup=False, emoji=False))
    return file.getvalue()


def delivery(**facts):
    return {
        "delivery_id": "delivery_0123456789abcdef", "webhook_id": "webhook_0123456789ab", "event_id": "evt_1",
        "event_type": "export.completed", "state": "retry", "origin": "auto", "attempt_count": 1,
        "due_at": "2026-11-25T12:00:00+00:00", "code": "http_5xx", "status_code": 503,
        "created_at": "2026-11-25T11:00:00+00:00", "finished_at": None, "attempts": [], **facts,
    }  # fmt: skip


def test_deliveries_tell_where_they_stand_in_words():
    result = WebhookDeliveriesResult(items=[delivery(), delivery(state="blocked", code="blocked_address", due_at=None)],
                                     next_cursor="c7")  # fmt: skip
    text = shown(show_deliveries, result)
    assert [line.rstrip() for line in text.splitlines()] == [
        "Delivery                   State          Last                 Next try",
        "delivery_0123456789abcdef  ! tried again  http_5xx 503         2026-11-25 12:00",
        "  export.completed",
        "delivery_0123456789abcdef  ✗ not allowed  blocked_address 503",
        "  export.completed",
        "There are more: --cursor c7",
    ]


def test_empty_lists_teach_the_first_command():
    assert "webhook register" in shown(show_list, WebhookListResult(items=[], next_cursor=None))


def test_a_failed_ping_says_why_and_steers_no_terminal():
    result = WebhookPingResult(
        webhook_id="webhook_1", success=False, code="tls", response_status=None, response_time_ms=1.0,
        error_message="No \x1b[31msecure connection", delivery_id="delivery_1", event_id="evt_1",
    )  # fmt: skip
    text = shown(show_attempt, result)
    assert "\x1b" not in text
    assert "✗ tls" in text
    assert "answered" not in text
    answered = result.model_copy(update={"code": "http_5xx", "response_status": 503})
    assert f"See what it answered: {command('webhook', 'deliveries')}" in shown(show_attempt, answered)


def test_quiet_shows_nothing(capsys):
    show("storycore.integration.webhook.list", WebhookListResult(items=[], next_cursor=None), quiet=True, err=False)
    assert capsys.readouterr().out == ""
