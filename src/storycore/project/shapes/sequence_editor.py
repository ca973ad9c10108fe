"""Sequence editor: `project` and `timeline`; all times are counted in frames (S)."""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any, Final

from storycore.project.draft import Draft, Notes, Piece, ShotDraft, Units
from storycore.project.fields import read_number
from storycore.project.model import Shape
from storycore.project.shapes.shape import Source, has_object

SHAPE: Final = Shape.SEQUENCE_EDITOR
_UNITS = Units(frames=True, centred=True)


def matches(raw: Mapping[str, Any]) -> bool:
    """Whether both halves are there."""
    return has_object(raw, "timeline") and has_object(raw, "project")


def read(source: Source) -> Draft:
    """Shots by their start on the timeline, with sounds, texts and media out of their layers."""
    main = source.main(_UNITS)
    pieces = main.objects("timeline", "shots")
    starts = [read_number(piece.raw.get("startTime")) for piece in pieces]
    if all(start is not None for start in starts):
        pieces = [pieces[place] for _, place in sorted((start or 0, place) for place, start in enumerate(starts))]
    _tell_gaps(pieces, source.notes)
    return Draft(head=[main], shots=[[_shot(piece) for piece in pieces]])


def _shot(piece: Piece) -> ShotDraft:
    layers = [layer for layer in piece.objects("layers") if layer.raw.get("hidden") is not True]
    bare = {key: value for key, value in piece.raw.items() if key not in ("startTime", "layers")}
    return ShotDraft(
        pieces=(replace(piece, raw=bare),),
        media=tuple(_data(layer) for layer in layers if layer.raw.get("type") == "media"),
        audio=tuple(_data(layer) for layer in layers if layer.raw.get("type") == "audio"),
        text=tuple(_data(layer) for layer in layers if layer.raw.get("type") == "text"),
        transition=next((_data(layer) for layer in layers if layer.raw.get("type") == "transitions"), None),
    )


def _data(layer: Piece) -> Piece:
    """What a layer holds, with the layer's own time if that matters."""
    data = layer.object("data")
    timed = layer.raw.get("type") in ("audio", "text")
    times = {key: layer.raw[key] for key in ("id", "startTime", "duration") if key in layer.raw and timed}
    return replace(data, raw={**times, **data.raw})


def _tell_gaps(pieces: list[Piece], notes: Notes) -> None:
    """The film has no black between its shots; where the timeline has, that is told."""
    end = Fraction(0)
    for piece in pieces:
        start, length = (read_number(piece.raw.get(name)) for name in ("startTime", "duration"))
        if start is not None and start > end:
            message = "There is a gap before this shot; the film goes on without it."
            notes.warn(piece.file, piece.pointer, "timeline_gap", message)
        end = max(end, (start if start is not None else end) + (length or 0))
