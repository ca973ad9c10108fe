"""What a format is: how a project becomes one file of it.

A new format is one module with an object that has these members, and one line in `registry`; third parties name
theirs under the entry-point group `storycore.formats`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict, StrictBool

from storycore.observe.progress import Progress
from storycore.project.files import Listing
from storycore.project.model import Project, ProjectWarning
from storycore.settings import Settings

if TYPE_CHECKING:
    from storycore.rendering.second_unit import SecondUnit

PLACES = ("project", "title", "format", "number", "shot", "scene")
"""What a pattern of file names can hold, in braces."""

_PLACE = re.compile(r"\{([^{}]*)\}")


def _pattern(value: str) -> str:
    """A pattern of file names that holds nothing but places that there are, and no part of a path."""
    unknown = [name for name in _PLACE.findall(value) if name not in PLACES]
    if unknown or set(_PLACE.sub("", value)) & set("{}"):
        raise ValueError(f"in braces there can be: {', '.join(PLACES)}")
    if set(value) & set("/\\") or not value.isprintable():
        raise ValueError("a name is needed, not a path")
    return value


class FormatOptions(BaseModel):
    """What every format can be asked for; a format with more has a subclass."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    strict: StrictBool = Field(default=False, description="Refuse a project without shots.")
    naming: Annotated[str, Strict(), AfterValidator(_pattern)] = Field(
        default="",
        max_length=120,
        description="Names of files, without their suffix: {project}, {title}, {format}; with per_shot also {number}, "
        "{shot} (its title) and {scene}. {project} if left out, with per_shot {project}_{number}.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """What a format is made from.

    Attributes:
        project: as read.
        listing: the files of its folder, as they were before it was read.
        settings: the settings in force.
        shot: place of the one shot that is wanted, alone and without its transitions; all of the film if left out.
        marked: whether its files get marks: content credentials, and how they were made. Formats alone give none, so
            that the same film gives the same bytes.
        delivered: files that were made before it in the same run, for those who report of them.
        enclosed: what a package of it holds in data/storycore/ beside its own, by name.
        unit: others who may paint segments of it; None for nobody.
    """

    project: Project
    listing: Listing
    settings: Settings
    shot: int | None = None
    marked: bool = False
    delivered: "tuple[Delivered, ...]" = ()
    enclosed: Mapping[str, bytes] = field(default_factory=dict)
    unit: "SecondUnit | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A file that was made.

    Attributes:
        size_bytes: of the finished file.
        sha256: of the finished file, 64 hex digits.
        metrics: what else was measured in the finished file.
        warnings: what could not be made as the project says.
        beside: files that were made beside it, which belong to it.
        mark: tells what those were made of, where another format that needs the very same may use them too.
    """

    size_bytes: int
    sha256: str
    metrics: Mapping[str, Any]
    warnings: tuple[ProjectWarning, ...] = ()
    beside: tuple[Path, ...] = ()
    mark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """A folder that a format puts beside its file.

    Attributes:
        name: of the folder.
        mark: as `Made.mark`: formats of the same one share the folder, others can't.
    """

    name: str
    mark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """A file that stands under its name.

    Attributes:
        name: of the file.
        format: its name.
        made: what was measured in it.
        gates: what was asked of it, in words, and whether it holds.
    """

    name: str
    format: str
    made: Made
    gates: tuple[tuple[str, bool], ...] = ()


class Format(Protocol):
    """One format.

    One that also has `figures`, by name, lets presets ask them of its files. One that also has `unheeded(options)` and
    `impossible(options)`, by name, tells which options its codecs can't heed, and why. One that also has
    `check(film, options)` refuses what this film can't give before anything is made.

    One that puts a folder beside its file has `beside(film, options)`, which names it as a `Beside`, or gives None.

    One that has `nothing(film, options)` tells, in words, why there is nothing to make of a film: captions of a film
    without words. A delivery then leaves it out, instead of sending an empty file.

    Attributes:
        name: lower case, as callers ask for it.
        suffix: of its files, with the dot.
        media_type: IANA media type of its files.
        options: the model of its options.
    """

    name: str
    suffix: str
    media_type: str
    options: type[FormatOptions]

    def write(self, film: Film, target: Path, options: Any, progress: Progress) -> Made:
        """Writes the film to a new file.

        Guarantee: atomic; the same film and options give the same bytes; a file that stands there already is not
        replaced; after an error or a cancellation nothing is left; the project is not changed.

        Args:
            film: what to write.
            target: absolute path ending in `suffix`.
            options: an instance of `self.options`.
            progress: told how far it is; can cancel.

        Raises:
            StoryCoreError: the target can't be written, the project changed meanwhile, or the caller cancelled.
        """
        ...
