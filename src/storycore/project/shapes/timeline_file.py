"""A timeline file: shot_timings, or scenes with elements; times count from the start of the film."""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any, Final

from storycore.project.draft import Draft, Piece, ShotDraft, Units
from storycore.project.fields import read_number
from storycore.project.model import Shape
from storycore.project.shapes.shape import Source

SHAPE: Final = Shape.TIMELINE


def matches(raw: Mapping[str, Any]) -> bool:
    """Whether it holds timings, or scenes with their elements."""
    return isinstance(raw.get("shot_timings"), list) or bool(_scenes(Piece(raw=raw, file="")))


def read(source: Source) -> Draft:
    """Each timing, or each scene, is a shot."""
    main = source.main(Units())
    timings = [ShotDraft(pieces=(piece,)) for piece in main.objects("shot_timings")]
    scenes = _scenes(main)
    return Draft(
        head=[main],
        shots=[timings, [_shot(scenes, place) for place in range(len(scenes))]],
        audio=[(piece,) for scene in scenes for piece in scene.objects("elements", "audio")],
    )


def _scenes(main: Piece) -> list[Piece]:
    return [scene for scene in main.objects("scenes") if isinstance(scene.raw.get("elements"), Mapping)]


def _shot(scenes: list[Piece], place: int) -> ShotDraft:
    scene = scenes[place]
    start = read_number(scene.raw.get("start_time")) or Fraction(0)
    lines = [_from_shot(line, start) for line in scene.objects("dialogue")]
    own = [one for one in scene.objects("transitions") if not _at_start(one, scene)]
    following = scenes[place + 1 : place + 2]
    into_next = [one for after in following for one in after.objects("transitions") if _at_start(one, after)]
    return ShotDraft(
        pieces=(replace(scene, raw={**scene.raw, "dialogue": lines, "transitions": None}),),
        transition=next(iter([*own, *into_next]), None),
    )


def _from_shot(line: Piece, start: Fraction) -> dict[str, Any]:
    """A line whose times count from the start of its shot."""
    times = {name: read_number(line.raw.get(name)) for name in ("start_time", "end_time")}
    return {**line.raw, **{name: max(time - start, Fraction(0)) for name, time in times.items() if time is not None}}


def _at_start(transition: Piece, scene: Piece) -> bool:
    """Whether a transition lies nearer to the beginning of its scene than to the end: it ends the shot before."""
    begin, end, left, right = (
        read_number(piece.raw.get(name)) or Fraction(0)
        for piece in (scene, transition)
        for name in ("start_time", "end_time")
    )
    return abs((left + right) / 2 - begin) < abs((left + right) / 2 - end)
