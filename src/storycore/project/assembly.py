"""A project put together: every part read, placed in time, and told as the one model."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import groupby

from storycore.project import aliases
from storycore.project.draft import Draft, Notes, Piece
from storycore.project.fields import Fields
from storycore.project.film import read_frame_rate, read_size, read_version
from storycore.project.film_order import join, sort_shots
from storycore.project.lookup import MediaLookup
from storycore.project.model import DialogueLine, Project, QAReport, Scene, Shape, Shot
from storycore.project.panels import Panels
from storycore.project.paths import relative_inside
from storycore.project.reports import in_order, read_report, read_reports
from storycore.project.shapes.shape import Source
from storycore.project.shots import Reading, read_line, read_shots
from storycore.project.sound import read_tracks
from storycore.project.story import read_characters, read_scenes
from storycore.project.timeline import place

OURS = "storycore_export"
"""Under `metadata`, what the canonical form tells that no other writer does."""

WORDS = ("pending", "done", "failed", "passed")
"""What the validators of other tools accept as a generation status."""

_PREFIX = "storycore_"


def assemble(draft: Draft, source: Source, shape: Shape) -> Project:
    """The project that a draft describes.

    Raises:
        InvalidInput: project_invalid: version 2 or later; project_too_large: a list that no film needs.
    """
    notes = source.notes
    head = Fields(draft.head, notes)
    version = read_version(Fields(draft.head[:1], notes), source.file, notes) if source.file else ""
    lookup = MediaLookup(source.folder, notes)
    characters = read_characters(draft.characters, lookup, notes)
    names = {character.id: character.name for character in characters}
    shots, duration = _film(draft, source, lookup, names)
    scenes = _scenes(draft, shots, source)
    phrases, spoken = _phrases(draft, notes, names)
    name, project_id = _names(head, source.folder.path.name)
    width, height = read_size(head)
    units = draft.head[0].units
    return Project(
        folder=source.folder.path,
        shape=shape,
        schema_version=version,
        id=project_id,
        name=name,
        created=head.instant(aliases.CREATED),
        updated=head.instant(aliases.UPDATED),
        title=head.text(aliases.TITLE, name, quiet=True),
        logline=head.text(aliases.LOGLINE, quiet=True),
        frame_rate=units.frame_rate if units.frames else read_frame_rate(head, draft.default_rate),
        width=width,
        height=height,
        shots=_with_scenes(shots, scenes),
        duration=duration,
        scenes=scenes,
        characters=characters,
        audio=read_tracks([*draft.audio, *spoken], lookup, notes),
        phrases=phrases,
        qa_reports=_reports(draft.head[0], source),
        warnings=notes.taken(),
        missing=tuple(lookup.missing),
        capabilities=_capabilities(head),
        generation_status=_status(head),
        original=source.raw,
        side_files=tuple(source.folder.read_files),
    )


def _film(
    draft: Draft, source: Source, lookup: MediaLookup, names: dict[str, str]
) -> tuple[tuple[Shot, ...], Fraction]:
    """Shots in their places, lines on the film's time, and the film's length."""
    film = sort_shots(join(draft.shots, source.notes), source.notes)
    reading = Reading(
        lookup=lookup,
        panels=Panels(lookup, draft.head[0].object("asset_manifest")),
        notes=source.notes,
        names=names,
        default_seconds=draft.default_seconds,
    )
    placed = place(read_shots(film, reading))
    for index in placed.shortened:
        piece = film[index].pieces[0]
        message = "The transition is longer than half the shorter of the two shots; it was shortened to that."
        if index == len(film) - 1:
            message = "The fade at the film's end is longer than half of its shot; it was shortened to that."
        source.notes.warn(piece.file, piece.pointer, "transition_shortened", message)
    if not placed.shots:
        source.notes.warn(source.file, "", "no_shots", "The film has no shots yet.")
    shots = (replace(shot, dialogue=tuple(_later(line, shot.start) for line in shot.dialogue)) for shot in placed.shots)
    return tuple(shots), placed.duration


def _later(line: DialogueLine, start: Fraction) -> DialogueLine:
    """A line whose times counted from `start`, on the film's time."""
    if line.start is None:
        return line
    return replace(line, start=line.start + start, end=None if line.end is None else line.end + start)


def _scenes(draft: Draft, shots: Sequence[Shot], source: Source) -> tuple[Scene, ...]:
    by_scene = sorted((shot.scene_id, shot.number, shot.id) for shot in shots if shot.scene_id)
    own = {scene: [shot_id for _, _, shot_id in held] for scene, held in groupby(by_scene, key=lambda one: one[0])}
    scenes = read_scenes(draft.scenes, own, source.notes)
    known = {shot.id for shot in shots}
    for scene in scenes:
        for shot_id in scene.shot_ids:
            if shot_id not in known:
                message = f"The scene {scene.id} names the shot {shot_id}, which is not in the film."
                source.notes.warn(source.file, "", "shot_unknown", message)
    return scenes


def _with_scenes(shots: Sequence[Shot], scenes: Sequence[Scene]) -> tuple[Shot, ...]:
    """Shots that name no scene get the first one that names them."""
    named = {shot_id: scene.id for scene in reversed(scenes) for shot_id in scene.shot_ids}
    return tuple(shot if shot.scene_id else replace(shot, scene_id=named.get(shot.id, "")) for shot in shots)


def _phrases(
    draft: Draft, notes: Notes, names: dict[str, str]
) -> tuple[tuple[DialogueLine, ...], list[tuple[Piece, ...]]]:
    """Recorded phrases in order of time, and the sounds that were made for them."""
    lines: list[DialogueLine] = []
    spoken: list[tuple[Piece, ...]] = []
    for piece in draft.phrases:
        line = read_line(piece, notes, names)
        if line.start is None or not line.text:
            notes.warn(piece.file, piece.pointer, "field_missing", "A phrase without text or start was left out.")
            continue
        lines.append(line)
        if isinstance(piece.raw.get("generatedAudioUrl"), str) and piece.raw["generatedAudioUrl"].strip():
            spoken.append((replace(piece, raw={"type": "dialogue", **piece.raw}),))
    return tuple(sorted(lines, key=lambda line: line.start or 0)), spoken


def _names(head: Fields, folder_name: str) -> tuple[str, str]:
    """Name and id; each stands in for the other, and at last the folder's name for both."""
    folder_name = folder_name.encode(errors="replace").decode().strip()
    project_id = head.text(aliases.ID, quiet=True)
    name = head.text(aliases.NAME, quiet=True) or project_id.removeprefix(_PREFIX).strip() or folder_name or "project"
    return name, project_id or f"{_PREFIX}{name}"


def _capabilities(head: Fields) -> dict[str, bool]:
    """What is written; of a canonical form only the words that its source had."""
    written = head.first(aliases.CAPABILITIES_WRITTEN)
    words = set(written.value) if written and isinstance(written.value, list) and _all_text(written.value) else None
    return {
        name: value
        for name, value in head.mapping(aliases.CAPABILITIES).items()
        if isinstance(value, bool) and (words is None or name in words)
    }


def _status(head: Fields) -> dict[str, str]:
    """What is written; of a canonical form the source's own words, unless somebody changed them since."""
    live = head.mapping(aliases.STATUS)
    found = {name: value for name, value in live.items() if isinstance(value, str)}
    first = head.first(aliases.STATUS_WRITTEN)
    if first is None or not isinstance(first.value, dict):
        return found
    return {
        name: value if found.get(name) == known_word(value) else found.get(name, value)
        for name, value in first.value.items()
        if isinstance(value, str)
    }


def known_word(word: str) -> str:
    """A generation status in the words that all validators know."""
    return word if word in WORDS else "pending"


def _all_text(values: Sequence[object]) -> bool:
    return all(isinstance(value, str) for value in values)


def _reports(head: Piece, source: Source) -> tuple[QAReport, ...]:
    """Reports in the folder, and those that a canonical form carries."""
    found = list(read_reports(source.folder, source.notes))
    known = {(report.file, report.id) for report in found}
    for piece in head.object("metadata", OURS).objects("qa_reports"):
        file = piece.raw.get("file")
        inside = relative_inside(file) if isinstance(file, str) else None
        report = read_report(piece.raw, inside.as_posix() if inside else "", source.notes)
        if (report.file, report.id) not in known:
            found.append(report)
            known.add((report.file, report.id))
    return in_order(found)
