"""A workflow as ComfyUI's page saves it (UI format) made into the graph that ComfyUI runs (API format)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from storycore.comfyui.graph.api_graph import ApiGraph, ObjectInfo, link_of
from storycore.comfyui.graph.branch_order import BranchOrder
from storycore.comfyui.graph.canvas import Canvas, CanvasNode, Kind
from storycore.comfyui.graph.controls import UNSET, Widget
from storycore.comfyui.graph.dynamic_text import has_choices, settle
from storycore.comfyui.graph.group_nodes import as_subgraphs
from storycore.comfyui.graph.node_class import NodeClasses
from storycore.comfyui.graph.routes import Router, Scope, Source, Value, primitive_value
from storycore.comfyui.graph.subgraphs import Builder, build
from storycore.comfyui.graph.ui_graph import MAX_NODES, read_ui_graph
from storycore.errors import InvalidInput, Reason

MAX_DEPTH = 32
"""Subgraphs inside subgraphs."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GraphWarning:
    """Something odd that did not stop a conversion.

    Attributes:
        node: id in the graph.
        input: its name, or "".
        reason: stable word: value_not_listed, values_shifted, missing_class, random_text, drawn_in_browser.
        message: for people.
    """

    node: str
    input: str
    reason: str
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Conversion:
    """A graph in API format, and what is odd about it."""

    graph: ApiGraph
    warnings: tuple[GraphWarning, ...]


def convert(ui_graph: Mapping[str, Any], object_info: ObjectInfo, *, by_name: bool = False) -> Conversion:
    """The graph in API format that ComfyUI's page would send for a workflow in UI format.

    Guarantee: the same workflow gives the same graph. A value that the author chose is kept even where the server
    does not list it, with a warning. Nothing is read or written.

    Args:
        ui_graph: as JSON; is not changed.
        object_info: what the server tells of its classes; at least of those that the workflow uses.
        by_name: takes values by name wherever names were saved with them; otherwise in order, as the page does, and by
            name only where the order gives what could not run.

    Raises:
        InvalidInput: workflow_invalid: no workflow, one larger than any that a person made, or a subgraph in itself.
    """
    builder = Builder(classes=NodeClasses(object_info), order=BranchOrder(object_info), by_name=by_name)
    canvas = build(as_subgraphs(read_ui_graph(ui_graph), builder.classes), builder)
    scopes = list(_scopes(Scope(canvas=canvas)))
    for inner in {id(scope.canvas): scope.canvas for scope in scopes}.values():
        _settle(inner)
    router = Router()
    graph: ApiGraph = {}
    warnings: list[GraphWarning] = []
    for scope in scopes:
        for node in scope.canvas.nodes.values():
            if not node.runs:
                continue
            name = scope.prefix + node.id
            if node.shifted:
                warnings.append(_slip(name, node))
            if node.kind is Kind.NODE:
                graph[name] = _written(router, scope, node)
                warnings += _oddities(name, node, graph[name]["inputs"])
    _drop_loose_links(graph)
    return Conversion(graph=graph, warnings=tuple(warnings))


def _scopes(whole: Scope) -> Iterator[Scope]:
    """Every canvas in every place where it runs, the outer ones first."""
    waiting, nodes = [whole], 0
    while waiting:
        scope = waiting.pop(0)
        nodes += len(scope.canvas.nodes)
        if nodes > MAX_NODES or scope.depth > MAX_DEPTH:
            raise InvalidInput("The subgraphs of the workflow multiply beyond measure.", reason=Reason.WORKFLOW_INVALID)
        yield scope
        waiting += [scope.inside(node) for node in scope.canvas.nodes.values() if node.inside is not None and node.runs]


def _settle(canvas: Canvas) -> None:
    """Last changes to values, as the page makes them: PrimitiveNodes set controls, empty choices take the first."""
    for node in canvas.nodes.values():
        for widget in node.widgets:
            _fill_in(node, widget)
    for link in canvas.links.values():
        origin = canvas.nodes.get(link.origin)
        value = primitive_value(origin) if origin is not None and origin.kind is Kind.PRIMITIVE else ()
        if value:
            _set_control(canvas, link.id, value[0])


def _fill_in(node: CanvasNode, widget: Widget) -> None:
    field = widget.field
    if field is None:
        return
    if widget.value is None and field.choices:
        widget.value = field.choices[0]
    if node.type in ("KSampler", "KSamplerAdvanced") and widget.name == "sampler_name":
        widget.value = _without_prefix(widget.value)  # the name that samplers had in 2023


def _without_prefix(value: Any) -> Any:
    return value.removeprefix("sample_") if isinstance(value, str) else value


def _set_control(canvas: Canvas, link: str, value: Any) -> None:
    """Puts a value into the control that a link ends at, if it ends at one."""
    found = canvas.target(link)
    widget = found[0].widget(found[1].widget) if found is not None else None
    if widget is not None:
        widget.value = value


def _written(router: Router, scope: Scope, node: CanvasNode) -> dict[str, Any]:
    inputs = {widget.name: _sent(widget) for widget in node.widgets if widget.sent and widget.value is not UNSET}
    for slot, socket in enumerate(node.inputs):
        found = router.follow(scope, node, slot) if socket.link is not None else None
        if isinstance(found, Source):
            inputs[socket.name] = [found.node, found.output]
        elif isinstance(found, Value):
            inputs.pop(socket.name, None)
            if found.value is not UNSET:
                inputs[socket.name] = _wrapped(found.value)
    return {"class_type": node.type, "inputs": inputs, "_meta": {"title": node.title}}


def _sent(widget: Widget) -> Any:
    value = widget.value
    if isinstance(value, str) and widget.field is not None and widget.field.facts.get("dynamicPrompts") is True:
        return settle(value)
    return _wrapped(value)


def _wrapped(value: Any) -> Any:
    """A list that is a value says so, since a bare one would be a link."""
    return {"__value__": value} if isinstance(value, list) else value


def _drop_loose_links(graph: ApiGraph) -> None:
    for node in graph.values():
        inputs = node["inputs"]
        for name in [name for name, value in inputs.items() if (link := link_of(value)) and link.node not in graph]:
            del inputs[name]


def _slip(name: str, node: CanvasNode) -> GraphWarning:
    what = node.type if node.inside is None else f"The subgraph {node.title!r}"
    return GraphWarning(
        node=name,
        input="",
        reason="values_shifted",
        message=f"{what} has changed since this was saved: taken in order, as ComfyUI's page does, values stand at "
        "other inputs than their names say. Taken by name they would not.",
    )


def _oddities(name: str, node: CanvasNode, inputs: Mapping[str, Any]) -> Iterator[GraphWarning]:
    if node.node_class is None:
        yield GraphWarning(
            node=name, input="", reason="missing_class", message=f"The server has no node class {node.type!r}."
        )
    for widget in node.widgets:
        if widget.name in inputs and widget.field is not None:
            yield from _odd_value(name, widget, inputs[widget.name])


def _odd_value(name: str, widget: Widget, sent: Any) -> Iterator[GraphWarning]:
    field = widget.field
    if field is None or link_of(sent) is not None:
        return
    choices = field.choices
    if choices is not None and sent not in choices and not isinstance(sent, dict) and field.facts.get("remote") is None:
        yield GraphWarning(
            node=name,
            input=widget.name,
            reason="value_not_listed",
            message=f"The server does not list {sent!r} for {widget.name}; the author's value is kept.",
        )
    if field.facts.get("dynamicPrompts") is True and isinstance(widget.value, str) and has_choices(widget.value):
        yield GraphWarning(
            node=name,
            input=widget.name,
            reason="random_text",
            message="The text has alternatives, of which ComfyUI's page takes one at random; the first is taken here.",
        )
    if field.control == "LOAD_3D":
        yield GraphWarning(
            node=name,
            input=widget.name,
            reason="drawn_in_browser",
            message="This picture is drawn by ComfyUI's page when it sends the graph; here there is none.",
        )
