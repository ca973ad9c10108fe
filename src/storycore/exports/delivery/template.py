"""Delivery templates: what a festival, a platform, an editor or an archive is sent, as dated data.

A template is a TOML file: `title`, `source` and `date` of what it stands on, and `[[parts]]`. A part has a `name` and
a `title`, the `folder` of the delivery that its files stand in, and what it is: a `preset`, or `formats`, or both, with
`options`, `[[parts.gates]]` as presets have them, and `optional`. Ours come with StoryCore; a user's stand in
`deliveries/` of the user's config folder or of the project, and the nearest one of a name counts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from storycore.errors import InvalidInput, NotFound, Reason, StoryCoreError
from storycore.exports import presets
from storycore.exports.data_files import FAULTS, DataFile, content, nearest, tables, why
from storycore.exports.export import CODEC_CHOICES, unheeded, wanted
from storycore.exports.gates import Gate, unknown
from storycore.exports.packing.names import title_name
from storycore.exports.presets import Preset, refuse_gates, refuse_odd_gates
from storycore.exports.works import Wanted
from storycore.project.paths import fold

_OURS = Path(__file__).parents[1] / "delivery_files"
_FOLDER = "deliveries"
_MOST_FOLDERS = 3
_MEND = "Correct the template at the place that the message names."


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")
    title: str = Field(min_length=1, max_length=32)
    folder: str = Field(default="", max_length=120)
    preset: str = Field(default="", max_length=41)
    formats: list[str] = Field(default=[], max_length=20)
    options: dict[str, Any] = {}
    gates: list[Gate] = []
    optional: StrictBool = False


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = Field(min_length=1, max_length=100)
    source: str = Field(default="", max_length=300)
    date: date
    note: str = Field(default="", max_length=500)
    parts: list[_Part] = Field(min_length=1, max_length=40)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of a delivery.

    Attributes:
        name: that results and errors call it by.
        title: for people.
        folder: that its files stand in, relative to the delivery, `/` between names; "" for the delivery itself.
        preset: that it keeps to; None for none.
        formats: that it is made in, the preset's if empty.
        options: of its formats; they go before the preset's.
        gates: what its finished files must hold, those of the preset among them.
        optional: whether it is left out, with a warning, where it can't be made of a film.
    """

    name: str
    title: str
    folder: str
    preset: Preset | None
    formats: Sequence[str]
    options: Mapping[str, Any]
    gates: Sequence[Gate]
    optional: bool

    def wanted(self, options: Mapping[str, Any] | None = None) -> list[Wanted]:
        """Its formats with their options; `options` go before its own, as far as its formats know and heed them.

        Raises:
            InvalidInput: unsupported_format; unknown_field, wrong_type or out_of_range for an option.
        """
        own = wanted(self.formats, self.options, self.preset)
        known = {name for item in own for name in item.format.options.model_fields}
        asked = {name: value for name, value in (options or {}).items() if name in known}
        codecs = {name: value for name, value in asked.items() if name in CODEC_CHOICES}
        chosen = wanted(self.formats, {**self.options, **codecs}, self.preset) if codecs else own
        idle = unheeded(asked, chosen)
        heeded = {name: value for name, value in asked.items() if name not in idle}
        return wanted(self.formats, {**self.options, **heeded}, self.preset)


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One template.

    Attributes:
        name: as callers ask for it.
        origin: storycore, user or project.
        title: for people.
        source: what it stands on.
        date: when that was looked up.
        note: what else to know.
        parts: in order.
    """

    name: str
    origin: str
    title: str
    source: str
    date: date
    note: str
    parts: Sequence[Part]


def templates(project: Path | None = None) -> list[Template]:
    """Every template there is, by name; of several of one name the nearest.

    Raises:
        InvalidInput: template_invalid: a file is no template; says which, and where.
    """
    return [_read(file, project) for file in nearest(_OURS, _FOLDER, project).values()]


def find(name: str, project: Path | None = None) -> Template:
    """The template of a name.

    Raises:
        NotFound: template_not_found, with the names there are.
        InvalidInput: template_invalid.
    """
    known = nearest(_OURS, _FOLDER, project)
    found = known.get(name.strip().lower())
    if found is None:
        raise NotFound(
            f"There is no delivery template {name[:40]!r}; there are: {', '.join(known)}.",
            reason=Reason.TEMPLATE_NOT_FOUND,
            details={"templates": list(known), "pointer": "/template"},
        )
    return _read(found, project)


def _read(file: DataFile, project: Path | None) -> Template:
    try:
        told = content(file)
        _check_keys(told)
        read = _File(**told)
        _check_parts(read)
        parts = [_part(part, project) for part in read.parts]
    except FAULTS as fault:
        raise _invalid(file, why(fault)) from None
    except StoryCoreError as fault:
        raise _invalid(file, fault.message) from None
    return Template(
        name=file.name,
        origin=file.origin,
        title=read.title,
        source=read.source,
        date=read.date,
        note=read.note,
        parts=parts,
    )


def _invalid(file: DataFile, words: str) -> InvalidInput:
    return InvalidInput(
        f"The delivery template {file.path.name} can't be read: {words}",
        reason=Reason.TEMPLATE_INVALID,
        remediation=_MEND,
        details={"pointer": "/template"},
    )


def _check_keys(told: Mapping[str, Any]) -> None:
    """Refuses keys that there are not, with those that were meant most likely."""
    for name in told:
        if name not in _File.model_fields:
            raise ValueError(unknown("key", name, _File.model_fields))
    for number, part in enumerate(tables(told, "parts"), start=1):
        place = f"part {str(part.get('name', number))[:40]}"
        for name in part:
            if name not in _Part.model_fields:
                raise ValueError(f"{place}: {unknown('key', name, _Part.model_fields)}")
        try:
            refuse_odd_gates(part)
        except ValueError as fault:
            raise ValueError(f"{place}: {fault}") from None


def _check_parts(read: _File) -> None:
    """Refuses parts that make nothing or can't be told apart, and folders that some system does not take."""
    known: set[str] = set()
    for part in read.parts:
        if not part.preset and not any(part.formats):
            raise ValueError(f"part {part.name}: needs a preset, or formats")
        if part.name in known:
            raise ValueError(f"two parts are called {part.name}")
        known.add(part.name)
    spelled: dict[str, str] = {}
    for part in read.parts:
        names = part.folder.split("/") if part.folder else []
        if len(names) > _MOST_FOLDERS or not all(_is_plain(name) for name in names):
            raise ValueError(
                f"part {part.name}: folder: {part.folder[:60]!r} is not a plain name that every system takes, "
                f"or at most {_MOST_FOLDERS} of them with / between"
            )
        if spelled.setdefault("/".join(fold(names)), part.folder) != part.folder:
            raise ValueError(f"part {part.name}: folder: {part.folder!r} is also spelled in another way")


def _is_plain(name: str) -> bool:
    """Whether a name is one that every surface takes as part of a path."""
    return title_name(name) == name and not name.startswith(".")


def _part(told: _Part, project: Path | None) -> Part:
    """One part, whose preset, formats, options and gates there are.

    Raises:
        ValueError: says what is wrong with it.
    """
    try:
        preset = presets.find(told.preset, project) if told.preset else None
        gates = [*(preset.gates if preset is not None else ()), *told.gates]
        part = Part(
            name=told.name,
            title=told.title,
            folder=told.folder,
            preset=preset,
            formats=told.formats,
            options=told.options,
            gates=gates,
            optional=told.optional,
        )
        items = part.wanted()
        options = {name: value for item in items for name, value in item.options.model_dump().items()}
        refuse_gates(told.gates, [item.format for item in items], options)
    except StoryCoreError as fault:
        raise ValueError(f"part {told.name}: {fault.message}") from None
    except ValueError as fault:
        raise ValueError(f"part {told.name}: {fault}") from None
    return part
