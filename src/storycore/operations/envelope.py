"""The one form of answers, by HTTP and with `--json` alike."""

from datetime import datetime
from typing import Any, Final

from storycore.errors import StoryCoreError
from storycore.operations.request import Result
from storycore.units import iso

API_VERSION: Final = "v1"


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
