"""The order of the inputs that a choice brings with it, where the server's answer was sorted on its way.

The inputs of a class have a declared order (`input_order`); those inside a choice have only that of a JSON object,
which some tools sort. A server's own answer has both in the same order, so that a class where they differ gives such a
copy away. Then the order is told from what is at hand: the names that a node saved, the values it saved, and the order
in which the server's classes elsewhere declare inputs of these names.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any

from storycore.comfyui.graph.api_graph import ObjectInfo
from storycore.comfyui.graph.companions import companions
from storycore.comfyui.graph.node_class import BRANCHING, Field

_MOST = 10
"""So many fields are tried in every order; beyond that the declared order stands."""
_HABIT = 3
"""So many classes must declare two inputs in one order before that tells anything of others."""

MISPLACED = 12
"""How badly a value fits a field of another type."""


class BranchOrder:
    """In which order the inputs of a choice are saved."""

    def __init__(self, object_info: ObjectInfo) -> None:
        self._info = object_info

    @cached_property
    def is_lost(self) -> bool:
        """Whether the inputs of some class stand in another order than the one it declares."""
        return any(keys != order for keys, order in self._orders())

    @cached_property
    def _precedence(self) -> Counter[tuple[str, str]]:
        """How often an input stands before another, over all classes."""
        found: Counter[tuple[str, str]] = Counter()
        for _, order in self._orders():
            short = order[:40]
            found.update((one, other) for at, one in enumerate(short) for other in short[at + 1 :])
        return found

    def arrange(self, fields: Sequence[Field], waiting: Sequence[Any], names: Sequence[str]) -> list[Field]:
        """The fields of a branch in the order in which a node saved them.

        Args:
            fields: of the branch, as declared.
            waiting: saved values that are not yet taken, the next one last.
            names: that the node saved in order, of inputs or controls.
        """
        shown = [field for field in fields if field.control]
        rest = [field for field in fields if not field.control]
        if not self.is_lost or len(shown) < 2:
            return list(fields)
        places = {name: at for at, name in enumerate(names)}
        if all(field.name in places for field in shown):
            return [*sorted(shown, key=lambda field: places[field.name]), *rest]
        if len(shown) > _MOST or any(field.kind == BRANCHING for field in shown):
            return list(fields)
        values = list(reversed(waiting[-3 * len(shown) :]))
        required = self._best([field for field in shown if field.required], values, places)
        used = sum(1 + len(companions(field)) for field in required)
        optional = self._best([field for field in shown if not field.required], values[used:], places)
        return [*required, *optional, *rest]

    def _best(self, fields: Sequence[Field], values: Sequence[Any], places: Mapping[str, int]) -> list[Field]:
        """The order that fits best and is nearest to the declared one; found step by step over sets of fields."""
        best: dict[int, tuple[int, tuple[int, ...]]] = {0: (0, ())}
        whole = (1 << len(fields)) - 1
        for taken in range(whole):
            cost, order = best[taken]
            place = sum(1 + len(companions(fields[at])) for at in order)
            for at, field in enumerate(fields):
                if taken >> at & 1:
                    continue
                value = values[place] if place < len(values) else None
                against = sum(self._against(fields[other], field, places) for other in order)
                step = (cost + misfit(field, value) + against, (*order, at))
                best[taken | 1 << at] = min(best.get(taken | 1 << at, step), step)
        return [fields[at] for at in best[whole][1]]

    def _against(self, first: Field, second: Field, places: Mapping[str, int]) -> int:
        """What speaks against `first` standing before `second`."""
        if first.name in places and second.name in places:
            return 0 if places[first.name] < places[second.name] else 8
        one, other = (field.name.rpartition(".")[2] for field in (first, second))
        for_it, against = self._precedence[one, other], self._precedence[other, one]
        return 2 if against >= _HABIT and against > 3 * for_it else 0

    def _orders(self) -> Iterable[tuple[list[str], list[str]]]:
        """The inputs of each class as they stand, and as they are declared to."""
        for facts in self._info.values():
            inputs, orders = (facts.get(key) if isinstance(facts, dict) else None for key in ("input", "input_order"))
            if isinstance(inputs, dict) and isinstance(orders, dict):
                for section in ("required", "optional"):
                    keys, order = inputs.get(section), orders.get(section)
                    if isinstance(keys, dict) and isinstance(order, list):
                        yield list(keys), [name for name in order if isinstance(name, str)]


def misfit(field: Field, value: Any) -> int:
    """How badly a value fits a field: 0 it is the default, 1 well, more where less."""
    kind = field.control
    if type(value) is type(field.default) and value == field.default:
        return 0
    if kind in ("INT", "FLOAT"):
        return _number_misfit(field, value)
    if kind == "COMBO" and value not in (field.choices or ()):
        return 4 if isinstance(value, str) else MISPLACED
    wanted = _TYPES.get(kind)
    return 1 if wanted is None or isinstance(value, wanted) else MISPLACED


_TYPES: Mapping[str, type] = {"BOOLEAN": bool, "STRING": str, "TEXTAREA": str, "MARKDOWN": str, "COLOR": str}


def _number_misfit(field: Field, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return MISPLACED
    bounds = [field.facts.get("min"), value, field.facts.get("max")]
    known = [bound for bound in bounds if isinstance(bound, (int, float))]
    if value == field.default:  # 1 for 1.0
        return 0
    if any(low > high for low, high in pairwise(known)):
        return 8
    return 4 if field.control == "INT" and value != int(value) else 1
