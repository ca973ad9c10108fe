"""Where an input gets its value from: links followed through all that lives on the page only.

A Reroute hands on what it gets, a bypassed node hands on an input of a fitting type, a muted one gives nothing, a
subgraph is entered and left, and what a PrimitiveNode holds or an instance promotes is a value. Followed in a loop,
never by recursion, so that no chain is too long.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from storycore.comfyui.graph.canvas import Canvas, CanvasNode, Kind, Socket
from storycore.comfyui.graph.ui_graph import BYPASSED, INPUT_SIDE, MUTED
from storycore.errors import InvalidInput, Reason

MAX_STEPS = 2_000_000
"""Over all inputs of a workflow."""


class Source(NamedTuple):
    """An output of a node that runs."""

    node: str
    output: int


class Value(NamedTuple):
    """A value that stands in place of a link."""

    value: Any


@dataclass(frozen=True, kw_only=True, eq=False)
class Scope:
    """A canvas in one of its places: the workflow itself, or the inside of one instance of a subgraph.

    Attributes:
        canvas: what is there.
        host: the instance that it is the inside of, or None.
        outer: where that instance stands, or None.
        prefix: what ids of nodes begin with here: `"12:"` inside instance 12.
    """

    canvas: Canvas
    host: CanvasNode | None = None
    outer: "Scope | None" = None
    prefix: str = ""
    _inner: dict[str, "Scope"] = field(default_factory=dict)

    @cached_property
    def setters(self) -> dict[str, CanvasNode]:
        """The SetNodes that stand here, by what they are called; the first of several counts."""
        nodes = [node for node in self.canvas.nodes.values() if node.kind is Kind.SETTER and node.inputs]
        return {_called(node): node for node in reversed(nodes)}

    def inside(self, node: CanvasNode) -> "Scope":
        """The inside of an instance that stands here."""
        if node.id not in self._inner:
            if node.inside is None:
                raise ValueError("no instance of a subgraph")
            inner = Scope(canvas=node.inside, host=node, outer=self, prefix=f"{self.prefix}{node.id}:")
            self._inner[node.id] = inner
        return self._inner[node.id]

    @property
    def depth(self) -> int:
        """How many subgraphs it is inside of."""
        return self.prefix.count(":")


class _At(NamedTuple):
    """A place on the way: before an input, or behind an output, of a node."""

    scope: Scope
    node: CanvasNode
    slot: int
    outgoing: bool


class Router:
    """Follows links, so many steps in all."""

    def __init__(self) -> None:
        self._left = MAX_STEPS

    def follow(self, scope: Scope, node: CanvasNode, slot: int) -> Source | Value | None:
        """What input number `slot` of a node gets, or None if nothing, or if the way leads in a circle.

        Raises:
            InvalidInput: workflow_invalid: all ways together are longer than any that a person drew.
        """
        at: _At | Source | Value | None = _At(scope, node, slot, outgoing=False)
        kind = ""
        seen: set[tuple[str, str, int, bool]] = set()
        while isinstance(at, _At):
            mark = (at.scope.prefix, at.node.id, at.slot, at.outgoing)
            self._left -= 1
            if self._left < 0:
                raise InvalidInput("The links of the workflow go too long ways.", reason=Reason.WORKFLOW_INVALID)
            if mark in seen:
                return None
            seen.add(mark)
            at, kind = _step(at, kind)
        return at


def _step(at: _At, kind: str) -> tuple["_At | Source | Value | None", str]:
    """One step back, and the type that is wanted there."""
    if not at.outgoing:
        found, keep = _before(at)
        return found, (kind or at.node.inputs[at.slot].type) if keep else ""
    if at.node.saved.mode == BYPASSED:
        return _through(at, kind), ""
    return _behind(at), kind


def _before(at: _At) -> tuple["_At | Value | None", bool]:
    """One step back from an input, and whether the wanted type still holds."""
    link = at.scope.canvas.links.get(at.node.inputs[at.slot].link or "")
    if link is None:
        return None, True
    if link.origin == INPUT_SIDE and at.scope.host is not None:
        return _out_of(at.scope, link.origin_slot), False
    origin = at.scope.canvas.nodes.get(link.origin)
    return (_At(at.scope, origin, link.origin_slot, outgoing=True) if origin is not None else None), True


def _out_of(scope: Scope, slot: int) -> "_At | Value | None":
    """From an input of a subgraph to that of its instance: what is linked or stands there."""
    host, outer = scope.host, scope.outer
    if host is None or outer is None or not 0 <= slot < len(host.inputs):
        return None
    socket = host.inputs[slot]
    if socket.link is not None and socket.link in outer.canvas.links:
        return _At(outer, host, slot, outgoing=False)
    return Value(socket.value) if socket.promoted else None


def _through(at: _At, kind: str) -> "_At | None":
    """Through a bypassed node, to the input that fits best."""
    slot = _bypass_slot(at.node, at.slot, kind)
    return _At(at.scope, at.node, slot, outgoing=False) if slot is not None else None


def _bypass_slot(node: CanvasNode, slot: int, kind: str) -> int | None:
    """The input with the same number if its type fits, else the first of the wanted type, else the first that fits."""
    inputs = node.inputs
    if kind in ("*", ""):
        return (slot if slot < len(inputs) else 0) if inputs else None
    given = node.outputs[slot] if 0 <= slot < len(node.outputs) else "*"

    def fits(socket: Socket) -> bool:
        return connects(socket.type, given) and connects(socket.type, kind)

    if 0 <= slot < len(inputs) and fits(inputs[slot]):
        return slot
    exact = next((at for at, socket in enumerate(inputs) if socket.type == kind), None)
    return exact if exact is not None else next((at for at, socket in enumerate(inputs) if fits(socket)), None)


def connects(one: str, other: str) -> bool:
    """Whether inputs and outputs of these types may be linked: the same, any, or one in common."""
    if one in ("", "*", "0") or other in ("", "*", "0") or one == other:
        return True
    return bool(set(one.lower().split(",")) & set(other.lower().split(",")))


def _behind(at: _At) -> "_At | Source | Value | None":
    """One step back from an output."""
    node = at.node
    if node.saved.mode == MUTED:
        return None
    if node.kind is Kind.SUBGRAPH:
        return _into(at)
    if node.kind is Kind.NODE:
        return Source(at.scope.prefix + node.id, at.slot)
    if node.kind is Kind.PRIMITIVE:
        value = primitive_value(node)
        return Value(value[0]) if value else None
    if node.kind is Kind.GETTER:
        return _setter(at)
    passes = node.kind in (Kind.PASSAGE, Kind.SETTER) and node.inputs
    return _At(at.scope, node, min(at.slot, len(node.inputs) - 1), outgoing=False) if passes else None


def _into(at: _At) -> "_At | Value | None":
    """Into a subgraph, to the output inside that one of its own outputs shows."""
    inside = at.scope.inside(at.node)
    ports = inside.canvas.outputs
    if not 0 <= at.slot < len(ports):
        return None
    link = next((found for name in ports[at.slot].links if (found := inside.canvas.links.get(name))), None)
    if link is None:
        return None
    if link.origin == INPUT_SIDE:  # straight through
        return _out_of(inside, link.origin_slot)
    origin = inside.canvas.nodes.get(link.origin)
    return _At(inside, origin, link.origin_slot, outgoing=True) if origin is not None else None


def _setter(at: _At) -> "_At | None":
    """The input of the setter of the same name, here or further out."""
    name = _called(at.node)
    scope: Scope | None = at.scope
    while scope is not None and name:
        if name in scope.setters:
            return _At(scope, scope.setters[name], 0, outgoing=False)
        scope = scope.outer
    return None


def _called(node: CanvasNode) -> str:
    values = node.saved.values
    return str(values[0]) if values else ""


def primitive_value(node: CanvasNode) -> tuple[Any, ...]:
    """The value that a PrimitiveNode holds, alone in a tuple; empty if it holds none."""
    if node.saved.values:
        return node.saved.values[:1]
    return (node.saved.named["value"],) if "value" in node.saved.named else ()
