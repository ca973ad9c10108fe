"""A document read back from JSON, XML or YAML; each gives the same document.

The text may come from anywhere: no document types, entities or processing instructions in XML; no anchors, aliases,
tags or second documents in YAML; no key twice; at most 64 MiB, a million nodes and 64 levels.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any
from xml.parsers import expat

import yaml

from storycore import json_text
from storycore.metadata.document import Document, Json
from storycore.metadata.write import NAMESPACE, XSI

MAX_BYTES = 64 * 1024 * 1024
MAX_NODES = 1_000_000
MAX_LEVELS = 64

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,299})", re.ASCII)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,319})(?:\.[0-9]{1,320})?(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)
_YAML_NUMBER = re.compile(r"[^.]+\.[0-9]+(?:e[+-][0-9]+)?", re.ASCII)  # what YAML 1.1 and 1.2 both take for a number


class BadDocument(ValueError):  # noqa: N818 - the name says what it is
    """Text that is not a document in the format it should be in; the message says why, and where if that is known."""


def read(data: bytes | str, form: str) -> Document:
    """The document in a text of format "json", "xml" or "yaml".

    Raises:
        BadDocument: it is not one.
    """
    raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    if len(raw) > MAX_BYTES:
        raise BadDocument(f"larger than {MAX_BYTES} bytes")
    value = READERS[form](raw)
    if not isinstance(value, dict):
        raise BadDocument("a document is an object")
    return value


def _read_json(data: bytes) -> Json:
    try:
        value: Json = json_text.read_strict(data, max_depth=MAX_LEVELS)
    except json_text.BadJson as fault:
        raise BadDocument(str(fault)) from None
    return value


class _Builder:
    """Grows a document from nodes that come one after the other."""

    def __init__(self) -> None:
        self.root: list[Json] = []
        self._open: list[tuple[Json, str | None]] = []
        self._nodes = 0

    def open(self, container: list[Json] | dict[str, Json], name: str | None) -> None:
        self.add(container, name)
        self._open.append((container, name))
        if len(self._open) > MAX_LEVELS:
            raise BadDocument(f"nested more than {MAX_LEVELS} levels deep")

    def close(self) -> None:
        self._open.pop()

    @property
    def parent(self) -> Json:
        return self._open[-1][0] if self._open else None

    def add(self, value: Json, name: str | None) -> None:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise BadDocument(f"more than {MAX_NODES} nodes")
        parent = self.parent
        if isinstance(parent, dict):
            if name is None or name in parent:
                raise BadDocument("a member without a name" if name is None else f"the key {name!r} stands twice")
            parent[name] = value
        elif name is not None:
            raise BadDocument("a name outside an object")
        elif isinstance(parent, list):
            parent.append(value)
        elif self.root:
            raise BadDocument("more than one document")
        else:
            self.root.append(value)


class _XmlReader:
    """Handlers for expat. Each leaf's text is collected and read as its type says when it ends."""

    def __init__(self) -> None:
        self.builder = _Builder()
        self._types: list[tuple[str, str | None]] = []
        self._text: list[str] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        inside = self._types[-1][0] if self._types else ""
        expected = {"": "metadata", "object": "member", "array": "item"}.get(inside)
        if expected is None or tag != f"{NAMESPACE} {expected}":
            raise BadDocument(f"unexpected element {tag.rpartition(' ')[2]}")
        name = attributes.pop("name", None)
        kind = attributes.pop(f"{XSI} type", "").rpartition(":")[2]
        if set(attributes) - {f"{XSI} schemaLocation"} or (name is None) is (expected == "member"):
            raise BadDocument(f"unexpected or missing attributes of {expected}")
        if kind not in ("object", "array", *_LEAVES):
            raise BadDocument(f"unknown type {kind!r}")
        self._types.append((kind, name))
        self._text.clear()
        if kind in ("object", "array"):
            self.builder.open({} if kind == "object" else [], name)

    def end(self, _tag: str) -> None:
        kind, name = self._types.pop()
        if kind in ("object", "array"):
            self.builder.close()
        else:
            self.builder.add(_LEAVES[kind]("".join(self._text)), name)
        self._text.clear()

    def text(self, data: str) -> None:
        if self._types and self._types[-1][0] not in ("object", "array"):
            self._text.append(data)
        elif data.strip(" \t\r\n"):
            raise BadDocument("text outside a value")

    @staticmethod
    def refuse(*_: Any) -> None:
        raise BadDocument("document types, entities and processing instructions are not read")


def _read_xml(data: bytes) -> Json:
    reader = _XmlReader()
    parser = expat.ParserCreate("UTF-8", namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = reader.refuse
    parser.EntityDeclHandler = reader.refuse
    parser.ProcessingInstructionHandler = reader.refuse
    try:
        parser.Parse(data, True)
    except expat.ExpatError as fault:
        raise BadDocument(f"not XML: {fault}") from None
    return reader.builder.root[0]


def _read_yaml(data: bytes) -> Json:
    try:
        text = data.decode("utf-8-sig")
        return _yaml_document(yaml.parse(text, Loader=yaml.SafeLoader))
    except (yaml.YAMLError, UnicodeDecodeError) as fault:
        raise BadDocument(f"not YAML: {fault}") from None


def _yaml_document(events: Iterable[yaml.Event]) -> Json:
    builder = _Builder()
    keys: list[str | None] = []  # one entry for each open container: its waiting key
    for event in events:
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) or getattr(event, "tag", None):
            raise BadDocument("anchors, aliases and tags are not read")
        if isinstance(event, yaml.DocumentStartEvent) and builder.root:
            raise BadDocument("more than one document")
        if isinstance(event, yaml.CollectionEndEvent):
            builder.close()
            keys.pop()
        elif isinstance(event, yaml.NodeEvent):
            _yaml_node(event, builder, keys)
    return builder.root[0] if builder.root else None


def _yaml_node(event: yaml.NodeEvent, builder: _Builder, keys: list[str | None]) -> None:
    in_mapping = isinstance(builder.parent, dict)
    if in_mapping and keys[-1] is None:
        if not isinstance(event, yaml.ScalarEvent) or event.style not in ('"', "'"):
            raise BadDocument("a key that is not quoted text")
        keys[-1] = event.value
        return
    name = keys[-1] if in_mapping else None
    if in_mapping:
        keys[-1] = None
    if isinstance(event, yaml.ScalarEvent):
        builder.add(event.value if event.style else _plain(event.value), name)
    else:
        builder.open({} if isinstance(event, yaml.MappingStartEvent) else [], name)
        keys.append(None)


def _plain(text: str) -> Json:
    """What stands without quotes: only spellings that YAML 1.1 and 1.2 read alike."""
    constants: dict[str, Json] = {"null": None, "true": True, "false": False}
    if text in constants:
        return constants[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return _number(text if _YAML_NUMBER.fullmatch(text) else "")


def _integer(text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise BadDocument(f"not a whole number: {text[:40]!r}")
    return int(text)


def _number(text: str) -> float:
    value = float(text) if _NUMBER.fullmatch(text) else float("inf")
    if abs(value) == float("inf"):
        raise BadDocument(f"neither quoted text nor a number: {text[:40]!r}")
    return value


def _boolean(text: str) -> bool:
    if text not in ("true", "false"):
        raise BadDocument(f"neither true nor false: {text[:40]!r}")
    return text == "true"


def _null(text: str) -> None:
    if text.strip(" \t\r\n"):
        raise BadDocument("null holds nothing")


_LEAVES: dict[str, Callable[[str], Json]] = {
    "string": str,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "null": _null,
}

READERS: dict[str, Callable[[bytes], Json]] = {"json": _read_json, "xml": _read_xml, "yaml": _read_yaml}
