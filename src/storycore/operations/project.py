"""storycore.project.*: look at projects."""

from typing import Annotated

from pydantic import Field

from storycore.operations.export import WarningEntry
from storycore.operations.request import PathText, ProjectPath, Request, Result, Spelling, Whole


class ShotEntry(Result):
    """One shot, in film order."""

    id: str
    number: int = Field(description="From 1.")
    title: str
    start: str = Field(description="Timecode HH:MM:SS:FF.")
    duration: str = Field(description="Timecode HH:MM:SS:FF.")
    duration_seconds: float
    duration_frames: int
    camera: str
    transition: str = Field(description="How it ends: cut, dissolve, fade_black, ….")
    transition_seconds: float
    media: str = Field(description="File that is shown, relative to the project; empty if none.")
    media_source: str = Field(description="take, clip, promoted, image, refined, panel, grid, data, or missing.")
    dialogue: list[str] = Field(description="Lines said during it.")


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
    """Projects, by name."""

    items: list[ListEntry]
    next_cursor: str | None = Field(description="Give it back to see the next page; null at the end.")


class ListRequest(Request[ListResult]):
    """List the projects in a folder."""

    folder: Annotated[PathText | None, Spelling()] = Field(
        default=None, description="Folder to look in; the roots, or else this folder, if left out."
    )
    limit: Whole = Field(default=50, ge=1, le=200, description="Most projects a page.")
    cursor: str | None = Field(default=None, max_length=4096, description="Where the page before ended.")
