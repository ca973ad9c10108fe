"""What tasks tell other systems: their kinds and results as events."""

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override

from storycore.app import App
from storycore.events import Event, make
from storycore.observe import logging
from storycore.operations.asked_for import formats_of, parts_of
from storycore.operations.catalog import GENERATING
from storycore.tasks.records import Outbox, Telling
from storycore.tasks.task import Status, Task

if TYPE_CHECKING:
    from sqlalchemy import Connection

log = logging.get(__name__)

_MOST_FINDINGS: Final = 20
_MOST_LETTERS: Final = 2000
_MOST_METADATA: Final = 64 * 1024
_EXPORTS: Final = frozenset({"storycore.export.package", "storycore.export.format"})
_DELIVERIES: Final = frozenset({"storycore.export.deliver"})
_CHECKS: Final = frozenset({"storycore.export.verify"})
_MADE: Final = {"image": "image.generated", "audio": "audio.generated", "video": "video.rendered"}
_ENDINGS: Final = {Status.COMPLETED: "completed", Status.FAILED: "failed", Status.CANCELLED: "failed"}


class TaskOutbox(Outbox):
    """Makes the events of tasks.

    Args:
        app: knows where events stand.
    """

    def __init__(self, app: App) -> None:
        self._app = app

    @override
    def telling(self, task: Task) -> Telling | None:
        events = events_of(task)
        return _Events(self._app, events) if events else None


class _Events(Telling):
    """Events of one change, written in its transaction; the courier is woken only for those that a webhook hears."""

    def __init__(self, app: App, events: list[Event]) -> None:
        self._app, self._events, self._heard = app, events, False

    @override
    def write(self, connection: "Connection") -> None:
        for event in self._events:
            if self._app.events.write(connection, event).deliveries:
                self._app.note_event(event.id)
                self._heard = True

    @override
    def written(self) -> None:
        if self._heard:
            self._app.wake_courier()


def events_of(task: Task) -> list[Event]:
    """What is told of a task that has just been accepted or has just ended; nothing of many kinds."""
    try:
        return [make(kind, facts, occurred_at=task.updated_at) for kind, facts in _told(task)]
    except Exception:  # a task must end, whatever can be told of it
        log.exception("event_not_made", task_id=task.id, kind=task.kind, status=task.status.value)
        return []


def _told(task: Task) -> Iterable[tuple[str, dict[str, Any]]]:
    if task.kind in _EXPORTS:
        return [_export(task), *_judged(task)]
    if task.kind in _DELIVERIES:
        return [_delivery(task), *_judged(task)]
    if task.kind in _CHECKS:
        return [_check(task)]
    if task.kind in GENERATING and task.status is Status.COMPLETED:
        return _generated(task)
    return ()


def _generated(task: Task) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each picture, sound and film that a workflow made, or the rows of a batch."""
    result = task.result or {}
    for run in result.get("items", [result]):
        for output in run.get("outputs", ()):
            kind = _MADE.get(output["kind"])
            if kind is not None:
                file = {name: output[name] for name in ("path", "size_bytes", "checksum", "media_type")}
                yield kind, {
                    "task_id": task.id, "project_path": task.request.get("project_path"), "metadata": _metadata(task),
                    "output": file, "shot_id": run.get("shot_id"), "workflow_id": run.get("workflow_id"),
                }  # fmt: skip


def _export(task: Task) -> tuple[str, dict[str, Any]]:
    facts: dict[str, Any] = {
        "task_id": task.id,
        "project_path": task.request["project_path"],
        "metadata": _metadata(task),
        "formats": _formats(task),
    }
    ending = _ENDINGS.get(task.status)
    if ending is None:
        return "export.started", facts
    facts["duration_ms"] = _duration_ms(task)
    if ending == "failed":
        return "export.failed", {**facts, "error": _error(task)}
    return "export.completed", {**facts, "outputs": list(_outputs(task.result or {}))}


def _delivery(task: Task) -> tuple[str, dict[str, Any]]:
    """A delivery as a pipeline: its parts are the steps."""
    facts: dict[str, Any] = {
        "task_id": task.id,
        "project_path": task.request["project_path"],
        "metadata": _metadata(task),
        "pipeline": f"deliver {task.request['template'].lower()}",
    }
    ending = _ENDINGS.get(task.status)
    if ending is None:
        return "pipeline.started", {**facts, "steps": parts_of(task.request)}
    facts["duration_ms"] = _duration_ms(task)
    if ending == "failed":
        step = (task.error or {}).get("details", {}).get("part", "")
        return "pipeline.failed", {**facts, "step": str(step)[:255], "error": _error(task)}
    result = task.result or {}
    made = [part["name"] for part in result["parts"] if part["state"] != "left_out"]
    return "pipeline.completed", {**facts, "steps": made, "outputs": list(_outputs(result))}


def _judged(task: Task) -> Iterator[tuple[str, dict[str, Any]]]:
    """What became of the gates of a preset, for each file that was made."""
    for made in (task.result or {}).get("outputs", ()) if task.status is Status.COMPLETED else ():
        gates = made.get("quality_gates", ())
        facts = {"task_id": task.id, "project_path": task.request["project_path"], "metadata": _metadata(task),
                 "subject": made["output_path"], "duration_ms": _duration_ms(task)}  # fmt: skip
        failed = [
            {"path": gate["figure"], "reason": "gate_failed", "message": gate["message"]}
            for gate in gates
            if not gate["passed"]
        ]
        if failed:
            yield "qa.failed", {**facts, "faults": _findings(failed), "fault_count": len(failed)}
        elif gates:
            yield "qa.completed", {**facts, "checked": len(gates)}


def _check(task: Task) -> tuple[str, dict[str, Any]]:
    facts: dict[str, Any] = {"task_id": task.id, "subject": task.request["package_path"]}
    ending = _ENDINGS.get(task.status)
    if ending is None:
        return "qa.started", facts
    facts["duration_ms"] = _duration_ms(task)
    if ending == "failed":
        return "qa.failed", {**facts, "error": _error(task)}
    result = task.result or {}
    if not result["valid"]:
        return "qa.failed", {**facts, "faults": _findings(result["faults"]), "fault_count": len(result["faults"])}
    return "qa.completed", {**facts, "checked": result["files_checked"], "warnings": _findings(result["warnings"])}


def _formats(task: Task) -> list[str]:
    """The formats that an export wrote, or was to write."""
    if task.kind == "storycore.export.package":
        return ["zip"]
    made = (task.result or {}).get("outputs", ())
    if made:
        return list(dict.fromkeys(output["target_format"] for output in made))
    return formats_of(task.request)


def _outputs(result: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "export_path" in result:
        yield {"path": result["export_path"], "size_bytes": result["package_size_bytes"],
               "checksum": result["checksum"], "media_type": "application/zip", "format": "zip"}  # fmt: skip
    for made in result.get("outputs", ()):
        yield {"path": made["output_path"], "size_bytes": made["output_size_bytes"], "checksum": made["checksum"],
               "media_type": made["media_type"], "format": made["target_format"]}  # fmt: skip


def _findings(faults: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"subject": it["path"][:_MOST_LETTERS], "reason": it["reason"], "message": it["message"][:_MOST_LETTERS]}
        for it in faults[:_MOST_FINDINGS]
    ]


def _error(task: Task) -> dict[str, Any]:
    error = task.error or {}
    return {
        "code": error.get("code", ""),
        "reason": error.get("details", {}).get("reason", ""),
        "message": error.get("message", "")[:_MOST_LETTERS],
        "remediation": error.get("remediation", "")[:_MOST_LETTERS],
    }


def _metadata(task: Task) -> dict[str, Any]:
    """The caller's own facts, if they are of a size that others can be told."""
    facts: dict[str, Any] = task.request.get("metadata", {})
    return facts if len(json.dumps(facts)) <= _MOST_METADATA else {}


def _duration_ms(task: Task) -> float:
    return round(max(0.0, (task.updated_at - task.created_at).total_seconds() * 1000), 3)
