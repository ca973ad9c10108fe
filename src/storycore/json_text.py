"""JSON as strangers write it, read strictly and within limits.

The standard reader accepts NaN, turns 1e999 into infinity, keeps the last of two equal keys in silence and recurses
as deep as it is asked to. All of these are told here, with the line and column where that is known.
"""

import json
import math
import re
from collections import Counter
from typing import Any, NamedTuple, NoReturn

# Possessive throughout (`*+`): nothing is ever given back, so time and memory stay linear whatever comes.
_TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[{]|[\]}]|-?Infinity|NaN|-?\d[\d.eE+-]*+', re.DOTALL)
_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_MAX_DIGITS = 4000


class BadJson(ValueError):
    """Text that is not acceptable JSON.

    Attributes:
        message: what is wrong, without the place.
        line: from 1; 0 if the place is not known.
        column: from 1, in characters; 0 if the place is not known.
        duplicate: the key that stands twice in one object, if that is the fault.
    """

    def __init__(self, message: str, line: int, column: int, *, duplicate: str | None = None) -> None:
        super().__init__(f"{message} (line {line}, column {column})" if line else message)
        self.message, self.line, self.column, self.duplicate = message, line, column, duplicate


class Reading(NamedTuple):
    """What was read.

    Attributes:
        value: the document.
        duplicates: keys that stood twice in one object; the last value was kept.
        repaired: how many strings held lone surrogates; U+FFFD stands in their place.
    """

    value: Any
    duplicates: tuple[str, ...]
    repaired: int


def read(data: bytes | str, *, max_depth: int = 64) -> Reading:
    """Reads one JSON document.

    A byte order mark is skipped. Numbers are finite, nesting is at most `max_depth` deep.

    Raises:
        BadJson: not UTF-8, not JSON, NaN, Infinity, a number beyond a double, or nested too deep.

    Source: RFC 8259; RFC 7493 (I-JSON) for duplicates, surrogates and numbers.
    """
    text = _decode(data)
    _scan(text, max_depth)
    duplicates: list[str] = []

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(items)
        if len(found) < len(items):
            counts = Counter(name for name, _ in items)
            duplicates.extend(sorted(name for name, count in counts.items() if count > 1))
        return found

    try:
        value = json.loads(text, object_pairs_hook=pairs, parse_float=_finite, parse_constant=_refuse)
    except json.JSONDecodeError as fault:
        raise BadJson(fault.msg, fault.lineno, fault.colno) from None
    except (ValueError, RecursionError) as fault:
        raise BadJson(str(fault), 0, 0) from None
    repaired = 0
    if _ESCAPED_SURROGATE.search(text) or isinstance(data, str):
        value, repaired = _without_surrogates(value)
    return Reading(value, tuple(duplicates), repaired)


def read_strict(data: bytes | str, *, max_depth: int = 64) -> Any:
    """Like `read`, but also refuses duplicate keys and lone surrogates.

    Raises:
        BadJson: see `read`; `duplicate` is set when a key stands twice.
    """
    reading = read(data, max_depth=max_depth)
    if reading.duplicates:
        raise BadJson(f"the key {reading.duplicates[0]!r} stands twice", 0, 0, duplicate=reading.duplicates[0])
    if reading.repaired:
        raise BadJson("a string holds half of a surrogate pair", 0, 0)
    return reading.value


def write(value: Any, *, indent: int | None = 2) -> str:
    """JSON text with sorted keys, UTF-8 as it is, and a final newline: the same bytes for the same value.

    Raises:
        ValueError: NaN or infinity inside.
    """
    return json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, indent=indent) + "\n"


def _decode(data: bytes | str) -> str:
    if isinstance(data, str):
        return data.removeprefix("\ufeff")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        before = data[: fault.start]
        line = before.count(b"\n") + 1
        raise BadJson("not UTF-8", line, fault.start - before.rfind(b"\n")) from None


def _scan(text: str, max_depth: int) -> None:
    depth = 0
    for match in _TOKEN.finditer(text):
        token = match[0]
        first = token[0]
        if first == '"':
            continue
        if first in "[{":
            depth += 1
            if depth > max_depth:
                raise _at(text, match.start(), f"nested more than {max_depth} levels deep")
        elif first in "]}":
            depth -= 1
        elif token.endswith(("NaN", "Infinity")):
            raise _at(text, match.start(), f"{token} is not JSON")
        elif _is_odd(token) and _too_big(token):
            raise _at(text, match.start(), f"the number {token[:24]} is too large")


def _is_odd(number: str) -> bool:
    return len(number) > 300 or "e" in number or "E" in number


def _too_big(token: str) -> bool:
    if len(token) > _MAX_DIGITS:
        return True
    try:
        return not math.isfinite(float(token))
    except ValueError:
        return False  # the reader proper tells what is wrong with it


def _finite(token: str) -> float:
    value = float(token)
    if not math.isfinite(value):
        raise ValueError(f"the number {token[:24]} is too large")
    return value


def _refuse(token: str) -> NoReturn:
    raise ValueError(f"{token} is not JSON")


def _at(text: str, position: int, message: str) -> BadJson:
    line = text.count("\n", 0, position) + 1
    return BadJson(message, line, position - text.rfind("\n", 0, position))


def _without_surrogates(value: Any) -> tuple[Any, int]:
    if isinstance(value, str):
        clean = _SURROGATE.sub("\ufffd", value)
        return clean, int(clean != value)
    if isinstance(value, list):
        parts = [_without_surrogates(item) for item in value]
        return [part for part, _ in parts], sum(count for _, count in parts)
    if isinstance(value, dict):
        names = [_without_surrogates(name) for name in value]
        items = [_without_surrogates(item) for item in value.values()]
        whole = {name: item for (name, _), (item, _) in zip(names, items, strict=True)}
        return whole, sum(count for _, count in names) + sum(count for _, count in items)
    return value, 0
