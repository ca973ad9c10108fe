"""Everything that a server would refuse about a graph, told at once and before anything is sent.

ComfyUI names the first missing class and stops there; it looks only at what its outputs need. So does this, but it
goes on to the end.
"""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from storycore.comfyui.graph.api_graph import (
    ApiGraph,
    Link,
    ObjectInfo,
    ancestors,
    inputs_of,
    link_of,
    output_nodes,
    title_of,
)
from storycore.comfyui.graph.node_class import BRANCHING, GROWING, Field, NodeClass, NodeClasses
from storycore.comfyui.graph.routes import connects
from storycore.comfyui.graph.values import fault_of

_MOST_NEAR = 30
"""So many findings come with suggestions; to look for more takes longer than anyone reads."""


class Fault(StrEnum):
    """What can be wrong with a graph, in a word that stays."""

    NO_OUTPUT = "no_output"
    MISSING_CLASS = "missing_class"
    MISSING_INPUT = "missing_input"
    MISSING_MODEL = "missing_model"
    MISSING_FILE = "missing_file"
    VALUE_NOT_LISTED = "value_not_listed"
    WRONG_TYPE = "wrong_type"
    OUT_OF_RANGE = "out_of_range"
    LOOSE_LINK = "loose_link"
    WRONG_LINK = "wrong_link"
    CIRCLE = "circle"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing that the server would refuse.

    Attributes:
        node: id in the graph; "" if it is about the whole.
        title: how people call the node.
        class_type: its class.
        input: name of the input, or "".
        reason: why.
        message: for people.
        suggestions: what might have been meant, the likeliest first.
    """

    node: str
    title: str
    class_type: str
    input: str
    reason: Fault
    message: str
    suggestions: tuple[str, ...] = ()


class _At(NamedTuple):
    """A node that something is found about."""

    node: str
    title: str
    class_type: str

    def finding(self, field: str, reason: Fault, message: str, suggestions: tuple[str, ...] = ()) -> Finding:
        """One thing about it; the message goes on from its name."""
        return Finding(
            node=self.node,
            title=self.title,
            class_type=self.class_type,
            input=field,
            reason=reason,
            message=f"{self.title} (node {self.node}) {message}.",
            suggestions=suggestions,
        )


def check(graph: ApiGraph, object_info: ObjectInfo) -> list[Finding]:
    """What a server with these classes would refuse about a graph in API format; empty if nothing.

    Classes are looked for everywhere, inputs and links only at nodes that outputs need, as the server does.

    Args:
        graph: to be checked; is not changed.
        object_info: what the server tells of its classes.
    """
    classes = NodeClasses(object_info)
    missing = [name for name in graph if classes.find(_class_name(graph, name)) is None]
    found = [_missing_class(graph, name, classes, near=at < _MOST_NEAR) for at, name in enumerate(missing)]
    outputs = output_nodes(graph, object_info)
    if not outputs and not found:
        found.append(_whole("The graph keeps nothing: none of its nodes is an output, like SaveImage."))
    wanted = ancestors(graph, outputs)
    for name in [name for name in graph if name in wanted]:
        node_class = classes.find(_class_name(graph, name))
        if node_class is not None:
            found += _inputs(graph, name, node_class, classes, near=len(found) < _MOST_NEAR)
    return [*found, *_circles(graph, wanted)]


def _inputs(
    graph: ApiGraph, name: str, node_class: NodeClass, classes: NodeClasses, *, near: bool
) -> Iterator[Finding]:
    """What is wrong with the inputs of one node."""
    inputs = inputs_of(graph[name])
    for field in wanted_fields(node_class.fields, inputs):
        if field.name not in inputs:
            if field.required:
                yield _at(graph, name).finding(field.name, Fault.MISSING_INPUT, f"needs an input {field.name!r}")
            continue
        value = inputs[field.name]
        link = link_of(value)
        if link is not None:
            yield from _link(graph, name, field, link, classes)
        elif isinstance(value, list):
            yield _at(graph, name).finding(field.name, Fault.LOOSE_LINK, f"has no link and no value at {field.name}")
        else:
            yield from _value(graph, name, field, value, near=near)


def wanted_fields(fields: Iterable[Field], inputs: Mapping[str, Any]) -> Iterator[Field]:
    """The fields that a node with these inputs has: those of its choices and of its growing rows too."""
    for field in fields:
        row = field.row
        if row is not None:
            steps = [step for at in range(row.least) for step in row.inputs(at)]
            names = [step.name for step in steps]
            given = [name for name in inputs if name.startswith(f"{row.name}.") and name not in names]
            yield from steps
            yield from (found for name in given if (found := row.find(name)) is not None)
            continue
        yield field
        if field.kind == BRANCHING:
            yield from wanted_fields(field.branches.get(str(inputs.get(field.name)), ()), inputs)


def _value(graph: ApiGraph, name: str, field: Field, value: Any, *, near: bool) -> Iterator[Finding]:
    fault = fault_of(field, value, near=near)
    if fault is not None:
        reason = Fault(fault.reason)
        yield _at(graph, name).finding(field.name, reason, fault.message, fault.suggestions)


def _link(graph: ApiGraph, name: str, field: Field, link: Link, classes: NodeClasses) -> Iterator[Finding]:
    if link.node not in graph:
        message = f"{field.name} is linked to node {link.node}, which is not there"
        yield _at(graph, name).finding(field.name, Fault.LOOSE_LINK, message)
        return
    source = classes.find(_class_name(graph, link.node))
    if source is None:
        return
    if not 0 <= link.output < len(source.outputs):
        message = f"{field.name} is linked to output {link.output} of {source.title}, which has {len(source.outputs)}"
        yield _at(graph, name).finding(field.name, Fault.LOOSE_LINK, message)
        return
    given, wanted = source.outputs[link.output], field.kind
    if wanted in ("COMBO", BRANCHING, GROWING) or wanted.startswith("COMFY_") or given.startswith("COMFY_"):
        return
    if not connects(given, wanted):
        message = f"{field.name} takes {wanted}, but {source.title} gives {given}"
        yield _at(graph, name).finding(field.name, Fault.WRONG_LINK, message)


def _circles(graph: ApiGraph, wanted: set[str]) -> list[Finding]:
    """One finding for each way that leads back to where it came from."""
    found: list[Finding] = []
    done: set[str] = set()
    for start in graph:
        path: dict[str, Iterator[str]] = {} if start in done or start not in wanted else {start: _sources(graph, start)}
        while path:
            name, sources = next(reversed(path.items()))
            source = next(sources, None)
            if source is None:
                path.pop(name)
                done.add(name)
            elif source in path:
                found.append(_at(graph, source).finding("", Fault.CIRCLE, "needs its own result"))
            elif source not in done:
                path[source] = _sources(graph, source)
    return found


def _sources(graph: ApiGraph, name: str) -> Iterator[str]:
    links = (link_of(value) for value in inputs_of(graph[name]).values())
    return iter([link.node for link in links if link is not None and link.node in graph])


def _missing_class(graph: ApiGraph, name: str, classes: NodeClasses, *, near: bool) -> Finding:
    wanted = _class_name(graph, name)
    alike = difflib.get_close_matches(wanted, classes.names(), n=3, cutoff=0.7) if near else []
    message = f"is a {wanted!r}, which the server does not have: its custom node is not installed, or has another name"
    return _at(graph, name).finding("", Fault.MISSING_CLASS, message, tuple(alike))


def _at(graph: ApiGraph, name: str) -> _At:
    return _At(name, title_of(graph[name]), _class_name(graph, name))


def _class_name(graph: ApiGraph, name: str) -> str:
    return str(graph[name].get("class_type", ""))


def _whole(message: str) -> Finding:
    return Finding(node="", title="", class_type="", input="", reason=Fault.NO_OUTPUT, message=message)
