"""A request as it would be typed on the command line, and as it would be sent by curl."""

import json
import shlex
from collections.abc import Mapping
from typing import Any, Final, get_args

from storycore.operations.catalog import Operation
from storycore.operations.request import Request, Spelling

_MOST: Final = 4000
"""Longer ones, workflows for instance, nobody would copy."""


def as_command(operation: Operation, request_type: type[Request[Any]], values: Mapping[str, Any]) -> str:
    """The command; "" for one that can't be written in a line: it takes a file, or is too long."""
    words: list[str] = []
    options: list[str] = []
    for name, field in request_type.model_fields.items():
        value = values.get(name)
        if value in (None, {}) or (not field.is_required() and value == field.default):
            continue
        spelling = _spelling(field.annotation, field.metadata)
        if spelling and (spelling.reader or spelling.secret):
            return ""
        if spelling and not spelling.flags:
            words.append(str(value))
        else:
            options += _option(name, spelling, value)
    text = shlex.join(["storycore", *operation.words, *words, *options])
    return text if len(text) <= _MOST else ""


def as_curl(operation: Operation, values: Mapping[str, Any], address: str, *, with_key: bool) -> str:
    """The call; "" for one that is too long."""
    body = {name: value for name, value in values.items() if value is not None}
    key = ["-H", "Authorization: Bearer $STORYCORE_KEY"] if with_key else []
    parts = ["curl", "-X", "POST", f"{address}/v1/{operation.name}", *key, "-H", "Content-Type: application/json"]
    text = shlex.join([*parts, "-d", json.dumps(body, ensure_ascii=False)])
    text = text.replace("'Authorization: Bearer $STORYCORE_KEY'", '"Authorization: Bearer $STORYCORE_KEY"')
    return text if len(text) <= _MOST else ""


def _option(name: str, spelling: Spelling | None, value: Any) -> list[str]:
    flag = f"--{name.replace('_', '-')}"
    if isinstance(value, bool):
        return [flag if value else f"--no-{flag[2:]}"]
    flag = spelling.flags[-1] if spelling and spelling.flags else flag
    if isinstance(value, dict):
        pairs = [f"{key}={one if isinstance(one, str) else json.dumps(one)}" for key, one in value.items()]
        return [part for pair in pairs for part in (flag, pair)]
    if isinstance(value, list) and all(isinstance(one, str) and "," not in one for one in value):
        return [flag, ",".join(value)]
    return [flag, json.dumps(value) if isinstance(value, list) else str(value)]


def _spelling(annotation: Any, metadata: list[Any]) -> Spelling | None:
    notes = [*metadata, *(note for member in get_args(annotation) for note in getattr(member, "__metadata__", ()))]
    return next((note for note in notes if isinstance(note, Spelling)), None)
