"""The form of answers, as the document describes it; `operations.envelope` makes them."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from storycore.operations.envelope import API_VERSION


class Metadata(BaseModel):
    """Facts about the call itself."""

    model_config = ConfigDict(extra="forbid")

    request_id: str = Field(description="Names this call in logs.")
    timestamp: str = Field(description="When the answer was made, ISO 8601, UTC.")
    duration_ms: float = Field(ge=0, description="How long the call took.")
    api_version: Literal["v1"] = API_VERSION


class ErrorBody(BaseModel):
    """What went wrong, and what to do about it."""

    model_config = ConfigDict(extra="forbid")

    code: str = Field(description="Family of the error.")
    message: str = Field(description="What happened, in one sentence.")
    details: dict[str, Any] = Field(description="`reason`, a stable word; `errors`, faults of single fields.")
    remediation: str = Field(description="What to do.")


class Failure(BaseModel):
    """An answer with an error."""

    model_config = ConfigDict(extra="forbid")

    status: Literal["error"]
    error: ErrorBody
    metadata: Metadata
