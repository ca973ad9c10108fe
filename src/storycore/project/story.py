"""Scenes and characters, read out of their pieces."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from storycore.project import aliases
from storycore.project.aliases import Names
from storycore.project.draft import Notes, Piece
from storycore.project.fields import UNSPECIFIED, Fields
from storycore.project.lookup import MediaLookup, is_data
from storycore.project.model import Character, MediaKind, Scene
from storycore.project.sound import FreeNames

GUESSED = "duration_guessed"
"""Beside a scene's duration that was only put there because one is required."""

_SCENE_KEYS = aliases.first_names(
    aliases.SCENE_ID, aliases.SCENE_TITLE, aliases.SCENE_DESCRIPTION, aliases.SCENE_LOCATION, aliases.SCENE_TIME,
    aliases.SCENE_DURATION, aliases.SCENE_MINUTES, aliases.SCENE_SHOTS, aliases.SCENE_CHARACTERS,
    aliases.SCENE_ACTIONS, (GUESSED,),
) - {"environment"}  # fmt: skip
_CHARACTER_KEYS = aliases.first_names(
    aliases.CHARACTER_ID, aliases.CHARACTER_NAME, aliases.CHARACTER_ROLE, aliases.CHARACTER_DESCRIPTION,
    aliases.CHARACTER_APPEARANCE, aliases.CHARACTER_PERSONALITY, aliases.CHARACTER_IMAGE,
) - {"visual_identity", "background"}  # fmt: skip


def read_scenes(
    pieces: Sequence[Piece], shots_by_scene: Mapping[str, Sequence[str]], notes: Notes
) -> tuple[Scene, ...]:
    """Scenes in the order written; a scene told twice is told once, ids are unique.

    A scene that names no shots has those that name it.
    """
    scenes = []
    for number, (scene_id, fields) in enumerate(_unique(pieces, aliases.SCENE_ID, "scene", notes), start=1):
        scenes.append(
            Scene(
                id=scene_id,
                title=fields.stated(aliases.SCENE_TITLE) or f"Scene {number}",
                description=fields.stated(aliases.SCENE_DESCRIPTION),
                location=fields.stated(aliases.SCENE_LOCATION),
                time_of_day=fields.stated(aliases.SCENE_TIME),
                duration=_scene_duration(fields),
                shot_ids=fields.texts(aliases.SCENE_SHOTS, aliases.SHOT_ID) or tuple(shots_by_scene.get(scene_id, ())),
                characters=fields.texts(aliases.SCENE_CHARACTERS),
                actions=fields.texts(aliases.SCENE_ACTIONS),
                original=_rest(fields, _SCENE_KEYS),
            )
        )
    return tuple(scenes)


def read_characters(pieces: Sequence[Piece], lookup: MediaLookup, notes: Notes) -> tuple[Character, ...]:
    """Characters in the order written; one told twice is told once, ids are unique."""
    characters = []
    for number, (character_id, fields) in enumerate(
        _unique(pieces, aliases.CHARACTER_ID, "character", notes, also=aliases.CHARACTER_NAME), start=1
    ):
        images = (
            lookup.named(found, MediaKind.IMAGE, "image")
            for found in fields.candidates(aliases.CHARACTER_IMAGE)
            if isinstance(found.value, str)
        )
        characters.append(
            Character(
                id=character_id,
                name=fields.stated(aliases.CHARACTER_NAME) or f"Character {number}",
                role=_said(fields, aliases.CHARACTER_ROLE),
                description=_said(fields, aliases.CHARACTER_DESCRIPTION),
                appearance=_said(fields, aliases.CHARACTER_APPEARANCE),
                personality=_said(fields, aliases.CHARACTER_PERSONALITY),
                reference_image=next((image for image in images if image), None),
                original=_rest(fields, _CHARACTER_KEYS),
            )
        )
    return tuple(characters)


def _unique(
    pieces: Sequence[Piece], names: Names, word: str, notes: Notes, *, also: Names = ()
) -> list[tuple[str, Fields]]:
    """Pieces by id: those of one file with equal ids are different things, those of different files the same."""
    found: dict[str, list[Piece]] = {}
    free = FreeNames()
    for number, piece in enumerate(pieces, start=1):
        fields = Fields([piece], notes)
        name = fields.text(names, quiet=True) or (fields.text(also) if also else "") or f"{word}_{number:02d}"
        if name not in found:
            free.take(name)
        elif found[name][-1].file == piece.file:
            unique = free.take(name)
            notes.warn(
                piece.file, piece.pointer, "id_repeated", f"The id {name} stands twice; here it became {unique}."
            )
            name = unique
        found.setdefault(name, []).append(piece)
    return [(name, Fields(same, notes)) for name, same in found.items()]


def _said(fields: Fields, names: Names) -> str:
    """A text, or the texts of a list joined by commas."""
    for found in fields.candidates(names):
        if isinstance(found.value, list):
            texts = [text for text in fields.texts((found.name,)) if text != UNSPECIFIED]
            if texts:
                return ", ".join(texts)
        elif isinstance(found.value, str):
            text = Fields([found.piece], fields.notes).stated((found.name,))
            if text:
                return text
    return ""


def _scene_duration(fields: Fields) -> Fraction | None:
    if any(piece.raw.get(GUESSED) is True for piece in fields.pieces):
        return None
    duration = fields.seconds(aliases.SCENE_DURATION)
    if duration is None:
        minutes = fields.seconds(aliases.SCENE_MINUTES)
        duration = minutes * 60 if minutes is not None else None
    return duration or None


def _rest(fields: Fields, known: frozenset[str]) -> dict[str, Any]:
    merged = {key: value for piece in reversed(fields.pieces) for key, value in piece.raw.items()}
    return {key: value for key, value in merged.items() if key not in known or is_data(value)}
