"""Presets: what a platform or a purpose asks for, as dated data, with what the finished file must hold.

A preset is a TOML file: `title`, `formats`, `source` and `date` of its figures, `[options]` for all of its formats,
`[options_of.NAME]` for one, and `[[gates]]`: a `figure` of the quality metrics with `equals`, `at_least`, `at_most`
or `on_target`. Ours come with StoryCore; a user's stand in `presets/` of the user's config folder or of the project,
and the nearest one of a name counts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from storycore.errors import InvalidInput, NotFound, Reason
from storycore.exports.data_files import FAULTS, DataFile, content, nearest, tables, why
from storycore.exports.formats import registry
from storycore.exports.formats.figures import Figure
from storycore.exports.formats.format import Format
from storycore.exports.gates import Gate, fault_of, unknown

_OURS = Path(__file__).with_name("preset_files")


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


def presets(project: Path | None = None) -> list[Preset]:
    """Every preset there is, by name; of several of one name the nearest.

    Raises:
        InvalidInput: preset_invalid: a file is no preset; says which, and where.
    """
    return [_read(file) for file in nearest(_OURS, "presets", project).values()]


def find(name: str, project: Path | None = None) -> Preset:
    """The preset of a name.

    Raises:
        NotFound: preset_not_found, with the names there are.
        InvalidInput: preset_invalid.
    """
    known = nearest(_OURS, "presets", project)
    found = known.get(name.strip().lower())
    if found is None:
        raise NotFound(
            f"There is no preset {name[:40]!r}; there are: {', '.join(known)}.",
            reason=Reason.PRESET_NOT_FOUND,
            details={"presets": list(known), "pointer": "/preset"},
        )
    return _read(found)


def _read(file: DataFile) -> Preset:
    try:
        told = content(file)
        _check_keys(told)
        read = _File(**told)
        _check(read)
    except FAULTS as fault:
        raise InvalidInput(
            f"The preset {file.path.name} can't be read: {why(fault)}", reason=Reason.PRESET_INVALID
        ) from None
    return Preset(
        name=file.name,
        origin=file.origin,
        title=read.title,
        formats=read.formats,
        source=read.source,
        date=read.date,
        note=read.note,
        options=read.options,
        options_of=read.options_of,
        gates=read.gates,
    )


def _check_keys(told: Mapping[str, Any]) -> None:
    """Refuses keys that there are not, with those that were meant most likely."""
    for name in told:
        if name not in _File.model_fields:
            raise ValueError(unknown("key", name, _File.model_fields))
    refuse_odd_gates(told)


def refuse_odd_gates(told: Mapping[str, Any]) -> None:
    """Refuses gates with keys that there are not, with those that were meant most likely.

    Raises:
        ValueError: says which.
    """
    for number, gate in enumerate(tables(told, "gates"), start=1):
        for name in gate:
            if name not in Gate.model_fields:
                raise ValueError(f"gate {number}: {unknown('key', name, Gate.model_fields)}")


def _check(read: _File) -> None:
    """Refuses formats, options and figures that there are not."""
    formats = {name: _format(name) for name in read.formats}
    known = {name for format_ in formats.values() for name in format_.options.model_fields}
    for name in read.options:
        if name not in known:
            raise ValueError(f"options: {unknown('option', name, known)}")
    for name, options in read.options_of.items():
        if name not in formats:
            raise ValueError(f"options_of: {unknown('format here', name, formats)}")
        for option in options:
            if option not in formats[name].options.model_fields:
                raise ValueError(f"options_of.{name}: {unknown('option', option, formats[name].options.model_fields)}")
    options = {**read.options, **{name: value for own in read.options_of.values() for name, value in own.items()}}
    refuse_gates(read.gates, list(formats.values()), options)


def refuse_gates(gates: Sequence[Gate], formats: Sequence[Format], options: Mapping[str, Any]) -> None:
    """Refuses gates that can never be judged.

    Args:
        gates: what files must hold.
        formats: of those files.
        options: that they are made with.

    Raises:
        ValueError: says which, and why.
    """
    if any(figures_of(format_) is None for format_ in formats):
        return  # a format from elsewhere, which does not tell its figures
    figures = {name: it for format_ in formats for name, it in (figures_of(format_) or {}).items()}
    for number, gate in enumerate(gates, start=1):
        fault = fault_of(gate, figures, options)
        if fault:
            raise ValueError(f"gate {number}: {fault}")


def _format(name: str) -> Format:
    try:
        return registry.find(name)
    except InvalidInput:
        raise ValueError(f"formats: {unknown('format', name, registry.names())}") from None


def figures_of(format_: Format) -> Mapping[str, Figure] | None:
    """The figures of a format's files; None if it does not tell them."""
    return getattr(format_, "figures", None)
