"""Writes the Grafana dashboard and the alert rules of Prometheus from the figures that StoryCore tells.

`python3 run.py fix` runs it, and a test compares the files with it. What a panel shows is asked of the registry: a
counter is told as a rate, a histogram as its middle and its slowest, a gauge as it is. A figure that no panel shows,
and a panel or an alert of a figure or label that there is not, ends the script with an error.
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from prometheus_client.parser import text_string_to_metric_families

from storycore.observe.metrics import Metrics, Names, Queue, Server

HERE = Path(__file__).parent / "monitoring"
MADE = "# Made from the code by docs/monitoring.py; change that, then run `python3 run.py fix`.\n"
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
WIDTH, HEIGHT = 24, 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A figure as the registry tells it.

    Attributes:
        name: as expressions spell it; of a histogram without its endings.
        kind: counter, histogram, gauge or info.
        labels: those that it has.
        about: one line.
    """

    name: str
    kind: str
    labels: frozenset[str]
    about: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One picture of a figure.

    Attributes:
        title: what it answers.
        figure: its name.
        by: label that its lines are parted by; empty for one line.
        unit: as Grafana calls it.
        only: which of its series, as Prometheus spells it between braces.
        width: of 24.
    """

    title: str
    figure: str
    by: str = ""
    unit: str = "short"
    only: str = ""
    width: int = 8


ROWS: Mapping[str, tuple[Panel, ...]] = {
    "Now": (
        Panel(title="Tasks", figure="storycore_tasks", by="status"),
        Panel(title="Longest wait of a task", figure="storycore_queue_oldest_seconds", unit="s"),
        Panel(title="Room on the fullest disk", figure="storycore_disk_free_bytes", unit="bytes"),
    ),
    "Exports": (
        Panel(title="Exports by outcome", figure="storycore_exports_total", by="outcome", unit="ops"),
        Panel(title="Exports that failed", figure="storycore_exports_total", by="format", unit="ops",
              only='outcome="failed"'),
        Panel(title="What exports write", figure="storycore_export_bytes_total", by="format", unit="Bps"),
        Panel(title="How long exports take", figure="storycore_export_duration_seconds", by="format", unit="s",
              width=12),
        Panel(title="How long tasks wait", figure="storycore_task_wait_seconds", by="priority", unit="s", width=12),
    ),
    "ComfyUI": (
        Panel(title="Servers that answer", figure="storycore_comfyui_up", by="backend", unit="bool_yes_no"),
        Panel(title="Prompts at servers", figure="storycore_comfyui_queue", by="state"),
        Panel(title="Runs by outcome", figure="storycore_comfyui_runs_total", by="outcome", unit="ops"),
        Panel(title="How long generating takes", figure="storycore_comfyui_run_duration_seconds", unit="s", width=24),
    ),
    "Webhooks": (
        Panel(title="Deliveries that wait", figure="storycore_webhook_pending"),
        Panel(title="Attempts by how they ended", figure="storycore_webhook_deliveries_total", by="outcome",
              unit="ops"),
        Panel(title="How long receivers take", figure="storycore_webhook_attempt_duration_seconds", unit="s"),
    ),
    "HTTP": (
        Panel(title="Answers by status", figure="storycore_http_requests_total", by="status", unit="reqps"),
        Panel(title="Calls by operation", figure="storycore_http_requests_total", by="operation", unit="reqps"),
        Panel(title="How long calls take", figure="storycore_http_request_duration_seconds", by="operation", unit="s"),
        Panel(title="Versions that run", figure="storycore_build_info", by="version", width=24),
    ),
}  # fmt: skip
"""Heading → the pictures under it."""

_SHARE_FAILED = (
    "sum(rate({name}{{{bad}}}[{over}])) / sum(rate({name}[{over}])) > {most}"
    " and sum(increase({name}{{{bad}}}[{over}])) >= {least}"
)  # fmt: skip


def _share(name: str, bad: str, *, over: str, most: float, least: int) -> str:
    """True while more than a share ends badly, and not just one of two."""
    return _SHARE_FAILED.format(name=name, bad=bad, over=over, most=most, least=least)


ALERTS: tuple[tuple[str, str, str, str, str, str], ...] = (
    (
        "StoryCoreGone", "absent(storycore_build_info)", "5m", "critical",
        "No StoryCore tells its figures",
        ("Look whether `storycore serve` runs and whether Prometheus may read /metrics; `storycore doctor` on its "
        "machine says what is wrong."),
    ),
    (
        "StoryCoreTasksWait", "max(storycore_queue_oldest_seconds) > 900", "10m", "warning",
        "A task has waited for {{ $value | humanizeDuration }}",
        "Start more workers with `storycore worker`, or see at /tasks what keeps those busy that run.",
    ),
    (
        "StoryCoreExportsFail",
        _share("storycore_exports_total", 'outcome="failed"', over="30m", most=0.2, least=3), "5m", "warning",
        "{{ $value | humanizePercentage }} of the exports fail",
        "`storycore task list --status failed` names them and why.",
    ),
    (
        "StoryCoreDiskFillsUp",
        "min(storycore_disk_free_bytes) < 10e9 or min(predict_linear(storycore_disk_free_bytes[2h], 4 * 3600)) < 0",
        "10m", "critical",
        "The fullest disk that results go to is full, or will be within four hours",
        "Make room, or name another folder in STORYCORE_OUTPUT_ROOTS; `storycore doctor` tells the room at each place.",
    ),
    (
        "StoryCoreComfyuiDown", "max by (backend) (storycore_comfyui_up) == 0", "10m", "warning",
        "The ComfyUI server {{ $labels.backend }} does not answer",
        "`storycore comfyui backends` says why; work for it waits, or goes to the others.",
    ),
    (
        "StoryCoreComfyuiRunsFail",
        _share("storycore_comfyui_runs_total", 'outcome="failed"', over="30m", most=0.2, least=3), "5m", "warning",
        "{{ $value | humanizePercentage }} of the ComfyUI runs fail",
        "`storycore task list --status failed` names them and why.",
    ),
    (
        "StoryCoreWebhooksPileUp", "max(storycore_webhook_pending) > 1000", "15m", "warning",
        "{{ $value }} deliveries to webhooks wait",
        ("See at /webhooks which receiver is slow or away; what it missed can be sent again with "
        "`storycore webhook recover`."),
    ),
    (
        "StoryCoreWebhooksFail",
        _share("storycore_webhook_deliveries_total", 'outcome!="ok"', over="30m", most=0.5, least=10), "5m",
        "warning",
        "{{ $value | humanizePercentage }} of the attempts at webhooks fail",
        "`storycore webhook deliveries` tells what receivers answer.",
    ),
    (
        "StoryCoreCallsFail",
        _share("storycore_http_requests_total", 'status=~"5.."', over="10m", most=0.05, least=10), "5m", "warning",
        "{{ $value | humanizePercentage }} of the calls are answered with an error of the server",
        "The log of `storycore serve` tells each with its request id; /readyz tells what is not well.",
    ),
)  # fmt: skip
"""Name, when, for how long, how grave, what is wrong, what to do."""


def figures() -> Mapping[str, Figure]:
    """Every figure of ours there is, by name, as a server would tell it."""
    word = frozenset({"word"})
    text = Metrics(
        version="0",
        names=Names(operations=word, formats=word, kinds=word, events=word, codes=word),
        read_queue=lambda: Queue(counts={}, oldest_seconds=0.0),
        read_servers=lambda: [Server(name="word", up=True, in_flight=0, waiting=0)],
        read_free_bytes=lambda: 0,
    ).text()
    found = {}
    for family in text_string_to_metric_families(text.decode()):
        labels = frozenset(name for sample in family.samples for name in sample.labels if name != "le")
        name = f"{family.name}_total" if family.type == "counter" else family.name
        found[name] = Figure(name=name, kind=family.type, labels=labels, about=family.documentation)
    return found


def expressions(panel: Panel, figure: Figure) -> Iterator[tuple[str, str]]:
    """What Prometheus is asked for a panel, and the legend of each answer.

    Raises:
        ValueError: the figure has no such label.
    """
    asked = {panel.by, *re.findall(r"(\w+)[!=]", panel.only)} - {""}
    if not asked <= figure.labels:
        raise ValueError(f"{figure.name} has no label {', '.join(asked - figure.labels)}")
    by, legend = (f" by ({panel.by})", f"{{{{{panel.by}}}}}") if panel.by else ("", panel.title)
    only = f'{{job=~"$job"{"," if panel.only else ""}{panel.only}}}'
    if figure.kind == "counter":
        yield f"sum{by} (rate({figure.name}{only}[$__rate_interval]))", legend
    elif figure.kind == "histogram":
        within = f"sum by (le{', ' if panel.by else ''}{panel.by}) (rate({figure.name}_bucket{only}[$__rate_interval]))"
        for share, words in ((0.5, "half"), (0.95, "95 %")):
            yield f"histogram_quantile({share}, {within})", f"{legend} · {words}" if panel.by else words
    elif figure.kind == "gauge":  # read from the database and the disk: every process tells the same
        each = f" by ({', '.join(sorted(figure.labels))})" if figure.labels else ""
        told = f"{'min' if 'free' in figure.name else 'max'}{each} ({figure.name}{only})"
        yield f"sum{by} ({told})" if by and by != each else told, legend
    else:
        yield f"count{by} ({figure.name}{only})", legend


def dashboard() -> dict[str, Any]:
    """The dashboard, as Grafana imports it.

    Raises:
        ValueError: a panel shows what there is not, or a figure is shown by none.
    """
    known = figures()
    shown = {panel.figure for panels in ROWS.values() for panel in panels}
    if shown != set(known):
        raise ValueError(f"shown but unknown: {shown - set(known)}; known but not shown: {set(known) - shown}")
    made: list[dict[str, Any]] = []
    y = 0
    for heading, panels in ROWS.items():
        place = {"h": 1, "w": WIDTH, "x": 0, "y": y}
        made.append({"id": len(made) + 1, "type": "row", "title": heading, "collapsed": False, "panels": [],
                     "gridPos": place})  # fmt: skip
        x, y = 0, y + 1
        for panel in panels:
            if x + panel.width > WIDTH:
                x, y = 0, y + HEIGHT
            made.append(_panel(len(made) + 1, panel, known[panel.figure], x, y))
            x += panel.width
        y += HEIGHT
    return {
        "title": "StoryCore", "uid": "storycore", "tags": ["storycore"], "schemaVersion": 39, "version": 1,
        "editable": True, "refresh": "30s", "time": {"from": "now-6h", "to": "now"}, "timezone": "browser",
        "templating": {"list": [
            {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus", "hide": 0},
            {"name": "job", "label": "Job", "type": "query", "datasource": SOURCE, "includeAll": True,
             "multi": True, "allValue": ".*", "current": {"text": "All", "value": "$__all"}, "refresh": 2,
             "query": "label_values(storycore_build_info, job)", "hide": 0},
        ]},
        "annotations": {"list": []}, "links": [], "panels": made,
    }  # fmt: skip


def _panel(number: int, panel: Panel, figure: Figure, x: int, y: int) -> dict[str, Any]:
    targets = [
        {"refId": chr(ord("A") + place), "datasource": SOURCE, "expr": expression, "legendFormat": legend}
        for place, (expression, legend) in enumerate(expressions(panel, figure))
    ]
    return {
        "id": number, "type": "timeseries", "title": panel.title, "description": figure.about, "datasource": SOURCE,
        "gridPos": {"h": HEIGHT, "w": panel.width, "x": x, "y": y}, "targets": targets,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
    }  # fmt: skip


def alerts() -> dict[str, Any]:
    """The rules, as Prometheus reads them.

    Raises:
        ValueError: one asks for a figure that there is not.
    """
    known = figures()
    for name, expression, *_ in ALERTS:
        if unknown := set(re.findall(r"storycore_\w+", expression)) - set(known):
            raise ValueError(f"{name} asks for {unknown}")
    return {"groups": [{"name": "storycore", "rules": [
        {"alert": name, "expr": expression, "for": time, "labels": {"severity": severity},
         "annotations": {"summary": summary, "description": description}}
        for name, expression, time, severity, summary, description in ALERTS
    ]}]}  # fmt: skip


def files() -> dict[str, str]:
    """File name → content."""
    rules = yaml.safe_dump(alerts(), sort_keys=False, width=118, allow_unicode=True)
    return {
        "dashboard.json": json.dumps(dashboard(), indent=2, ensure_ascii=False) + "\n",
        "alerts.yml": MADE + rules,
    }


if __name__ == "__main__":
    HERE.mkdir(exist_ok=True)
    for name, text in files().items():
        (HERE / name).write_text(text, encoding="utf-8", newline="\n")
    sys.exit(0)
