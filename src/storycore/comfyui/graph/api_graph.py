"""A graph in API format: what ComfyUI runs, as plain JSON.

    {"3": {"class_type": "KSampler", "inputs": {"seed": 7, "model": ["4", 0]}, "_meta": {"title": "Sampler"}}}

Keys are node ids, `"12:3"` for node 3 inside the subgraph instance 12. An input is a value, or a link
`[node id, output number]`; a value that is a list is wrapped as `{"__value__": [...]}` so that it is no link.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

_SEEDS: Final = ("seed", "noise_seed")
_SPEAKING: Final = frozenset({"SaveImageWebsocket"})
"""Comes with ComfyUI; the frames of its pictures look like previews."""

ApiGraph = dict[str, dict[str, Any]]
"""Node id → `{"class_type": …, "inputs": {…}, "_meta": {"title": …}}`; ready for `POST /prompt`."""

ObjectInfo = Mapping[str, Any]
"""What a server tells of its node classes by `GET /object_info`: class name → its facts."""


class Link(NamedTuple):
    """Where an input comes from."""

    node: str
    output: int


def is_api_graph(document: object) -> bool:
    """Whether a JSON document is a graph in API format."""
    return (
        isinstance(document, dict)
        and bool(document)
        and all(isinstance(node, dict) and isinstance(node.get("class_type"), str) for node in document.values())
    )


def link_of(value: object) -> Link | None:
    """The link that an input holds, or None if it holds a value."""
    if isinstance(value, list) and len(value) == 2:
        node, output = value
        if isinstance(node, (str, int)) and isinstance(output, int) and not isinstance(output, bool):
            return Link(str(node), output)
    return None


def inputs_of(node: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs of a node, by name."""
    inputs = node.get("inputs")
    return inputs if isinstance(inputs, dict) else {}


def title_of(node: Mapping[str, Any]) -> str:
    """How people call a node: its title, or else its class."""
    meta = node.get("_meta")
    title = meta.get("title") if isinstance(meta, dict) else None
    return title if isinstance(title, str) and title else str(node.get("class_type", ""))


def seeds_of(graph: Mapping[str, Any]) -> dict[str, int]:
    """The seeds in a graph: `node.input` → seed."""
    return {
        f"{node}.{name}": value
        for node, facts in graph.items()
        for name, value in inputs_of(facts).items()
        if name in _SEEDS and isinstance(value, int) and not isinstance(value, bool)
    }


def output_nodes(graph: ApiGraph, object_info: ObjectInfo) -> list[str]:
    """Ids of the nodes whose work can be kept, in the order of the graph; ComfyUI runs these and what they need."""
    return [name for name, node in graph.items() if is_output(object_info.get(str(node.get("class_type"))))]


def is_output(facts: object) -> bool:
    """Whether a class, by the facts that a server tells of it, is one whose work can be kept."""
    return isinstance(facts, dict) and facts.get("output_node") is True


def ancestors(graph: ApiGraph, nodes: list[str]) -> set[str]:
    """These nodes and all that they need, directly or not; what a run of them works through."""
    found: set[str] = set()
    waiting = [name for name in nodes if name in graph]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        sources = (link_of(value) for value in inputs_of(graph[name]).values())
        waiting += [link.node for link in sources if link is not None and link.node in graph]
    return found


def classes(graph: ApiGraph) -> list[str]:
    """The node classes that a graph uses, each once, sorted."""
    return sorted({str(node.get("class_type", "")) for node in graph.values()})


def speaking_nodes(graph: ApiGraph) -> list[str]:
    """The nodes that put out pictures over the socket, and nowhere else."""
    return [name for name, facts in graph.items() if facts.get("class_type") in _SPEAKING]
