"""Shots: lists of them joined into one film, and each read out of its pieces."""

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, NamedTuple

from storycore.project import aliases
from storycore.project.draft import Notes, Piece, ShotDraft
from storycore.project.fields import Fields, Found
from storycore.project.languages import tag
from storycore.project.lookup import MediaLookup, is_data
from storycore.project.model import (
    DialogueLine,
    Media,
    MediaKind,
    Prompt,
    Shot,
)
from storycore.project.panels import Panels
from storycore.project.sound import FreeNames, read_layers, read_tracks
from storycore.project.transitions import read_transition

_CAMERA = {
    word: movement
    for movement, words in {
        "static": "static fixed locked stationary none",
        "pan": "pan pans panning",
        "tilt": "tilt tilts tilting",
        "zoom": "zoom zooms zooming",
        "dolly": "dolly dollies dollying push pushes pushing",
        "tracking": "track tracks tracking truck trucking follow follows following",
        "crane": "crane cranes craning jib boom",
        "handheld": "handheld shaky",
    }.items()
    for word in words.split()
}
_DIRECTIONS = {
    movement: {word: direction for direction, words in directions.items() for word in words.split()}
    for directions, movements in (
        ({"left": "left leftward leftwards", "right": "right rightward rightwards"}, "pan tracking"),
        ({"up": "up upward upwards", "down": "down downward downwards"}, "tilt crane"),
        ({"in": "in inward inwards closer", "out": "out outward outwards back away pull pulls pulling"}, "zoom dolly"),
    )
    for movement in movements.split()
}
"""Of each movement, the words that say where it goes."""
_WORD = re.compile(r"[a-z]+")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_KNOWN = aliases.first_names(
    aliases.SHOT_ID, aliases.ORDERS, aliases.SHOT_TITLE, aliases.SHOT_DESCRIPTION, aliases.SHOT_DURATION,
    aliases.SHOT_START, aliases.SHOT_END, aliases.SHOT_SCENE, aliases.CAMERA, aliases.PROMPT, aliases.PROMPT_MODULES,
    aliases.PROMPT_NEGATIVE, aliases.CLIP, aliases.CLIP_IN, aliases.CLIP_OUT, aliases.IMAGE, aliases.DIALOGUE,
    aliases.AUDIO_TRACKS, aliases.TEXT_LAYERS, aliases.TRANSITION, aliases.TRANSITION_DURATION_BESIDE,
) - {"metadata", "generation", "timing", "parameters"}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What reading shots needs beside the shots.

    Attributes:
        lookup: finds media.
        panels: the pictures of the pipeline.
        notes: for what is odd.
        names: of characters, by id.
        default_seconds: of a shot that tells no duration.
    """

    lookup: MediaLookup
    panels: Panels
    notes: Notes
    names: Mapping[str, str]
    default_seconds: Fraction


class _Named(NamedTuple):
    """What a shot is called: here, in its file, and by its place in the film."""

    id: str
    written: str
    number: int


def read_shots(film: Sequence[ShotDraft], reading: Reading) -> list[Shot]:
    """Shots in the order given, numbered from 1, ids made unique; not yet placed on a timeline."""
    shots: list[Shot] = []
    names = FreeNames()
    for number, draft in enumerate(film, start=1):
        fields = Fields(draft.pieces, reading.notes)
        written = fields.text(aliases.SHOT_ID) or f"shot_{number:02d}"
        shot_id = names.take(written)
        if shot_id != written:
            _warn(draft, reading, "id_repeated", f"The id {written} stands twice; here it became {shot_id}.")
        shots.append(_read_shot(draft, fields, _Named(shot_id, written, number), reading))
    return shots


def _read_shot(draft: ShotDraft, fields: Fields, named: _Named, reading: Reading) -> Shot:
    duration = draft.duration or _duration(draft, fields, reading)
    image, clip = _media(draft, fields, named, reading)
    audio = draft.audio or _audio_pieces(fields)
    return Shot(
        id=named.id,
        number=named.number,
        title=fields.text(aliases.SHOT_TITLE) or f"Shot {named.number}",
        description=fields.text(aliases.SHOT_DESCRIPTION, quiet=True),
        duration=duration,
        start=Fraction(0),
        scene_id=fields.text(aliases.SHOT_SCENE, draft.scene_id, quiet=True),
        image=image,
        clip=clip,
        clip_in=fields.seconds(aliases.CLIP_IN) or Fraction(0),
        clip_out=fields.seconds(aliases.CLIP_OUT) or None,
        camera=_camera(fields),
        transition=read_transition(draft, fields),
        prompt=_prompt(fields),
        dialogue=_dialogue(fields, reading),
        audio=read_tracks([(piece,) for piece in audio], reading.lookup, reading.notes),
        text=read_layers(draft.text or fields.objects(aliases.TEXT_LAYERS), reading.notes),
        original=_unknown(draft),
    )


def _duration(draft: ShotDraft, fields: Fields, reading: Reading) -> Fraction:
    duration = fields.seconds(aliases.SHOT_DURATION)
    if duration is None:
        start, end = fields.seconds(aliases.SHOT_START), fields.seconds(aliases.SHOT_END)
        duration = end - (start or 0) if end is not None else None
    if duration is not None and duration > 0:
        return duration
    seconds = reading.default_seconds
    _warn(draft, reading, "duration_guessed", f"The shot tells no duration; {float(seconds):g} s were taken.")
    return seconds


def _media(draft: ShotDraft, fields: Fields, name: _Named, reading: Reading) -> tuple[Media | None, Media | None]:
    """Picture and clip. What is named but missing stands there, not found, only if nothing else is."""
    take = reading.lookup.take(name.written)
    if take is not None and take.kind is MediaKind.IMAGE:
        return take, None
    named = [
        _as_written(media, found)
        for found in _named(draft, fields, aliases.CLIP)
        if (media := reading.lookup.named(found, MediaKind.VIDEO))
    ]
    pictures = [media for media in named if media.kind is MediaKind.IMAGE]
    clip = take or _best([media for media in named if media.kind is MediaKind.VIDEO])
    for found in () if _found(pictures) else _named(draft, fields, aliases.IMAGE):
        media = reading.lookup.named(found, MediaKind.IMAGE, _source(found))
        if media and media.kind is MediaKind.VIDEO:
            clip = clip or media
        elif media:
            pictures.append(_as_written(media, found))
            if media.found:
                break
    image = _found(pictures) or reading.panels.image(name.written, fields.whole(aliases.SHOT_NUMBER) or name.number)
    image = image or _best(pictures)
    if image is None and clip is None:
        _warn(draft, reading, "media_missing", f"{name.id} names no picture and no clip.")
    return image, clip


def _named(draft: ShotDraft, fields: Fields, names: aliases.Names) -> list[Found]:
    apart = Fields(draft.media, fields.notes)
    return [found for source in (apart, fields) for found in source.candidates(names) if isinstance(found.value, str)]


def _best(media: Sequence[Media]) -> Media | None:
    return _found(media) or (media[0] if media else None)


def _found(media: Sequence[Media]) -> Media | None:
    return next((one for one in media if one.found), None)


def _source(found: Found) -> str:
    return "promoted" if found.name == "promoted_panel_path" else ""


def _as_written(media: Media, found: Found) -> Media:
    """With the source and grid cell that our own canonical form tells beside the picture."""
    if media.source == "data":
        return media
    if found.name == "video":
        return replace(media, source="take") if found.piece.raw.get("video_source") == "take" else media
    if found.name != "image":
        return media
    source, cell = found.piece.raw.get("image_source"), found.piece.raw.get("image_cell")
    whole = isinstance(cell, list) and len(cell) == 4 and all(type(value) is int and value >= 0 for value in cell)
    panel = (cell[0], cell[1], cell[2], cell[3]) if whole and isinstance(cell, list) else None
    if source in ("take", "promoted", "image", "refined", "panel", "grid"):
        return replace(media, source=source, panel=panel if source == "grid" else None)
    return media


def _camera(fields: Fields) -> str:
    for found in fields.candidates(aliases.CAMERA):
        if isinstance(found.value, str) and found.value.strip():
            text = " ".join(_HUMP.sub(" ", found.value).lower().replace("_", " ").replace("-", " ").split())
            return _movement(text) or text
    for found in fields.candidates(aliases.CAMERA_PROSE):
        if isinstance(found.value, str) and (movement := _movement(found.value.lower())):
            return movement
    return "static"


def _movement(text: str) -> str | None:
    """The first movement that a text names, in the field's word for it, and where it goes if it says so: `pan left`."""
    words = _WORD.findall(text.replace("hand held", "handheld").replace("hand-held", "handheld"))
    movement = next((_CAMERA[word] for word in words if word in _CAMERA), None)
    if movement is None:
        return None
    known = _DIRECTIONS.get(movement, {})
    named = [word for word in words if word != "the"]
    goals = [word for before, word in itertools.pairwise(named) if before == "to"]  # from left to right goes right
    direction = next((known[word] for word in (*goals, *named) if word in known), "")
    return f"{movement} {direction}".rstrip()


def _prompt(fields: Fields) -> Prompt:
    return Prompt(
        text=fields.text(aliases.PROMPT, quiet=True),
        negative=fields.text(aliases.PROMPT_NEGATIVE, quiet=True),
        seed=fields.whole(aliases.PROMPT_SEED),
        model=fields.text(aliases.PROMPT_MODEL, quiet=True),
        modules=fields.mapping(aliases.PROMPT_MODULES),
    )


def _dialogue(fields: Fields, reading: Reading) -> tuple[DialogueLine, ...]:
    """Lines; their times count from the start of the shot until the film is placed."""
    for found in fields.candidates(aliases.DIALOGUE):
        if isinstance(found.value, str) and found.value.strip():
            return (DialogueLine(text=found.value.strip()),)
        if isinstance(found.value, list):
            lines = [read_line(piece, reading.notes, reading.names) for piece in _entries(found)]
            if lines := [line for line in lines if line.text]:
                return tuple(lines)
    return ()


def read_line(piece: Piece, notes: Notes, names: Mapping[str, str]) -> DialogueLine:
    """One line with the times that are written."""
    line = Fields([piece], notes)
    who = line.text(aliases.LINE_WHO, quiet=True)
    start, end = line.seconds(aliases.LINE_START), line.seconds(aliases.LINE_END)
    duration = line.seconds(aliases.LINE_DURATION)
    if start is not None and end is None and duration:
        end = start + duration
    return DialogueLine(
        text=line.text(aliases.LINE_TEXT, quiet=True),
        character=line.text(aliases.LINE_NAME, quiet=True) or names.get(who, who),
        start=start,
        end=end if start is not None else None,
        emotion=line.text(aliases.LINE_EMOTION, quiet=True),
        language=tag(line.text(aliases.LANGUAGE, quiet=True)),
    )


def _entries(found: Found) -> list[Piece]:
    """Objects of a list; texts in it count as lines."""
    path = found.name.split(".")
    return [
        found.piece.child(item if isinstance(item, dict) else {"text": item}, *path, place)
        for place, item in enumerate(found.value)
        if isinstance(item, (dict, str))
    ]


def _audio_pieces(fields: Fields) -> list[Piece]:
    """Tracks as objects; plain paths count as tracks."""
    for found in fields.candidates(aliases.AUDIO_TRACKS):
        values = found.value if isinstance(found.value, list) else [found.value]
        path = found.name.split(".")
        pieces = [
            found.piece.child(
                item if isinstance(item, dict) else {"url": item},
                *path,
                *([place] if isinstance(found.value, list) else []),
            )
            for place, item in enumerate(values)
            if isinstance(item, dict) or (isinstance(item, str) and item.strip())
        ]
        if pieces:
            return pieces
    return []


def _unknown(draft: ShotDraft) -> dict[str, Any]:
    """Keys that have no field here, and data: URIs, whose bytes have none."""
    merged = {key: value for piece in reversed(draft.pieces) for key, value in piece.raw.items()}
    return {key: value for key, value in merged.items() if key not in _KNOWN or is_data(value)}


def _warn(draft: ShotDraft, reading: Reading, reason: str, message: str) -> None:
    piece = draft.pieces[0]
    reading.notes.warn(piece.file, piece.pointer, reason, message)
