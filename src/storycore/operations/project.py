"""storycore.project.*: look at projects."""

import os
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field

from storycore.app import App
from storycore.errors import StoryCoreError
from storycore.operations.request import (
    PathText,
    ProjectPath,
    Request,
    Result,
    Spelling,
    WarningEntry,
    Whole,
    warning_entries,
)
from storycore.project.headers import HeaderFault, read_facts
from storycore.project.model import AudioTrack, Project, Shot
from storycore.project.paths import inside, is_text
from storycore.project.reader import is_project, read_project
from storycore.project.timeline import cut_points, subtitles
from storycore.settings import Settings
from storycore.units import iso, round_half_up, timecode


class ShotEntry(Result):
    """One shot, in film order."""

    id: str
    number: int = Field(description="From 1.")
    title: str
    start: str = Field(description="Timecode HH:MM:SS:FF.")
    start_frames: int = Field(description="Frames of the film before it.")
    duration: str = Field(description="Timecode HH:MM:SS:FF.")
    duration_seconds: float
    duration_frames: int
    camera: str
    transition: str = Field(description="How it ends: cut, dissolve, fade_black, ….")
    transition_seconds: float
    media: str = Field(description="File that is shown, relative to the project; empty if none.")
    media_source: str = Field(description="take, clip, promoted, image, refined, panel, grid, data, or missing.")
    dialogue: list[str] = Field(description="Lines said during it.")

    @property
    def shows(self) -> str:
        """What is seen of it, in a film maker's words."""
        return _SHOWN.get(self.media_source, self.media_source)


_SHOWN: Final[Mapping[str, str]] = {
    "clip": "clip", "take": "take", "image": "picture", "refined": "retouched panel", "promoted": "enlarged panel",
    "panel": "panel", "grid": "panel of a grid", "data": "picture in the project file",
}  # fmt: skip


class SoundEntry(Result):
    """One sound, where it stands in the film."""

    name: str
    kind: Literal["dialogue", "voiceover", "music", "sfx", "ambient"]
    media: str = Field(description="File that is heard, relative to the project; empty if none.")
    found: bool = Field(description="Whether that file is there.")
    heard: bool = Field(description="Whether it is in the mix: it is there, not muted, and no other one is solo.")
    shot: int | None = Field(description="Number of its shot; null for a sound of the whole film.")
    start_seconds: float = Field(description="From the start of the film.")
    end_seconds: float | None = Field(description="Where it ends, at the latest with the film; null if not known.")


class InspectResult(Result):
    """A project at a glance."""

    project_path: str
    project_id: str
    project_name: str
    title: str
    logline: str
    shape: str = Field(description="Which kind of project file it has.")
    schema_version: str
    created_at: str | None
    updated_at: str | None
    frame_rate: str = Field(description="Frames per second, exact: 24 or 24000/1001.")
    width: int
    height: int
    duration: str = Field(description="Timecode of the whole film.")
    duration_seconds: float
    duration_frames: int
    shots: list[ShotEntry]
    scenes: int
    characters: list[str]
    audio_tracks: int
    sounds: list[SoundEntry] = Field(description="Every track, in order of time.")
    subtitles: int
    qa_score: float | None = Field(description="0.0-1.0 of the newest report.")
    qa_passed: bool | None
    missing: list[str] = Field(description="Media that the project names but that are not there.")
    warnings: list[WarningEntry]


class InspectRequest(Request[InspectResult]):
    """Show a project."""

    project_path: ProjectPath = Field(description="Folder of the project.")


class ListEntry(Result):
    """One project of a list."""

    project_path: str
    project_name: str
    shape: str
    shots: int
    duration_seconds: float
    updated_at: str | None
    warnings: int = Field(description="How many things are odd about it.")
    error: str | None = Field(description="Why it can't be read, if so.")


class ListResult(Result):
    """Projects, by the name of their folder."""

    items: list[ListEntry]
    next_cursor: str | None = Field(description="Give it back to see the next page; null at the end.")


class ListRequest(Request[ListResult]):
    """List the projects in a folder."""

    folder: Annotated[PathText | None, Spelling()] = Field(
        default=None, description="Folder to look in; the roots, or else this folder, if left out."
    )
    limit: Whole = Field(default=50, ge=1, le=200, description="Most projects a page.")
    cursor: str | None = Field(
        default=None, max_length=8192, pattern="^([0-9a-f]{2})+$", description="Where the page before ended."
    )


_MOST_LENGTHS: Final = 200
"""Of so many sound files it is looked up how long they are; of others it counts what the project says."""


def inspect(app: App, request: InspectRequest) -> InspectResult:
    """A project at a glance; nothing in it is changed.

    Raises:
        InvalidInput: path_invalid, project_invalid, project_too_large.
        AccessDenied: path_outside_root, permission_denied.
        NotFound: project_not_found.
    """
    folder = app.places.project(request.project_path)
    project = read_project(folder, app.settings)
    newest = project.qa_reports[0] if project.qa_reports else None
    return InspectResult(
        project_path=str(project.folder),
        project_id=project.id,
        project_name=project.name,
        title=project.title,
        logline=project.logline,
        shape=project.shape.value,
        schema_version=project.schema_version,
        created_at=iso(project.created) if project.created else None,
        updated_at=iso(project.updated) if project.updated else None,
        frame_rate=str(project.frame_rate),
        width=project.width,
        height=project.height,
        duration=timecode(project.duration, project.frame_rate),
        duration_seconds=float(project.duration),
        duration_frames=cut_points(project.shots, project.frame_rate)[-1],
        shots=_shots(project),
        scenes=len(project.scenes),
        characters=[character.name for character in project.characters],
        audio_tracks=len(project.audio) + sum(len(shot.audio) for shot in project.shots),
        sounds=_sounds(project),
        subtitles=len(subtitles(project)),
        qa_score=newest.score if newest else None,
        qa_passed=newest.passed if newest else None,
        missing=list(project.missing),
        warnings=warning_entries(project.warnings),
    )


def list_projects(app: App, request: ListRequest) -> ListResult:
    """The projects that stand directly in a folder, and the folder itself if it is one, by the names of their folders.

    Without a folder the configured roots are looked in, or else the working directory. A project that can't be
    read is listed with the reason. Only the projects of the page are read.

    Raises:
        InvalidInput: path_invalid.
        AccessDenied: path_outside_root.
        NotFound: project_not_found: there is no such folder.
    """
    after = _read_cursor(request.cursor)
    found = sorted({(folder.name, str(folder)) for place in _places(app, request) for folder in _projects(place, app)})
    waiting = [one for one in found if after is None or one > after]
    page = waiting[: request.limit]
    return ListResult(
        items=[_entry(Path(path), app.settings) for _, path in page],
        next_cursor=_write_cursor(page[-1]) if len(waiting) > len(page) else None,
    )


def _shots(project: Project) -> list[ShotEntry]:
    rate = project.frame_rate
    return [
        ShotEntry(
            id=shot.id,
            number=shot.number,
            title=shot.title,
            start=timecode(shot.start, rate),
            start_frames=round_half_up(shot.start * rate),
            duration=timecode(_frames(shot, rate) / rate, rate),
            duration_seconds=float(shot.duration),
            duration_frames=_frames(shot, rate),
            camera=shot.camera,
            transition=shot.transition.kind.value,
            transition_seconds=float(shot.transition.duration),
            media=_shown(shot)[0],
            media_source=_shown(shot)[1],
            dialogue=[line.text for line in shot.dialogue],
        )
        for shot in project.shots
    ]


def _sounds(project: Project) -> list[SoundEntry]:
    placed: list[tuple[AudioTrack, int | None, Fraction]] = [
        (track, shot.number, shot.start) for shot in project.shots for track in shot.audio
    ]
    placed += [(track, None, Fraction(0)) for track in project.audio]
    solo = any(track.solo for track, *_ in placed)
    lengths: dict[str, Fraction | None] = {}
    found = [_sound(project, *one, solo=solo, lengths=lengths) for one in placed]
    return sorted(found, key=lambda it: (it.start_seconds, it.name))


def _sound(  # noqa: PLR0913 - a track and where it stands
    project: Project,
    track: AudioTrack,
    shot: int | None,
    begin: Fraction,
    *,
    solo: bool,
    lengths: dict[str, Fraction | None],
) -> SoundEntry:
    media = track.media
    there = media is not None and media.found
    length = track.duration
    if media is not None and there:
        if media.path not in lengths and len(lengths) < _MOST_LENGTHS:
            lengths[media.path] = _length(project, media.path)
        whole = lengths.get(media.path)
        rest = None if whole is None else max(Fraction(0), whole - track.offset)
        length = min((it for it in (length, rest) if it is not None), default=None)  # a file may end before
    start = begin + track.start
    end = None if length is None else max(start, min(start + length, project.duration))
    return SoundEntry(
        name=track.name,
        kind=track.kind.value,
        media="" if media is None else media.path,
        found=there,
        heard=there and not track.muted and track.volume > 0 and (track.solo or not solo),
        shot=shot,
        start_seconds=float(start),
        end_seconds=None if end is None else float(end),
    )


def _length(project: Project, path: str) -> Fraction | None:
    """Seconds of a sound file, as its headers say; None if they don't."""
    place = inside(project.folder, path)
    try:
        facts = None if place is None else read_facts(place)
    except (HeaderFault, OSError):
        return None
    return None if facts is None else facts.duration


def _frames(shot: Shot, rate: Fraction) -> int:
    """Frames between the exact beginning and the exact end, each rounded: what is seen of it."""
    return round_half_up((shot.start + shot.duration) * rate) - round_half_up(shot.start * rate)


def _shown(shot: Shot) -> tuple[str, str]:
    """The file that is shown and where it comes from; a named one that is missing is said to be missing."""
    media = [one for one in (shot.clip, shot.image) if one is not None]
    found = next((one for one in media if one.found), None)
    if found is not None:
        return found.path, found.source
    return (media[0].path if media else ""), "missing"


def _places(app: App, request: ListRequest) -> Sequence[Path]:
    if request.folder is not None:
        return [app.places.project(request.folder)]
    return app.places.roots or [Path.cwd()]


def _projects(folder: Path, app: App) -> list[Path]:
    """The projects in a folder; links and hidden folders are left out, and so is what can't be listed."""
    try:
        with os.scandir(folder) as entries:
            listed = list(islice(entries, app.settings.max_project_files))
    except OSError:
        return []
    inside = [
        Path(entry.path)
        for entry in listed
        if not entry.name.startswith(".") and is_text(entry.name) and entry.is_dir(follow_symlinks=False)
    ]
    return [found for found in (folder, *inside) if is_project(found, app.settings)]


def _entry(folder: Path, settings: Settings) -> ListEntry:
    try:
        project = read_project(folder, settings)
    except StoryCoreError as fault:
        return ListEntry(
            project_path=str(folder),
            project_name=folder.name,
            shape="",
            shots=0,
            duration_seconds=0.0,
            updated_at=None,
            warnings=0,
            error=fault.message,
        )
    return ListEntry(
        project_path=str(folder),
        project_name=project.name,
        shape=project.shape.value,
        shots=len(project.shots),
        duration_seconds=float(project.duration),
        updated_at=iso(project.updated) if project.updated else None,
        warnings=len(project.warnings),
        error=None,
    )


def _write_cursor(last: tuple[str, str]) -> str:
    return "\0".join(last).encode(errors="replace").hex()


def _read_cursor(cursor: str | None) -> tuple[str, str] | None:
    if cursor is None:
        return None
    name, _, path = bytes.fromhex(cursor).decode(errors="replace").partition("\0")
    return name, path
