"""Traces cost nothing and tell nothing unless they are wanted; what is passed on is passed on."""

import subprocess
import sys

import pytest

from storycore.observe import tracing

CALLER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture(autouse=True)
def _wanted_nowhere(monkeypatch):
    for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_SDK_DISABLED"):
        monkeypatch.delenv(name, raising=False)


def test_nothing_of_opentelemetry_is_loaded_where_no_traces_are_wanted():
    program = (
        "import sys\nfrom storycore.observe import tracing\n"
        f"with tracing.running('1'), tracing.span('x', parent={CALLER!r}) as told, tracing.leaf('y') as leaf:\n"
        "    told.tell({'a': 1}), told.fail('b'), print(leaf.traceparent)\n"
        "print([name for name in sys.modules if name.startswith('opentelemetry')])"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.split() == [CALLER, "[]"]


def test_the_context_that_is_carried_ends_with_its_block():
    assert tracing.traceparent() == ""
    with tracing.span("x", parent=CALLER), tracing.span("y"):
        assert tracing.traceparent() == CALLER
    assert tracing.traceparent() == ""


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": ""},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_SDK_DISABLED": "true"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_TRACES_EXPORTER": "none"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
    ],
)
def test_traces_are_told_only_where_they_can_be_and_should(monkeypatch, environment):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with tracing.running("1"), tracing.span("x") as told:
        assert told.traceparent == ""
