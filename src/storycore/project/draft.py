"""What the shapes hand over: where each part of a film stands, before anything is read out of it.

A shape knows where its parts are and in which units they count; it reads no values. So each stays short, and every
value is read in one way, by `fields`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from storycore.errors import InvalidInput, Reason
from storycore.project.model import ProjectWarning

MOST_ITEMS = 20_000
"""Most shots, tracks, lines, … that one list of a project may hold."""

MOST_WARNINGS = 1_000
"""Warnings beyond this many are counted, not kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """In which units the numbers of a file count; decided by its shape, never by a value.

    Attributes:
        frame_rate: frames per second of the film.
        frames: whether plain times count frames; else seconds.
        volume: full volume.
        pan: fully right.
        position: the right or lower edge of the picture.
        centred: whether positions count from the middle of the picture; else from its left upper corner.
    """

    frame_rate: Fraction = Fraction(24)
    frames: bool = False
    volume: int = 1
    pan: int = 1
    position: int = 1
    centred: bool = False


INTERFACE_UNITS = Units(volume=100, pan=100, position=100)
"""Seconds, volume 0-100, pan ±100, positions in per cent: the interface, and files that it writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One JSON object of a project, and where it stands.

    Attributes:
        raw: the object.
        file: POSIX path relative to the project.
        pointer: JSON Pointer of the object in that file.
        units: in which its numbers count.
    """

    raw: Mapping[str, Any]
    file: str
    pointer: str = ""
    units: Units = Units()

    def child(self, value: Mapping[str, Any], *names: str | int) -> "Piece":
        """The piece that stands under `names` in this one."""
        return replace(self, raw=value, pointer=self.pointer + pointer(*names))

    def objects(self, *names: str) -> list["Piece"]:
        """The objects of the list under `names`, in order; things that are not objects are left out.

        Raises:
            InvalidInput: project_too_large: the list holds more than `MOST_ITEMS`.
        """
        value: Any = self.raw
        for name in names:
            value = value.get(name) if isinstance(value, Mapping) else None
        if not isinstance(value, list):
            return []
        check_count(value, self.file)
        return [self.child(item, *names, place) for place, item in enumerate(value) if isinstance(item, Mapping)]

    def object(self, *names: str) -> "Piece":
        """The object under `names`, an empty one if there is none."""
        value: Any = self.raw
        for name in names:
            value = value.get(name) if isinstance(value, Mapping) else None
        return self.child(value if isinstance(value, Mapping) else {}, *names)


def pointer(*names: str | int) -> str:
    """JSON Pointer from names. Source: RFC 6901."""
    return "".join("/" + str(name).replace("~", "~0").replace("/", "~1") for name in names)


def check_count(values: Sequence[Any], file: str) -> None:
    """Refuses a list that no film needs.

    Raises:
        InvalidInput: project_too_large.
    """
    if len(values) > MOST_ITEMS:
        raise InvalidInput(
            f"{file} holds a list of {len(values):,} things; {MOST_ITEMS:,} are the most.",
            reason=Reason.PROJECT_TOO_LARGE,
            remediation="Split the film into several projects.",
            details={"file": file},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ShotDraft:
    """One shot before it is read.

    Attributes:
        pieces: objects that describe it; the first one that knows a fact gives it.
        audio: its sounds, if they stand apart from the pieces.
        text: its text layers, if they stand apart.
        media: places of its picture or clip, if they stand apart; each an object with a path.
        transition: how it ends, if that stands apart.
        scene_id: of the container that it stands in.
        duration: if the shape works it out; None: it stands in the pieces.
    """

    pieces: tuple[Piece, ...]
    audio: tuple[Piece, ...] = ()
    text: tuple[Piece, ...] = ()
    media: tuple[Piece, ...] = ()
    transition: Piece | None = None
    scene_id: str = ""
    duration: Fraction | None = None


@dataclass(slots=True, kw_only=True)
class Draft:
    """A project before it is read.

    Attributes:
        head: objects with facts of the whole film; the first one that knows a fact gives it.
        shots: lists of shots in order of preference: the first that is not empty is the film, the others add facts.
        scenes: of the story.
        characters: of the story.
        audio: sounds of the whole film, each after what is said of the track that it is on.
        phrases: spoken phrases with times of the film.
        default_seconds: of a shot that tells no duration.
        default_rate: frames per second if none is told.
    """

    head: list[Piece]
    shots: list[list[ShotDraft]] = field(default_factory=list)
    scenes: list[Piece] = field(default_factory=list)
    characters: list[Piece] = field(default_factory=list)
    audio: list[tuple[Piece, ...]] = field(default_factory=list)
    phrases: list[Piece] = field(default_factory=list)
    default_seconds: Fraction = Fraction(5)
    default_rate: Fraction = Fraction(24)


class Notes:
    """Everything odd that is met while reading, in order; each thing once."""

    def __init__(self) -> None:
        self._found: dict[ProjectWarning, None] = {}
        self._more = 0

    def warn(self, file: str, pointer: str, reason: str, message: str) -> None:
        """Keeps one warning."""
        warning = ProjectWarning(file=file, pointer=pointer, reason=reason, message=message)
        if len(self._found) < MOST_WARNINGS:
            self._found[warning] = None
        elif warning not in self._found:
            self._more += 1

    def taken(self) -> tuple[ProjectWarning, ...]:
        """All of them; how many were not kept stands at the end."""
        if not self._more:
            return tuple(self._found)
        rest = ProjectWarning(
            file="", pointer="", reason="more_warnings", message=f"{self._more} more things are odd in the same way."
        )
        return (*self._found, rest)
