"""What can be said of a webhook: where it is, what it hears, when it is tried again, how it is signed."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from storycore.events import OWN_TYPES, TYPES
from storycore.operations.request import Spelling, not_bool_or_text
from storycore.webhooks.endpoint import hears

WebhookId = Annotated[
    str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.-]+$", description="Id of the webhook."), Spelling()
]
PublicTypeName = Literal[
    "export.started", "export.completed", "export.failed", "qa.started", "qa.completed", "qa.failed",
    "pipeline.started", "pipeline.completed", "pipeline.failed", "image.generated", "audio.generated",
    "video.rendered",
]  # fmt: skip
EventTypeName = Literal[
    PublicTypeName, "webhook.warned", "webhook.disabled",
    "export.*", "qa.*", "pipeline.*", "image.*", "audio.*", "video.*", "webhook.*", "*",
]  # fmt: skip
EventTypes = Annotated[list[EventTypeName], Field(min_length=1, max_length=32), Spelling(("-e", "--event"))]
_LABEL = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_LAST = "[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_PORT = "(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3})"
_LETTER = r"([A-Za-z0-9._~!$&'()*+,;=:@/-]|%([2-689A-Fa-f][0-9A-Fa-f]|7[0-9A-Ea-e]))"
_OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_HOST = rf"(({_LABEL}\.){{0,3}}{_LAST}|({_OCTET}\.){{3}}{_OCTET})"
URL_PATTERN = rf"^https?://{_HOST}(:{_PORT})?(/{_LETTER}*)?(\?({_LETTER}|\?)*)?$"
"""URLs for the published schema; IPv6 addresses and names of many parts are taken too."""

Url = Annotated[str, Field(max_length=2048, json_schema_extra={"pattern": URL_PATTERN})]
OF_YOUR_OWN = "Your own secret: a text of 24 characters or more, or whsec_ and 24 to 64 bytes in base64."
OwnSecret = Annotated[
    str,
    Field(
        max_length=94,
        description=OF_YOUR_OWN,
        json_schema_extra={"minLength": 24},
    ),
    Spelling(secret=True),
]
_SECONDS: dict[str, Any] = {"type": "number", "exclusiveMinimum": 0, "maximum": 86400}
WHEN = "When to try again: max_retries (3) and retry_delay_seconds (5), which doubles, or delays_seconds."
Policy = Annotated[
    dict[str, Any],
    Field(
        description=WHEN,
        json_schema_extra={
            "additionalProperties": False,
            "properties": {
                "max_retries": {"type": "integer", "minimum": 0, "maximum": 50},
                "retry_delay_seconds": _SECONDS,
                "delays_seconds": {"type": "array", "maxItems": 50, "items": _SECONDS},
            },
            "dependentSchemas": {"delays_seconds": {"maxProperties": 1}},
        },
    ),
]
HEADERS = "Headers of your own for each message, Authorization for instance; kept sealed."
Headers = Annotated[
    dict[str, Any],
    Field(
        description=HEADERS,
        json_schema_extra={
            "propertyNames": {"pattern": "^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$"},
            "additionalProperties": {"type": "string", "pattern": "^[!-~]([\\t -~]{0,4094}[!-~])?$"},
            "maxProperties": 32,
        },
    ),
    Spelling(secret=True),
]
AtOnce = Annotated[int, Field(ge=1, le=1024, description="Most attempts at a time."), BeforeValidator(not_bool_or_text)]
PerMinute = Annotated[
    int,
    Field(ge=0, le=1_000_000, description="Most messages a minute; 0 sets no limit."),
    BeforeValidator(not_bool_or_text),
]


def types_of(wanted: Sequence[str]) -> list[str]:
    """The kinds of event that a list with `export.*` and `*` means."""
    return [kind for kind in (*TYPES, *OWN_TYPES) if hears(wanted, kind)]
