"""Files beside project.json that every shape of project may have: plans, scenes, people, sound."""

from collections.abc import Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from itertools import islice
from typing import Any

from storycore.project.draft import INTERFACE_UNITS, Draft, Piece, ShotDraft, Units
from storycore.project.folder import ProjectFolder
from storycore.project.schema_faults import tell_list
from storycore.project.shapes.shape import Source

STORYBOARD = "storyboard.json"
VIDEO_PLAN = "video_plan.json"
_SOUND = "audio_output/metadata/audio_project.json"
_TIMELINE = "video_timeline_metadata.json"
_SCENES = ("scene_breakdown.json",)
_CHARACTERS = ("characters.json", "character_data.json")
_MOST_FILES = 10_000


def add(draft: Draft, source: Source) -> None:
    """Adds what the side files say; what the shape found has precedence."""
    rate = draft.head[0].units.frame_rate
    plain = Units(frame_rate=rate)
    interface = replace(INTERFACE_UNITS, frame_rate=rate)
    draft.shots += [
        _sequence_files(source, interface),
        _plan(source, STORYBOARD, "shots", plain),
        _plan(source, VIDEO_PLAN, "video_entries", plain),
        *(_shots(source.side(name, plain), "shot_timings") for name in timeline_files(source.folder, source.file)),
    ]
    draft.scenes += _but(draft.scenes, _things(source, _SCENES, "scenes", plain))
    draft.characters += _but(draft.characters, _things(source, _CHARACTERS, "characters", plain))
    if (sound := source.side(_SOUND, plain)) is not None:
        draft.audio += [(clip, track) for track in sound.objects("tracks") for clip in track.objects("clips")]
    if source.file != _TIMELINE and (timeline := source.side(_TIMELINE, plain)) is not None:
        draft.head.append(_picture(timeline))


def timeline_files(folder: ProjectFolder, but: str) -> list[str]:
    """Names of the timeline files in the project's folder, except one."""
    names = (name for name in folder.names("") if fnmatchcase(name.lower(), "*timeline*.json") and name != but)
    return list(islice(names, 100))


def _sequence_files(source: Source, units: Units) -> list[ShotDraft]:
    pieces = [
        piece
        for name in _json_names(source.folder, "sequences")
        if (piece := source.side(f"sequences/{name}", units)) is not None
    ]
    pieces.sort(key=_order)
    return [
        ShotDraft(pieces=(shot,), scene_id=scene if isinstance(scene := piece.raw.get("scene_id"), str) else "")
        for piece in pieces
        for shot in piece.objects("shots")
    ]


def _order(sequence: Piece) -> float:
    order = sequence.raw.get("order")
    return float(order) if isinstance(order, int) and not isinstance(order, bool) and abs(order) < 10**9 else 0.0


def _plan(source: Source, file: str, name: str, units: Units) -> list[ShotDraft]:
    piece = source.side(file, units)
    if piece is not None:
        tell_list(file, piece.raw, name, source.notes)
    return _shots(piece, name)


def _shots(piece: Piece | None, name: str) -> list[ShotDraft]:
    return [] if piece is None else [ShotDraft(pieces=(one,)) for one in piece.objects(name)]


def _things(source: Source, files: tuple[str, ...], name: str, units: Units) -> list[Piece]:
    """Objects that stand in a list of one file, or each in a file of its own folder."""
    found = [piece for file in files if file != source.file for piece in _listed(source, file, name, units)]
    for own in _json_names(source.folder, name):
        piece = source.side(f"{name}/{own}", units)
        if piece is not None:
            found.append(piece)
    return found


def _but(known: list[Piece], found: list[Piece]) -> list[Piece]:
    """What the shape has not found itself."""
    places = {(piece.file, piece.pointer) for piece in known}
    return [piece for piece in found if (piece.file, piece.pointer) not in places]


def _listed(source: Source, file: str, name: str, units: Units) -> list[Piece]:
    value: Any = source.folder.load(file)
    if isinstance(value, list):
        listed = Piece(raw={"": value}, file=file, units=units).objects("")
        return [replace(piece, pointer=piece.pointer.removeprefix("/")) for piece in listed]
    return Piece(raw=value, file=file, units=units).objects(name) if isinstance(value, dict) else []


def _json_names(folder: ProjectFolder, name: str) -> Iterator[str]:
    return islice((one for one in folder.names(name) if one.lower().endswith(".json")), _MOST_FILES)


def _picture(timeline: Piece) -> Piece:
    """Only what a timeline file knows better than a default: rate and size of the picture."""
    known = {key: timeline.raw[key] for key in ("frame_rate", "resolution") if key in timeline.raw}
    metadata = timeline.object("metadata").raw
    known.update({key: metadata[key] for key in ("frame_rate", "resolution") if key in metadata and key not in known})
    return replace(timeline, raw=known)
