"""What is odd about a converted workflow, though it did not stop the conversion."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from storycore.comfyui.graph.api_graph import link_of
from storycore.comfyui.graph.canvas import CanvasNode
from storycore.comfyui.graph.controls import Widget
from storycore.comfyui.graph.dynamic_text import has_choices
from storycore.comfyui.graph.file_names import FIELD, has_date
from storycore.comfyui.graph.values import fault_of


@dataclass(frozen=True, kw_only=True, slots=True)
class GraphWarning:
    """Something odd that did not stop a conversion.

    Attributes:
        node: id in the graph.
        input: its name, or "".
        reason: stable word: value_not_listed, values_shifted, missing_class, random_text, date_in_name,
            drawn_in_browser.
        message: for people.
    """

    node: str
    input: str
    reason: str
    message: str


def slip(name: str, node: CanvasNode) -> GraphWarning:
    """That the values of a node stand at other inputs than their names say."""
    what = node.type if node.inside is None else f"The subgraph {node.title!r}"
    return GraphWarning(
        node=name,
        input="",
        reason="values_shifted",
        message=f"{what} has changed since this was saved: taken in order, as ComfyUI's page does, values stand at "
        "other inputs than their names say. Take them by name, and they don't.",
    )


def oddities(name: str, node: CanvasNode, inputs: Mapping[str, Any]) -> Iterator[GraphWarning]:
    """What is odd about a node whose inputs are these in the graph."""
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
    if field.choices is not None and fault_of(field, sent, near=False) is not None:
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
    if widget.name == FIELD and isinstance(sent, str) and has_date(sent):
        yield GraphWarning(
            node=name,
            input=widget.name,
            reason="date_in_name",
            message="The name of the file holds a date, which is written when the graph is sent.",
        )
    if field.control == "LOAD_3D":
        yield GraphWarning(
            node=name,
            input=widget.name,
            reason="drawn_in_browser",
            message="This picture is drawn by ComfyUI's page when it sends the graph; here there is none.",
        )
