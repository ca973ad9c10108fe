"""Values of controls inside a subgraph that its instances set.

Today a subgraph has an input for each promoted control. Workflows of late 2025 list them on the instance instead
(`properties.proxyWidgets`): those are turned into inputs here, as ComfyUI's page does when it loads such a workflow.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from storycore.comfyui.graph.canvas import Canvas, CanvasNode, CanvasPort, Socket
from storycore.comfyui.graph.controls import UNSET
from storycore.comfyui.graph.ui_graph import INPUT_SIDE, MAX_SLOTS, UiLink

_PREFIXED = re.compile(r"^\s*(\d+)\s*:\s*(.+)$", re.DOTALL)
_PRIMITIVE = "PrimitiveNode"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Promotion:
    """An entry of the list: which control of which inner node, and the instance's value for it (UNSET: its own)."""

    node: str
    control: str
    inner: str
    value: Any


def promote(socket: Socket, inside: Canvas, port: CanvasPort) -> None:
    """Makes an instance's input a control if it leads to one inside, with the value that stands in that."""
    for link in port.links:
        found = inside.target(link)
        if found is None:
            continue
        node, inner = found
        widget = node.widget(inner.widget)
        if node.inside is not None and inner.promoted:
            socket.promoted, socket.value, socket.field = True, inner.value, inner.field
            return
        if widget is not None:
            socket.promoted, socket.value, socket.field = True, widget.value, widget.field
            return


def quarantined(node: CanvasNode) -> dict[str, Any]:
    """Values of inputs that an earlier load could not assign and set aside, by the name of the input."""
    listed = node.saved.properties.get("proxyWidgetErrorQuarantine")
    found: dict[str, Any] = {}
    for item in listed if isinstance(listed, list) else ():
        entry = item.get("originalEntry") if isinstance(item, dict) else None
        if isinstance(entry, list) and len(entry) >= 2 and entry[0] == "-1" and item.get("hostValue") is not None:
            found.setdefault(str(entry[1]), item["hostValue"])
    return found


def apply_legacy(node: CanvasNode, inside: Canvas, instances: Sequence[CanvasNode]) -> None:
    """Turns an instance's list of promoted controls into inputs of its subgraph, and its values into theirs.

    Args:
        node: the instance.
        inside: its subgraph; gets further inputs.
        instances: all instances of it so far; they get them too.
    """
    sources = [_source(inside, port) for port in inside.inputs]
    linked = dict(reversed(list(zip(sources, node.inputs, strict=True))))  # the first of several counts
    planned = [(entry, linked.get((entry.node, entry.control))) for entry in _entries(node, inside)]
    cohorts: dict[str, list[_Promotion]] = {}
    for entry, socket in planned:
        source = inside.nodes.get(entry.node)
        if socket is not None:
            _set(socket, entry.value)
        elif source is None:
            named = next((one for one in node.inputs if one.name == entry.control), None)
            if entry.node == "-1" and named is not None and named.promoted:
                _set(named, entry.value)
        elif source.type == _PRIMITIVE:
            cohorts.setdefault(entry.node, []).append(entry)
        else:
            _promote(node, inside, instances, source, entry)
    for name, cohort in cohorts.items():
        _promote_primitive(node, inside, instances, inside.nodes[name], cohort)


def _entries(node: CanvasNode, inside: Canvas) -> list[_Promotion]:
    listed = node.saved.properties.get("proxyWidgets")
    values = node.saved.values or ()
    found = []
    for at, item in enumerate(listed[:MAX_SLOTS] if isinstance(listed, list) else ()):
        if not isinstance(item, list) or len(item) < 2 or not isinstance(item[1], str):
            continue
        value = values[at] if at < len(values) and values[at] is not None else UNSET
        name, control = str(item[0]), item[1]
        inner = str(item[2]) if len(item) > 2 else ""
        if not _leads_to_control(inside, name, control):
            control, prefix = _without_prefixes(control)
            inner = prefix or inner
        found.append(_Promotion(node=name, control=control, inner=inner, value=value))
    return found


def _without_prefixes(control: str) -> tuple[str, str]:
    deepest = ""
    while (match := _PREFIXED.match(control)) is not None:
        deepest, control = match[1], match[2]
    return control, deepest


def _leads_to_control(inside: Canvas, name: str, control: str) -> bool:
    """Whether a control is found under this name, through as many subgraphs as it takes."""
    while (node := inside.nodes.get(name)) is not None:
        if node.inside is None:
            return node.widget(control) is not None
        port = next((port for port in node.inside.inputs if port.name == control), None)
        source = _source(node.inside, port) if port is not None else None
        if source is None:
            return False
        inside, (name, control) = node.inside, source
    return False


def _source(inside: Canvas, port: CanvasPort) -> tuple[str, str] | None:
    """The inner node and its control, or its input, that a subgraph's input promotes."""
    for link in port.links:
        found = inside.target(link)
        if found is None:
            continue
        node, socket = found
        if node.inside is not None:
            return node.id, socket.name
        widget = node.widget(socket.widget)
        if widget is not None:
            return node.id, widget.name
    return None


def _promote(
    node: CanvasNode, inside: Canvas, instances: Sequence[CanvasNode], source: CanvasNode, entry: _Promotion
) -> None:
    socket = _socket_of(source, entry)
    if socket is not None:
        port = _new_port(inside, entry.control, socket.type)
        _connect(inside, port, source, socket)
        _set(_add_input(inside, port, node, instances), entry.value)


def _socket_of(source: CanvasNode, entry: _Promotion) -> Socket | None:
    if source.inside is None:
        has_control = source.widget(entry.control) is not None
        return next((one for one in source.inputs if has_control and one.widget == entry.control), None)
    for socket, port in zip(source.inputs, source.inside.inputs, strict=True):
        target = _source(source.inside, port)
        wanted = target == (entry.inner, entry.control) if entry.inner else socket.name == entry.control
        if socket.promoted and (wanted or (not entry.inner and target is not None and target[1] == entry.control)):
            return socket
    return None


def _promote_primitive(
    node: CanvasNode,
    inside: Canvas,
    instances: Sequence[CanvasNode],
    primitive: CanvasNode,
    cohort: Sequence[_Promotion],
) -> None:
    """Puts an input of the subgraph in place of an inner PrimitiveNode, if all that it sets can take that."""
    ends = [found for link in _links_from(inside, primitive.id) if (found := inside.target(link)) is not None]
    kind = primitive.outputs[0] if primitive.outputs else "*"
    fits = all(socket.type == kind or "*" in (socket.type, kind) for _, socket in ends)
    if not ends or not fits or len({entry.control for entry in cohort}) > 1:
        return
    title = primitive.title if primitive.title not in ("", _PRIMITIVE) else cohort[0].control
    port = _new_port(inside, title, kind)
    for target, socket in ends:
        _connect(inside, port, target, socket)
    socket = _add_input(inside, port, node, instances)
    own = primitive.saved.values[0] if primitive.saved.values else UNSET
    for instance in instances:
        _set(instance.inputs[-1], own)
    _set(socket, next((entry.value for entry in cohort if entry.value is not UNSET), UNSET))


def _links_from(inside: Canvas, name: str) -> list[str]:
    return [link.id for link in inside.links.values() if link.origin == name]


def _new_port(inside: Canvas, name: str, kind: str) -> CanvasPort:
    taken = {port.name for port in inside.inputs}
    unique, number = name, 1
    while unique in taken:
        unique, number = f"{name}_{number}", number + 1
    port = CanvasPort(name=unique, type=kind, links=[])
    inside.inputs.append(port)
    return port


def _connect(inside: Canvas, port: CanvasPort, target: CanvasNode, socket: Socket) -> None:
    if socket.link is not None:
        inside.links.pop(socket.link, None)
    name = f"{INPUT_SIDE}:{len(inside.inputs)}:{len(port.links)}"
    inside.links[name] = UiLink(
        id=name,
        origin=INPUT_SIDE,
        origin_slot=len(inside.inputs) - 1,
        target=target.id,
        target_slot=target.inputs.index(socket),
        type=socket.type,
    )
    port.links.append(name)
    socket.link = name


def _add_input(inside: Canvas, port: CanvasPort, node: CanvasNode, instances: Sequence[CanvasNode]) -> Socket:
    """Gives every instance the new input, and returns that of `node`."""
    for instance in instances:
        instance.inputs.append(Socket(name=port.name, type=port.type))
        promote(instance.inputs[-1], inside, port)
    return node.inputs[-1]


def _set(socket: Socket, value: Any) -> None:
    if value is not UNSET:
        socket.value = value
