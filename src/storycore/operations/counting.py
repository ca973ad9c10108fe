"""Counts what is done here, for Prometheus."""

from collections.abc import Mapping
from typing import Any, Final

from typing_extensions import override

from storycore import __version__
from storycore.app import App
from storycore.comfyui.backend import Status as Backend
from storycore.events import OWN_TYPES, TYPES
from storycore.exports.formats import registry
from storycore.observe.metrics import Metrics, Names, Outcome, Queue, Server
from storycore.observe.readiness import free_bytes
from storycore.operations.asked_for import formats_of
from storycore.operations.catalog import GENERATING, OPERATIONS
from storycore.tasks.task import Status, Task
from storycore.tasks.worker import Watch
from storycore.units import now
from storycore.webhooks.courier import Watch as WebhookWatch
from storycore.webhooks.delivery import Code
from storycore.webhooks.delivery import Outcome as WebhookOutcome

_OUTCOMES: Final[dict[Status, Outcome]] = {
    Status.COMPLETED: "completed", Status.FAILED: "failed", Status.CANCELLED: "cancelled",
}  # fmt: skip


BESIDE: Final = frozenset({"health", "mcp", "metrics", "openapi", "page"})
"""What a call can be for that is no operation."""


def metrics(app: App) -> Metrics:
    """The figures of this process."""
    return Metrics(
        version=__version__,
        names=Names(
            operations=frozenset(operation.name for operation in OPERATIONS) | BESIDE,
            kinds=frozenset(operation.name for operation in OPERATIONS if operation.long),
            formats=frozenset(registry.names()),
            events=frozenset((*TYPES, *OWN_TYPES)),
            codes=frozenset(code.value for code in Code),
        ),
        read_queue=(lambda: _queue(app)) if app.keeps_records else None,
        read_servers=(lambda: _servers(app)) if app.keeps_records else None,
        read_free_bytes=lambda: free_bytes((*(app.places.roots or ()), *app.settings.output_roots)),
        process=True,
    )


class Counting(Watch):
    """Counts tasks, and the exports among them.

    Args:
        figures: where they are counted.
    """

    def __init__(self, figures: Metrics) -> None:
        self._figures = figures

    @override
    def started(self, task: Task) -> None:
        if task.parent is not None:  # its time counts as that of the whole
            return
        waited = (now() - (task.not_before or task.created_at)).total_seconds()
        self._figures.task_started(task.kind, task.priority.name, max(0.0, waited))

    @override
    def ended(self, task: Task, seconds: float) -> None:
        if task.parent is not None:
            return
        result = task.result or {}
        if task.kind in GENERATING:
            self._generated(task.status, seconds, result)
            return
        sizes: dict[str, int] = {}
        for made in result.get("outputs", ()):  # a delivery has several of one format
            sizes[made["target_format"]] = sizes.get(made["target_format"], 0) + made["output_size_bytes"]
        if "package_size_bytes" in result:
            sizes["zip"] = result["package_size_bytes"]
        for name in _formats(task):
            self._figures.export(name, _OUTCOMES[task.status], seconds, sizes.get(name, 0))

    def _generated(self, status: Status, seconds: float, result: Mapping[str, Any]) -> None:
        """Counts what a task generated: each row of a batch for itself."""
        outcomes = [item["outcome"] or item["status"] for item in result.get("items", ())]
        for outcome in outcomes or [result.get("outcome") or _OUTCOMES[status]]:
            self._figures.comfyui_run(outcome)
        self._figures.comfyui_seconds(seconds)


def _servers(app: App) -> list[Server]:
    return [
        Server(name=it.address.name, up=it.status is not Backend.DOWN, in_flight=it.in_flight,
               waiting=max(0, (it.queue_remaining or 0) - it.in_flight))
        for it in app.comfyui.records.backends()
    ]  # fmt: skip


class CountingWebhooks(WebhookWatch):
    """Counts attempts at webhooks.

    Args:
        figures: where they are counted.
    """

    def __init__(self, figures: Metrics) -> None:
        self._figures = figures

    @override
    def attempted(self, outcome: WebhookOutcome) -> None:
        attempt = outcome.attempt
        self._figures.webhook_attempt(outcome.leased.event_type, attempt.code.value, attempt.total_ms / 1000)


def _formats(task: Task) -> list[str]:
    """The formats that a task was to write."""
    if task.kind == "storycore.export.package":
        return ["zip"]
    if task.kind == "storycore.export.deliver":
        return list(dict.fromkeys(made["target_format"] for made in (task.result or {}).get("outputs", ())))
    return formats_of(task.request)


def _queue(app: App) -> Queue:
    since = app.tasks.records.waiting_since()
    return Queue(
        counts=app.tasks.records.counts(),
        webhooks_waiting=app.deliveries.waiting(),
        oldest_seconds=0.0 if since is None else max(0.0, (now() - since).total_seconds()),
    )
