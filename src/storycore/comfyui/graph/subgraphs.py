"""Canvases built from the inside out, with the instances of subgraphs and the values that are promoted to them.

An input of an instance that leads to a control inside is itself a control: its value stands in place of the inner one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from storycore.comfyui.graph.branch_order import BranchOrder
from storycore.comfyui.graph.canvas import Canvas, CanvasNode, CanvasPort, Kind, Socket, place
from storycore.comfyui.graph.node_class import NodeClasses
from storycore.comfyui.graph.promotions import apply_legacy, promote, quarantined
from storycore.comfyui.graph.restored import named_values
from storycore.comfyui.graph.ui_graph import UiGraph, UiNode
from storycore.errors import InvalidInput, Reason


@dataclass(frozen=True, kw_only=True)
class Builder:
    """What canvases are built with.

    Attributes:
        classes: the server's.
        order: of the inputs that choices bring with them.
        by_name: whether values are taken by name where names were saved.
    """

    classes: NodeClasses
    order: BranchOrder
    by_name: bool


def build(graph: UiGraph, builder: Builder) -> Canvas:
    """The canvas of a workflow.

    Raises:
        InvalidInput: workflow_invalid: a subgraph holds itself.
    """
    built: dict[str, Canvas] = {}
    instances: dict[str, list[CanvasNode]] = {}
    for definition in (*_leaf_first(graph), graph):
        canvas = _fill(definition, builder, built, instances)
        if definition is graph:
            return canvas
        built[definition.id] = canvas
    raise AssertionError("the workflow itself comes last")


def _fill(graph: UiGraph, builder: Builder, built: dict[str, Canvas], instances: dict[str, list[CanvasNode]]) -> Canvas:
    canvas = Canvas(
        id=graph.id,
        name=graph.name,
        links=dict(graph.links),
        inputs=[CanvasPort(name=port.name, type=port.type, links=list(port.links)) for port in graph.inputs],
        outputs=[CanvasPort(name=port.name, type=port.type, links=list(port.links)) for port in graph.outputs],
    )
    for saved in graph.nodes:
        inside = built.get(saved.type)
        if inside is None:
            canvas.nodes[saved.id] = place(saved, builder.classes, builder.order, by_name=builder.by_name)
        else:
            node = _place_instance(saved, inside, by_name=builder.by_name)
            canvas.nodes[saved.id] = node
            instances.setdefault(inside.id, []).append(node)
    for node in canvas.nodes.values():
        if node.inside is not None:
            apply_legacy(node, node.inside, instances[node.inside.id])
    return canvas


def _place_instance(saved: UiNode, inside: Canvas, *, by_name: bool) -> CanvasNode:
    was = {one.name: one for one in saved.inputs}
    sockets = [
        Socket(name=port.name, type=port.type, link=was[port.name].link if port.name in was else None)
        for port in inside.inputs
    ]
    for socket, port in zip(sockets, inside.inputs, strict=True):
        promote(socket, inside, port)
    node = CanvasNode(
        id=saved.id,
        type=saved.type,
        title=saved.title or inside.name,
        kind=Kind.SUBGRAPH,
        saved=saved,
        inputs=sockets,
        outputs=[port.type for port in inside.outputs],
        widgets=[],
        inside=inside,
    )
    _restore(node, by_name=by_name)
    return node


def _restore(node: CanvasNode, *, by_name: bool) -> None:
    """Puts the saved values into the promoted inputs: by their names, or in order as the page does."""
    shown = [socket for socket in node.inputs if socket.promoted]
    named, is_sure = named_values(node.saved)
    in_order = dict(zip((socket.name for socket in shown), node.saved.values or (), strict=False))
    slipped = is_sure and any(named.get(name, value) != value for name, value in in_order.items())
    chosen = named if node.saved.values is None or (slipped and by_name) else in_order
    node.shifted = slipped and not by_name and "proxyWidgets" not in node.saved.properties
    set_aside = quarantined(node)
    for socket in shown:
        socket.value = set_aside.get(socket.name, chosen.get(socket.name, socket.value))


def _leaf_first(graph: UiGraph) -> list[UiGraph]:
    """The definitions that the workflow uses, each after those that it uses itself."""
    known = graph.definitions
    done: dict[str, UiGraph] = {}
    path: dict[str, Iterator[Any]] = {"": _used(graph, known)}
    while path:
        name, uses = next(reversed(path.items()))
        inner = next(uses, None)
        if inner is None:
            path.pop(name)
            if name:
                done[name] = known[name]
        elif inner in path:
            raise InvalidInput(f"The subgraph {known[inner].name!r} holds itself.", reason=Reason.WORKFLOW_INVALID)
        elif inner not in done:
            path[inner] = _used(known[inner], known)
    return list(done.values())


def _used(graph: UiGraph, known: Any) -> Iterator[str]:
    return iter(dict.fromkeys(node.type for node in graph.nodes if node.type in known))
