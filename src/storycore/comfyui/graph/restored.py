"""The values that a saved node gets back: in the order of its controls, as ComfyUI's page does it.

Newer workflows tell the names beside the values. The page does not look at them: after an update of a node class its
values can slip to the wrong controls. Here the names decide, or they tell that something slipped.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from storycore.comfyui.graph.branch_order import MISPLACED, BranchOrder, misfit
from storycore.comfyui.graph.controls import Saved, Widget, widgets_of
from storycore.comfyui.graph.node_class import Field, NodeClass
from storycore.comfyui.graph.ui_graph import UiNode


def restore(saved: UiNode, node_class: NodeClass, order: BranchOrder, *, by_name: bool) -> tuple[list[Widget], bool]:
    """The controls of a node with their values, and whether the values taken in order are not the ones saved by name.

    Args:
        saved: the node.
        node_class: what the server declares today.
        order: of the inputs that choices bring with them.
        by_name: whether the names decide, where they were saved.
    """
    names = list(saved.named) or [one.name for one in saved.inputs]

    def arrange(branch: Sequence[Field], waiting: Sequence[Any]) -> Sequence[Field]:
        return order.arrange(branch, waiting, names)

    named, is_sure = named_values(saved)
    if saved.values is None:
        return widgets_of(node_class, Saved(None, named, arrange)), False
    in_order = widgets_of(node_class, Saved(_values(saved.values, node_class), named, arrange))
    as_named = widgets_of(node_class, Saved(None, named, arrange)) if named else in_order
    if _sent(in_order) == _sent(as_named) or not (is_sure or any(map(_is_misplaced, in_order))):
        return in_order, False
    return (as_named, False) if by_name else (in_order, True)


def named_values(saved: UiNode) -> tuple[Mapping[str, Any], bool]:
    """The values of a node by name, and whether they are surely those of the list, which people edit.

    The list and the names tell of the same controls if they are equally long; else those saved by name are taken,
    which may be older.
    """
    values = list(saved.values or ())
    while len(values) > len(saved.named) and values[-1] is None:
        values.pop()
    if len(values) != len(saved.named):
        return saved.named, False
    return dict(zip(saved.named, values, strict=True)), True


def _is_misplaced(widget: Widget) -> bool:
    return widget.field is not None and widget.sent and misfit(widget.field, widget.value) >= MISPLACED


def _values(values: Sequence[Any], node_class: NodeClass) -> Sequence[Any]:
    """The saved values, without those of inputs that once had a control and now have only a socket."""
    places: list[bool] = []
    for one in node_class.fields:
        dropped = bool(one.facts.get("forceInput"))
        if one.control or dropped:
            places += [dropped, False] if one.facts.get("control_after_generate") else [dropped]
    if len(places) != len(values):
        return values
    return [value for value, dropped in zip(values, places, strict=True) if not dropped]


def _sent(widgets: Sequence[Widget]) -> dict[str, Any]:
    return {widget.name: widget.value for widget in widgets if widget.sent}
