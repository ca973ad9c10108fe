"""Fields of a request as options of a command, and texts of options as values of fields.

Only the form is read here; whether a value is acceptable is decided by the request, so that the command line and
HTTP refuse the same things for the same reasons.
"""

import contextlib
import re
import sys
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import click
from pydantic.fields import FieldInfo

from storycore.errors import InvalidInput, Reason
from storycore.json_text import BadJson, read_strict
from storycore.loading import load
from storycore.operations.format_fields import FormatOptions
from storycore.operations.request import Request, Spelling

_NOT_MEANT = ("Expecting", "Extra data", "Unterminated", "Invalid")
"""How a fault begins that says: this is no JSON, rather than: this is JSON that we refuse."""
_PLACEHOLDER = re.compile(r"\s*\{\w+(:\d*d)?\}")
"""How a pattern of names may begin, and no JSON does, however faulty: {number}, {number:06d}."""
_MOST_SECRET = 4096


def parameters(request_type: type[Request[Any]], *, streams: bool) -> list[click.Parameter]:
    """Click parameters of a request type; `streams` tells that an output of `-` is understood."""
    return [_parameter(name, field, streams=streams) for name, field in request_type.model_fields.items()]


def to_values(request_type: type[Request[Any]], options: Mapping[str, Any]) -> dict[str, Any]:
    """Values for a request from the texts of its options.

    Raises:
        InvalidInput: malformed_json: an object is neither JSON nor KEY=VALUE.
    """
    fields = request_type.model_fields
    return {name: _read(fields[name], text) for name, text in options.items() if text != ()}


def _secret_file(name: str, field: FieldInfo) -> click.Option:
    holds = "them, Name=value on each line" if _kind(field) is dict else "it"
    help_text = f"{field.description} Give the file that holds {holds}; `-` reads the standard input."
    return click.Option([f"--{name.replace('_', '-')}-file", name], help=help_text, metavar="PATH")


def _secret_in(path: str) -> str:
    """What a file holds, or the standard input, without the line end behind it."""
    try:
        if path == "-":
            return sys.stdin.readline(_MOST_SECRET).rstrip("\r\n")
        with Path(path).open(encoding="utf-8") as file:
            return file.read(_MOST_SECRET).rstrip("\r\n")
    except (OSError, UnicodeDecodeError):
        raise InvalidInput("The file of the secret can't be read.", reason=Reason.SECRET_INVALID) from None


def _secrets_in(path: str) -> dict[str, str]:
    """What a file holds, or the standard input, with `Name=value` on each line; nothing of it is told."""
    try:
        text = sys.stdin.read(_MOST_SECRET) if path == "-" else Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise InvalidInput("The file of the headers can't be read.", reason=Reason.HEADER_INVALID) from None
    pairs = [line.partition("=") for line in text.splitlines() if line.strip()]
    if not all(mark and name.strip() for name, mark, _ in pairs):
        raise InvalidInput("A line of the file is not Name=value.", reason=Reason.HEADER_INVALID)
    return {name.strip(): value.strip() for name, _, value in pairs}


def _parameter(name: str, field: FieldInfo, *, streams: bool) -> click.Parameter:
    spelling = _spelling(field)
    kind = _kind(field)
    if spelling and spelling.secret:
        return _secret_file(name, field)
    if spelling and not spelling.flags:
        word, required = name.removesuffix("_path").removesuffix("_definition").upper(), field.is_required()
        return click.Argument([name], required=required, metavar=word if required else f"[{word}]")
    flag = f"--{name.replace('_', '-')}"
    text = field.description or ""
    if kind is bool:
        return click.Option([f"{flag}/--no-{flag[2:]}", name], default=None, help=f"{text}{_default(field)}")
    is_file = bool(spelling and spelling.reader)
    if streams and name == "output_path":
        text += " `-` writes it to the standard output."
    return click.Option(
        [*dict.fromkeys((*(spelling.flags if spelling else ()), flag)), name],
        required=field.is_required(),
        multiple=kind is dict and not is_file,
        help=f"{text}{_default(field)}",
        metavar="PATH" if is_file else _metavar(name, kind),
    )


def _default(field: FieldInfo) -> str:
    value = field.default
    if field.is_required() or value is None or value == {}:
        return ""
    shown = {True: "yes", False: "no"}.get(value, value) if isinstance(value, bool) else value
    return f"  [default: {shown}]"


def _metavar(name: str, kind: Any) -> str:
    if get_origin(kind) is Literal:
        return "|".join(map(str, get_args(kind)))
    if kind is dict:
        return "KEY=VALUE"
    if kind in (int, float):
        return "N"
    return "PATH" if name.endswith(("_path", "folder", "_to")) else "TEXT"


def _members(field: FieldInfo) -> tuple[Any, ...]:
    return tuple(member for member in _parts(field.annotation) if member is not type(None))


def _parts(annotation: Any) -> tuple[Any, ...]:
    """The members of a union, or what is none."""
    return get_args(annotation) if get_origin(annotation) in (Union, types.UnionType) else (annotation,)


def _spelling(field: FieldInfo) -> Spelling | None:
    notes = [*field.metadata, *(note for member in _members(field) for note in getattr(member, "__metadata__", ()))]
    return next((note for note in notes if isinstance(note, Spelling)), None)


def _kind(field: FieldInfo) -> Any:
    """What a field takes, without None and without constraints: bool, int, str, list, dict or a Literal."""
    plain = _plain(field)
    return list if list in plain else plain[0]


def _plain(field: FieldInfo) -> list[Any]:
    return [_bare(part) for member in _members(field) for part in _parts(_unmarked(member))]


def _unmarked(annotation: Any) -> Any:
    while hasattr(annotation, "__metadata__"):
        annotation = annotation.__origin__
    return annotation


def _bare(annotation: Any) -> Any:
    annotation = _unmarked(annotation)
    origin = get_origin(annotation)
    return origin if origin in (list, dict) else annotation


def _read(field: FieldInfo, text: Any) -> Any:
    spelling = _spelling(field)
    if spelling and spelling.reader:
        return load(spelling.reader)(text)
    if spelling and spelling.secret:
        return _secrets_in(text) if _kind(field) is dict else _secret_in(text)
    if _kind(field) is dict:
        return _object(text, words=_words(field))
    value = _value(_kind(field), text)
    only_lists = _kind(field) is list and str not in _plain(field)
    return [value] if only_lists and isinstance(value, str) else value


def _value(kind: Any, text: Any) -> Any:
    if kind is int and isinstance(text, str):
        return int(text) if text.removeprefix("-").isascii() and text.removeprefix("-").isdigit() else text
    if kind is float and isinstance(text, str):
        with contextlib.suppress(ValueError):
            return float(text)
    if kind is list and text.lstrip().startswith("["):
        return _json(text)
    if kind is list:
        names = [part.strip() for part in text.split(",")]
        return names if len(names) > 1 else names[0]
    return text


def _words(field: FieldInfo) -> frozenset[str]:
    """Keys of an object whose values are text."""
    return next((one.words for one in field.metadata if one is FormatOptions), frozenset())


def _object(texts: tuple[str, ...], *, words: frozenset[str] = frozenset()) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for text in texts:
        key, mark, value = text.partition("=")
        if text.lstrip().startswith("{"):
            given = _json(text)
        elif mark and key.strip():
            is_text = key.strip() in words and not value.lstrip().startswith('"')
            given = {key.strip(): value if is_text else _json(value, otherwise=value)}
        else:
            raise InvalidInput(f"{text!r} is neither KEY=VALUE nor a JSON object.", reason=Reason.MALFORMED_JSON)
        for name in given:
            if name in found:
                raise InvalidInput(f"The key {name!r} is given twice.", reason=Reason.DUPLICATE_KEY)
        found.update(given)
    return found


def _json(text: str, *, otherwise: Any = None) -> Any:
    try:
        return read_strict(text)
    except BadJson as fault:
        no_object = not text.lstrip().startswith("{") or _PLACEHOLDER.match(text)
        if otherwise is not None and fault.message.startswith(_NOT_MEANT) and no_object:
            return otherwise  # a date, a timecode, a pattern: words that only begin like JSON
        reason = Reason.DUPLICATE_KEY if fault.duplicate is not None else Reason.MALFORMED_JSON
        raise InvalidInput(f"Not acceptable JSON: {fault}", reason=reason) from None
