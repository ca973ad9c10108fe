"""Traces of OpenTelemetry, and the W3C trace context that is passed on; the only door to the extra `otel`.

Off, and nothing of it loaded, unless the extra is installed and `OTEL_EXPORTER_OTLP_ENDPOINT` (or the one for traces)
says where traces go. What a caller sent as `traceparent` is passed on all the same.

What is told: names of operations, ids, counts, hosts, reasons of errors. Never what stands in projects, no paths of
files, no URLs of webhooks (they may hold secrets), no messages.

Source: W3C, "Trace Context", version 00; OpenTelemetry, "Environment Variable Specification" and "Semantic Conventions
for HTTP Spans" (the stable ones).
"""

import contextlib
import importlib.util
import os
import threading
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from enum import Enum
from typing import Any, Final

from storycore.errors import Cancelled, StoryCoreError
from storycore.observe import logging

Attributes = Mapping[str, str | int | float | bool]

_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_END_SECONDS: Final = 3.0
"""So long what still waits is sent when a process ends; a collector that is away must not hold it up."""

_NONE: Final[Attributes] = {}

log = logging.get(__name__)

_tracer: Any = None
_carried: ContextVar[str] = ContextVar("traceparent", default="")


class Kind(Enum):
    """Which side of a call a span is."""

    INTERNAL = "INTERNAL"
    SERVER = "SERVER"
    CLIENT = "CLIENT"
    CONSUMER = "CONSUMER"


class Span:
    """A stretch of work; what is told of it goes nowhere where nobody traces.

    Args:
        span: of OpenTelemetry; None where nobody traces.

    Attributes:
        traceparent: what is sent on with calls of this stretch; "" if there is nothing to send.
    """

    __slots__ = ("_span", "traceparent")

    def __init__(self, span: Any, traceparent: str) -> None:
        self._span, self.traceparent = span, traceparent

    def tell(self, attributes: Attributes) -> None:
        """Facts of it."""
        if self._span is not None:
            self._span.set_attributes(attributes)

    def fail(self, reason: str) -> None:
        """It ended badly; `reason` is one of few words."""
        if self._span is not None:
            from opentelemetry.trace import StatusCode

            self._span.set_attribute("error.type", reason)
            self._span.set_status(StatusCode.ERROR)


def traceparent() -> str:
    """The trace context of what this thread or task does now, to be kept or sent on; "" if there is none."""
    return _carried.get() if _tracer is None else _current()


@contextlib.contextmanager
def span(name: str, kind: Kind = Kind.INTERNAL, *, parent: str = "", attributes: Attributes = _NONE) -> Iterator[Span]:
    """A stretch of work that those within it belong to.

    Args:
        name: one of few.
        kind: which side it is.
        parent: traceparent that it belongs to; what goes on in this thread or task if "".
        attributes: what is known of it at its beginning.
    """
    if _tracer is None:
        token = _carried.set(parent) if parent else None
        try:
            yield Span(None, _carried.get())
        finally:
            if token is not None:
                _carried.reset(token)
        return
    with (
        _tracer.start_as_current_span(
            name, context=_context(parent), kind=_kind(kind), attributes=attributes,
            record_exception=False, set_status_on_exception=False,
        ) as made,
        _judged(Span(made, _text(made))) as shown,
    ):  # fmt: skip
        yield shown


@contextlib.contextmanager
def leaf(name: str, kind: Kind = Kind.CLIENT, *, parent: str = "", attributes: Attributes = _NONE) -> Iterator[Span]:
    """A stretch of work with none within it, of something that is traced: told only if it belongs to a trace.

    Args:
        name: one of few.
        kind: which side it is.
        parent: see `span`.
        attributes: what is known of it at its beginning.
    """
    above = parent or traceparent()
    if _tracer is None or not above:
        yield Span(None, above)
        return
    made = _tracer.start_span(name, context=_context(above), kind=_kind(kind), attributes=attributes)
    try:
        with _judged(Span(made, _text(made))) as shown:
            yield shown
    finally:
        made.end()


def silent() -> Span:
    """No stretch of its own: what it sends names the one that goes on."""
    return Span(None, traceparent())


@contextlib.contextmanager
def running(version: str) -> Iterator[None]:
    """While the block runs, this process tells its traces, if that is wanted; at its end those that wait are sent."""
    provider = _begin(version) if _is_wanted() else None
    try:
        yield
    finally:
        if provider is not None:
            _end(provider)


def _is_wanted() -> bool:
    if os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true" or os.environ.get("OTEL_TRACES_EXPORTER") == "none":
        return False
    if not any(os.environ.get(name) for name in _ENDPOINTS):
        return False
    asked = next((os.environ[name] for name in _PROTOCOLS if os.environ.get(name)), "http/protobuf")
    if asked != "http/protobuf":
        log.warning("traces_not_sent", why=f"only http/protobuf is spoken, not {asked[:40]}")
        return False
    if not is_installed():
        log.warning("traces_not_sent", why="the extra is not installed: pip install 'storycore[otel]'")
        return False
    return True


def is_installed() -> bool:
    """Whether the extra is there."""
    try:
        return importlib.util.find_spec("opentelemetry.exporter.otlp.proto.http") is not None
    except ModuleNotFoundError:  # not even what it stands in
        return False


def _begin(version: str) -> Any:
    """The provider: what is told goes to the endpoint that the environment names, in a thread of its own."""
    global _tracer  # noqa: PLW0603 - one for the process, as its environment says
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    own = Resource({"service.name": "storycore", "service.version": version})
    provider = TracerProvider(resource=own.merge(OTELResourceDetector().detect()), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    _tracer = provider.get_tracer("storycore", version)
    return provider


def _end(provider: Any) -> None:
    global _tracer  # noqa: PLW0603 - see `_begin`
    _tracer = None
    ending = threading.Thread(target=provider.shutdown, name="storycore-traces", daemon=True)
    ending.start()
    ending.join(_END_SECONDS)


@contextlib.contextmanager
def _judged(made: Span) -> Iterator[Span]:
    """Says of a span how its block ended, if that was badly; being told to stop is no fault."""
    try:
        yield made
    except (Cancelled, GeneratorExit):
        made.tell({"storycore.cancelled": True})
        raise
    except StoryCoreError as fault:
        made.fail(fault.reason.value)
        raise
    except Exception as fault:
        made.fail(type(fault).__name__)
        raise


def _current() -> str:
    from opentelemetry import trace

    return _text(trace.get_current_span())


def _text(made: Any) -> str:
    """A span as its traceparent; "" of none."""
    known = made.get_span_context()
    if not known.is_valid:
        return ""
    return f"00-{known.trace_id:032x}-{known.span_id:016x}-{known.trace_flags & 1:02x}"


def _context(parent: str) -> Any:
    if not parent:
        return None
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    return TraceContextTextMapPropagator().extract({"traceparent": parent})


def _kind(kind: Kind) -> Any:
    from opentelemetry.trace import SpanKind

    return SpanKind[kind.value]
