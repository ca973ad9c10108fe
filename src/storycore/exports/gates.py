"""Gates: what figures of a finished file must be, checked when a preset is read, judged when the file is there."""

import difflib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from storycore.exports.formats.figures import Figure, Kind

_NOTHING = "there is none, nothing is heard"
_NONE = {"": _NOTHING, "silent": _NOTHING, "within target": _NOTHING}
"""What is said of a figure that was looked for and is not there, by its verdict."""


class Gate(BaseModel):
    """What one figure of a finished file must be."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    figure: str = Field(max_length=60)
    equals: bool | int | float | str | None = None
    at_least: float | None = Field(default=None, allow_inf_nan=False)
    at_most: float | None = Field(default=None, allow_inf_nan=False)
    on_target: bool = False


class Judged(NamedTuple):
    """One gate and what came of it.

    Attributes:
        figure: which one.
        passed: whether it holds.
        message: for people.
    """

    figure: str
    passed: bool
    message: str


def fault_of(gate: Gate, known: Mapping[str, Figure], options: Mapping[str, Any]) -> str:
    """Why a gate can never be judged; empty if it can.

    Args:
        gate: of a preset.
        known: the figures of what the preset makes.
        options: of the preset.
    """
    figure = known.get(gate.figure)
    if figure is None:
        return unknown("figure", gate.figure, known)
    fault = next((words for words, holds in _faults(gate, figure) if holds), "")
    if not fault and figure.needs is not None and options.get(figure.needs[0]) != figure.needs[1]:
        name, value = figure.needs
        fault = f"is measured only with {name} = {json.dumps(value)} in [options]"
    return fault and f"{gate.figure} {fault}"


def _faults(gate: Gate, figure: Figure) -> Iterator[tuple[str, bool]]:
    """What can be wrong with a gate, and whether it is."""
    low, high = gate.at_least, gate.at_most
    bounded = low is not None or high is not None
    counted = figure.kind in (Kind.NUMBER, Kind.STRETCHES)
    yield (
        "needs one of equals, at_least, at_most, on_target",
        not (bounded or gate.on_target or gate.equals is not None),
    )
    yield "is no number, so it has no bounds; say equals", bounded and not counted
    yield "has no target that it could be on", gate.on_target and not figure.aimed
    yield (
        f"is never {json.dumps(gate.equals)}: its value is of another kind ({figure.kind.value})",
        gate.equals is not None and not _comparable(gate.equals, figure.kind),
    )
    yield f"can't be at least {low} and at most {high}", low is not None and high is not None and low > high


def unknown(what: str, name: str, known: Collection[str]) -> str:
    """That there is no such thing, with the name that is nearest, or all there are."""
    near = difflib.get_close_matches(name.lower(), known, n=1)
    return f"there is no {what} {name[:60]!r}; " + (
        f"did you mean {near[0]}?" if near else f"there are: {', '.join(sorted(known))}"
    )


def judge(gates: Sequence[Gate], metrics: Mapping[str, Any], known: Mapping[str, Figure] | None = None) -> list[Judged]:
    """What became of gates.

    A figure that this kind of file does not have, such as the width of a sound, is not judged. One that was looked for
    and is not there is silence's loudness or peak, which misses no bound. One that was not measured fails.

    Args:
        gates: of the preset.
        metrics: of the file.
        known: the figures of its format; None if the format does not tell.
    """
    found = []
    for gate in gates:
        figure = (known or {}).get(gate.figure)
        words = figure.words if figure is not None else gate.figure.replace("_", " ")
        if metrics.get(gate.figure) is not None:
            found.append(_judged(gate, words, metrics[gate.figure]))
        elif figure is not None:
            found.append(Judged(gate.figure, False, f"{words} was not measured"))
    return found


def _comparable(wanted: bool | float | str, kind: Kind) -> bool:
    if isinstance(wanted, bool):
        return kind is Kind.TRUTH
    return kind is Kind.TEXT if isinstance(wanted, str) else kind in (Kind.NUMBER, Kind.STRETCHES)


def _judged(gate: Gate, words: str, told: Any) -> Judged:
    value = told.get("value") if isinstance(told, Mapping) else told
    unit = f" {told['unit']}" if isinstance(told, Mapping) and told.get("unit") else ""
    verdict = told.get("verdict", "") if isinstance(told, Mapping) else ""
    if isinstance(told, Mapping) and value is None:
        return Judged(gate.figure, True, f"{words}: {_NONE.get(verdict, verdict)}")
    if isinstance(value, (list, tuple)):
        value, unit = len(value), ""
    if gate.on_target:
        verdict = verdict or "no target was given"
        return Judged(gate.figure, verdict == "within target", f"{words} is {_shown(value)}{unit}: {verdict}")
    wanted, passed = _wanted(gate, value)
    message = f"{words} is {_shown(value)}{unit}"
    return Judged(gate.figure, passed, message if passed else f"{message}, and must be {wanted}{unit}")


def _wanted(gate: Gate, value: Any) -> tuple[str, bool]:
    if gate.equals is not None:
        return _shown(gate.equals), value == gate.equals
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    low, high = gate.at_least, gate.at_most
    if low is not None and high is not None:
        return f"between {_bound(low)} and {_bound(high)}", number and low <= value <= high
    if low is not None:
        return f"at least {_bound(low)}", number and value >= low
    return f"at most {_bound(high)}" if high is not None else "there", high is None or (number and value <= high)


def _bound(value: float) -> str:
    """A bound as it was most likely written: never `1e+06`."""
    return str(int(value)) if value.is_integer() else str(value)


def _shown(value: Any) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
