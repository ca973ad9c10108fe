"""What a shape is: a module that recognises its project files and says where their parts stand."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Protocol

from storycore.project.draft import Draft, Notes, Piece, ShotDraft, Units
from storycore.project.fields import Fields
from storycore.project.film import read_frame_rate
from storycore.project.folder import ProjectFolder
from storycore.project.model import Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A project file, and the folder that it stands in.

    Attributes:
        folder: gives side files.
        file: name of the project file, "" if there is none.
        raw: what it says.
        notes: for what is odd.
    """

    folder: ProjectFolder
    file: str
    raw: Mapping[str, Any]
    notes: Notes

    def main(self, units: Units, default_rate: Fraction = Fraction(24)) -> Piece:
        """The whole file as one piece, its units at the frame rate that the file tells."""
        whole = Piece(raw=self.raw, file=self.file)
        rate = read_frame_rate(Fields([whole], Notes()), default_rate)
        return replace(whole, units=replace(units, frame_rate=rate))

    def side(self, path: str, units: Units) -> Piece | None:
        """A side file that holds one object, or None."""
        value = self.folder.load(path)
        return Piece(raw=value, file=path, units=units) if isinstance(value, Mapping) else None


class KnownShape(Protocol):
    """What each module of this folder offers."""

    @property
    def SHAPE(self) -> Shape:  # noqa: N802 - a constant of the module
        """Which shape it is."""

    def matches(self, raw: Mapping[str, Any]) -> bool:
        """Whether a project file is of this shape, by its keys."""

    def read(self, source: Source) -> Draft:
        """Where the parts of the project stand; side files that all shapes share are added later."""


def lists_of_shots(main: Piece) -> list[list[ShotDraft]]:
    """The lists of shots that the interface's family of files holds, in order of preference."""
    lists = (main.objects("shots"), main.objects("storyboard"), main.objects("storyboard", "shots"))
    drafts = [[ShotDraft(pieces=(piece,)) for piece in pieces] for pieces in lists]
    return [*drafts, shots_of_sequences(main.objects("sequences"))]


def shots_of_sequences(sequences: list[Piece]) -> list[ShotDraft]:
    """Shots of sequences, one after the other, each in the scene of its sequence."""
    return [
        ShotDraft(pieces=(piece,), scene_id=scene if isinstance(scene := sequence.raw.get("scene_id"), str) else "")
        for sequence in sequences
        for piece in sequence.objects("shots")
    ]


def has_object(raw: Mapping[str, Any], *names: str) -> bool:
    """Whether an object stands under one of the names."""
    return any(isinstance(raw.get(name), Mapping) for name in names)


def has_list(raw: Mapping[str, Any], *names: str) -> bool:
    """Whether a list that is not empty stands under one of the names."""
    return any(isinstance(raw.get(name), list) and raw[name] for name in names)
