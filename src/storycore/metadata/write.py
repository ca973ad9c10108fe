"""A document as text: JSON, typed XML, YAML. The same document always gives the same bytes.

All three list keys in the order of their code points and end with a newline. The document must come from
`storycore.metadata.document.clean`.

Source: RFC 8259 (JSON); XML 1.0 §2.11 and §3.3.3 for what a reader does to line ends and to white space in attributes;
XML Schema 1.0 part 1 §2.6.1 (xsi:type); YAML 1.1 §5.7 and YAML 1.2.2 §5.7, §7.3.1 for double-quoted text.
"""

import json
import re
from collections.abc import Callable

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
_quote = json.JSONEncoder(ensure_ascii=False).encode
_TYPES = {
    type(None): "null",
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
}


def write(document: Document, form: str) -> str:
    """The document in one of the formats "json", "xml" and "yaml"."""
    return WRITERS[form](document)


def write_json(document: Document) -> str:
    """JSON, indented by two."""
    return json_text.write(document)


def write_xml(document: Document) -> str:
    """Typed XML: each node says its type, so that `5`, `"5"`, `5.0`, true, null, "" and absence stay apart."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>']
    _xml(lines, "", "metadata", f'xmlns="{NAMESPACE}" xmlns:xsi="{XSI}"', document)
    return "\n".join(lines) + "\n"


def write_yaml(document: Document) -> str:
    """YAML that readers of YAML 1.1 and 1.2 understand alike: every key and every text stands in double quotes."""
    lines: list[str] = []
    _yaml(lines, "", "", document)
    return "\n".join(lines) + "\n"


WRITERS: dict[str, Callable[[Document], str]] = {"json": write_json, "xml": write_xml, "yaml": write_yaml}


def type_of(value: Json) -> str:
    """The name of a node's type, as the XML schema knows it."""
    return _TYPES[type(value)]


def _xml(lines: list[str], indent: str, name: str, attributes: str, value: Json) -> None:
    start = f'{indent}<{name} {attributes}{" " if attributes else ""}xsi:type="{type_of(value)}"'
    if value is None or (isinstance(value, (dict, list)) and not value):
        lines.append(start + "/>")
    elif isinstance(value, dict):
        lines.append(start + ">")
        for key in sorted(value):
            _xml(lines, indent + "  ", "member", f'name="{key.translate(_ATTRIBUTE_TABLE)}"', value[key])
        lines.append(f"{indent}</{name}>")
    elif isinstance(value, list):
        lines.append(start + ">")
        for item in value:
            _xml(lines, indent + "  ", "item", "", item)
        lines.append(f"{indent}</{name}>")
    else:
        text = value.translate(_TEXT_TABLE) if isinstance(value, str) else _plain(value)
        lines.append(f"{start}>{text}</{name}>")


def _yaml(lines: list[str], start: str, indent: str, value: Json) -> None:
    """Adds a node; `start` stands before it on its first line, `indent` on the others."""
    if isinstance(value, dict) and value:
        for key in sorted(value):
            name, item = _quoted(key), value[key]
            head = f"{start}{name}:" if len(name) <= _LONGEST_SIMPLE_KEY else f"{start}? {name}\n{indent}:"
            start = indent
            if isinstance(item, (dict, list)) and item:
                lines.append(head)
                _yaml(lines, indent + "  ", indent + "  ", item)
            else:
                _yaml(lines, head + " ", "", item)
    elif isinstance(value, list) and value:
        for item in value:
            _yaml(lines, start + "- ", indent + "  ", item)
            start = indent
    elif isinstance(value, (dict, list)):
        lines.append(start + ("[]" if isinstance(value, list) else "{}"))
    else:
        lines.append(start + (_quoted(value) if isinstance(value, str) else _plain(value)))


def _plain(value: Json) -> str:
    """Null, a truth value or a number, in a spelling that every reader takes for the same."""
    if isinstance(value, float):
        text = repr(value)
        return text if "." in text else text.replace("e", ".0e", 1)  # YAML 1.1 knows no 5e-324, but 5.0e-324
    return json.dumps(value)


def _quoted(text: str) -> str:
    """JSON's quotes are YAML's too, once what YAML reads as a line end or may not hold is escaped."""
    quoted = _quote(text)
    return _YAML_ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)
