"""storycore.export.plan: what an export would hold, with nothing written."""

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from storycore.app import App
from storycore.errors import InvalidInput, Reason
from storycore.operations.conversion import ShotPart, wanted_of, with_shots
from storycore.operations.format_fields import FormatNames, FormatOptions
from storycore.operations.package import FileEntry, selection_of
from storycore.operations.project_folder import read
from storycore.operations.request import (
    Facts,
    Flag,
    ProjectPath,
    Request,
    Result,
    Spelling,
    WarningEntry,
    warning_entries,
)

if TYPE_CHECKING:
    from storycore.exports.works import Wanted
    from storycore.project.files import Listing
    from storycore.project.model import Project


class PlannedFile(Result):
    """One file that a conversion would make. What is not known beforehand is null."""

    target_format: str = Field(description="What would be written.")
    file_name: str = Field(description="Name of the file.")
    width: int | None = Field(description="Of the picture, in pixels.")
    height: int | None = Field(description="Of the picture, in pixels.")
    fps: float | None = Field(description="Frames per second.")
    frames: int | None = Field(description="How many.")
    duration_seconds: float | None = Field(description="How long it lasts.")
    segments: int = Field(description="Parts that its picture is rendered in.")
    segments_found: int = Field(description="How many of them were rendered before, and would be found again.")
    frames_to_render: int = Field(description="Frames that are still to be rendered.")
    estimated_size_bytes: int | None = Field(description="An estimate, no promise.")
    estimated_from: str = Field(description="What the estimate stands on.")


class PlanResult(Result):
    """What an export would hold."""

    project_name: str = Field(description="Name of the project.")
    files: list[FileEntry] = Field(description="What would be packed; sha256 is empty, since nothing was read.")
    files_included: int = Field(description="How many files.")
    total_size_bytes: int = Field(description="Their size, unpacked.")
    shots: int = Field(description="How many shots the film has.")
    duration_seconds: float = Field(description="How long the film is.")
    missing: list[str] = Field(description="Media that the project names but that are not there.")
    skipped: list[WarningEntry] = Field(description="What would be left out, and why.")
    renamed: dict[str, str] = Field(description="Names that are not portable, and the names they would get.")
    outputs: list[PlannedFile] = Field(
        default=[], description="What a conversion would make, if formats were asked for."
    )
    warnings: list[WarningEntry] = Field(description="What is odd about the project.")


class PlanRequest(Request[PlanResult]):
    """Tell what an export would hold, without writing anything.

    With formats or a preset it tells what a conversion would make; else what a package would hold.
    """

    project_path: ProjectPath = Field(description="Folder of the project.")
    target_format: Annotated[str | list[str], Spelling(("-t", "--to")), FormatNames] | None = Field(
        default=None, description="As for export.format; a package is planned if it and the preset are left out."
    )
    preset: Annotated[str, Field(max_length=41, pattern=r"^[A-Za-z0-9-]+$"), Spelling(("-p", "--preset"))] | None = (
        Field(default=None, description="As for export.format.")
    )
    conversion_options: Annotated[Facts, FormatOptions, Spelling(("-O", "--option"))] = Field(
        default={}, description="As for export.format."
    )
    shots: list[ShotPart] | None = Field(
        default=None, min_length=1, max_length=10_000, description="As for export.format."
    )
    include_source: Flag = Field(default=False, description="Count workflows, scripts, prompts and editor files in.")
    include_assets: Flag = Field(default=True, description="Count pictures, clips and sound in.")
    include_reports: Flag = Field(default=True, description="Count QA reports in.")


def plan(app: App, request: PlanRequest) -> PlanResult:
    """What a package of a project would hold, or what a conversion would make; nothing is written.

    For a package no media is read but what the film names; for a film its sources are, to know what is found again.

    Raises:
        StoryCoreError: the path is not acceptable, or there is no project that can be read; a format or an option that
            is not known.
    """
    from storycore.exports.packing import contents as exports
    from storycore.exports.packing.selection import missing
    from storycore.project.media_types import expected

    app.places.project(request.project_path)  # callers expect a wrong folder to be told before a wrong format
    wanted = wanted_of(app, request)[0] if request.target_format or request.preset else []
    if request.conversion_options and not wanted:
        raise InvalidInput(
            "conversion_options are of formats, and none was named.",
            reason=Reason.MISSING_FIELD,
            details={"missing_fields": ["target_format"]},
        )
    _, project, listing = read(app, request.project_path)
    if wanted:
        return _planned_files(app, with_shots(project, request), listing, wanted)
    contents = exports.plan(project, listing, selection_of(request))
    return PlanResult(
        outputs=[],
        project_name=project.name,
        files=[
            FileEntry(
                path=contents.renamed.get(file.path, file.path),
                size_bytes=file.size_bytes,
                sha256="",
                media_type=expected(file.path),
                role=file.role.value,
            )
            for file in contents.files
        ],
        files_included=len(contents.files),
        total_size_bytes=contents.size_bytes,
        shots=len(project.shots),
        duration_seconds=float(project.duration),
        missing=missing(project),
        skipped=warning_entries(contents.skipped),
        renamed=dict(contents.renamed),
        warnings=warning_entries(project.warnings),
    )


def _planned_files(app: App, project: "Project", listing: "Listing", formats: "list[Wanted]") -> PlanResult:
    """What a conversion would make."""
    from storycore.exports.formats.format import Film
    from storycore.exports.outlook import look_ahead
    from storycore.exports.packing.selection import missing

    found = look_ahead(Film(project=project, listing=listing, settings=app.settings), formats)
    outputs = [
        PlannedFile(
            target_format=it.format,
            file_name=it.name,
            width=None if it.size is None else it.size[0],
            height=None if it.size is None else it.size[1],
            fps=None if it.rate is None else round(float(it.rate), 3),
            frames=it.frames,
            duration_seconds=None if it.duration is None else float(it.duration),
            segments=it.segments,
            segments_found=it.found,
            frames_to_render=it.to_render,
            estimated_size_bytes=None if it.guess is None else it.guess.size_bytes,
            estimated_from="" if it.guess is None else it.guess.basis,
        )
        for it in found
    ]
    warnings = list(dict.fromkeys(warning for it in found for warning in it.warnings))
    return PlanResult(
        project_name=project.name,
        files=[],
        files_included=0,
        total_size_bytes=0,
        shots=len(project.shots),
        duration_seconds=float(project.duration),
        missing=missing(project),
        skipped=[],
        renamed={},
        outputs=outputs,
        warnings=warning_entries((*project.warnings, *warnings)),
    )
