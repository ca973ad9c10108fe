"""storycore.export.plan: what an export would hold, with nothing written."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from storycore.app import App
from storycore.errors import InvalidInput, Reason
from storycore.operations.conversion import ShotPart, wanted_of, with_shots
from storycore.operations.film_delivery import TemplateName
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
    from storycore.exports.outlook import Outlook
    from storycore.exports.packing.contents import Contents
    from storycore.exports.works import Wanted
    from storycore.project.files import Listing
    from storycore.project.model import Project, ProjectWarning


class PlannedFile(Result):
    """One file that a conversion would make. What is not known beforehand is null."""

    target_format: str = Field(description="What would be written.")
    file_name: str = Field(description="Name of the file; in a delivery with its folder.")
    part: str = Field(default="", description="Of a delivery: the part that it belongs to.")
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

    With formats or a preset it tells what a conversion would make, with a template what a delivery would hold; else
    what a package would hold.
    """

    project_path: ProjectPath = Field(description="Folder of the project.")
    target_format: Annotated[str | list[str], Spelling(("-t", "--to")), FormatNames] | None = Field(
        default=None, description="As for export.format; a package is planned if it and the preset are left out."
    )
    preset: Annotated[str, Field(max_length=41, pattern=r"^[A-Za-z0-9-]+$"), Spelling(("-p", "--preset"))] | None = (
        Field(default=None, description="As for export.format.")
    )
    template: TemplateName | None = Field(default=None, description="As for export.deliver.")
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

    folder = app.places.project(request.project_path)  # a wrong folder is told before a wrong format
    if request.template:
        return _planned_delivery(app, folder, request)
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
    return _plan_of(project, [], contents=contents)


def _planned_files(app: App, project: "Project", listing: "Listing", formats: "list[Wanted]") -> PlanResult:
    """What a conversion would make."""
    from storycore.exports.formats.format import Film
    from storycore.exports.outlook import look_ahead

    found = look_ahead(Film(project=project, listing=listing, settings=app.settings), formats)
    warnings = [warning for it in found for warning in it.warnings]
    return _plan_of(project, [_planned(it) for it in found], warnings, _packed(found))


def _planned_delivery(app: App, folder: Path, request: PlanRequest) -> PlanResult:
    """What a delivery would hold.

    Raises:
        InvalidInput: a template beside formats, a preset or shots.
    """
    from storycore.exports.delivery.jobs import agenda, wanted_of
    from storycore.exports.delivery.template import find
    from storycore.exports.formats.format import Film
    from storycore.exports.outlook import look_at

    beside = [name for name in ("target_format", "preset", "shots") if getattr(request, name) is not None]
    if beside:
        raise InvalidInput(
            f"A template says what is made; {beside[0]} can't be given beside it.",
            reason=Reason.OUT_OF_RANGE,
            remediation=f"Leave out the template, or {beside[0]}.",
            details={"pointer": f"/{beside[0]}"},
        )
    template = find(request.template or "", folder)
    wanted_of(template, request.conversion_options)
    _, project, listing = read(app, request.project_path)
    film = Film(project=project, listing=listing, settings=app.settings)
    planned = agenda(film, template, request.conversion_options)
    found = look_at([job.work for job in planned.jobs])
    outputs = [
        _planned(it).model_copy(update={"file_name": job.path, "part": job.part.name})
        for job, it in zip(planned.jobs, found, strict=True)
    ]
    warnings = [*(it.warning for it in planned.left_out), *(warning for it in found for warning in it.warnings)]
    return _plan_of(project, outputs, warnings, _packed(found))


def _packed(found: "list[Outlook]") -> "Contents | None":
    """What the package among the files holds, if there is one: no export makes two."""
    return next((it.contents for it in found if it.contents is not None), None)


def _planned(it: "Outlook") -> PlannedFile:
    return PlannedFile(
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


def _plan_of(
    project: "Project",
    outputs: list[PlannedFile],
    warnings: "Sequence[ProjectWarning]" = (),
    contents: "Contents | None" = None,
) -> PlanResult:
    """A plan, of files to be made, of a package, or of both."""
    from storycore.exports.packing.selection import missing

    return PlanResult(
        project_name=project.name,
        files=[] if contents is None else _entries(contents),
        files_included=0 if contents is None else len(contents.files),
        total_size_bytes=0 if contents is None else contents.size_bytes,
        shots=len(project.shots),
        duration_seconds=float(project.duration),
        missing=missing(project),
        skipped=[] if contents is None else warning_entries(contents.skipped),
        renamed={} if contents is None else dict(contents.renamed),
        outputs=outputs,
        warnings=warning_entries(dict.fromkeys((*project.warnings, *warnings))),
    )


def _entries(contents: "Contents") -> list[FileEntry]:
    from storycore.project.media_types import expected

    return [
        FileEntry(
            path=contents.renamed.get(file.path, file.path),
            size_bytes=file.size_bytes,
            sha256="",
            media_type=expected(file.path),
            role=file.role.value,
        )
        for file in contents.files
    ]
