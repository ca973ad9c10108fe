"""Which shots a film has, and in which order: the lists that a project holds, joined into one."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from storycore.project import aliases
from storycore.project.draft import Notes, ShotDraft
from storycore.project.fields import read_number


def join(lists: Sequence[Sequence[ShotDraft]], notes: Notes) -> list[ShotDraft]:
    """The first list that is not empty, each shot enriched by what the later lists say of it.

    Shots are the same if their ids are, or their numbers where one has no id. Nothing is added to the film.
    """
    filled = [list(shots) for shots in lists if shots]
    if not filled:
        return []
    film = filled[0]
    for others in filled[1:]:
        places = _places(film)
        for place, other in enumerate(others):
            at = _same(other, film, places)
            if at is None:
                piece = other.pieces[0]
                name = _id(other) or f"shot {place + 1}"
                notes.warn(piece.file, piece.pointer, "shot_unknown", f"{name} is not in the film; it was left out.")
            else:
                film[at] = _enriched(film[at], other)
    return film


def sort_shots(film: list[ShotDraft], notes: Notes) -> list[ShotDraft]:
    """Shots sorted by the first kind of number that all of them have; equal ones stay as they stand."""
    partly = ""
    for name in aliases.ORDERS:
        orders = [_order(shot, name) for shot in film]
        values = [order for order in orders if order is not None]
        if film and len(values) == len(film):
            return [film[place] for _, place in sorted(zip(values, range(len(film)), strict=True))]
        partly = partly or (name if values else "")
    if partly:
        message = f"Only some shots have `{partly}`; all stay in the order in which they stand."
        notes.warn(film[0].pieces[0].file, "", "order_incomplete", message)
    return film


def _places(film: Sequence[ShotDraft]) -> dict[tuple[str, Any], int]:
    """Where each id and each number stands first."""
    places: dict[tuple[str, Any], int] = {}
    for place, shot in enumerate(film):
        places.setdefault(("id", _id(shot)), place)
        places.setdefault(("number", _number(shot)), place)
    return places


def _same(other: ShotDraft, film: Sequence[ShotDraft], places: Mapping[tuple[str, Any], int]) -> int | None:
    if (name := _id(other)) and (place := places.get(("id", name))) is not None:
        return place
    number = _number(other)
    place = places.get(("number", number)) if number is not None else None
    return place if place is not None and not (name and _id(film[place])) else None


def _enriched(shot: ShotDraft, other: ShotDraft) -> ShotDraft:
    return replace(
        shot,
        pieces=(*shot.pieces, *other.pieces),
        audio=shot.audio or other.audio,
        text=shot.text or other.text,
        media=(*shot.media, *other.media),
        scene_id=shot.scene_id or other.scene_id,
        transition=shot.transition or other.transition,
    )


def _id(shot: ShotDraft) -> str:
    for piece in shot.pieces:
        for name in aliases.SHOT_ID:
            value = piece.raw.get(name)
            if isinstance(value, (str, int)) and not isinstance(value, bool) and str(value).strip():
                return str(value).strip()
    return ""


def _number(shot: ShotDraft) -> Fraction | None:
    values = (piece.raw.get(name) for piece in shot.pieces for name in aliases.SHOT_NUMBER)
    return next((number for number in map(read_number, values) if number is not None), None)


def _order(shot: ShotDraft, name: str) -> Fraction | None:
    return next((number for piece in shot.pieces if (number := read_number(piece.raw.get(name))) is not None), None)
