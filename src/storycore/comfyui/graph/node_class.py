"""Node classes as a server describes them by `GET /object_info`, read with care: packs of strangers write them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from storycore.comfyui.graph.api_graph import ObjectInfo

WIDGET_KINDS = frozenset({
    "INT", "FLOAT", "BOOLEAN", "STRING", "MARKDOWN", "COMBO", "COLOR", "COLORS", "IMAGECOMPARE", "BOUNDING_BOX",
    "BOUNDING_BOXES", "CHART", "GALLERIA", "PAINTER", "COMPOSITOR", "TEXTAREA", "CURVE", "RANGE", "VIDEO_EDIT",
    "COMFY_DYNAMICCOMBO_V3", "LOAD_3D", "WEBCAM", "AUDIO_RECORD",
})  # fmt: skip
"""Kinds of input that ComfyUI's page shows as a control on the node, beside a socket."""

BRANCHING = "COMFY_DYNAMICCOMBO_V3"
"""A choice that brings further inputs with it, called `choice.input`."""
GROWING = "COMFY_AUTOGROW_V3"
"""A row of inputs, called `row.name`, of which as many are there as are used."""
MATCHING = "COMFY_MATCHTYPE_V3"
"""An input that takes the type of what is connected."""


@dataclass(frozen=True, kw_only=True)
class Field:
    """One input that a class declares.

    Attributes:
        name: as the API format calls it, with dots if it belongs to a choice or a row.
        kind: `INT`, `COMBO`, `IMAGE`, …; several with commas.
        required: whether a run needs it.
        facts: what else is declared: `default`, `min`, `max`, `options`, `template`, ….
    """

    name: str
    kind: str
    required: bool
    facts: Mapping[str, Any]

    @property
    def control(self) -> str:
        """The kind of its control, or "" if it has only a socket."""
        if self.facts.get("forceInput"):
            return ""
        shown = self.facts.get("widgetType")
        kind = shown if isinstance(shown, str) else self.kind
        return kind if kind in WIDGET_KINDS else ""

    @property
    def choices(self) -> tuple[Any, ...] | None:
        """What a choice offers, or None if it is none."""
        if self.kind == BRANCHING:
            return tuple(self.branches)
        if self.kind != "COMBO":
            return None
        return tuple(_list(self.facts.get("options")))

    @property
    def default(self) -> Any:
        """What stands in its control at first; None if nothing does."""
        if self.kind in ("COMBO", BRANCHING):
            chosen = None if self.kind == BRANCHING else self.facts.get("default")
            return chosen or next(iter(self.choices or ()), None)
        return self.facts.get("default", _DEFAULTS.get(self.control))

    @property
    def branches(self) -> dict[str, tuple["Field", ...]]:
        """The inputs that each choice brings with it, for a choice that does so."""
        found: dict[str, tuple[Field, ...]] = {}
        options = self.facts.get("options")
        for option in _list(options):
            if isinstance(option, dict) and isinstance(option.get("key"), (str, int, float)):
                found[str(option["key"])] = fields_of(option.get("inputs"), prefix=f"{self.name}.")
        return found

    @property
    def row(self) -> "Row | None":
        """What a growing row is made of, or None if it is none."""
        return Row.of(self) if self.kind == GROWING else None


@dataclass(frozen=True, kw_only=True)
class Row:
    """A growing row of inputs.

    Attributes:
        name: what its inputs begin with, before the dot.
        fields: one step of it.
        names: what its steps are called, if they have names of their own.
        prefix: what its steps are called before their number, from 0.
        least: how many steps are required.
        most: how many there can be.
    """

    name: str
    fields: tuple[Field, ...]
    names: tuple[str, ...]
    prefix: str
    least: int
    most: int

    @classmethod
    def of(cls, field: Field) -> "Row":
        """The row that a field declares."""
        template = _mapping(field.facts.get("template"))
        listed = template.get("names")
        names = tuple(str(name) for name in _list(listed))
        most = template.get("max")
        return cls(
            name=field.name,
            fields=fields_of(template.get("input"), prefix=""),
            names=names,
            prefix=str(template.get("prefix") or ""),
            least=_count(template.get("min"), 1),
            most=len(names) if names else _count(most, 100),
        )

    def inputs(self, step: int) -> tuple[Field, ...]:
        """The inputs of one step, counted from 0; none beyond the last step."""
        if not 0 <= step < self.most:
            return ()
        return tuple(
            Field(
                name=f"{self.name}.{self._called(field, step)}",
                kind=field.kind,
                required=field.required and step < self.least,
                facts=field.facts,
            )
            for field in self.fields
        )

    def find(self, name: str) -> Field | None:
        """The input of this row that has this name."""
        rest = name.removeprefix(f"{self.name}.")
        if self.names:
            step = self.names.index(rest) if rest in self.names else -1
        else:
            digits = rest[len(rest.rstrip("0123456789")) :]
            step = int(digits) if digits and len(digits) < 5 else -1
        return next((field for field in self.inputs(step) if field.name == name), None)

    def _called(self, field: Field, step: int) -> str:
        if self.names:
            return self.names[step]
        return f"{self.prefix if len(self.fields) == 1 else field.name}{step}"


@dataclass(frozen=True, kw_only=True)
class NodeClass:
    """What a server tells of one node class.

    Attributes:
        name: as graphs call it.
        facts: all that it tells.
    """

    name: str
    facts: Mapping[str, Any]

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """Its inputs, the required ones first, in the order in which ComfyUI's page shows them."""
        return fields_of(self.facts.get("input"), order=self.facts.get("input_order"), prefix="")

    @cached_property
    def by_name(self) -> dict[str, Field]:
        """Its inputs by name, those of choices and rows left out."""
        return {field.name: field for field in self.fields}

    @cached_property
    def outputs(self) -> tuple[str, ...]:
        """The types of its outputs."""
        listed = self.facts.get("output")
        return tuple("COMBO" if isinstance(kind, list) else str(kind) for kind in _list(listed))

    @property
    def title(self) -> str:
        """How people call it."""
        shown = self.facts.get("display_name")
        return shown if isinstance(shown, str) and shown else self.name


class NodeClasses:
    """Node classes by name, each read when it is first asked for."""

    def __init__(self, object_info: ObjectInfo) -> None:
        self._info = object_info
        self._read: dict[str, NodeClass] = {}

    def find(self, name: str) -> NodeClass | None:
        """The class of a name, or None if the server has none such."""
        if name not in self._read:
            facts = self._info.get(name)
            if not isinstance(facts, dict) or not facts:
                return None
            self._read[name] = NodeClass(name=name, facts=facts)
        return self._read[name]

    def names(self) -> list[str]:
        """The names of all classes."""
        return list(self._info)


def fields_of(sections: object, *, order: object = None, prefix: str) -> tuple[Field, ...]:
    """The fields that `required` and `optional` declare, in `order` where it tells one."""
    found: list[Field] = []
    for section, required in (("required", True), ("optional", False)):
        declared = _mapping(_mapping(sections).get(section))
        wanted = _mapping(order).get(section)
        names = [name for name in _list(wanted) if isinstance(name, str) and name in declared]
        for name in dict.fromkeys((*names, *declared)):
            field = _field(f"{prefix}{name}", declared[name], required=required)
            if field is not None:
                found.append(field)
    return tuple(found)


def _field(name: str, spec: object, *, required: bool) -> Field | None:
    if not isinstance(spec, (list, tuple)) or not spec:
        return None
    facts = dict(_mapping(spec[1]) if len(spec) > 1 else {})
    if isinstance(spec[0], list):  # the older way to declare a choice
        return Field(name=name, kind="COMBO", required=required, facts={**facts, "options": spec[0]})
    return Field(name=name, kind=str(spec[0]), required=required, facts=facts)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _count(value: object, otherwise: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else otherwise


def field_named(fields: Iterable[Field], name: str, chosen: Mapping[str, Any]) -> Field | None:
    """The field of a name, inside choices and rows too; `chosen` tells what stands in the choices, by name."""
    waiting = list(fields)
    while waiting:
        field = waiting.pop()
        if field.name == name:
            return field
        if not name.startswith(f"{field.name}."):
            continue
        if field.kind == BRANCHING:
            waiting += field.branches.get(str(chosen.get(field.name)), ())
        row = field.row
        if row is not None:
            found = row.find(name)
            if found is not None:
                return found
    return None


_DEFAULTS: Mapping[str, Any] = {
    "INT": 0, "FLOAT": 0, "BOOLEAN": False, "STRING": "", "MARKDOWN": "", "TEXTAREA": "", "PAINTER": "",
    "COLOR": "#000000", "IMAGECOMPARE": ["", ""], "BOUNDING_BOX": {"x": 0, "y": 0, "width": 512, "height": 512},
    "BOUNDING_BOXES": [], "COLORS": [], "GALLERIA": [], "CHART": {}, "RANGE": {"min": 0.0, "max": 1.0},
    "CURVE": {"points": [[0, 0], [1, 1]], "interpolation": "monotone_cubic"}, "LOAD_3D": "", "WEBCAM": "",
    "AUDIO_RECORD": "",
}  # fmt: skip
