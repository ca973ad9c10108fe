"""Presets: what a platform or a purpose asks for, as dated data, with what the finished file must hold.

A preset is a TOML file: `title`, `formats`, `source` and `date` of its figures, `[options]` for all of its formats,
`[options_of.NAME]` for one, and `[[gates]]`: a `figure` of the quality metrics with `equals`, `at_least`, `at_most`
or `on_target`. Ours come with StoryCore; a user's stand in `presets/` of the user's config folder or of the project,
and the nearest one of a name counts.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from storycore.errors import InvalidInput, NotFound, Reason
from storycore.project.content import open_regular
from storycore.settings import user_folder
from storycore.wording import explain

_OURS = Path(__file__).with_name("preset_files")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,40}")
_MOST_BYTES = 64 * 1024
_MOST_FILES = 1000


class Gate(BaseModel):
    """What one figure of a finished file must be."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    figure: str = Field(max_length=60)
    equals: bool | int | float | str | None = None
    at_least: float | None = None
    at_most: float | None = None
    on_target: bool = False


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = Field(max_length=100)
    formats: list[str] = Field(min_length=1, max_length=20)
    source: str = Field(default="", max_length=300)
    date: date
    note: str = Field(default="", max_length=500)
    options: dict[str, Any] = {}
    options_of: dict[str, dict[str, Any]] = {}
    gates: list[Gate] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """One preset.

    Attributes:
        name: as callers ask for it.
        origin: storycore, user or project.
        title: for people.
        formats: that it makes.
        source: where its figures are from.
        date: when they were looked up.
        note: what else to know.
        options: for all of its formats.
        options_of: for single ones, by name of the format.
        gates: what finished files must hold.
    """

    name: str
    origin: str
    title: str
    formats: Sequence[str]
    source: str
    date: date
    note: str
    options: Mapping[str, Any]
    options_of: Mapping[str, Mapping[str, Any]]
    gates: Sequence[Gate]


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


def presets(project: Path | None = None) -> list[Preset]:
    """Every preset there is, by name; of several of one name the nearest.

    Raises:
        InvalidInput: preset_invalid: a file is no preset; says which, and where.
    """
    found = {preset.name: preset for preset in _all(project)}
    return [found[name] for name in sorted(found)]


def find(name: str, project: Path | None = None) -> Preset:
    """The preset of a name.

    Raises:
        NotFound: preset_not_found, with the names there are.
        InvalidInput: preset_invalid.
    """
    known = {preset.name: preset for preset in presets(project)}
    preset = known.get(name.strip().lower())
    if preset is None:
        raise NotFound(
            f"There is no preset {name[:40]!r}; there are: {', '.join(known)}.",
            reason=Reason.PRESET_NOT_FOUND,
            details={"presets": list(known), "pointer": "/preset"},
        )
    return preset


def judge(gates: Sequence[Gate], metrics: Mapping[str, Any]) -> list[Judged]:
    """What became of gates; a figure that a file does not have, such as the width of a sound, is not judged.

    A figure that was looked for and is not there is silence's loudness or peak, which miss no bound.
    """
    return [_judged(gate, metrics[gate.figure]) for gate in gates if metrics.get(gate.figure) is not None]


def _judged(gate: Gate, told: Any) -> Judged:
    value = told.get("value") if isinstance(told, Mapping) else told
    unit = f" {told['unit']}" if isinstance(told, Mapping) and told.get("unit") else ""
    name = gate.figure.replace("_", " ")
    if isinstance(told, Mapping) and value is None:
        return Judged(gate.figure, True, f"{name}: there is none, nothing is heard")
    if gate.on_target:
        verdict = told.get("verdict", "within target") if isinstance(told, Mapping) else "within target"
        return Judged(gate.figure, verdict == "within target", f"{name}: {value}{unit}, {verdict}")
    wanted, passed = _wanted(gate, value)
    words = f"{name}: {value}{unit}" if passed else f"{name} is {value}{unit}, and must be {wanted}{unit}"
    return Judged(gate.figure, passed, words)


def _wanted(gate: Gate, value: Any) -> tuple[str, bool]:
    if gate.equals is not None:
        return str(gate.equals), value == gate.equals
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    low, high = gate.at_least, gate.at_most
    if low is not None and high is not None:
        return f"{low:g} to {high:g}", number and low <= value <= high
    if low is not None:
        return f"at least {low:g}", number and value >= low
    return f"at most {high:g}" if high is not None else "there", high is None or (number and value <= high)


def _all(project: Path | None) -> Iterator[Preset]:
    """From the farthest to the nearest."""
    yield from _in_folder(_OURS, "storycore")
    yield from _in_folder(user_folder() / "presets", "user")
    if project is not None:
        yield from _in_folder(project / "presets", "project")


def _in_folder(folder: Path, origin: str) -> Iterator[Preset]:
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix == ".toml")[:_MOST_FILES]
    except OSError:
        return
    for path in paths:
        if _NAME.fullmatch(path.stem):
            yield _read(path, origin)


def _read(path: Path, origin: str) -> Preset:
    try:
        with open_regular(path) as file:
            data = file.read(_MOST_BYTES)
        read = _File(**tomllib.loads(data.decode("utf-8")))
    except (OSError, ValidationError, ValueError, TypeError) as fault:
        raise InvalidInput(
            f"The preset {path.name} can't be read: {_why(fault)}", reason=Reason.PRESET_INVALID
        ) from None
    return Preset(
        name=path.stem,
        origin=origin,
        title=read.title,
        formats=read.formats,
        source=read.source,
        date=read.date,
        note=read.note,
        options=read.options,
        options_of=read.options_of,
        gates=read.gates,
    )


def _why(fault: Exception) -> str:
    if isinstance(fault, ValidationError):
        first = fault.errors(include_url=False)[0]
        return f"{'.'.join(map(str, first['loc']))}: {explain(first['type'], first.get('ctx', {}), first['msg'])}"
    return str(fault)[:200]
