"""Group nodes, which ComfyUI had before subgraphs, made into subgraphs: each instance gets one of its own.

A workflow of 2024 keeps what a group holds in `extra.groupNodes`. An instance has the inputs of the inner nodes that
nothing inside is linked to, their outputs, and the values of all their controls in one list.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from storycore.comfyui.graph.companions import companions
from storycore.comfyui.graph.node_class import Field, NodeClasses
from storycore.comfyui.graph.ui_graph import (
    INPUT_SIDE,
    MAX_DEFINITIONS,
    OUTPUT_SIDE,
    Port,
    UiGraph,
    UiInput,
    UiLink,
    UiNode,
    read_ui_graph,
)
from storycore.errors import InvalidInput, Reason

_PREFIXES = ("workflow/", "workflow>")


def as_subgraphs(graph: UiGraph, classes: NodeClasses) -> UiGraph:
    """The workflow with a subgraph in place of each group node.

    Raises:
        InvalidInput: workflow_invalid: groups hold each other without end.
    """
    groups = graph.extra.get("groupNodes")
    if not isinstance(groups, dict) or not groups:
        return graph
    made = dict(graph.definitions)
    whole = _unpack(graph, "", groups, classes, made)
    waiting = list(made)
    while waiting:
        name = waiting.pop()
        before = set(made)
        made[name] = _unpack(made[name], name, groups, classes, made)
        waiting += [one for one in made if one not in before]
    return replace(whole, definitions=made)


def _unpack(
    canvas: UiGraph, name: str, groups: Mapping[str, Any], classes: NodeClasses, made: dict[str, UiGraph]
) -> UiGraph:
    """A canvas whose group nodes are instances of subgraphs, which are put into `made`."""
    nodes: list[UiNode] = []
    for node in canvas.nodes:
        kind = next((node.type.removeprefix(prefix) for prefix in _PREFIXES if node.type.startswith(prefix)), "")
        group = groups.get(kind) if kind else None
        if not isinstance(group, dict):
            nodes.append(node)
            continue
        title = f"group {name}:{node.id}"
        made[title], instance = _Group(group, classes).unpack(node, title, kind)
        nodes.append(instance)
        if len(made) > MAX_DEFINITIONS:
            raise InvalidInput("The group nodes of the workflow have no end.", reason=Reason.WORKFLOW_INVALID)
    return replace(canvas, nodes=tuple(nodes))


class _Group:
    """What a group holds: inner nodes, numbered from 0, and their links."""

    def __init__(self, group: Mapping[str, Any], classes: NodeClasses) -> None:
        self._classes = classes
        self._config = group.get("config") if isinstance(group.get("config"), dict) else {}
        self._nodes, self._links = _read(group)
        self._external = _pairs(group.get("external"))

    def unpack(self, node: UiNode, title: str, name: str) -> tuple[UiGraph, UiNode]:
        """The subgraph for an instance, and the instance of it."""
        values = list(reversed(node.values or ()))
        inner = [self._filled(at, values) for at in range(len(self._nodes))]
        links = {link.id: link for link in self._links}
        inputs = self._inputs(inner, links)
        outputs = self._outputs(inner, links)
        graph = UiGraph(id=title, name=name, nodes=tuple(inner), links=links, inputs=inputs, outputs=outputs)
        given = [
            UiInput(name=port.name, type=port.type, link=_link_of(node, port.name, at), widget="")
            for at, port in enumerate(inputs)
        ]
        return graph, replace(
            node, type=title, title=node.title or name, inputs=tuple(given), values=None, named={}, properties={}
        )

    def _filled(self, at: int, values: list[Any]) -> UiNode:
        """An inner node with the instance's values in place of its own; takes them from the end of `values`."""
        node = self._nodes[at]
        if node.type == "PrimitiveNode":
            return replace(node, values=tuple(_take(values, node.values or (), len(node.values or ()))))
        node_class = self._classes.find(node.type)
        if node_class is None:
            return node
        converted = {one.widget for one in node.inputs if one.widget}
        own = dict(self._saved(node, node_class.fields))
        for field in node_class.fields:
            if field.control and field.name not in converted:
                own[field.name] = _take(values, (own.get(field.name),), 1)[0]
                _take(values, (), len(companions(field)))
        if any(field.facts.get("image_upload") for field in node_class.fields):
            _take(values, (), 1)
        return replace(node, values=None, named={name: value for name, value in own.items() if value is not None})

    @staticmethod
    def _saved(node: UiNode, fields: Sequence[Field]) -> Iterator[tuple[str, Any]]:
        """The inner node's own values, by name."""
        waiting = iter(node.values or ())
        for field in fields:
            if field.control:
                yield field.name, next(waiting, None)
                for _ in companions(field):
                    next(waiting, None)

    def _inputs(self, inner: list[UiNode], links: dict[str, UiLink]) -> tuple[Port, ...]:
        """Inputs that nothing inside is linked to: sockets in the order of the nodes, then those beside controls."""
        free = [(at, slot, one) for at, node in enumerate(inner) for slot, one in enumerate(node.inputs)]
        free = [
            entry
            for entry in free
            if entry[2].link is None and self._shows(int(inner[entry[0]].id), "input", entry[2].name)
        ]
        ports: list[Port] = []
        for at, slot, one in sorted(free, key=lambda entry: bool(entry[2].widget)):
            link = UiLink(
                id=f"in {len(ports)}",
                origin=INPUT_SIDE,
                origin_slot=len(ports),
                target=inner[at].id,
                target_slot=slot,
                type=one.type,
            )
            links[link.id] = link
            sockets = list(inner[at].inputs)
            sockets[slot] = replace(one, link=link.id)
            inner[at] = replace(inner[at], inputs=tuple(sockets))
            ports.append(Port(name=self._called(inner[at], one.name, ports), type=one.type, links=(link.id,)))
        return tuple(ports)

    @staticmethod
    def _called(node: UiNode, name: str, ports: Sequence[Port]) -> str:
        taken = {port.name for port in ports}
        called = name if name not in taken else f"{node.title or node.type} {name}"
        return called if called not in taken else f"{called} {len(ports)}"

    def _outputs(self, inner: Sequence[UiNode], links: dict[str, UiLink]) -> tuple[Port, ...]:
        """Outputs that are not used up inside, in the order of the nodes."""
        used = {(link.origin, link.origin_slot) for link in links.values()}
        ports: list[Port] = []
        for node in inner:
            at = int(node.id)
            for slot, kind in enumerate(self._kinds(node)):
                hidden = (node.id, slot) in used and (at, slot) not in self._external
                if not self._shows(at, "output", str(slot), otherwise=not hidden):
                    continue
                name = f"out {len(ports)}"
                links[name] = UiLink(
                    id=name, origin=node.id, origin_slot=slot, target=OUTPUT_SIDE, target_slot=len(ports), type=kind
                )
                ports.append(Port(name=name, type=kind, links=(name,)))
        return tuple(ports)

    def _kinds(self, node: UiNode) -> Sequence[str]:
        node_class = self._classes.find(node.type)
        return node_class.outputs if node_class is not None else [one.type for one in node.outputs]

    def _shows(self, at: int, side: str, name: str, *, otherwise: bool = True) -> bool:
        """Whether the author lets an input or output of an inner node be seen."""
        found: Any = self._config
        for key in (str(at), side, name):
            found = found.get(key) if isinstance(found, dict) else None
        visible = found.get("visible") if isinstance(found, dict) else None
        return visible if isinstance(visible, bool) else otherwise


def _read(group: Mapping[str, Any]) -> tuple[list[UiNode], list[UiLink]]:
    """The inner nodes with their numbers as ids, linked as the group says."""
    listed = group.get("nodes")
    numbered = [
        {**item, "id": at, "type": item.get("type") or "", "inputs": _unlinked(item.get("inputs"))}
        for at, item in enumerate(listed if isinstance(listed, list) else ())
        if isinstance(item, dict)
    ]
    drawn = group.get("links")
    rows = [
        [f"{at}", row[0], row[1], row[2], row[3], row[5] if len(row) > 5 else "*"]
        for at, row in enumerate(drawn if isinstance(drawn, list) else ())
        if isinstance(row, list) and len(row) > 3
    ]
    canvas = read_ui_graph({"nodes": numbered, "links": rows})
    nodes = {node.id: node for node in canvas.nodes}
    for link in canvas.links.values():
        node = nodes.get(link.target)
        if node is not None and 0 <= link.target_slot < len(node.inputs):
            sockets = list(node.inputs)
            sockets[link.target_slot] = replace(sockets[link.target_slot], link=link.id)
            nodes[link.target] = replace(node, inputs=tuple(sockets))
    return list(nodes.values()), list(canvas.links.values())


def _unlinked(inputs: object) -> list[Any]:
    """Inputs without the links that they had before they went into the group."""
    listed = inputs if isinstance(inputs, list) else []
    return [{**one, "link": None} for one in listed if isinstance(one, dict)]


def _pairs(value: object) -> set[tuple[int, int]]:
    rows = value if isinstance(value, list) else []
    long = [row[:2] for row in rows if isinstance(row, list) and len(row) > 2 and row[2] is not None]
    return {(one, other) for one, other in long if isinstance(one, int) and isinstance(other, int)}


def _link_of(node: UiNode, name: str, at: int) -> str | None:
    """The link that an instance has at an input: by its name, or else by its place."""
    named = next((one for one in node.inputs if one.name == name), None)
    if named is None and at < len(node.inputs):
        named = node.inputs[at]
    return named.link if named is not None else None


def _take(values: list[Any], otherwise: Sequence[Any], count: int) -> list[Any]:
    """The next values, or others where there are no more."""
    taken = [values.pop() for _ in range(min(count, len(values)))]
    return [*taken, *otherwise[len(taken) : count]]
