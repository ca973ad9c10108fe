"""Every error a caller can meet, in one tree.

    StoryCoreError
    ├── InvalidInput          VALIDATION_ERROR         the request, a file or a path is not acceptable
    ├── NotAuthenticated      AUTHENTICATION_REQUIRED  who calls is not known
    ├── AccessDenied          AUTHORIZATION_DENIED     known, but not allowed
    ├── NotFound              NOT_FOUND                what was named is not there
    ├── Conflict              CONFLICT                 it clashes with how things stand
    │   └── Cancelled                                  the caller asked for it to stop
    ├── RateLimited           RATE_LIMIT_EXCEEDED      too many calls in too little time
    ├── DependencyFailed      DEPENDENCY_ERROR         something that we stand on failed
    ├── TimedOut              TIMEOUT                  it took longer than was allowed
    ├── Unavailable           SERVICE_UNAVAILABLE      not now: no room on the disk
    └── Unexpected            INTERNAL_ERROR           a fault of ours; never for bad input

Each error has a family (`code`), a stable `reason`, whether trying again can help, and a remediation that a
person can act on. `REASONS` is the whole list; the reference page is made from it. Each surface turns an error
into words in one place.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, ClassVar, NamedTuple


class Code(StrEnum):
    """Families of errors, as callers match on them."""

    VALIDATION_ERROR = "VALIDATION_ERROR"
    AUTHENTICATION_REQUIRED = "AUTHENTICATION_REQUIRED"
    AUTHORIZATION_DENIED = "AUTHORIZATION_DENIED"
    NOT_FOUND = "NOT_FOUND"
    CONFLICT = "CONFLICT"
    RATE_LIMIT_EXCEEDED = "RATE_LIMIT_EXCEEDED"
    DEPENDENCY_ERROR = "DEPENDENCY_ERROR"
    SERVICE_UNAVAILABLE = "SERVICE_UNAVAILABLE"
    TIMEOUT = "TIMEOUT"
    INTERNAL_ERROR = "INTERNAL_ERROR"


class Reason(StrEnum):
    """Why, in a word that stays the same between versions."""

    MISSING_FIELD = "missing_field"
    MALFORMED_JSON = "malformed_json"
    WRONG_TYPE = "wrong_type"
    UNKNOWN_FIELD = "unknown_field"
    DUPLICATE_KEY = "duplicate_key"
    OUT_OF_RANGE = "out_of_range"
    UNKNOWN_VALUE = "unknown_value"
    PATH_INVALID = "path_invalid"
    PROJECT_INVALID = "project_invalid"
    PROJECT_TOO_LARGE = "project_too_large"
    UNSUPPORTED_FORMAT = "unsupported_format"
    MEDIA_INVALID = "media_invalid"
    PACKAGE_INVALID = "package_invalid"
    PRESET_INVALID = "preset_invalid"
    TEMPLATE_INVALID = "template_invalid"
    WORKFLOW_INVALID = "workflow_invalid"
    SETTING_INVALID = "setting_invalid"
    BACKUP_INVALID = "backup_invalid"
    IDEMPOTENCY_KEY_INVALID = "idempotency_key_invalid"
    URL_INVALID = "url_invalid"
    SECRET_INVALID = "secret_invalid"  # noqa: S105 - a reason, not a secret
    HEADER_INVALID = "header_invalid"
    EVENT_INVALID = "event_invalid"
    EVENT_NOT_REGISTERED = "event_not_registered"
    WEBHOOK_INACTIVE = "webhook_inactive"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    BODY_TOO_LARGE = "body_too_large"
    BODY_TOO_SLOW = "body_too_slow"
    HEADERS_TOO_LARGE = "headers_too_large"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    HOST_NOT_ALLOWED = "host_not_allowed"
    RANGE_NOT_SATISFIABLE = "range_not_satisfiable"
    KEY_MISSING = "key_missing"
    KEY_INVALID = "key_invalid"
    SCOPE_MISSING = "scope_missing"
    PATH_OUTSIDE_ROOT = "path_outside_root"
    PERMISSION_DENIED = "permission_denied"
    CROSS_ORIGIN = "cross_origin"
    ADDRESS_FORBIDDEN = "address_forbidden"
    PROJECT_NOT_FOUND = "project_not_found"
    FILE_NOT_FOUND = "file_not_found"
    NOTHING_TO_EXPORT = "nothing_to_export"
    PRESET_NOT_FOUND = "preset_not_found"
    TEMPLATE_NOT_FOUND = "template_not_found"
    OPERATION_NOT_FOUND = "operation_not_found"
    TASK_NOT_FOUND = "task_not_found"
    ARTIFACT_NOT_FOUND = "artifact_not_found"
    KEY_NOT_FOUND = "key_not_found"
    BACKEND_NOT_FOUND = "backend_not_found"
    SHOT_NOT_FOUND = "shot_not_found"
    TAKE_NOT_FOUND = "take_not_found"
    WEBHOOK_NOT_FOUND = "webhook_not_found"
    DELIVERY_NOT_FOUND = "delivery_not_found"
    OUTPUT_EXISTS = "output_exists"
    SOURCE_CHANGED = "source_changed"
    CANCELLED = "cancelled"
    TASK_FINISHED = "task_finished"
    LEASE_LOST = "lease_lost"
    IDEMPOTENCY_MISMATCH = "idempotency_mismatch"
    IDEMPOTENCY_IN_PROGRESS = "idempotency_in_progress"
    PRECONDITION_FAILED = "precondition_failed"
    DATABASE_NOT_EMPTY = "database_not_empty"
    DELIVERY_BUSY = "delivery_busy"
    RATE_LIMITED = "rate_limited"
    LIBRARY_MISSING = "library_missing"
    ENCODER_MISSING = "encoder_missing"
    ENCODER_FAILED = "encoder_failed"
    TYPESETTER_FAILED = "typesetter_failed"
    STORE_UNAVAILABLE = "store_unavailable"
    SERVER_UNREACHABLE = "server_unreachable"
    COMFYUI_NOT_CONNECTED = "comfyui_not_connected"
    COMFYUI_REJECTED = "comfyui_rejected"
    COMFYUI_FAILED = "comfyui_failed"
    COMFYUI_LOST = "comfyui_lost"
    COMFYUI_STOPPED = "comfyui_stopped"
    GENERATED_TOO_LARGE = "generated_too_large"
    TIMED_OUT = "timed_out"
    DISK_FULL = "disk_full"
    DATABASE_UNAVAILABLE = "database_unavailable"
    DATABASE_NEWER = "database_newer"
    SEALING_KEY_UNUSABLE = "sealing_key_unusable"
    SIGNING_KEY_UNUSABLE = "signing_key_unusable"
    SIGNING_FAILED = "signing_failed"
    DRAINING = "draining"
    POISONED = "poisoned"
    INTERRUPTED = "interrupted"
    UNEXPECTED = "unexpected"


class ReasonFacts(NamedTuple):
    """What a reason means on every surface.

    Attributes:
        code: its family.
        http_status: the status of an HTTP answer.
        exit_code: the exit code of the command line.
        retryable: whether the same call can succeed later without a change by the caller.
        remediation: what to do, unless the place that raises knows better.
    """

    code: Code
    http_status: int
    exit_code: int
    retryable: bool
    remediation: str


def _invalid(remediation: str, *, http_status: int = 400) -> ReasonFacts:
    return ReasonFacts(Code.VALIDATION_ERROR, http_status, 2, retryable=False, remediation=remediation)


REASONS: Mapping[Reason, ReasonFacts] = {
    Reason.MISSING_FIELD: _invalid("Give the fields listed in details.missing_fields."),
    Reason.MALFORMED_JSON: _invalid("Send one JSON object in UTF-8, without NaN, Infinity or huge exponents."),
    Reason.WRONG_TYPE: _invalid("Give the value in the type that the reference names."),
    Reason.UNKNOWN_FIELD: _invalid("Remove the field, or correct its name."),
    Reason.DUPLICATE_KEY: _invalid("Give each key once."),
    Reason.OUT_OF_RANGE: _invalid("Choose a value inside the range that the message names."),
    Reason.UNKNOWN_VALUE: _invalid("Choose one of the values that the message names."),
    Reason.PATH_INVALID: _invalid(
        "Use a plain path without control characters, ~, $, %, drive letters or URLs; "
        "a folder with such a name can be reached by working inside it."
    ),
    Reason.PROJECT_INVALID: _invalid("Repair project.json at the place named, or restore it from a backup."),
    Reason.PROJECT_TOO_LARGE: _invalid("Split the project, or raise the limit named in the message."),
    Reason.UNSUPPORTED_FORMAT: _invalid("Choose one of details.supported_formats."),
    Reason.MEDIA_INVALID: _invalid("Replace the file that the message names, or convert it to a common format."),
    Reason.PACKAGE_INVALID: _invalid("`storycore export verify` tells all that is wrong with it."),
    Reason.PRESET_INVALID: _invalid("Correct the preset file at the place that the message names."),
    Reason.TEMPLATE_INVALID: _invalid("Repair the template where details.where points, or leave it out."),
    Reason.WORKFLOW_INVALID: _invalid("Repair the workflow where details.findings point, then send it again."),
    Reason.SETTING_INVALID: _invalid("Correct the setting, in the place that the message names."),
    Reason.BACKUP_INVALID: _invalid("Name a file that `storycore backup` made, and that nobody changed."),
    Reason.IDEMPOTENCY_KEY_INVALID: _invalid("Send another Idempotency-Key, or none."),
    Reason.URL_INVALID: _invalid("Give a URL of the form https://host/path, in ASCII, without user name or fragment."),
    Reason.SECRET_INVALID: _invalid(
        "Give a text of 24 characters or more, or whsec_ and 24 to 64 bytes in base64; or none."
    ),
    Reason.HEADER_INVALID: _invalid("Leave out headers that are StoryCore's to set, and odd characters."),
    Reason.EVENT_INVALID: _invalid("Give the data that the schema of the event asks for; docs/reference/events.md."),
    Reason.EVENT_NOT_REGISTERED: _invalid("Choose an event that the webhook is registered for, or register it."),
    Reason.WEBHOOK_INACTIVE: _invalid("Activate the webhook with webhook.update, or use test_mode."),
    Reason.METHOD_NOT_ALLOWED: _invalid("Use the method named in the Allow header.", http_status=405),
    Reason.BODY_TOO_LARGE: _invalid("Send a smaller body, or raise max_body_bytes.", http_status=413),
    Reason.BODY_TOO_SLOW: _invalid("Send the body without pauses, or over a faster network.", http_status=408),
    Reason.HEADERS_TOO_LARGE: _invalid("Send fewer and shorter headers.", http_status=431),
    Reason.UNSUPPORTED_MEDIA_TYPE: _invalid("Send the body as application/json.", http_status=415),
    Reason.HOST_NOT_ALLOWED: _invalid(
        "Call the server by a name it knows, or add this name to allowed_hosts.", http_status=421
    ),
    Reason.RANGE_NOT_SATISFIABLE: _invalid(
        "Ask for a range inside the size that the Content-Range header names.", http_status=416
    ),
    Reason.KEY_MISSING: ReasonFacts(
        Code.AUTHENTICATION_REQUIRED,
        401,
        4,
        retryable=False,
        remediation="Send `Authorization: Bearer` and a key; `storycore key create` makes one.",
    ),
    Reason.KEY_INVALID: ReasonFacts(
        Code.AUTHENTICATION_REQUIRED,
        401,
        4,
        retryable=False,
        remediation="Use another key; `storycore key list` tells which ones are usable.",
    ),
    Reason.SCOPE_MISSING: ReasonFacts(
        Code.AUTHORIZATION_DENIED,
        403,
        4,
        retryable=False,
        remediation="Use a key that has the scope which details.scope names.",
    ),
    Reason.PATH_OUTSIDE_ROOT: ReasonFacts(
        Code.AUTHORIZATION_DENIED,
        403,
        4,
        retryable=False,
        remediation="Use a path inside a configured root, or add its folder to STORYCORE_ROOTS.",
    ),
    Reason.PERMISSION_DENIED: ReasonFacts(
        Code.AUTHORIZATION_DENIED,
        403,
        4,
        retryable=False,
        remediation="Choose another folder, or give StoryCore the right to use this one.",
    ),
    Reason.CROSS_ORIGIN: ReasonFacts(
        Code.AUTHORIZATION_DENIED,
        403,
        4,
        retryable=False,
        remediation="Call from a page of this server, or from a program that sends no Origin header.",
    ),
    Reason.ADDRESS_FORBIDDEN: ReasonFacts(
        Code.AUTHORIZATION_DENIED,
        403,
        4,
        retryable=False,
        remediation="Use a public address, or open this one by host and port in STORYCORE_WEBHOOK_ALLOW.",
    ),
    Reason.PROJECT_NOT_FOUND: ReasonFacts(
        Code.NOT_FOUND,
        404,
        3,
        retryable=False,
        remediation="Check the path, or see which projects there are with `storycore project list`.",
    ),
    Reason.FILE_NOT_FOUND: ReasonFacts(
        Code.NOT_FOUND,
        404,
        3,
        retryable=False,
        remediation="Check the path.",
    ),
    Reason.NOTHING_TO_EXPORT: ReasonFacts(
        Code.NOT_FOUND,
        404,
        3,
        retryable=False,
        remediation="Add what is missing, or leave out `strict`.",
    ),
    Reason.PRESET_NOT_FOUND: ReasonFacts(
        Code.NOT_FOUND,
        404,
        3,
        retryable=False,
        remediation="Choose one that `storycore export presets` lists.",
    ),
    Reason.TEMPLATE_NOT_FOUND: ReasonFacts(
        Code.NOT_FOUND,
        404,
        3,
        retryable=False,
        remediation="Choose one that `storycore export presets` lists.",
    ),
    Reason.OPERATION_NOT_FOUND: ReasonFacts(
        Code.NOT_FOUND,
        404,
        3,
        retryable=False,
        remediation="See /openapi.json for the operations there are.",
    ),
    Reason.TASK_NOT_FOUND: ReasonFacts(
        Code.NOT_FOUND,
        404,
        3,
        retryable=False,
        remediation="Check the id, or see which tasks there are with `storycore task list`.",
    ),
    Reason.ARTIFACT_NOT_FOUND: ReasonFacts(
        Code.NOT_FOUND,
        404,
        3,
        retryable=False,
        remediation="Make it again, if the file was moved, changed or removed; `storycore artifact list` tells all.",
    ),
    Reason.KEY_NOT_FOUND: ReasonFacts(
        Code.NOT_FOUND,
        404,
        3,
        retryable=False,
        remediation="See which keys there are with `storycore key list`.",
    ),
    Reason.WEBHOOK_NOT_FOUND: ReasonFacts(
        Code.NOT_FOUND,
        404,
        3,
        retryable=False,
        remediation="See which webhooks there are with `storycore webhook list`.",
    ),
    Reason.DELIVERY_NOT_FOUND: ReasonFacts(
        Code.NOT_FOUND,
        404,
        3,
        retryable=False,
        remediation="See which deliveries there are with `storycore webhook deliveries`.",
    ),
    Reason.BACKEND_NOT_FOUND: ReasonFacts(
        Code.NOT_FOUND,
        404,
        3,
        retryable=False,
        remediation="See which servers there are with `storycore comfyui backends`.",
    ),
    Reason.SHOT_NOT_FOUND: ReasonFacts(
        Code.NOT_FOUND,
        404,
        3,
        retryable=False,
        remediation="See which shots there are with `storycore project inspect`.",
    ),
    Reason.TAKE_NOT_FOUND: ReasonFacts(
        Code.NOT_FOUND,
        404,
        3,
        retryable=False,
        remediation="Choose one of details.takes, or generate the shot first.",
    ),
    Reason.OUTPUT_EXISTS: ReasonFacts(
        Code.CONFLICT,
        409,
        5,
        retryable=False,
        remediation="Choose another output path, or move the file away.",
    ),
    Reason.SOURCE_CHANGED: ReasonFacts(
        Code.CONFLICT,
        409,
        5,
        retryable=True,
        remediation="Wait until nothing writes to the project any more, then try again.",
    ),
    Reason.CANCELLED: ReasonFacts(
        Code.CONFLICT,
        409,
        130,
        retryable=True,
        remediation="Start it again when you want it.",
    ),
    Reason.TASK_FINISHED: ReasonFacts(
        Code.CONFLICT,
        409,
        5,
        retryable=False,
        remediation="Nothing is left to stop; see what came of it with `storycore task status`.",
    ),
    Reason.LEASE_LOST: ReasonFacts(
        Code.CONFLICT,
        409,
        5,
        retryable=True,
        remediation="Look at the task: another process goes on with it.",
    ),
    Reason.IDEMPOTENCY_MISMATCH: ReasonFacts(
        Code.CONFLICT,
        409,
        5,
        retryable=False,
        remediation="Use a new Idempotency-Key for another request.",
    ),
    Reason.IDEMPOTENCY_IN_PROGRESS: ReasonFacts(
        Code.CONFLICT,
        409,
        5,
        retryable=True,
        remediation="Wait for the first call with this Idempotency-Key to end, then send it again.",
    ),
    Reason.DATABASE_NOT_EMPTY: ReasonFacts(
        Code.CONFLICT,
        409,
        5,
        retryable=False,
        remediation="Name an empty database with STORYCORE_DATABASE_URL, or move the old one away.",
    ),
    Reason.PRECONDITION_FAILED: ReasonFacts(
        Code.CONFLICT,
        412,
        5,
        retryable=False,
        remediation="Fetch it anew, without If-Match.",
    ),
    Reason.DELIVERY_BUSY: ReasonFacts(
        Code.CONFLICT,
        409,
        5,
        retryable=True,
        remediation="Wait for the attempt that is being made, then look at the delivery again.",
    ),
    Reason.RATE_LIMITED: ReasonFacts(
        Code.RATE_LIMIT_EXCEEDED,
        429,
        6,
        retryable=True,
        remediation="Wait as long as the Retry-After header says; rate_limit_per_minute sets the limit.",
    ),
    Reason.LIBRARY_MISSING: ReasonFacts(
        Code.DEPENDENCY_ERROR,
        502,
        6,
        retryable=False,
        remediation="Install the extra that the message names.",
    ),
    Reason.ENCODER_MISSING: ReasonFacts(
        Code.DEPENDENCY_ERROR,
        502,
        6,
        retryable=False,
        remediation="Install imageio-ffmpeg, or name an ffmpeg with STORYCORE_FFMPEG.",
    ),
    Reason.ENCODER_FAILED: ReasonFacts(
        Code.DEPENDENCY_ERROR,
        502,
        6,
        retryable=True,
        remediation="Try again; if it fails the same way, report it with details.encoder_log.",
    ),
    Reason.TYPESETTER_FAILED: ReasonFacts(
        Code.DEPENDENCY_ERROR,
        502,
        6,
        retryable=True,
        remediation="Try again; if it fails the same way, report it with details.log.",
    ),
    Reason.SERVER_UNREACHABLE: ReasonFacts(
        Code.DEPENDENCY_ERROR,
        502,
        6,
        retryable=True,
        remediation="Start it with `storycore serve`, or correct --server.",
    ),
    Reason.STORE_UNAVAILABLE: ReasonFacts(
        Code.DEPENDENCY_ERROR,
        502,
        6,
        retryable=True,
        remediation="Look whether the store answers and the credentials are right: `storycore doctor`.",
    ),
    Reason.COMFYUI_NOT_CONNECTED: ReasonFacts(
        Code.DEPENDENCY_ERROR,
        502,
        6,
        retryable=True,
        remediation="Start ComfyUI, then connect: `storycore comfyui connect`.",
    ),
    Reason.COMFYUI_REJECTED: ReasonFacts(
        Code.DEPENDENCY_ERROR,
        502,
        6,
        retryable=False,
        remediation="Repair the workflow where details.node_errors point, then send it again.",
    ),
    Reason.COMFYUI_FAILED: ReasonFacts(
        Code.DEPENDENCY_ERROR,
        502,
        6,
        retryable=False,
        remediation="Look at the node that details name; details.output_paths has what was made before.",
    ),
    Reason.COMFYUI_LOST: ReasonFacts(
        Code.DEPENDENCY_ERROR,
        502,
        6,
        retryable=True,
        remediation="Look in the log of the ComfyUI server for why it ended, then start the workflow again.",
    ),
    Reason.GENERATED_TOO_LARGE: ReasonFacts(
        Code.DEPENDENCY_ERROR,
        502,
        6,
        retryable=False,
        remediation="Let the workflow make less, or raise STORYCORE_MAX_GENERATED_BYTES.",
    ),
    Reason.COMFYUI_STOPPED: ReasonFacts(
        Code.DEPENDENCY_ERROR,
        502,
        6,
        retryable=True,
        remediation="Somebody stopped it at the ComfyUI server; start it again when you want it.",
    ),
    Reason.TIMED_OUT: ReasonFacts(
        Code.TIMEOUT,
        504,
        7,
        retryable=True,
        remediation="Allow it more time, or make the work smaller.",
    ),
    Reason.DISK_FULL: ReasonFacts(
        Code.SERVICE_UNAVAILABLE,
        503,
        8,
        retryable=True,
        remediation="Free some space, or write to another disk, then try again.",
    ),
    Reason.DATABASE_UNAVAILABLE: ReasonFacts(
        Code.SERVICE_UNAVAILABLE,
        503,
        6,
        retryable=True,
        remediation="Start the database, or correct STORYCORE_DATABASE_URL, then try again.",
    ),
    Reason.DATABASE_NEWER: ReasonFacts(
        Code.SERVICE_UNAVAILABLE,
        503,
        6,
        retryable=False,
        remediation="Install the newer version of StoryCore again, or restore a backup made before it.",
    ),
    Reason.SIGNING_KEY_UNUSABLE: ReasonFacts(
        Code.SERVICE_UNAVAILABLE,
        503,
        6,
        retryable=False,
        remediation="See that the file can be read and its folder written, or set STORYCORE_SIGNING_KEY_FILE.",
    ),
    Reason.SIGNING_FAILED: ReasonFacts(
        Code.DEPENDENCY_ERROR,
        502,
        6,
        retryable=False,
        remediation="Look at the key and the certificate that sign, or leave credentials out with credentials=never.",
    ),
    Reason.SEALING_KEY_UNUSABLE: ReasonFacts(
        Code.SERVICE_UNAVAILABLE,
        503,
        6,
        retryable=False,
        remediation="Put the key file back beside the database, or set STORYCORE_SECRET_KEY to the key it held.",
    ),
    Reason.DRAINING: ReasonFacts(
        Code.SERVICE_UNAVAILABLE,
        503,
        6,
        retryable=True,
        remediation="Try again when the server has started anew.",
    ),
    Reason.POISONED: ReasonFacts(
        Code.INTERNAL_ERROR,
        500,
        1,
        retryable=False,
        remediation="Look in the log for what ended the processes that tried it, and mend that first.",
    ),
    Reason.INTERRUPTED: ReasonFacts(
        Code.INTERNAL_ERROR,
        500,
        1,
        retryable=True,
        remediation="Start it again; nothing of it was kept.",
    ),
    Reason.UNEXPECTED: ReasonFacts(
        Code.INTERNAL_ERROR,
        500,
        1,
        retryable=True,
        remediation="Look up the request id in the log, and report it with what the log says.",
    ),
}


class FieldFault(NamedTuple):
    """One thing that is wrong with one field.

    Attributes:
        pointer: JSON Pointer to the field (RFC 6901), `""` for the whole.
        reason: why.
        message: what is wrong, for people.
    """

    pointer: str
    reason: Reason
    message: str


class StoryCoreError(Exception):
    """What every error of StoryCore is.

    Attributes:
        reason: stable word, key into `REASONS`.
        errors: faults of single fields, may be empty.
        details: more facts for machines; holds nothing that the caller may not see.
        remediation: what a person can do about it.
    """

    default: ClassVar[Reason] = Reason.UNEXPECTED

    def __init__(
        self,
        message: str,
        *,
        reason: Reason | None = None,
        remediation: str | None = None,
        errors: Sequence[FieldFault] = (),
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason or self.default
        self.remediation = remediation or REASONS[self.reason].remediation
        self.errors = tuple(errors)
        self.details = dict(details or {})

    @property
    def facts(self) -> ReasonFacts:
        """What the reason means on every surface."""
        return REASONS[self.reason]

    @property
    def code(self) -> Code:
        """Family of the error."""
        return self.facts.code

    def as_dict(self) -> dict[str, Any]:
        """The error in words and facts, as every surface shows it; `details` always has `reason` and `retryable`."""
        details: dict[str, Any] = {"reason": self.reason.value, "retryable": self.facts.retryable, **self.details}
        if self.errors:
            details["errors"] = [
                {"pointer": item.pointer, "reason": item.reason.value, "message": item.message} for item in self.errors
            ]
        return {
            "code": self.code.value,
            "message": self.message,
            "details": details,
            "remediation": self.remediation,
        }


class InvalidInput(StoryCoreError):
    """The request, a file or a path is not acceptable."""

    default = Reason.WRONG_TYPE


class NotAuthenticated(StoryCoreError):
    """Who calls is not known."""

    default = Reason.KEY_MISSING


class AccessDenied(StoryCoreError):
    """The caller is not allowed to do this here."""

    default = Reason.PERMISSION_DENIED


class NotFound(StoryCoreError):
    """What was named is not there."""

    default = Reason.FILE_NOT_FOUND


class Conflict(StoryCoreError):
    """It clashes with how things stand."""

    default = Reason.OUTPUT_EXISTS


class Cancelled(Conflict):
    """The caller asked for it to stop; nothing of it is left."""

    default = Reason.CANCELLED


class RateLimited(StoryCoreError):
    """Too many calls in too little time; `details.retry_after_seconds` says how long to wait."""

    default = Reason.RATE_LIMITED


class DependencyFailed(StoryCoreError):
    """Something that StoryCore stands on failed or is not installed."""

    default = Reason.LIBRARY_MISSING


class TimedOut(StoryCoreError):
    """It took longer than was allowed."""

    default = Reason.TIMED_OUT


class Unavailable(StoryCoreError):
    """Not now."""

    default = Reason.DISK_FULL


class Unexpected(StoryCoreError):
    """A fault of ours."""


def from_dict(told: Mapping[str, Any]) -> StoryCoreError:
    """The error that `as_dict` told of; one of a reason that this version does not know becomes an `Unexpected`."""
    details = dict(told["details"])
    errors = [FieldFault(it["pointer"], Reason(it["reason"]), it["message"]) for it in details.pop("errors", ())]
    details.pop("retryable", None)
    try:
        reason = Reason(details.pop("reason", ""))
    except ValueError:
        reason = Reason.UNEXPECTED
    family = Cancelled if reason is Reason.CANCELLED else _FAMILIES[REASONS[reason].code]
    return family(told["message"], reason=reason, remediation=told["remediation"], errors=errors, details=details)


_FAMILIES: Mapping[Code, type[StoryCoreError]] = {
    Code.VALIDATION_ERROR: InvalidInput,
    Code.AUTHENTICATION_REQUIRED: NotAuthenticated,
    Code.AUTHORIZATION_DENIED: AccessDenied,
    Code.NOT_FOUND: NotFound,
    Code.CONFLICT: Conflict,
    Code.RATE_LIMIT_EXCEEDED: RateLimited,
    Code.DEPENDENCY_ERROR: DependencyFailed,
    Code.TIMEOUT: TimedOut,
    Code.SERVICE_UNAVAILABLE: Unavailable,
    Code.INTERNAL_ERROR: Unexpected,
}
