"""What StoryCore tells other systems: twelve kinds of event, each with a schema that stays as it is.

An event is a fact of the past. It has an id that never changes, however often it is sent, and a body that is made
once: `{"type", "timestamp", "data"}`. Beside the twelve there are two about webhooks themselves.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from storycore.errors import FieldFault, InvalidInput, Reason
from storycore.units import iso, now
from storycore.wording import explain

MOST_BYTES: Final = 256 * 1024
"""Largest body of an event; what is larger belongs behind a link."""


def _whole(value: object) -> object:
    """5.0 is a whole number, as JSON Schema says."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Count = Annotated[int, Field(ge=0), BeforeValidator(_whole)]
Size = Annotated[int, Field(ge=1), BeforeValidator(_whole)]


class Facts(BaseModel):
    """What every event tells."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)

    task_id: str | None = Field(default=None, max_length=64, description="The task that it is about.")
    project_path: str | None = Field(default=None, max_length=1024, description="Folder of the project, as named.")
    metadata: dict[str, Any] = Field(default={}, description="Facts of the publisher's own.")


class Fault(BaseModel):
    """What went wrong."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)

    code: str = Field(max_length=64, description="Family of the error.")
    reason: str = Field(max_length=64, description="Stable word; `cancelled` if somebody stopped it.")
    message: str = Field(max_length=2000, description="What happened, for people.")
    remediation: str = Field(default="", max_length=2000, description="What to do about it.")


class File(BaseModel):
    """A finished file; every figure was measured in it."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)

    path: str = Field(max_length=4096, description="Where it is.")
    size_bytes: Count = Field(description="Its size.")
    checksum: str = Field(default="", max_length=200, description="sha256: and 64 hex digits.")
    media_type: str = Field(default="", max_length=255, description="IANA media type.")
    format: str = Field(default="", max_length=64, description="Name of the format.")


class ExportStarted(Facts):
    """An export was accepted."""

    formats: list[str] = Field(default=[], description="What is to be made.")


class ExportCompleted(Facts):
    """An export is done; its files stand."""

    formats: list[str] = Field(default=[], description="What was made.")
    outputs: list[File] = Field(default=[], description="The finished files.")
    duration_ms: float | None = Field(default=None, ge=0, description="From acceptance to the end.")


class ExportFailed(Facts):
    """An export ended without a result; nothing of it was kept."""

    formats: list[str] = Field(default=[], description="What was to be made.")
    error: Fault
    duration_ms: float | None = Field(default=None, ge=0, description="From acceptance to the end.")


class QaStarted(Facts):
    """A check of quality was accepted."""

    subject: str = Field(max_length=4096, description="What is checked.")


class QaFinding(BaseModel):
    """One thing that a check found."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)

    subject: str = Field(default="", max_length=4096, description="Which part; empty for the whole.")
    reason: str = Field(max_length=64, description="Stable word.")
    message: str = Field(default="", max_length=2000, description="For people.")


class QaCompleted(Facts):
    """A check of quality was passed."""

    subject: str = Field(max_length=4096, description="What was checked.")
    checked: Count | None = Field(default=None, description="How many parts were looked at.")
    warnings: list[QaFinding] = Field(default=[], description="Odd, but not wrong; the first twenty.")
    duration_ms: float | None = Field(default=None, ge=0, description="From acceptance to the end.")


class QaFailed(Facts):
    """A check of quality was not passed, or could not be made."""

    subject: str = Field(max_length=4096, description="What was checked.")
    faults: list[QaFinding] = Field(default=[], description="What is wrong; the first twenty.")
    fault_count: Count | None = Field(default=None, description="How many faults there are in all.")
    error: Fault | None = Field(default=None, description="Why the check could not be made.")
    duration_ms: float | None = Field(default=None, ge=0, description="From acceptance to the end.")


class PipelineStarted(Facts):
    """A run of several steps has begun."""

    pipeline: str = Field(max_length=255, description="Which pipeline.")
    steps: list[str] = Field(default=[], description="What it will do.")


class PipelineCompleted(Facts):
    """A run of several steps is done."""

    pipeline: str = Field(max_length=255, description="Which pipeline.")
    steps: list[str] = Field(default=[], description="What it did.")
    outputs: list[File] = Field(default=[], description="The finished files.")
    duration_ms: float | None = Field(default=None, ge=0, description="How long it took.")


class PipelineFailed(Facts):
    """A run of several steps ended early."""

    pipeline: str = Field(max_length=255, description="Which pipeline.")
    step: str = Field(default="", max_length=255, description="Where it ended.")
    error: Fault
    duration_ms: float | None = Field(default=None, ge=0, description="How long it took.")


class ImageGenerated(Facts):
    """A picture was made."""

    output: File
    shot_id: str | None = Field(default=None, max_length=255, description="The shot that it belongs to.")
    width: Size | None = Field(default=None, description="In pixels.")
    height: Size | None = Field(default=None, description="In pixels.")
    workflow_id: str | None = Field(default=None, max_length=64, description="The run that made it.")


class AudioGenerated(Facts):
    """Sound was made."""

    output: File
    shot_id: str | None = Field(default=None, max_length=255, description="The shot that it belongs to.")
    duration_seconds: float | None = Field(default=None, ge=0, description="Its length.")
    sample_rate: Size | None = Field(default=None, description="In hertz.")
    channels: Size | None = Field(default=None, description="How many.")
    workflow_id: str | None = Field(default=None, max_length=64, description="The run that made it.")


class VideoRendered(Facts):
    """A moving picture was made."""

    output: File
    shot_id: str | None = Field(default=None, max_length=255, description="The shot that it belongs to.")
    duration_seconds: float | None = Field(default=None, ge=0, description="Its length.")
    width: Size | None = Field(default=None, description="In pixels.")
    height: Size | None = Field(default=None, description="In pixels.")
    frame_rate: str | None = Field(
        default=None, pattern=r"^[0-9]+(/[0-9]+)?$", description="As a fraction, 24000/1001."
    )
    workflow_id: str | None = Field(default=None, max_length=64, description="The run that made it.")


class WebhookState(BaseModel):
    """A webhook has failed for long."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)

    webhook_id: str = Field(description="Which one.")
    failing_since: str = Field(description="When its failures began, ISO 8601, UTC.")
    reason: Literal["failing", "gone"] = Field(description="failing: for days; gone: it answered 410.")


TYPES: Final[Mapping[str, type[Facts]]] = {
    "export.started": ExportStarted,
    "export.completed": ExportCompleted,
    "export.failed": ExportFailed,
    "qa.started": QaStarted,
    "qa.completed": QaCompleted,
    "qa.failed": QaFailed,
    "pipeline.started": PipelineStarted,
    "pipeline.completed": PipelineCompleted,
    "pipeline.failed": PipelineFailed,
    "image.generated": ImageGenerated,
    "audio.generated": AudioGenerated,
    "video.rendered": VideoRendered,
}
"""What webhooks can be registered for, and other parts of a pipeline can publish."""

OWN_TYPES: Final[Mapping[str, type[BaseModel]]] = {"webhook.warned": WebhookState, "webhook.disabled": WebhookState}
"""What is told of webhooks themselves; others can be registered for it too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One fact of the past.

    Attributes:
        id: the same for ever; receivers know by it what they have seen.
        type: which kind.
        occurred_at: when it happened.
        body: what is sent, as it is sent.
        key: of the publisher's own; an event of a known key is not written again. None for none.
    """

    id: str
    type: str
    occurred_at: datetime
    body: str
    key: str | None = None


def new_id() -> str:
    """An id that no other event has."""
    return f"evt_{secrets.token_hex(12)}"


def make(
    kind: str,
    data: Mapping[str, Any],
    *,
    occurred_at: datetime | None = None,
    key: str | None = None,
    public: bool = False,
) -> Event:
    """An event whose data keeps to the schema of its kind.

    Args:
        kind: which one.
        data: its facts.
        occurred_at: when it happened; now if None.
        key: of the publisher's own.
        public: whether only kinds are taken that others may publish.

    Raises:
        InvalidInput: unknown_value: there is no such kind; event_invalid: the data breaks its schema, or is too large.
    """
    model = TYPES.get(kind) or (None if public else OWN_TYPES.get(kind))
    if model is None:
        raise InvalidInput(
            f"There is no event {kind!r}.", reason=Reason.UNKNOWN_VALUE, details={"supported_events": sorted(TYPES)}
        )
    try:
        checked = model.model_validate(dict(data)).model_dump(mode="json", exclude_none=True)
    except ValidationError as fault:
        raise InvalidInput(
            f"This is no {kind} event: its data breaks the schema.",
            reason=Reason.EVENT_INVALID,
            errors=[
                FieldFault(
                    "/data/" + "/".join(map(str, it["loc"])),
                    Reason.EVENT_INVALID,
                    explain(it["type"], it.get("ctx", {}), it["msg"]),
                )
                for it in fault.errors(include_url=False)[:20]
            ],
        ) from None
    return wrap(kind, checked, occurred_at=occurred_at, key=key)


def wrap(kind: str, data: Mapping[str, Any], *, occurred_at: datetime | None = None, key: str | None = None) -> Event:
    """An event of data that nobody checks: what `trigger` and `ping` send.

    Raises:
        InvalidInput: event_invalid: it is not JSON, or too large.
    """
    instant = occurred_at or now()
    try:
        body = json.dumps(
            {"type": kind, "timestamp": iso(instant), "data": data},
            ensure_ascii=False, allow_nan=False, separators=(",", ":"),
        )  # fmt: skip
        size_bytes = len(body.encode())
    except (ValueError, TypeError, RecursionError):
        raise InvalidInput("The data of the event is not JSON.", reason=Reason.EVENT_INVALID) from None
    if size_bytes > MOST_BYTES:
        raise InvalidInput(f"The event is larger than {MOST_BYTES} bytes.", reason=Reason.EVENT_INVALID)
    return Event(id=new_id(), type=kind, occurred_at=instant, body=body, key=key)


def data_schema(kind: str) -> dict[str, Any]:
    """JSON Schema of the data of an event, with nothing outside of it."""
    model = TYPES.get(kind) or OWN_TYPES[kind]
    whole = model.model_json_schema()
    found: dict[str, Any] = _inlined(whole, whole.pop("$defs", {}))
    return found


def _inlined(part: Any, defs: Mapping[str, Any]) -> Any:
    if isinstance(part, dict):
        if "$ref" in part:
            return _inlined(defs[part["$ref"].rpartition("/")[2]], defs)
        return {name: _inlined(value, defs) for name, value in part.items()}
    return [_inlined(item, defs) for item in part] if isinstance(part, list) else part


def schema(kind: str) -> dict[str, Any]:
    """JSON Schema (2020-12) of the body of an event."""
    model = TYPES.get(kind) or OWN_TYPES[kind]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:storycore:event:{kind}",
        "title": kind,
        "description": (model.__doc__ or "").strip(),
        "type": "object",
        "properties": {
            "type": {"const": kind},
            "timestamp": {"type": "string", "format": "date-time", "description": "When it happened, UTC."},
            "data": data_schema(kind),
        },
        "required": ["type", "timestamp", "data"],
    }
