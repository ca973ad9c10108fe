"""What Prometheus may know of a running server; the only door to prometheus-client.

Counts and durations are kept in this process. What the database and the disk know is read from them at each scrape,
so that several processes on one database tell the same. No label can take a value that was not known at the start:
anything else is "other". A figure that nothing can tell is left out, never invented.

Source: Prometheus, "Metric and label naming" and "Exposition formats" (text format 0.0.4).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    Info,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from storycore.errors import StoryCoreError

MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
OTHER: Final = "other"
Outcome = Literal["completed", "failed", "cancelled"]
OUTCOMES: Final[tuple[Outcome, ...]] = ("completed", "failed", "cancelled")
STATUSES: Final = ("pending", "running", "completed", "failed", "cancelled")
RUN_OUTCOMES: Final = ("completed", "completed_with_blocked", "failed", "cancelled")
PRIORITIES: Final = ("LOW", "NORMAL", "HIGH")

_LONG = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600)
_SHORT = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """The tasks as the database knows them.

    Attributes:
        counts: how many tasks there are by status; one that is not named counts none.
        oldest_seconds: how long the task that waits longest has waited; 0 if none waits.
        webhooks_waiting: how many deliveries to webhooks wait or are under way.
    """

    counts: Mapping[str, int]
    oldest_seconds: float
    webhooks_waiting: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A ComfyUI server as the database knows it.

    Attributes:
        name: `host:port`; as many as a person has connected.
        up: whether it answered last.
        in_flight: prompts of ours that it has.
        waiting: prompts of others that wait or run there, as far as was seen.
    """

    name: str
    up: bool
    in_flight: int
    waiting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Every value that a label can have; anything else is told as "other".

    Attributes:
        operations: what a call over HTTP can be for.
        formats: of exports.
        kinds: of tasks.
        events: that webhooks hear of.
        codes: how attempts at webhooks end.
    """

    operations: frozenset[str] = frozenset()
    formats: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    events: frozenset[str] = frozenset()
    codes: frozenset[str] = frozenset()


class Metrics:
    """The figures of one process; safe to record from any thread.

    Args:
        version: of StoryCore.
        names: what there is to count.
        read_queue: reads the tasks at each scrape; None leaves those figures out, and so does a StoryCoreError.
        read_servers: reads the ComfyUI servers at each scrape; None leaves those figures out, and so does a
            StoryCoreError.
        read_free_bytes: reads the room left on the disk at each scrape; None, also as its answer, leaves it out.
        process: whether memory, processor time, open files and the interpreter are told too.
    """

    def __init__(  # noqa: PLR0913 - each reads one thing
        self,
        *,
        version: str,
        names: Names,
        read_queue: Callable[[], Queue] | None = None,
        read_servers: Callable[[], list[Server]] | None = None,
        read_free_bytes: Callable[[], int | None] | None = None,
        process: bool = False,
    ) -> None:
        self._registry, self._names = CollectorRegistry(), names
        Info("storycore_build", "What runs here.", registry=self._registry).info({"version": version})
        self._exports = self._counter("storycore_exports", "Exports that ended.", "format", "outcome")
        self._export_bytes = self._counter("storycore_export_bytes", "Bytes of completed exports.", "format")
        self._export_seconds = self._histogram("storycore_export_duration_seconds", "Of exports.", _LONG, "format")
        self._waits = self._histogram(
            "storycore_task_wait_seconds", "From acceptance of a task to its start.", _LONG, "kind", "priority"
        )
        self._calls = self._counter("storycore_http_requests", "Answers by HTTP.", "operation", "status")
        self._call_seconds = self._histogram(
            "storycore_http_request_duration_seconds", "Of calls, to their last byte.", _SHORT, "operation"
        )
        self._runs = self._counter("storycore_comfyui_runs", "Workflows that ended.", "outcome")
        self._run_seconds = Histogram(
            "storycore_comfyui_run_duration_seconds", "Of tasks that generate.", buckets=_LONG, registry=self._registry
        )
        self._attempts = self._counter("storycore_webhook_deliveries", "Attempts at webhooks.", "event", "outcome")
        self._attempt_seconds = self._histogram(
            "storycore_webhook_attempt_duration_seconds", "Of attempts at webhooks.", _SHORT
        )
        self._start_at_zero()
        self._registry.register(_AtScrape(read_queue, read_free_bytes))
        if read_servers:
            self._registry.register(_Servers(read_servers))
        if process:
            ProcessCollector(registry=self._registry)
            PlatformCollector(registry=self._registry)
            GCCollector(registry=self._registry)

    def http(self, operation: str, status: int, seconds: float) -> None:
        """Counts an answer."""
        name = operation if operation in self._names.operations else OTHER
        self._calls.labels(name, str(status) if 100 <= status <= 599 else OTHER).inc()
        self._call_seconds.labels(name).observe(seconds)

    def export(self, export_format: str, outcome: Outcome, seconds: float, size_bytes: int = 0) -> None:
        """Counts an export that ended; `size_bytes` is what it wrote if it was completed."""
        name = export_format if export_format in self._names.formats else OTHER
        self._exports.labels(name, outcome).inc()
        self._export_seconds.labels(name).observe(seconds)
        if outcome == "completed":
            self._export_bytes.labels(name).inc(size_bytes)

    def task_started(self, kind: str, priority: str, waited_seconds: float) -> None:
        """Counts a task that begins to run, `waited_seconds` after it was accepted."""
        name = kind if kind in self._names.kinds else OTHER
        self._waits.labels(name, priority if priority in PRIORITIES else OTHER).observe(waited_seconds)

    def comfyui_run(self, outcome: str) -> None:
        """Counts a workflow that ended."""
        self._runs.labels(outcome if outcome in RUN_OUTCOMES else OTHER).inc()

    def comfyui_seconds(self, seconds: float) -> None:
        """Counts how long a task took that generates."""
        self._run_seconds.observe(seconds)

    def webhook_attempt(self, event: str, outcome: str, seconds: float) -> None:
        """Counts an attempt at a webhook, by the word for how it ended."""
        name = event if event in self._names.events else OTHER
        self._attempts.labels(name, outcome if outcome in self._names.codes else OTHER).inc()
        self._attempt_seconds.observe(seconds)

    def text(self) -> bytes:
        """All figures now, in the text format; reads the database and the disk, so not for an event loop."""
        return generate_latest(_WithoutCreation(self._registry))

    def _counter(self, name: str, about: str, *labels: str) -> Counter:
        return Counter(name, about, labels, registry=self._registry)

    def _histogram(self, name: str, about: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(name, about, labels, buckets=buckets, registry=self._registry)

    def _start_at_zero(self) -> None:
        """Makes the series that are known beforehand, so that the first failure is a rise and not a beginning."""
        for name in self._names.formats:
            for outcome in OUTCOMES:
                self._exports.labels(name, outcome)
            self._export_bytes.labels(name)
            self._export_seconds.labels(name)
        for name in self._names.operations:
            for status in ("200", "400", "500"):
                self._calls.labels(name, status)
            self._call_seconds.labels(name)
        for ending in RUN_OUTCOMES:
            self._runs.labels(ending)
        for event in self._names.events:
            self._attempts.labels(event, "ok")
        for kind in self._names.kinds:
            for priority in PRIORITIES:
                self._waits.labels(kind, priority)


class _AtScrape(Collector):
    """Figures that are read when they are asked for."""

    def __init__(
        self, read_queue: Callable[[], Queue] | None, read_free_bytes: Callable[[], int | None] | None
    ) -> None:
        self._read_queue, self._read_free_bytes = read_queue, read_free_bytes

    @override
    def collect(self) -> Iterator[Metric]:
        try:
            queue = self._read_queue() if self._read_queue else None
        except StoryCoreError:  # the database is away: that is told by /readyz, and here by silence
            queue = None
        if queue:
            tasks = GaugeMetricFamily("storycore_tasks", "Tasks by status.", labels=["status"])
            for status in STATUSES:
                tasks.add_metric([status], queue.counts.get(status, 0))
            yield tasks
            yield GaugeMetricFamily(
                "storycore_queue_oldest_seconds", "How long the task that waits longest waits.", queue.oldest_seconds
            )
            yield GaugeMetricFamily(
                "storycore_webhook_pending", "Deliveries to webhooks that wait.", queue.webhooks_waiting
            )
        free_bytes = self._read_free_bytes() if self._read_free_bytes else None
        if free_bytes is not None:
            yield GaugeMetricFamily(
                "storycore_disk_free_bytes", "Room on the fullest disk that results go to.", free_bytes
            )

    def describe(self) -> Iterator[Metric]:
        """Nothing: what is read at a scrape is not read at the start."""
        return iter(())


class _Servers(Collector):
    """The ComfyUI servers, read when they are asked for."""

    def __init__(self, read: Callable[[], list[Server]]) -> None:
        self._read = read

    @override
    def collect(self) -> Iterator[Metric]:
        try:
            servers = self._read()
        except StoryCoreError:
            return
        up = GaugeMetricFamily("storycore_comfyui_up", "Whether a ComfyUI server answers.", labels=["backend"])
        queue = GaugeMetricFamily(
            "storycore_comfyui_queue", "Prompts at a ComfyUI server.", labels=["backend", "state"]
        )
        for server in servers:
            up.add_metric([server.name], int(server.up))
            queue.add_metric([server.name, "ours"], server.in_flight)
            queue.add_metric([server.name, "others"], server.waiting)
        yield up
        yield queue

    def describe(self) -> Iterator[Metric]:
        """Nothing: what is read at a scrape is not read at the start."""
        return iter(())


class _WithoutCreation(Collector):
    """A registry without the `_created` series, which double the text and belong to another format."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    @override
    def collect(self) -> Iterator[Metric]:
        for metric in self._registry.collect():
            metric.samples = [sample for sample in metric.samples if not sample.name.endswith("_created")]
            yield metric
