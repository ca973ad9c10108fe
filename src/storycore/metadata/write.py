"""A document as text: JSON, typed XML, YAML. The same document always gives the same bytes.

All three list keys in the order of their code points and end with a newline. The document must come from
`storycore.metadata.document.clean`.

Source: RFC 8259 (JSON); XML 1.0 §2.11 and §3.3.3 for what a reader does to line ends and to white space in attributes;
XML Schema 1.0 part 1 §2.6.1 (xsi:type); YAML 1.1 §5.7 and YAML 1.2.2 §5.7, §7.3.1 for double-quoted text.
"""

import json
import re
from collections.abc import Callable, Iterator

from storycore import json_text
from storycore.metadata.document import Document, Json

NAMESPACE = "urn:storycore:metadata:1"
"""Namespace of the typed XML; its schema is `metadata.xsd` beside this module."""

XSI = "http://www.w3.org/2001/XMLSchema-instance"

_TEXT = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"}
_ATTRIBUTE = _TEXT | {'"': "&quot;", "\t": "&#9;", "\n": "&#10;"}
_TEXT_TABLE, _ATTRIBUTE_TABLE = str.maketrans(_TEXT), str.maketrans(_ATTRIBUTE)
_YAML_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ufeff]")
_LONGEST_SIMPLE_KEY = 100


def write(document: Document, form: str) -> str:
    """The document in one of the formats "json", "xml" and "yaml"."""
    return WRITERS[form](document)


def write_json(document: Document) -> str:
    """JSON, indented by two."""
    return json_text.write(document)


def write_xml(document: Document) -> str:
    """Typed XML: each node says its type, so that `5`, `"5"`, `5.0`, true, null, "" and absence stay apart."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>']
    opening = f'metadata xmlns="{NAMESPACE}" xmlns:xsi="{XSI}" xsi:type="object"'
    lines.extend(_element("metadata", opening, document, ""))
    return "\n".join(lines) + "\n"


def write_yaml(document: Document) -> str:
    """YAML that readers of YAML 1.1 and 1.2 understand alike: every key and every text stands in double quotes."""
    return "".join(line + "\n" for line in _yaml_lines(document, ""))


WRITERS: dict[str, Callable[[Document], str]] = {"json": write_json, "xml": write_xml, "yaml": write_yaml}


def type_of(value: Json) -> str:
    """The name of a node's type, as the XML schema knows it."""
    if value is None:
        return "null"
    names = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return names[type(value)]


def _element(name: str, opening: str, value: Json, indent: str) -> Iterator[str]:
    if isinstance(value, (dict, list)):
        if not value:
            yield f"{indent}<{opening}/>"
            return
        yield f"{indent}<{opening}>"
        yield from _children(value, indent + "  ")
        yield f"{indent}</{name}>"
    elif value is None:
        yield f"{indent}<{opening}/>"
    else:
        text = value.translate(_TEXT_TABLE) if isinstance(value, str) else _plain(value)
        yield f"{indent}<{opening}>{text}</{name}>"


def _children(value: dict[str, Json] | list[Json], indent: str) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _element("item", f'item xsi:type="{type_of(item)}"', item, indent)
        return
    for key in sorted(value):
        item = value[key]
        opening = f'member name="{key.translate(_ATTRIBUTE_TABLE)}" xsi:type="{type_of(item)}"'
        yield from _element("member", opening, item, indent)


def _yaml_lines(value: Json, indent: str) -> Iterator[str]:
    """The lines of a node; its first line carries no indent, because it stands behind a key or a dash."""
    deeper = indent + "  "
    if isinstance(value, dict) and value:
        for index, key in enumerate(sorted(value)):
            name = _quoted(key)
            simple = len(name) <= _LONGEST_SIMPLE_KEY
            start = ("" if index == 0 else indent) + (name + ":" if simple else f"? {name}\n{indent}:")
            yield from _behind(start, value[key], indent, deeper)
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            first, *rest = _yaml_lines(item, deeper)
            yield ("" if index == 0 else indent) + "- " + first
            yield from rest
    elif isinstance(value, (dict, list)):
        yield "{}" if isinstance(value, dict) else "[]"
    else:
        yield _quoted(value) if isinstance(value, str) else _plain(value)


def _behind(start: str, value: Json, indent: str, deeper: str) -> Iterator[str]:
    if isinstance(value, (dict, list)) and value:
        yield start
        first, *rest = _yaml_lines(value, deeper)
        yield deeper + first
        yield from rest
    else:
        yield f"{start} {next(_yaml_lines(value, indent))}"


def _plain(value: Json) -> str:
    """Null, a truth value or a number, in a spelling that every reader takes for the same."""
    if isinstance(value, float):
        text = repr(value)
        return text if "." in text else text.replace("e", ".0e", 1)  # YAML 1.1 knows no 5e-324, but 5.0e-324
    return json.dumps(value)


def _quoted(text: str) -> str:
    """JSON's quotes are YAML's too, once what YAML reads as a line end or may not hold is escaped."""
    quoted = json.dumps(text, ensure_ascii=False)
    return _YAML_ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)
