"""A graph in UI format, as ComfyUI's page saves it, read into frozen values.

Both forms are read: links as lists (0.4) and as objects (1.0), with subgraph definitions at any depth. What can't be
understood is left out rather than guessed; what would make no graph at all is refused.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from storycore.errors import InvalidInput, Reason

INPUT_SIDE = "-10"
"""Stands for the inputs of a subgraph, where its inner links come from."""
OUTPUT_SIDE = "-20"
"""Stands for the outputs of a subgraph, where its inner links go to."""

MUTED, BYPASSED = 2, 4
"""Modes of nodes that don't run: muted ones give nothing, bypassed ones hand on what they get."""

MAX_NODES = 20_000
MAX_LINKS = 200_000
MAX_DEFINITIONS = 2_000
MAX_SLOTS = 500
"""Inputs or outputs of one node, or of one subgraph."""


@dataclass(frozen=True, kw_only=True, slots=True)
class UiInput:
    """An input of a node. `link` is the id of a link or None, `widget` the control that it stands beside or ""."""

    name: str
    type: str
    link: str | None
    widget: str


@dataclass(frozen=True, kw_only=True, slots=True)
class UiOutput:
    """An output of a node."""

    name: str
    type: str
    links: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class UiLink:
    """A line from an output to an input."""

    id: str
    origin: str
    origin_slot: int
    target: str
    target_slot: int
    type: str


@dataclass(frozen=True, kw_only=True, slots=True)
class UiNode:
    """A node as it was saved.

    Attributes:
        values: of its controls, in order; None where only `named` tells them, or nothing does.
        named: of its controls, by name.
    """

    id: str
    type: str
    title: str
    mode: int
    inputs: tuple[UiInput, ...]
    outputs: tuple[UiOutput, ...]
    values: tuple[Any, ...] | None
    named: Mapping[str, Any]
    properties: Mapping[str, Any]

    @property
    def runs(self) -> bool:
        """Whether it is neither muted nor bypassed."""
        return self.mode not in (MUTED, BYPASSED)


@dataclass(frozen=True, kw_only=True, slots=True)
class Port:
    """An input or an output of a subgraph."""

    name: str
    type: str
    links: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class UiGraph:
    """A canvas: the whole workflow, or the inside of a subgraph.

    Attributes:
        id: of a subgraph: what its instances have as their type.
        definitions: every subgraph of the workflow, by id; only the outermost canvas has them.
        extra: what else the workflow holds, group nodes of old among it.
    """

    id: str
    name: str
    nodes: tuple[UiNode, ...]
    links: Mapping[str, UiLink]
    inputs: tuple[Port, ...] = ()
    outputs: tuple[Port, ...] = ()
    definitions: Mapping[str, "UiGraph"] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)


def is_ui_graph(document: object) -> bool:
    """Whether a JSON document is a graph in UI format."""
    return isinstance(document, dict) and isinstance(document.get("nodes"), list)


def read_ui_graph(document: object) -> UiGraph:
    """The graph that a JSON document holds.

    Raises:
        InvalidInput: workflow_invalid: it is none, or larger than any that a person made.
    """
    if not isinstance(document, dict) or not isinstance(document.get("nodes"), list):
        raise InvalidInput("This is no ComfyUI workflow: it has no list of nodes.", reason=Reason.WORKFLOW_INVALID)
    definitions: dict[str, UiGraph] = {}
    waiting = _subgraphs(document)
    while waiting:
        inner = waiting.pop(0)
        waiting += _subgraphs(inner)
        graph = _canvas(inner)
        definitions.setdefault(graph.id, graph)
        if len(definitions) + len(waiting) > MAX_DEFINITIONS:
            raise _too_large("subgraphs", MAX_DEFINITIONS)
    whole = _canvas(document, definitions=definitions, extra=_mapping(document.get("extra")))
    if sum(len(graph.nodes) for graph in (whole, *definitions.values())) > MAX_NODES:
        raise _too_large("nodes", MAX_NODES)
    return whole


def ui_classes(graph: UiGraph) -> list[str]:
    """The types of all nodes of a workflow, those inside subgraphs and group nodes too, each once, sorted.

    Those that are no subgraphs and don't live on the page only are node classes, which a server may have.
    """
    found = {node.type for canvas in (graph, *graph.definitions.values()) for node in canvas.nodes}
    groups = _mapping(graph.extra.get("groupNodes")).values()
    inner = (item for group in groups for item in _items(_mapping(group).get("nodes")))
    found |= {_text(_mapping(item).get("type")) for item in inner}
    return sorted(found - set(graph.definitions) - {""})


def _canvas(document: Mapping[str, Any], **more: Any) -> UiGraph:
    nodes = [node for item in _items(document.get("nodes")) if (node := _node(item)) is not None]
    for holder in (document, *(item for item in _items(document.get("nodes")) if isinstance(item, dict))):
        if any(len(list(_items(holder.get(side)))) > MAX_SLOTS for side in ("inputs", "outputs")):
            raise _too_large("inputs or outputs of one node", MAX_SLOTS)
    links = [link for item in _items(document.get("links")) if (link := _link(item)) is not None]
    if len(links) > MAX_LINKS:
        raise _too_large("links", MAX_LINKS)
    return UiGraph(
        id=_text(document.get("id")),
        name=_text(document.get("name")),
        nodes=tuple({node.id: node for node in nodes}.values()),
        links={link.id: link for link in links},
        inputs=tuple(_port(item) for item in _items(document.get("inputs")) if isinstance(item, dict)),
        outputs=tuple(_port(item) for item in _items(document.get("outputs")) if isinstance(item, dict)),
        **more,
    )


def _subgraphs(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    listed = _mapping(document.get("definitions")).get("subgraphs")
    return [item for item in _items(listed) if isinstance(item, dict) and isinstance(item.get("nodes"), list)]


def _node(item: object) -> UiNode | None:
    if not isinstance(item, dict) or _id(item.get("id")) is None or not isinstance(item.get("type"), str):
        return None
    values = item.get("widgets_values")
    named = item.get("widgets_values_named")
    mode = item.get("mode")
    return UiNode(
        id=str(_id(item["id"])),
        type=item["type"],
        title=_text(item.get("title")),
        mode=mode if isinstance(mode, int) else 0,
        inputs=tuple(_input(one) for one in _items(item.get("inputs")) if isinstance(one, dict)),
        outputs=tuple(_output(one) for one in _items(item.get("outputs")) if isinstance(one, dict)),
        values=tuple(values) if isinstance(values, list) else None,
        named={**_mapping(values), **_mapping(named)},
        properties=_mapping(item.get("properties")),
    )


def _input(item: Mapping[str, Any]) -> UiInput:
    return UiInput(
        name=_text(item.get("name")),
        type=_type(item.get("type")),
        link=_id(item.get("link")),
        widget=_text(_mapping(item.get("widget")).get("name")),
    )


def _output(item: Mapping[str, Any]) -> UiOutput:
    return UiOutput(name=_text(item.get("name")), type=_type(item.get("type")), links=_ids(item.get("links")))


def _port(item: Mapping[str, Any]) -> Port:
    return Port(name=_text(item.get("name")), type=_type(item.get("type")), links=_ids(item.get("linkIds")))


def _link(item: object) -> UiLink | None:
    if isinstance(item, list) and len(item) >= 5:
        item = dict(zip(("id", "origin_id", "origin_slot", "target_id", "target_slot", "type"), item, strict=False))
    if not isinstance(item, dict):
        return None
    name, origin, target = (_id(item.get(key)) for key in ("id", "origin_id", "target_id"))
    slots = [_slot(item.get(key)) for key in ("origin_slot", "target_slot")]
    if name is None or origin is None or target is None or slots[0] is None:
        return None
    return UiLink(
        id=name,
        origin=origin,
        origin_slot=slots[0],
        target=target,
        target_slot=slots[1] if slots[1] is not None else -1,
        type=_type(item.get("type")),
    )


def _id(value: object) -> str | None:
    """Ids are numbers or texts; both name the same node."""
    if isinstance(value, bool) or not isinstance(value, (int, str)) or value == "":
        return None
    return str(value)


def _ids(value: object) -> tuple[str, ...]:
    return tuple(found for item in _items(value) if (found := _id(item)) is not None)


def _slot(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 6:
        return int(value)
    return value if isinstance(value, int) and -1 <= value < 100_000 else None


def _type(value: object) -> str:
    if isinstance(value, list):
        return "COMBO"
    return value if isinstance(value, str) else "*"


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _items(value: object) -> Iterable[Any]:
    if isinstance(value, dict):  # some versions save links by id
        return value.values()
    return value if isinstance(value, list) else ()


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _too_large(what: str, most: int) -> InvalidInput:
    return InvalidInput(f"The workflow has more than {most} {what}.", reason=Reason.WORKFLOW_INVALID)
