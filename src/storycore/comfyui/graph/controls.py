"""The controls on a node, in the order in which ComfyUI's page makes and saves them.

A saved node holds its values as a bare list. Which value is whose follows from the declared order of inputs, from the
controls that the page adds on its own (`control_after_generate` after seeds, upload buttons, the fields of a box), and
from the choices made so far, since a choice can bring further controls with it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from storycore.comfyui.graph.companions import companions
from storycore.comfyui.graph.node_class import BRANCHING, GROWING, Field, NodeClass

UNSET: Any = type("Unset", (), {"__repr__": lambda _: "UNSET", "__bool__": lambda _: False})()
"""No value at all, which is not the same as null: nothing is sent for it."""

_UPLOADS = ("image_upload", "animated_image_upload", "video_upload")
_3D_BUTTONS = ("upload 3d model", "upload extra resources", "clear")
_BROWSER_PICTURES = ("Preview3D", "SaveGLB")
"""Classes that get a control named `image` from the page; the server knows nothing of it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Control:
    """A control as it is made.

    Attributes:
        name: of the input that it sets.
        default: what stands in it at first.
        field: what the server declares of it; None for those that the page adds.
        saved: whether it takes a place in the saved list of values.
        sent: whether its value goes to the server.
    """

    name: str
    default: Any = UNSET
    field: Field | None = None
    saved: bool = True
    sent: bool = False


@dataclass(kw_only=True, slots=True)
class Widget:
    """A control with the value that stands in it."""

    name: str
    value: Any
    field: Field | None
    sent: bool


class Saved:
    """The values of a node as they were saved: in the order of its controls, or by their names.

    Args:
        values: in order; None to find them by name.
        named: by name.
        arrange: puts the inputs of a choice in the order in which they were saved; gets the values that still wait,
            the next one last.
    """

    def __init__(
        self,
        values: Sequence[Any] | None,
        named: Mapping[str, Any],
        arrange: Callable[[Sequence[Field], Sequence[Any]], Sequence[Field]],
    ) -> None:
        self._waiting = None if values is None else list(reversed(values))
        self._named = named
        self._arrange = arrange

    def take(self, control: Control) -> Any:
        """The value of a control, or its default where none was saved."""
        if not control.saved:
            return control.default
        if self._waiting is None:
            return self._named.get(control.name, control.default)
        return self._waiting.pop() if self._waiting else control.default

    def arrange(self, branch: Sequence[Field]) -> Sequence[Field]:
        """The inputs that a choice brings with it, in the order in which their values are taken."""
        return branch if self._waiting is None else self._arrange(branch, self._waiting)


def widgets_of(node_class: NodeClass, saved: Saved) -> list[Widget]:
    """The controls of a node of this class with the values that were saved."""
    found = list(_restored(_fields(node_class), saved, node_class))
    if node_class.name == "CustomCombo":
        found += _options(found, saved)
    return found


def growing_rows(node_class: NodeClass) -> Iterator[Field]:
    """The fields of a class that are growing rows."""
    return (field for field in node_class.fields if field.kind == GROWING)


def _fields(node_class: NodeClass) -> list[Field | Control]:
    """What makes controls, in order: declared inputs, then what the page adds to the class."""
    required = [field for field in node_class.fields if field.required]
    added: list[Field | Control] = []
    uploads = [field for field in required if any(field.facts.get(key) for key in _UPLOADS)]
    sound = node_class.by_name.get("audio")
    if uploads or (sound is not None and sound.facts.get("audio_upload") is True):
        added.append(Control(name="upload"))
    if node_class.name in _BROWSER_PICTURES:
        added.append(Control(name="image"))
    if node_class.name == "WebcamCapture":
        added.append(Control(name="waiting for camera..."))
    if not node_class.facts.get("input_order"):  # then the page adds to the required ones
        optional = [field for field in node_class.fields if not field.required]
        return [*required, *added, *optional]
    return [*node_class.fields, *added]


def _restored(fields: Iterable[Field | Control], saved: Saved, node_class: NodeClass) -> Iterator[Widget]:
    for field in fields:
        if isinstance(field, Control):
            yield Widget(name=field.name, value=saved.take(field), field=None, sent=field.sent)
        elif field.control:
            yield from _with_company(field, saved, node_class)


def _with_company(field: Field, saved: Saved, node_class: NodeClass) -> Iterator[Widget]:
    """The control of a field, with those that come before and after it."""
    before, own, after = _controls(field, node_class)
    for control in before:
        saved.take(control)
    value = saved.take(own)
    yield Widget(name=own.name, value=value, field=field, sent=own.sent)
    for control in after:
        saved.take(control)
    if field.kind == BRANCHING:
        branch = field.branches.get(str(value), ()) if value else ()
        yield from _restored(saved.arrange(branch), saved, node_class)


def _controls(field: Field, node_class: NodeClass) -> tuple[list[Control], Control, list[Control]]:
    name, kind = field.name, field.control
    own = Control(name=name, default=field.default, field=field, sent=True, saved=kind != "IMAGECOMPARE")
    before: list[Control] = []
    if kind == "LOAD_3D" and "model_file" in node_class.by_name:
        before = [Control(name=button) for button in _3D_BUTTONS]
    return before, own, [Control(name=name) for name in companions(field)]


def _options(widgets: list[Widget], saved: Saved) -> Iterator[Widget]:
    """The author's own options of a CustomCombo, and the number of the chosen one: the last option is empty."""
    saved.take(Control(name="index"))
    options: list[Widget] = []
    while not options or options[-1].value:
        control = Control(name=f"option{len(options) + 1}", default="", sent=True)
        options.append(Widget(name=control.name, value=saved.take(control), field=None, sent=True))
    chosen = widgets[0].value if widgets else UNSET
    number = next((at for at, option in enumerate(options) if option.value == chosen), -1)
    yield Widget(name="index", value=number, field=None, sent=True)
    yield from options
