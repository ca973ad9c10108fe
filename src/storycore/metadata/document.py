"""The one model that all three formats carry without loss: what JSON can say, and XML 1.0 may hold.

`clean` brings any value into it *before* a format is chosen, so that JSON, XML and YAML always say the same, and tells
what it had to change. In the model there are only dicts with text keys, lists, text, True, False, None, whole numbers
of up to 300 digits and finite floats. Text holds no characters that XML forbids, nesting is at most 60 deep, and there
is no negative zero.

Source: XML 1.0 (fifth edition) §2.2 for characters; RFC 8785 §3.2.2.3 for negative zero; RFC 6901 for pointers.
"""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None
Document: TypeAlias = dict[str, Json]

MAX_DEPTH = 60
"""Deepest nesting of a document; what lies deeper is left out."""

MAX_DIGITS = 300
"""Most digits of a whole number; a longer one becomes text. Every reader of JSON can take this many."""

MAX_CHANGES = 1_000
"""Most changes that are told; one whose every text is odd would give millions."""

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_TOO_LONG = 10**MAX_DIGITS


class Change(NamedTuple):
    """Something that no format could carry as it was.

    Attributes:
        pointer: JSON Pointer to the place, in the document as it is now.
        message: what was done, for people.
    """

    pointer: str
    message: str


class Cleaned(NamedTuple):
    """A document that all formats carry, and what had to be changed for it, as far as `MAX_CHANGES` goes."""

    document: Document
    changes: tuple[Change, ...]


def clean(value: Mapping[str, object]) -> Cleaned:
    """The document nearest to `value`.

    Raises:
        TypeError: it holds something that JSON has no type for.
    """
    changes: list[Change] = []
    document = _object(value, (), changes)
    return Cleaned(document, tuple(changes))


def _note(changes: list[Change], change: Change) -> None:
    if len(changes) < MAX_CHANGES:
        changes.append(change)


def text_at(place: Mapping[str, Any], name: str) -> str:
    """The text of that name; "" if there is none. A document may come from anywhere."""
    value = place.get(name)
    return value if isinstance(value, str) else ""


def object_at(place: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The object of that name; empty if there is none."""
    value = place.get(name)
    return value if isinstance(value, Mapping) else {}


def objects_at(place: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """The objects in the list of that name."""
    value = place.get(name)
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def pointer(path: tuple[str, ...]) -> str:
    """JSON Pointer of a path. Source: RFC 6901 §3."""
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in path)


def _value(value: object, path: tuple[str, ...], changes: list[Change]) -> Json:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _text(value, path, changes)
    if isinstance(value, (int, float)):
        return _number(value, path, changes)
    if isinstance(value, (Mapping, list, tuple)):
        if len(path) >= MAX_DEPTH:
            _note(changes, Change(pointer(path), f"left out: nested more than {MAX_DEPTH} levels deep"))
            return None
        if isinstance(value, Mapping):
            return _object(value, path, changes)
        return [_value(item, (*path, str(index)), changes) for index, item in enumerate(value)]
    raise TypeError(f"{pointer(path)}: a {type(value).__name__} has no place in a document")


def _object(value: Mapping[str, object], path: tuple[str, ...], changes: list[Change]) -> Document:
    found: Document = {}
    for name, item in value.items():
        if not isinstance(name, str):
            raise TypeError(f"{pointer(path)}: the key {name!r} is not text")
        kept = _FORBIDDEN.sub("", name)
        if kept != name:
            kept = next(free for free in _numbered(kept) if free not in found and free not in value)
            _note(changes, Change(pointer((*path, kept)), "the key held characters that XML forbids"))
        found[kept] = _value(item, (*path, kept), changes)
    return found


def _numbered(name: str) -> Iterator[str]:
    yield name
    number = 2
    while True:
        yield f"{name} ({number})"
        number += 1


def _text(text: str, path: tuple[str, ...], changes: list[Change]) -> str:
    if not _FORBIDDEN.search(text):
        return str(text)
    kept, count = _FORBIDDEN.subn("", text)
    characters = "character" if count == 1 else "characters"
    _note(changes, Change(pointer(path), f"removed {count} {characters} that XML forbids"))
    return kept


def _number(number: float, path: tuple[str, ...], changes: list[Change]) -> Json:
    if isinstance(number, int):
        if abs(number) < _TOO_LONG:
            return int(number)
        _note(changes, Change(pointer(path), f"became text: more than {MAX_DIGITS} digits"))
        return f"{number:#x}"
    if math.isfinite(number):
        return float(number) or 0.0
    _note(changes, Change(pointer(path), "left out: not a finite number"))
    return None
