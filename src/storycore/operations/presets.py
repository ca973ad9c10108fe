"""storycore.export.presets: what platforms and purposes ask for."""

import contextlib
from collections.abc import Mapping
from typing import Annotated, Any, Literal, cast

from pydantic import Field

from storycore.app import App
from storycore.errors import StoryCoreError
from storycore.operations.request import PathText, Request, Result, Spelling


class PresetEntry(Result):
    """One preset."""

    name: str = Field(description="As `preset` of an export takes it.")
    title: str
    origin: Literal["storycore", "user", "project"] = Field(description="Where its file is.")
    formats: list[str] = Field(description="What it makes.")
    options: dict[str, Any] = Field(description="For all of its formats.")
    options_of: dict[str, dict[str, Any]] = Field(description="For single ones, by name of the format.")
    gates: list[dict[str, Any]] = Field(description="What finished files must hold.")
    source: str = Field(description="Where its figures are from.")
    date: str = Field(description="When they were looked up, YYYY-MM-DD.")
    note: str


class PresetsResult(Result):
    """The presets there are."""

    items: list[PresetEntry]


class PresetsRequest(Request[PresetsResult]):
    """List presets: ours, the user's own, and those of a project."""

    project_path: Annotated[PathText, Spelling()] | None = Field(
        default=None, description="Folder of a project whose own presets count too."
    )


def formats_of(request: Mapping[str, Any]) -> list[str]:
    """The formats that an export was asked for; a project's own presets are not looked up, and give none."""
    wanted = request.get("target_format") or []
    if not wanted and request.get("preset"):
        from storycore.exports.presets import find

        with contextlib.suppress(StoryCoreError):
            wanted = list(find(request["preset"]).formats)
    parts = [wanted] if isinstance(wanted, str) else wanted
    return [name.strip().lower() for part in parts for name in part.split(",")]


def presets(app: App, request: PresetsRequest) -> PresetsResult:
    """The presets there are, by name.

    Raises:
        InvalidInput: preset_invalid.
        NotFound, AccessDenied: the project is not there, or may not be read.
    """
    from storycore.exports.presets import presets as all_presets

    folder = None if request.project_path is None else app.places.project(request.project_path)
    return PresetsResult(
        items=[
            PresetEntry(
                name=it.name,
                title=it.title,
                origin=cast("Literal['storycore', 'user', 'project']", it.origin),
                formats=list(it.formats),
                options=dict(it.options),
                options_of={name: dict(options) for name, options in it.options_of.items()},
                gates=[gate.model_dump(exclude_defaults=True) for gate in it.gates],
                source=it.source,
                date=it.date.isoformat(),
                note=it.note,
            )
            for it in all_presets(folder)
        ]
    )
