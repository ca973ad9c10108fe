"""Wizard: shots without durations; the time stands in minutes on the scenes (W)."""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any, Final

from storycore.project.aliases import SCENE_DURATION, SCENE_ID, SCENE_MINUTES, SHOT_DURATION, SHOT_SCENE
from storycore.project.draft import INTERFACE_UNITS, Draft, Notes, Piece, ShotDraft
from storycore.project.fields import Fields
from storycore.project.model import Shape
from storycore.project.shapes.shape import Source, has_object, lists_of_shots
from storycore.units import round_half_up

SHAPE: Final = Shape.WIZARD


def matches(raw: Mapping[str, Any]) -> bool:
    """Whether the wizard wrote it."""
    return has_object(raw, "project_metadata", "story_structure") and not has_object(raw, "components")


def read(source: Source) -> Draft:
    """Shots share the time of their scene evenly, in whole frames, so that the scene keeps its length."""
    main = source.main(INTERFACE_UNITS)
    scenes = main.objects("scenes")
    lists = [_timed(shots, scenes, source.notes) for shots in lists_of_shots(main)]
    return Draft(head=[main], shots=lists, scenes=scenes, characters=main.objects("characters"))


def _timed(shots: list[ShotDraft], scenes: list[Piece], notes: Notes) -> list[ShotDraft]:
    timed = list(shots)
    waiting = _without_time(shots)
    for scene in scenes:
        fields = Fields([scene], Notes())
        seconds = fields.seconds(SCENE_DURATION) or (fields.seconds(SCENE_MINUTES) or Fraction(0)) * 60
        own = waiting.pop(fields.text(SCENE_ID), []) if seconds else []
        if not own:
            continue
        rate = scene.units.frame_rate
        edges = [round_half_up(seconds * rate * part / len(own)) for part in range(len(own) + 1)]
        for place, start, end in zip(own, edges, edges[1:], strict=False):
            if end > start:
                timed[place] = replace(shots[place], duration=(end - start) / rate)
        notes.warn(
            scene.file, scene.pointer, "duration_guessed", f"{len(own)} shots share the time of this scene evenly."
        )
    return timed


def _without_time(shots: list[ShotDraft]) -> dict[str, list[int]]:
    """Places of the shots that tell no duration, by the id of their scene."""
    places: dict[str, list[int]] = {}
    for place, shot in enumerate(shots):
        fields = Fields(shot.pieces, Notes())
        if fields.first(SHOT_DURATION) is None:
            places.setdefault(fields.text(SHOT_SCENE), []).append(place)
    return places
