"""What every operation shares: its request knows the type of its result, and refuses what it does not know."""

import difflib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Annotated, Any, Generic, NamedTuple, TypeVar, cast, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticCustomError

from storycore.errors import FieldFault, InvalidInput, Reason
from storycore.project.model import ProjectWarning
from storycore.project.paths import check_text, check_url, is_text
from storycore.storage.place import names_store
from storycore.wording import explain

_TOO_LARGE = 10**4000
"""As for numbers in the body of a request, see `storycore.json_text`."""


class Made(NamedTuple):
    """A finished file that a result tells of; measured."""

    path: str
    size_bytes: int
    checksum: str
    media_type: str


class Result(BaseModel):
    """What an operation answers with."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    def artifacts(self) -> "list[Made]":
        """The files that were made, and that stay."""
        return []

    @property
    def verdict(self) -> bool:
        """False when the operation worked but its finding is a failure; the command line then exits with 1."""
        return True


class WarningEntry(Result):
    """Something odd that did not stop the operation."""

    file: str = Field(description="Which file, relative to the project.")
    pointer: str = Field(description="JSON Pointer into the file.")
    reason: str = Field(description="Stable word.")
    message: str = Field(description="For people.")


def warning_entries(warnings: Iterable[ProjectWarning]) -> list[WarningEntry]:
    """Warnings as results tell them."""
    return [
        WarningEntry(file=odd.file, pointer=odd.pointer, reason=odd.reason, message=odd.message) for odd in warnings
    ]


R = TypeVar("R", bound=Result)


class Request(BaseModel, Generic[R]):
    """A request of an operation that answers with `R`.

    Unknown fields are refused, texts and flags are never taken for numbers, and everything wrong is told at once.

    Raises:
        InvalidInput: with one `FieldFault` for each thing that is wrong.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", str_max_length=65_536, defer_build=True)

    def __init__(self, /, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as fault:
            raise _as_invalid_input(fault, type(self).model_fields) from None

    @classmethod
    def result_type(cls) -> type[R]:
        """The result type that this request type names."""
        for parent in cls.__mro__:
            arguments = getattr(parent, "__pydantic_generic_metadata__", {}).get("args", ())
            if arguments:
                return cast("type[R]", arguments[0])
        raise TypeError(f"{cls.__name__} names no result")


def not_bool_or_text(value: object) -> object:
    """The value, unless it only looks like a number."""
    if isinstance(value, (bool, str, bytes)):
        raise ValueError("a whole number is needed")  # noqa: TRY004 - pydantic reports ValueError
    return value


def _number(value: object) -> object:
    if isinstance(value, (bool, str, bytes)):
        raise ValueError("a number is needed")  # noqa: TRY004 - pydantic reports ValueError
    return value


def _real_bool(value: object) -> object:
    if not isinstance(value, bool):
        raise ValueError("true or false is needed")  # noqa: TRY004 - pydantic reports ValueError
    return value


def finite(value: object, depth: int = 0) -> object:
    """The value, if it is JSON as a server takes it: no NaN, no infinity, nothing that JSON has no word for.

    A number has at most 4,000 digits, text is Unicode, and nothing is nested without end.
    """
    if depth > 64:
        raise ValueError("nested more than 64 levels deep")
    fault = _json_fault(value)
    if fault:
        raise ValueError(fault)
    children: Iterable[object] = ()
    if isinstance(value, dict):
        children = (*value, *value.values())
    elif isinstance(value, (list, tuple)):
        children = value
    for child in children:
        finite(child, depth + 1)
    return value


def _json_fault(value: object) -> str:
    """Why one value by itself is not JSON, or ""."""
    if isinstance(value, float):
        return "" if math.isfinite(value) else "NaN and infinity are not JSON"
    if isinstance(value, str):
        return "" if is_text(value) else "half of a surrogate pair is not text"
    if isinstance(value, int):
        return "" if abs(value) < _TOO_LARGE else "a number has at most 4000 digits"
    if isinstance(value, dict):
        return "" if all(isinstance(key, str) for key in value) else "a key of an object is text"
    return "" if value is None or isinstance(value, (list, tuple)) else f"{type(value).__name__} is not a kind of JSON"


def _harmless(value: object) -> object:
    if isinstance(value, PurePath):  # what Python's users hold in their hands
        value = str(value)
    if isinstance(value, (bytes, bytearray)):
        raise ValueError("text is needed")  # noqa: TRY004 - pydantic reports ValueError
    if isinstance(value, str):
        try:
            check_text(value)
        except InvalidInput as fault:
            raise PydanticCustomError("path_invalid", "{text}", {"text": fault.message}) from None
    return value


def _harmless_or_stored(value: object) -> object:
    if not isinstance(value, str) or not names_store(value):
        return _harmless(value)
    try:
        check_url(value)
    except InvalidInput as fault:
        raise PydanticCustomError("path_invalid", "{text}", {"text": fault.message}) from None
    return value


@dataclass(frozen=True)
class Spelling:
    """How a field is spelled on the command line, where `--field-name` is not enough.

    Attributes:
        flags: more option names, `("-o", "--output")`; empty for a positional argument.
        reader: `module:function` that reads the value from the file which the argument names, or "".
        secret: whether the option names a file that holds the value, `-` for the standard input: what stands on a
            command line others can see.
    """

    flags: tuple[str, ...] = ()
    reader: str = ""
    secret: bool = False


_LETTER = r"[^\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069$%~:/\\]"
_FIRST = r"[^\u0000-\u0020\u007f-\u00a0\u061c\u1680\u2000-\u200f\u2028-\u202f\u205f-\u2069\u3000$%~:/\\]"
_NAME = f"{_FIRST}{_LETTER}{{0,254}}"
_PATH_SCHEMA = {"pattern": f"^/?{_NAME}(/{_NAME})*/?$"}
"""Paths that are fine on every system, for the published schema; `check_text` takes a few odd ones too."""

_STORED_SCHEMA = {
    "anyOf": [
        _PATH_SCHEMA,
        {"pattern": r"^(s3|az|gs)://[a-z0-9][a-z0-9-]{1,61}[a-z0-9](/[A-Za-z0-9_-][A-Za-z0-9._-]{0,199})*$"},
    ]
}

Whole = Annotated[int, BeforeValidator(not_bool_or_text)]
"""A whole number; `5.0` is one, as JSON Schema says, `true` and `"5"` are not."""

Flag = Annotated[bool, BeforeValidator(_real_bool)]
"""true or false and nothing that looks like it."""

Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False), BeforeValidator(_number)]
"""A time span."""

PathText = Annotated[
    str, Field(min_length=1, max_length=1024, json_schema_extra=_PATH_SCHEMA), BeforeValidator(_harmless)
]
"""A path whose text is harmless on every system."""

ProjectPath = Annotated[PathText, Spelling()]
"""Folder of a project."""

OutputPath = Annotated[PathText, Spelling(("-o", "--output"))]
"""Folder, or file name with the format's suffix, for the result."""

StoredPathText = Annotated[
    str, Field(min_length=1, max_length=1024, json_schema_extra=_STORED_SCHEMA), BeforeValidator(_harmless_or_stored)
]
"""A path, or a place in an object store: `s3://bucket/folder/film.zip`, `az://…`, `gs://…`."""

OutputPlace = Annotated[StoredPathText, Spelling(("-o", "--output"))]
"""As OutputPath, or a place in an object store."""

Facts = Annotated[dict[str, Any], BeforeValidator(finite)]
"""A JSON object of the caller's own."""


def _as_invalid_input(fault: ValidationError, fields: Mapping[str, FieldInfo]) -> InvalidInput:
    found: dict[str, FieldFault] = {}
    for item in fault.errors(include_url=False):
        told = _field_fault(item, fields)
        found.setdefault(told.pointer, told)  # each kind of a union complains; the first says enough
    faults = list(found.values())
    missing = [item.pointer[1:] for item in faults if item.reason is Reason.MISSING_FIELD]
    details = {"missing_fields": missing} if missing else {}
    first = faults[0]
    name = first.pointer.lstrip("/").replace("/", ".") or "request"
    more = f" ({len(faults) - 1} more in details.errors)" if len(faults) > 1 else ""
    return InvalidInput(f"{name}: {first.message}{more}", reason=first.reason, errors=faults, details=details)


_NOWHERE = "; what this operation has to say is its answer, and is written nowhere"
"""Many take `output_path`: who gives it to one of the others learns why it does not."""

_REASONS = {
    "extra_forbidden": Reason.UNKNOWN_FIELD,
    "path_invalid": Reason.PATH_INVALID,
    "greater_than_equal": Reason.OUT_OF_RANGE,
    "less_than_equal": Reason.OUT_OF_RANGE,
    "greater_than": Reason.OUT_OF_RANGE,
    "string_too_long": Reason.OUT_OF_RANGE,
    "string_too_short": Reason.OUT_OF_RANGE,
    "string_pattern_mismatch": Reason.OUT_OF_RANGE,
    "too_long": Reason.OUT_OF_RANGE,
    "too_short": Reason.OUT_OF_RANGE,
    "literal_error": Reason.UNKNOWN_VALUE,
}


def _field_fault(item: ErrorDetails, fields: Mapping[str, FieldInfo]) -> FieldFault:
    name = str(item["loc"][0]) if item["loc"] else ""
    places = [name, *(str(part) for part in item["loc"][1:] if isinstance(part, int))]
    pointer = "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in places if name)
    required = name in fields and fields[name].is_required()
    if item["type"] == "missing" or (item["input"] is None and required):
        return FieldFault(pointer, Reason.MISSING_FIELD, "is needed")
    message = explain(item["type"], item.get("ctx", {}), item["msg"])
    if item["type"] == "extra_forbidden":
        near = difflib.get_close_matches(name, fields, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        message = f"there is no such field{_NOWHERE if name == 'output_path' else hint}"
    return FieldFault(pointer, _REASONS.get(item["type"], Reason.WRONG_TYPE), message)


def path_fields(request_type: type[Request[Any]]) -> list[str]:
    """The fields of a request that hold paths."""
    found = []
    for name, field in request_type.model_fields.items():
        notes = [*field.metadata]
        for member in get_args(field.annotation):
            notes += getattr(member, "__metadata__", ())
        if any(isinstance(note, BeforeValidator) and note.func in (_harmless, _harmless_or_stored) for note in notes):
            found.append(name)
    return found
