"""A workflow as ComfyUI's page holds it once it is loaded: every node with its inputs, controls and values.

What is saved and what the server declares today are brought together here, node by node. Links are not followed yet.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from storycore.comfyui.graph.branch_order import BranchOrder
from storycore.comfyui.graph.controls import UNSET, Widget, growing_rows
from storycore.comfyui.graph.node_class import BRANCHING, MATCHING, Field, NodeClass, NodeClasses, field_named
from storycore.comfyui.graph.restored import restore
from storycore.comfyui.graph.ui_graph import UiInput, UiLink, UiNode


class Kind(StrEnum):
    """What a node is to a conversion."""

    NODE = "node"
    """One that the server runs, whether it knows its class or not."""
    SUBGRAPH = "subgraph"
    """An instance of a subgraph."""
    PASSAGE = "passage"
    """A Reroute: hands on what it gets."""
    PRIMITIVE = "primitive"
    """A value that stands beside the controls it sets."""
    SETTER = "setter"
    GETTER = "getter"
    """Hands on what the setter of the same name gets."""
    NOTE = "note"
    """One for people, or for the page itself; gives nothing."""


KINDS = {
    "Reroute": Kind.PASSAGE,
    "PrimitiveNode": Kind.PRIMITIVE,
    "SetNode": Kind.SETTER,
    "GetNode": Kind.GETTER,
    "Note": Kind.NOTE,
    "MarkdownNote": Kind.NOTE,
    "Reroute (rgthree)": Kind.PASSAGE,
    **dict.fromkeys(
        (
            "Label (rgthree)",
            "Bookmark (rgthree)",
            "Fast Muter (rgthree)",
            "Fast Bypasser (rgthree)",
            "Fast Groups Muter (rgthree)",
            "Fast Groups Bypasser (rgthree)",
            "Fast Actions Button (rgthree)",
            "Mute / Bypass Relay (rgthree)",
            "Mute / Bypass Repeater (rgthree)",
            "Random Unmuter (rgthree)",
            "Node Collector (rgthree)",
        ),
        Kind.NOTE,
    ),
}
"""Types of nodes that live on the page only: its own, and those of packs that many workflows use."""


@dataclass(kw_only=True, slots=True, eq=False)
class Socket:
    """An input of a node on the canvas.

    Attributes:
        link: id of the link that ends here, or None.
        widget: name of the control that it stands beside, or "".
        promoted: of a subgraph instance: whether `value` is handed to the inside.
        field: of a promoted one: what the server declares of the control inside.
    """

    name: str
    type: str
    link: str | None = None
    widget: str = ""
    value: Any = UNSET
    promoted: bool = False
    field: Field | None = None


@dataclass(kw_only=True, slots=True, eq=False)
class CanvasNode:
    """A node on the canvas. `shifted` tells that its values, taken in order, are not those that were saved by name."""

    id: str
    type: str
    title: str
    kind: Kind
    saved: UiNode
    inputs: list[Socket]
    outputs: list[str]
    widgets: list[Widget]
    node_class: NodeClass | None = None
    inside: "Canvas | None" = None
    shifted: bool = False

    @property
    def runs(self) -> bool:
        """Whether it is neither muted nor bypassed."""
        return self.saved.runs

    def widget(self, name: str) -> Widget | None:
        """The control of a name."""
        return next((widget for widget in self.widgets if widget.name == name), None) if name else None


@dataclass(kw_only=True, slots=True, eq=False)
class CanvasPort:
    """An input or an output of a subgraph, with the ids of its links inside."""

    name: str
    type: str
    links: list[str]


@dataclass(kw_only=True, slots=True, eq=False)
class Canvas:
    """The workflow, or the inside of a subgraph, which all its instances share."""

    id: str
    name: str
    nodes: dict[str, CanvasNode] = field(default_factory=dict)
    links: dict[str, UiLink] = field(default_factory=dict)
    inputs: list[CanvasPort] = field(default_factory=list)
    outputs: list[CanvasPort] = field(default_factory=list)

    def target(self, link_id: str) -> tuple[CanvasNode, Socket] | None:
        """The node and the input at which a link ends."""
        link = self.links.get(link_id)
        node = self.nodes.get(link.target) if link is not None else None
        if node is None:
            return None
        return next(((node, socket) for socket in node.inputs if socket.link == link_id), None)


def place(saved: UiNode, classes: NodeClasses, order: BranchOrder, *, by_name: bool) -> CanvasNode:
    """A node that is no subgraph instance, as the page shows it."""
    node_class = classes.find(saved.type)
    kind = KINDS.get(saved.type, Kind.NODE) if node_class is None else Kind.NODE
    node = CanvasNode(
        id=saved.id,
        type=saved.type,
        title=saved.title or (node_class.title if node_class else saved.type),
        kind=kind,
        saved=saved,
        inputs=[_as_saved(one) for one in saved.inputs],
        outputs=[one.type for one in saved.outputs],
        widgets=[],
        node_class=node_class,
    )
    if node_class is not None:
        node.widgets, node.shifted = restore(saved, node_class, order, by_name=by_name)
        _declare(node, node_class)
    elif kind is Kind.NODE:
        node.widgets = list(_guessed(saved))
    return node


def _declare(node: CanvasNode, node_class: NodeClass) -> None:
    """Puts what the server declares over what was saved."""
    chosen = {widget.name: widget.value for widget in node.widgets}
    saved = {socket.name: socket for socket in node.inputs}  # the last of two of the same name stands
    found: list[Socket] = []
    for one in _sockets(node_class.fields, chosen):
        was = saved.pop(one.name, None)
        found.append(Socket(name=one.name, type=one.type, widget=one.widget, link=was.link if was else None))
    shown = {widget.name for widget in node.widgets}
    for name, extra in saved.items():
        if extra.widget and extra.widget not in shown:
            continue
        known = field_named(node_class.fields, name, chosen)
        if known is None and _left_a_choice(name, node_class.fields):
            continue
        found.append(
            Socket(name=name, type=_type(known) if known else extra.type, link=extra.link, widget=extra.widget)
        )
    node.inputs = _rows_together(found, node_class)
    declared = ["*" if kind == MATCHING else kind for kind in node_class.outputs]
    node.outputs = [*declared, *node.outputs[len(declared) :]]


def _sockets(fields: Iterable[Field], chosen: Mapping[str, Any]) -> Iterator[Socket]:
    """Inputs without a control first, as the page puts them, then those that stand beside controls."""
    for one in fields:
        if not one.control:
            yield from _inner_sockets((one,), chosen)
    for one in fields:
        if one.control:
            yield from _inner_sockets((one,), chosen)


def _inner_sockets(fields: Iterable[Field], chosen: Mapping[str, Any]) -> Iterator[Socket]:
    """Inputs in the order of their fields, those of choices and of the first steps of growing rows among them."""
    for one in fields:
        row = one.row
        if row is not None:
            for step in range(max(1, row.least + 1)):
                yield from _inner_sockets(row.inputs(step), chosen)
        elif not one.facts.get("socketless"):
            yield Socket(name=one.name, type=_type(one), widget=one.name if one.control else "")
        if one.kind == BRANCHING:
            yield from _inner_sockets(one.branches.get(str(chosen.get(one.name)), ()), chosen)


def _type(one: Field) -> str:
    if one.kind != MATCHING:
        return one.kind
    template = one.facts.get("template")
    return str(template.get("allowed_types") or "*") if isinstance(template, dict) else "*"


def _left_a_choice(name: str, fields: Iterable[Field]) -> bool:
    """Whether an input belongs to a choice that stands otherwise now."""
    return any(one.kind == BRANCHING and name.startswith(f"{one.name}.") for one in fields)


def _rows_together(sockets: list[Socket], node_class: NodeClass) -> list[Socket]:
    """The inputs of each growing row side by side, in their own order, where the first of them stands."""
    for one in growing_rows(node_class):
        row = [socket for socket in sockets if socket.name.startswith(f"{one.name}.")]
        if row:
            at = sockets.index(row[0])
            rest = [socket for socket in sockets[at:] if not socket.name.startswith(f"{one.name}.")]
            sockets = [*sockets[:at], *row, *rest]
    return sockets


def _guessed(saved: UiNode) -> Iterator[Widget]:
    """Controls of a class that the server does not know, as far as their names were saved."""
    if saved.named:
        named: dict[str, Any] = dict(saved.named)
    else:
        names = [one.widget for one in saved.inputs if one.widget]
        values = saved.values or ()
        named = dict(zip(names, values, strict=False)) if len(names) == len(values) else {}
    for name, value in named.items():
        yield Widget(name=name, value=value, field=None, sent=True)


def _as_saved(one: UiInput) -> Socket:
    return Socket(name=one.name, type=one.type, link=one.link, widget=one.widget)
