"""Names of files with parts that ComfyUI's page fills in when it sends a graph: `%Sampler.seed%`, `%date:yyyy-MM-dd%`.

What the server fills in itself, `%year%` or `%width%`, is left to it.
"""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from storycore.comfyui.graph.api_graph import ApiGraph, ObjectInfo, inputs_of, is_output
from storycore.comfyui.graph.canvas import CanvasNode
from storycore.comfyui.graph.controls import UNSET

FIELD = "filename_prefix"
"""The input of output nodes that names their files."""

_PART = re.compile(r"%([^%]+)%")
_DATE = re.compile(r"%date:([^%]+)%")
_DATE_PART = re.compile("dd?|MM?|hh?|mm?|ss?|yyyy|yy")
_UNFIT = re.compile(r'[/?<>\\:*|"\x00-\x1f\x7f]')


def has_date(text: str) -> bool:
    """Whether a name has a date to be filled in."""
    return _DATE.search(text) is not None


class FileNames:
    """Fills the values of controls into names.

    Args:
        nodes: all nodes of the workflow; the first of several with the same name counts.
    """

    def __init__(self, nodes: Iterable[CanvasNode]) -> None:
        self._by_property: dict[str, CanvasNode] = {}
        self._by_title: dict[str, CanvasNode] = {}
        for node in nodes:
            name = node.saved.properties.get("Node name for S&R")
            if isinstance(name, str):
                self._by_property.setdefault(name, node)
            self._by_title.setdefault(node.title, node)

    def fill_in(self, text: str) -> str:
        """The name with values in place of `%node.control%`; what names no control stays as it is."""
        return _PART.sub(self._value, text)

    def _value(self, part: re.Match[str]) -> str:
        name, dot, control = part[1].partition(".")
        node = (self._by_property.get(name) or self._by_title.get(name)) if dot and "." not in control else None
        widget = node.widget(control) if node is not None else None
        return part[0] if widget is None else _UNFIT.sub("_", _plain(widget.value))


def date_file_names(graph: ApiGraph, object_info: ObjectInfo, when: datetime) -> ApiGraph:
    """The graph with dates written into the names of its files, as ComfyUI's page does when it sends it.

    Args:
        graph: in API format; is not changed.
        object_info: what the server tells of the classes in the graph.
        when: the date, in the time zone that is meant.
    """
    dated = dict(graph)
    for name, node in graph.items():
        inputs = inputs_of(node)
        text = inputs.get(FIELD)
        if isinstance(text, str) and has_date(text) and is_output(object_info.get(str(node.get("class_type")))):
            dated[name] = {**node, "inputs": {**inputs, FIELD: dated_text(text, when)}}
    return dated


def dated_text(text: str, when: datetime) -> str:
    """A text with `%date:…%` written out: d, M, y, h, m and s, twice for two digits, `yyyy` for the whole year."""
    parts = {"d": when.day, "M": when.month, "h": when.hour, "m": when.minute, "s": when.second}

    def part(found: re.Match[str]) -> str:
        if found[0][0] == "y":
            return f"{when.year:04}"[-len(found[0]) :]
        return str(parts[found[0][0]]).zfill(len(found[0]))

    return _DATE.sub(lambda found: _DATE_PART.sub(part, found[1]), text)


def _plain(value: Any) -> str:
    """A value as the page writes it."""
    if value is None or value is UNSET:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
