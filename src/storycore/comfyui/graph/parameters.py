"""Values put into a graph from outside: by node id, by node title, or for `{{name}}` in its texts.

"3.seed": 7                   node 3, input seed
"Sampler.seed": 7             the node with this title, input seed
"Prompt": "a red car"         the node with this title, if it has one input that holds a value
"style": "noir"               every {{style}} in the graph's texts
"3": {"seed": 7, "steps": 20}    several inputs of one node
"""

import copy
import difflib
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from storycore.comfyui.graph.api_graph import ApiGraph, ObjectInfo, inputs_of, link_of, title_of
from storycore.comfyui.graph.dynamic_text import PLACEHOLDER
from storycore.comfyui.graph.node_class import Field, NodeClass, NodeClasses, field_named
from storycore.comfyui.graph.values import fault_of, takes_file
from storycore.errors import FieldFault, InvalidInput, Reason

_REASONS = {"wrong_type": Reason.WRONG_TYPE, "out_of_range": Reason.OUT_OF_RANGE}
_WHOLE = re.compile(r"[+-]?[0-9]{1,20}")
_BROKEN = re.compile(r"[+-]?[0-9]{1,20}(\.[0-9]{0,20})?([eE][+-]?[0-9]{1,3})?")
_WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}


class Cell(str):
    """A text of a table, where everything is text: the input that it goes to says what it is."""

    __slots__ = ()

    def read_for(self, field: Field) -> Any:
        """The value that it is there; the text itself where it is none of the wanted kind."""
        if field.choices is not None:
            return next((it for it in field.choices if str(it) == self), str(self))
        kind = field.control or field.kind
        if kind == "BOOLEAN":
            return {"true": True, "false": False}.get(self.lower(), str(self))
        if kind == "INT" and _WHOLE.fullmatch(self):
            return int(self)
        if kind in ("INT", "FLOAT") and _BROKEN.fullmatch(self) and math.isfinite(number := float(self)):
            return number
        return str(self)


class _Place(NamedTuple):
    node: str
    input: str


class _Fault(Exception):  # noqa: N818 - never leaves this module
    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason, self.message = reason, message


def placeholders(graph: ApiGraph) -> list[str]:
    """The names of the `{{name}}` that a graph declares, sorted."""
    return sorted({name for _, _, text in _texts(graph) for name in PLACEHOLDER.findall(text)})


def fill(graph: ApiGraph, parameters: Mapping[str, Any], object_info: ObjectInfo) -> ApiGraph:
    """The graph with these parameters in it.

    Each parameter must find its place, each value must be of the type that the server declares for it, and no
    placeholder may be left. A parameter for an input that is linked takes the place of the link.

    Args:
        graph: in API format; is not changed.
        parameters: as the module's own description shows.
        object_info: what the server tells of the classes in the graph.

    Raises:
        InvalidInput: unknown_field, wrong_type, out_of_range, unknown_value or missing_field; everything that is wrong
            at once, as faults whose pointers lead into the field `input_parameters` of a request.
    """
    filled = copy.deepcopy(graph)
    classes = NodeClasses(object_info)
    declared = placeholders(graph)
    faults: list[FieldFault] = []
    texts: dict[str, Any] = {}
    for name, value in parameters.items():
        if name in declared:
            texts[name] = value
            continue
        for key, one in _spread(graph, name, value):
            try:
                _put(filled, _find(graph, key, declared), one, classes)
            except _Fault as fault:
                faults.append(FieldFault(_pointer(key), fault.reason, fault.message))
    faults += _put_texts(filled, texts, classes)
    left = [name for name in placeholders(filled) if name not in texts]
    faults += [FieldFault(_pointer(name), Reason.MISSING_FIELD, "is needed: the workflow asks for it") for name in left]
    if faults:
        raise _refusal(faults, left)
    return filled


def _refusal(faults: list[FieldFault], left: list[str]) -> InvalidInput:
    first = faults[0]
    more = f" ({len(faults) - 1} more in details.errors)" if len(faults) > 1 else ""
    details = {"missing_fields": left} if left else {}
    message = f"{first.pointer[1:].replace('/', '.')}: {first.message}{more}"
    return InvalidInput(message, reason=first.reason, errors=faults, details=details)


def _spread(graph: ApiGraph, name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """A mapping for a node as one parameter for each of its inputs."""
    if isinstance(value, dict) and "__value__" not in value and (name in graph or _titled(graph, name)):
        yield from ((f"{name}.{key}", one) for key, one in value.items())
    else:
        yield name, value


def _find(graph: ApiGraph, key: str, declared: list[str]) -> _Place:
    """Where a parameter goes: ids before titles, and the longest title first, since titles may hold dots."""
    parts = key.split(".")
    for at in range(len(parts) - 1, 0, -1):
        head, rest = ".".join(parts[:at]), ".".join(parts[at:])
        nodes = [head] if head in graph else _titled(graph, head)
        if nodes:
            return _Place(_only(nodes, head), rest)
    titled = _titled(graph, key)
    if titled or key in graph:
        node = key if key in graph else _only(titled, key)
        held = [name for name, value in inputs_of(graph[node]).items() if link_of(value) is None]
        if len(held) == 1:
            return _Place(node, held[0])
        raise _Fault(Reason.UNKNOWN_FIELD, f"says which node, but not which of its inputs: {', '.join(held)}")
    known = [*declared, *graph, *(title_of(node) for node in graph.values())]
    near = difflib.get_close_matches(key.split(".", maxsplit=1)[0], known, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    raise _Fault(Reason.UNKNOWN_FIELD, f"names no node and no placeholder of the workflow{hint}")


def _titled(graph: ApiGraph, title: str) -> list[str]:
    return [name for name, node in graph.items() if title_of(node) == title]


def _only(nodes: list[str], title: str) -> str:
    if len(nodes) > 1:
        raise _Fault(
            Reason.UNKNOWN_VALUE, f"{title!r} is the title of several nodes; say which by its id: {', '.join(nodes)}"
        )
    return nodes[0]


def _put(graph: ApiGraph, place: _Place, value: Any, classes: NodeClasses) -> None:
    node = graph[place.node]
    inputs = node.setdefault("inputs", {})
    node_class = classes.find(str(node.get("class_type", "")))
    field = field_named(node_class.fields, place.input, inputs) if node_class is not None else None
    if node_class is not None and field is None and place.input not in inputs:
        raise _Fault(Reason.UNKNOWN_FIELD, _no_such_input(node_class, place.input))
    if isinstance(value, Cell):
        value = str(value) if field is None else value.read_for(field)
    if field is not None:
        _refuse_misfit(field, value)
    inputs[place.input] = {"__value__": value} if isinstance(value, list) else value


def _no_such_input(node_class: NodeClass, name: str) -> str:
    near = difflib.get_close_matches(name, list(node_class.by_name), n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    return f"{node_class.title} has no input {name!r}{hint}"


def _refuse_misfit(field: Field, value: Any) -> None:
    wanted = {"BOOLEAN": bool, "INT": int, "FLOAT": float, "STRING": str}.get(field.control or field.kind)
    if wanted is not None and not _is_a(value, wanted):
        raise _Fault(Reason.WRONG_TYPE, f"{_WORDS[wanted]} is needed, not {value!r}")
    if wanted is None and not field.control and field.kind != "*":  # which takes whatever comes
        raise _Fault(Reason.WRONG_TYPE, f"{field.name} takes a link of type {field.kind}, no value")
    if takes_file(field) and isinstance(value, str):
        return  # it may be uploaded yet
    fault = fault_of(field, value)
    if fault is not None:
        hint = f"; did you mean {fault.suggestions[0]}?" if fault.suggestions else ""
        raise _Fault(_REASONS.get(fault.reason, Reason.UNKNOWN_VALUE), f"it {fault.message}{hint}")


def _is_a(value: Any, wanted: type) -> bool:
    if isinstance(value, bool) or wanted is bool:
        return isinstance(value, bool) and wanted is bool
    if wanted is int and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, (int, float)) if wanted is float else isinstance(value, wanted)


def _put_texts(graph: ApiGraph, texts: Mapping[str, Any], classes: NodeClasses) -> list[FieldFault]:
    """Puts values in place of placeholders: the value itself where a text is nothing else, its words otherwise."""
    faults: list[FieldFault] = []
    for node, name, text in list(_texts(graph)):
        whole = PLACEHOLDER.fullmatch(text)
        if whole is None:
            inputs_of(graph[node])[name] = PLACEHOLDER.sub(lambda found: _words(texts, found), text)
        elif whole[1] in texts:
            try:
                _put(graph, _Place(node, name), texts[whole[1]], classes)
            except _Fault as fault:
                faults.append(FieldFault(_pointer(whole[1]), fault.reason, fault.message))
    return faults


def _words(texts: Mapping[str, Any], found: re.Match[str]) -> str:
    if found[1] not in texts:
        return found[0]
    value = texts[found[1]]
    return str(value).lower() if isinstance(value, bool) else str(value)


def _texts(graph: ApiGraph) -> Iterator[tuple[str, str, str]]:
    for node, facts in graph.items():
        for name, value in inputs_of(facts).items():
            if isinstance(value, str) and "{{" in value:
                yield node, name, value


def _pointer(name: str) -> str:
    return "/input_parameters/" + name.replace("~", "~0").replace("/", "~1")
