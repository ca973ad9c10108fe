"""The one form of answers, by HTTP and with `--json` alike."""

from datetime import datetime
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from storycore.errors import StoryCoreError
from storycore.operations.request import Result
from storycore.units import iso

API_VERSION: Final = "v1"


class Metadata(BaseModel):
    """Facts about the call itself."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    request_id: str = Field(description="Names this call in logs.")
    timestamp: str = Field(description="When the answer was made, ISO 8601, UTC.")
    duration_ms: float = Field(ge=0, description="How long the call took.")
    api_version: Literal["v1"] = Field(default=API_VERSION)


class ErrorBody(BaseModel):
    """What went wrong, and what to do about it."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    code: str = Field(description="Family of the error.")
    message: str = Field(description="What happened, in one sentence.")
    details: dict[str, Any] = Field(description="`reason`, a stable word; `errors`, faults of single fields.")
    remediation: str = Field(description="What to do.")


class Failure(BaseModel):
    """An answer with an error."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    status: Literal["error"]
    error: ErrorBody
    metadata: Metadata


def metadata(request_id: str, instant: datetime, duration_seconds: float) -> dict[str, Any]:
    """Facts about a call that ended at `instant`."""
    return {
        "request_id": request_id,
        "timestamp": iso(instant),
        "duration_ms": round(duration_seconds * 1000, 3),
        "api_version": API_VERSION,
    }


def success(result: Result | dict[str, Any], facts: dict[str, Any]) -> dict[str, Any]:
    """Envelope of a result, or of one that was kept as JSON."""
    data = result if isinstance(result, dict) else result.model_dump(mode="json")
    return {"status": "success", "data": data, "metadata": facts}


def pending(task: Result, facts: dict[str, Any]) -> dict[str, Any]:
    """Envelope of work that was accepted and goes on."""
    return {"status": "pending", "data": task.model_dump(mode="json"), "metadata": facts}


def failure(fault: StoryCoreError, facts: dict[str, Any]) -> dict[str, Any]:
    """Envelope of an error; `details` always has `reason` and `retryable`."""
    return {"status": "error", "error": fault.as_dict(), "metadata": facts}
