"""A workflow as ComfyUI's page saves it (UI format) made into the graph that ComfyUI runs (API format)."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from storycore.comfyui.graph.api_graph import ApiGraph, ObjectInfo, is_output, link_of
from storycore.comfyui.graph.branch_order import BranchOrder
from storycore.comfyui.graph.canvas import Canvas, CanvasNode, Kind
from storycore.comfyui.graph.controls import UNSET, Widget
from storycore.comfyui.graph.dynamic_text import settle
from storycore.comfyui.graph.file_names import FIELD, FileNames
from storycore.comfyui.graph.group_nodes import as_subgraphs
from storycore.comfyui.graph.node_class import NodeClasses
from storycore.comfyui.graph.oddities import GraphWarning, oddities, slip
from storycore.comfyui.graph.routes import Router, Scope, Source, Value, primitive_value
from storycore.comfyui.graph.subgraphs import Builder, build
from storycore.comfyui.graph.ui_graph import MAX_NODES, read_ui_graph
from storycore.errors import InvalidInput, Reason

MAX_DEPTH = 32
"""Subgraphs inside subgraphs."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Conversion:
    """A graph in API format, and what is odd about it."""

    graph: ApiGraph
    warnings: tuple[GraphWarning, ...]


def convert(ui_graph: Mapping[str, Any], object_info: ObjectInfo, *, by_name: bool = True) -> Conversion:
    """The graph in API format that ComfyUI's page would send for a workflow in UI format.

    Guarantee: the same workflow gives the same graph. A value that the author chose is kept even where the server
    does not list it, with a warning. Nothing is read or written.

    Args:
        ui_graph: as JSON; is not changed.
        object_info: what the server tells of its classes; at least of those that the workflow uses.
        by_name: takes values by their names where these were saved; else in order, exactly as the page does, which
            slips where a node class has changed, and then warns `values_shifted`.

    Raises:
        InvalidInput: workflow_invalid: no workflow, one larger than any that a person made, or a subgraph in itself.
    """
    builder = Builder(classes=NodeClasses(object_info), order=BranchOrder(object_info), by_name=by_name)
    canvas = build(as_subgraphs(read_ui_graph(ui_graph), builder.classes), builder)
    scopes = list(_scopes(Scope(canvas=canvas)))
    for inner in {id(scope.canvas): scope.canvas for scope in scopes}.values():
        _settle(inner)
    writer = _Writer(router=Router(), names=FileNames(_all_nodes(scopes)))
    graph: ApiGraph = {}
    warnings: list[GraphWarning] = []
    for scope in scopes:
        for node in scope.canvas.nodes.values():
            if not node.runs:
                continue
            name = scope.prefix + node.id
            if node.shifted:
                warnings.append(slip(name, node))
            if node.kind is Kind.NODE:
                graph[name] = writer.written(scope, node)
                warnings += oddities(name, node, graph[name]["inputs"])
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


def _all_nodes(scopes: Iterable[Scope]) -> Iterator[CanvasNode]:
    for canvas in {id(scope.canvas): scope.canvas for scope in scopes}.values():
        yield from canvas.nodes.values()


@dataclass(frozen=True, kw_only=True)
class _Writer:
    """Writes nodes in API format."""

    router: Router
    names: FileNames

    def written(self, scope: Scope, node: CanvasNode) -> dict[str, Any]:
        """A node with its values and links."""
        shown = (widget for widget in node.widgets if widget.sent and widget.value is not UNSET)
        inputs = {widget.name: self._sent(node, widget) for widget in shown}
        for slot, socket in enumerate(node.inputs):
            found = self.router.follow(scope, node, slot) if socket.link is not None else None
            if isinstance(found, Source):
                inputs[socket.name] = [found.node, found.output]
            elif isinstance(found, Value):
                inputs.pop(socket.name, None)
                if found.value is not UNSET:
                    inputs[socket.name] = _wrapped(found.value)
        return {"class_type": node.type, "inputs": inputs, "_meta": {"title": node.title}}

    def _sent(self, node: CanvasNode, widget: Widget) -> Any:
        value = widget.value
        if not isinstance(value, str) or widget.field is None or node.node_class is None:
            return _wrapped(value)
        if widget.name == FIELD and is_output(node.node_class.facts):
            return self.names.fill_in(value)
        return settle(value) if widget.field.facts.get("dynamicPrompts") is True else value


def _wrapped(value: Any) -> Any:
    """A list that is a value says so, since a bare one would be a link."""
    return {"__value__": value} if isinstance(value, list) else value


def _drop_loose_links(graph: ApiGraph) -> None:
    for node in graph.values():
        inputs = node["inputs"]
        for name in [name for name, value in inputs.items() if (link := link_of(value)) and link.node not in graph]:
            del inputs[name]
