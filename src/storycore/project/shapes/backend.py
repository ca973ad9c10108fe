"""Backend store: one project record; shots inside it, or each in a file of its own, named by its id."""

from collections.abc import Mapping
from typing import Any, Final

from storycore.project.draft import INTERFACE_UNITS, Draft, Piece, ShotDraft, check_count
from storycore.project.model import Shape
from storycore.project.shapes.shape import Source

SHAPE: Final = Shape.BACKEND
_PLACES = ("shots", "data/shots")


def matches(raw: Mapping[str, Any]) -> bool:
    """Whether it is a record of the store."""
    return "owner_id" in raw or ("resolution_width" in raw and "resolution_height" in raw)


def read(source: Source) -> Draft:
    """Shots as the record lists them: objects, or ids of files."""
    main = source.main(INTERFACE_UNITS)
    listed = source.raw.get("shots")
    values = listed if isinstance(listed, list) else []
    check_count(values, source.file)
    shots = [shot for place, value in enumerate(values) if (shot := _shot(source, main, place, value))]
    return Draft(head=[main], shots=[shots], scenes=main.objects("scenes"), characters=main.objects("characters"))


def _shot(source: Source, main: Piece, place: int, value: Any) -> ShotDraft | None:
    if isinstance(value, Mapping):
        return ShotDraft(pieces=(main.child(value, "shots", place),))
    if not isinstance(value, str) or not value.strip():
        return None
    own = main.child({"id": value}, "shots", place)
    for folder in _PLACES:
        piece = source.side(f"{folder}/{value}.json", main.units)
        if piece is not None:
            return ShotDraft(pieces=(piece, own))
    return ShotDraft(pieces=(own,))
