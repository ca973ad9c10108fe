"""storycore.export.*: pack, convert, describe, verify, plan."""

import contextlib
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, Literal, cast

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import override

from storycore.app import App
from storycore.errors import AccessDenied, InvalidInput, Reason
from storycore.observe.progress import Progress
from storycore.operations.format_fields import FormatNames, FormatOptions
from storycore.operations.request import (
    Facts,
    Flag,
    Made,
    OutputPlace,
    PathText,
    ProjectPath,
    Request,
    Result,
    Spelling,
    StoredPathText,
    WarningEntry,
    Whole,
    warning_entries,
)
from storycore.operations.stored import output_place, readable_place, staged, zip_place
from storycore.project.paths import EXPORTS
from storycore.storage.place import StorePlace
from storycore.units import now, stamp

if TYPE_CHECKING:
    from storycore.exports.export import Exported
    from storycore.exports.gates import Gate
    from storycore.exports.package import Package
    from storycore.exports.packing.contents import Contents
    from storycore.exports.packing.selection import Selection
    from storycore.exports.works import Wanted
    from storycore.project.files import Listing
    from storycore.project.model import Project, ProjectWarning


class FileEntry(Result):
    """One file of a package."""

    path: str = Field(description="Name inside the package's data/ folder.")
    size_bytes: int = Field(description="Size, unpacked.")
    sha256: str = Field(description="SHA-256 of the content, 64 hex digits.")
    media_type: str = Field(description="IANA media type.")
    role: str = Field(description="project, storyboard, media, report, source, generated.")


class PackageResult(Result):
    """Where the package is and what it holds; every figure is read back from the finished file."""

    export_path: str = Field(description="Absolute path of the ZIP, or its URL in an object store.")
    package_size_bytes: int = Field(description="Size of the ZIP.")
    files_included: int = Field(description="How many payload files it holds.")
    export_time_ms: float = Field(description="How long it took.")
    format: Literal["zip"] = Field(default="zip", description="Always zip.")
    checksum: str = Field(description="sha256: and 64 hex digits of the ZIP.")
    manifest: list[str] = Field(description="Names of the payload files.")
    metadata: dict[str, Any] = Field(description="As sent.")
    files: list[FileEntry] = Field(description="The payload files with size, checksum, type and role.")
    skipped: list[WarningEntry] = Field(description="Links, devices and what else was left out, and why.")
    renamed: dict[str, str] = Field(description="Names that are not portable, and the names they got.")
    warnings: list[WarningEntry] = Field(description="What is odd about the project.")

    @override
    def artifacts(self) -> list[Made]:
        if not self.export_path:
            return []
        return [Made(self.export_path, self.package_size_bytes, self.checksum, "application/zip")]


class PackageRequest(Request[PackageResult]):
    """Pack a project into one ZIP that anyone can verify."""

    project_path: ProjectPath = Field(description="Folder of the project.")
    output_path: OutputPlace | None = Field(
        default=None,
        description="Folder for the ZIP, or its name ending in .zip, here or in a listed object store (s3://bucket/…); "
        "exports/export_<time> of the project if left out.",
    )
    include_source: Flag = Field(default=False, description="Pack workflows, scripts, prompts and editor files.")
    include_assets: Flag = Field(default=True, description="Pack pictures, clips and sound.")
    include_reports: Flag = Field(default=True, description="Pack QA reports.")
    compression_level: Annotated[Whole, Spelling(("-l", "--level"))] = Field(
        default=6, ge=0, le=9, description="0 stored, 1-3 fast, 4-9 smaller."
    )
    metadata: Facts = Field(default={}, description="Facts of your own; they come back in the result.")


class VerifyFault(Result):
    """One thing that is wrong with a package."""

    path: str = Field(description="Name inside the package, empty for the whole.")
    reason: str = Field(description="Stable word: checksum_mismatch, file_missing, unsafe_name, ….")
    message: str = Field(description="For people.")


class VerifyResult(Result):
    """Whether a package is whole, and exactly what is wrong if not."""

    valid: bool = Field(description="Whether everything holds.")
    path: str = Field(description="Absolute path of what was checked, or its URL in an object store.")
    kind: Literal["zip", "folder"] = Field(description="What it is.")
    checksum: str = Field(description="sha256: and 64 hex digits of the ZIP; empty for a folder.")
    files_checked: int = Field(description="How many files were read and compared.")
    bytes_checked: int = Field(description="Their size, unpacked.")
    algorithms: list[str] = Field(default=[], description="Checksums that were compared: sha256, sha512, md5, ….")
    faults: list[VerifyFault] = Field(description="Everything that is wrong.")
    warnings: list[VerifyFault] = Field(description="Odd but not wrong, media that can't be read for instance.")
    unpacked_to: str | None = Field(description="Folder that it was unpacked to, if asked for and valid.")
    verify_time_ms: float = Field(description="How long it took.")

    @property
    @override
    def verdict(self) -> bool:
        """Whether the package is valid."""
        return self.valid


class VerifyRequest(Request[VerifyResult]):
    """Check a package down to the last byte."""

    package_path: Annotated[StoredPathText, Spelling()] = Field(
        description="A ZIP, here or in a listed object store (s3://bucket/…), or the folder that one was unpacked to."
    )
    unpack_to: PathText | None = Field(default=None, description="New folder to unpack it to, if it is valid.")


class FormatOutput(Result):
    """One converted file."""

    output_path: str = Field(description="Absolute path of the file, or its URL in an object store.")
    source_format: Literal["storycore_project", "unknown"] = Field(description="What was read.")
    target_format: str = Field(description="What was written, in lower case.")
    conversion_time_ms: float = Field(description="How long it took.")
    output_size_bytes: int = Field(description="Size of the file.")
    media_type: str = Field(description="IANA media type of the file.")
    checksum: str = Field(description="sha256: and 64 hex digits of the file.")
    quality_metrics: dict[str, Any] = Field(description="What was measured in the finished file.")
    quality_gates: list["GateEntry"] = Field(default=[], description="What the preset asks of it.")
    beside: list[str] = Field(default=[], description="Absolute paths or URLs of files that were made beside it.")


class GateEntry(Result):
    """One thing that a preset asks of a finished file."""

    figure: str = Field(description="Key in quality_metrics.")
    passed: bool = Field(description="Whether it holds.")
    message: str = Field(description="For people.")


class FormatResult(FormatOutput):
    """The converted files; the first one's facts stand on top."""

    outputs: list[FormatOutput] = Field(description="One entry for each format, in the order asked for.")
    metadata: dict[str, Any] = Field(description="As sent.")
    warnings: list[WarningEntry] = Field(description="What is odd about the project.")

    @property
    @override
    def verdict(self) -> bool:
        """Whether every gate of the preset was passed."""
        return all(gate.passed for output in self.outputs for gate in output.quality_gates)

    @override
    def artifacts(self) -> list[Made]:
        return [Made(it.output_path, it.output_size_bytes, it.checksum, it.media_type) for it in self.outputs]


class ShotPart(BaseModel):
    """One file of the project that is shown, whole or in part."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    path: PathText = Field(description="Picture or clip, relative to the project.")
    in_point: float = Field(default=0, ge=0, le=86_400, allow_inf_nan=False, description="Seconds into a clip.")
    out_point: float | None = Field(
        default=None, gt=0, le=86_400, allow_inf_nan=False,
        description="Seconds into a clip at which it ends, or for which a picture stands; a clip's end, or 5 seconds.",
    )  # fmt: skip


def _named(field: str) -> dict[str, Any]:
    return {"required": [field], "properties": {field: {"not": {"type": "null"}}}}


class FormatRequest(Request[FormatResult]):
    """Write a project in one or several formats."""

    model_config = ConfigDict(json_schema_extra={"anyOf": [_named("target_format"), _named("preset")]})

    project_path: ProjectPath = Field(description="Folder of the project.")
    target_format: Annotated[str | list[str], Spelling(("-t", "--to")), FormatNames] | None = Field(
        default=None,
        description="mp4, mov, webm, json, zip, … in any case, or several; the preset's if left out.",
    )
    preset: Annotated[str, Field(max_length=41, pattern=r"^[A-Za-z0-9-]+$"), Spelling(("-p", "--preset"))] | None = (
        Field(default=None, description="What a platform or a purpose asks for; `export presets` lists them.")
    )
    source_format: Literal["storycore_project", "unknown"] | None = Field(
        default=None, description="Found by itself, whatever is said here."
    )
    output_path: OutputPlace | None = Field(
        default=None,
        description="Folder, or file name with the format's suffix, here or in a listed object store (s3://bucket/…); "
        "exports/export_<time> of the project if left out.",
    )
    shots: list[ShotPart] | None = Field(
        default=None,
        min_length=1,
        max_length=10_000,
        description="What is shown, instead of the project's shots: a list of `path`, `in_point`, `out_point`.",
    )
    conversion_options: Annotated[Facts, FormatOptions, Spelling(("-O", "--option"))] = Field(
        default={}, description="Options of the formats, as each one documents."
    )
    metadata: Facts = Field(default={}, description="Facts of your own; they come back in the result.")


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


class MetadataResult(Result):
    """A project described."""

    metadata_content: dict[str, Any] = Field(description="The document, the same for every format.")
    metadata_format: Literal["json", "xml", "yaml"] = Field(description="Format of metadata_text.")
    generation_time_ms: float = Field(description="How long it took.")
    metadata_size_bytes: int = Field(description="Bytes of metadata_text in UTF-8.")
    sections_included: list[str] = Field(description="technical, creative, qa_reports.")
    metadata: dict[str, Any] = Field(description="As sent.")
    metadata_text: str = Field(description="The document in the format asked for.")
    warnings: list[WarningEntry] = Field(description="What is odd about the project.")


class MetadataRequest(Request[MetadataResult]):
    """Describe a project for people and machines."""

    project_path: ProjectPath = Field(description="Folder of the project.")
    metadata_format: Annotated[Literal["json", "xml", "yaml"], Spelling(("-f", "--format"))] = Field(
        default="json", description="json, xml or yaml."
    )
    include_technical: Flag = Field(default=True, description="Files, formats, durations, sizes, checksums, software.")
    include_creative: Flag = Field(default=True, description="Title, story, scenes, shots, prompts, seeds, models.")
    include_qa_reports: Flag = Field(default=True, description="What quality checks said.")
    measure: Literal["none", "quick", "full"] = Field(
        default="quick", description="none: names and sizes; quick: headers too; full: checksums too."
    )
    omc: Flag = Field(default=False, description="Add the MovieLabs OMC-JSON description.")
    metadata: Facts = Field(default={}, description="Facts of your own; they come back in the result.")


def check_project(app: App, request: "PackageRequest | FormatRequest | MetadataRequest") -> None:
    """Refuses what can be refused before any work.

    Raises:
        InvalidInput, AccessDenied, NotFound: the paths are not acceptable, or there is no such project.
    """
    folder = app.places.project(request.project_path)
    output = getattr(request, "output_path", None)
    if output is not None:
        output_place(app, output, folder)


def check_formats(app: App, request: "FormatRequest") -> None:
    """Refuses what can be refused before any work.

    Raises:
        InvalidInput, AccessDenied, NotFound: as `check_project`; a format or an option that is not known.
    """
    check_project(app, request)  # callers expect a wrong folder to be told before a wrong format
    _wanted(app, request)


def check_package(app: App, request: VerifyRequest) -> None:
    """Refuses what can be refused before any work.

    Raises:
        InvalidInput, AccessDenied, NotFound: the paths are not acceptable, or nothing stands there.
        Conflict: output_exists.
    """
    readable_place(app, request.package_path)
    if request.unpack_to is not None:
        app.places.new_folder(request.unpack_to)


def package(app: App, request: PackageRequest, progress: Progress) -> PackageResult:
    """Packs a project into a ZIP file.

    Guarantee: atomic; no file is replaced; after an error or a cancellation nothing is left; the project is not
    changed.

    Raises:
        StoryCoreError: see `exports.package.write_package`.
    """
    from storycore.exports.package import send_package, write_package

    started = time.perf_counter()
    folder, project, listing = _read(app, request.project_path)
    contents = _contents(app, project, listing, request)
    with _output(app, folder, request.output_path, progress) as place:
        target, level = zip_place(place, contents.name), request.compression_level
        if isinstance(target, StorePlace):
            packed = send_package(contents, target, level=level, progress=progress)
        else:
            packed = write_package(contents, target, level=level, progress=progress)
    progress.finish()
    return _package_result(request, project, contents, packed, started)


def stream_package(app: App, request: PackageRequest, sink: BinaryIO, progress: Progress) -> PackageResult:
    """Packs a project into a ZIP that is written to `sink` as it is made; nothing is stored here.

    Raises:
        StoryCoreError: before the first byte for whatever is refused; later if the project changes meanwhile.
    """
    from storycore.exports.package import stream_package as stream

    if request.output_path is not None:
        raise InvalidInput(
            "A package that is streamed is stored nowhere.",
            reason=Reason.PATH_INVALID,
            remediation="Leave output_path out, or don't ask for a stream.",
        )
    started = time.perf_counter()
    _, project, listing = _read(app, request.project_path)
    contents = _contents(app, project, listing, request)
    packed = stream(contents, sink, level=request.compression_level, progress=progress)
    progress.finish()
    return _package_result(request, project, contents, packed, started)


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
    wanted = _wanted(app, request)[0] if request.target_format or request.preset else []
    if request.conversion_options and not wanted:
        raise InvalidInput(
            "conversion_options are of formats, and none was named.",
            reason=Reason.MISSING_FIELD,
            details={"missing_fields": ["target_format"]},
        )
    _, project, listing = _read(app, request.project_path)
    if wanted:
        return _planned_files(app, _with_shots(project, request), listing, wanted)
    contents = exports.plan(project, listing, _selection(request))
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


def convert(app: App, request: FormatRequest, progress: Progress) -> FormatResult:
    """Writes a project in one or several formats.

    Guarantee: all or none; no file is replaced; the project is not changed.

    Raises:
        StoryCoreError: see `exports.export`.
    """
    from storycore.exports.export import export, target_of
    from storycore.exports.formats.format import Film
    from storycore.exports.formats.registry import find
    from storycore.exports.gates import judge
    from storycore.exports.presets import figures_of

    formats, gates = _wanted(app, request)
    folder, project, listing = _read(app, request.project_path)
    project = _with_shots(project, request)
    film = Film(project=project, listing=listing, settings=app.settings)
    with _output(app, folder, request.output_path, progress) as place, staged(app, place, progress) as stage:
        target, name = target_of(formats, stage.folder)
        with progress.within(0.0, stage.share):
            finished = export(film, formats, target, progress, name=name)
        places = stage.publish(finished)
    progress.finish()
    outputs = [
        FormatOutput(
            output_path=places[item.path],
            source_format="storycore_project" if project.original else "unknown",
            target_format=item.format,
            conversion_time_ms=item.seconds * 1000,
            output_size_bytes=item.made.size_bytes,
            media_type=find(item.format).media_type,
            checksum=f"sha256:{item.made.sha256}",
            quality_metrics=dict(item.made.metrics),
            quality_gates=[
                GateEntry(figure=it.figure, passed=it.passed, message=it.message)
                for it in judge(gates, item.made.metrics, figures_of(find(item.format)))
            ],
            beside=[places[path] for path in item.made.beside],
        )
        for item in finished
    ]
    return FormatResult(
        **outputs[0].model_dump(),
        outputs=outputs,
        metadata=request.metadata,
        warnings=warning_entries((*project.warnings, *_made_warnings(finished))),
    )


def _with_shots(project: "Project", request: FormatRequest | PlanRequest) -> "Project":
    """The project with the shots that the request names, if it does."""
    from storycore.project.parts import with_shots

    if request.shots is None:
        return project
    return with_shots(project, [(part.path, part.in_point, part.out_point) for part in request.shots])


def verify(app: App, request: VerifyRequest, progress: Progress) -> VerifyResult:
    """Checks a package, and unpacks it if that is asked for and it is valid.

    Raises:
        NotFound, AccessDenied, InvalidInput: the paths are not acceptable.
        Conflict: output_exists: something stands where it should be unpacked to; source_changed; cancelled.
    """
    from storycore.exports.unpack import unpack
    from storycore.exports.verify import verify_package

    started = time.monotonic()
    path = readable_place(app, request.package_path)
    target = None if request.unpack_to is None else app.places.new_folder(request.unpack_to)
    if target is None:
        verdict = verify_package(path, settings=app.settings, progress=progress)
    else:
        verdict = unpack(path, target, settings=app.settings, progress=progress)
    progress.finish()
    return VerifyResult(
        valid=verdict.valid,
        path=str(path),
        kind=verdict.kind,
        checksum=verdict.checksum,
        files_checked=verdict.files_checked,
        bytes_checked=verdict.bytes_checked,
        algorithms=list(verdict.algorithms),
        faults=[VerifyFault(path=it.path, reason=it.reason.value, message=it.message) for it in verdict.faults],
        warnings=[VerifyFault(path=it.path, reason=it.reason.value, message=it.message) for it in verdict.warnings],
        unpacked_to=str(target) if target is not None and verdict.valid else None,
        verify_time_ms=round((time.monotonic() - started) * 1000, 3),
    )


def metadata(app: App, request: MetadataRequest, progress: Progress) -> MetadataResult:
    """The project described; nothing of it is changed, and nothing is written but the memory of measured files.

    Raises:
        StoryCoreError: the path is not acceptable, or there is no project that can be read.
    """
    from storycore.metadata.collect import collect, with_run
    from storycore.metadata.write import write
    from storycore.project.files import walk
    from storycore.project.reader import read_project

    started = time.perf_counter()
    folder = app.places.project(request.project_path)
    project = read_project(folder, app.settings)
    collected = collect(
        project,
        walk(folder, max_files=app.settings.max_project_files),
        technical=request.include_technical,
        creative=request.include_creative,
        qa_reports=request.include_qa_reports,
        measure=request.measure,
        settings=app.settings,
        omc=request.omc,
        progress=progress,
    )
    document, more = with_run(collected.document, project_path=folder, generated_at=now())
    text = write(document, request.metadata_format)
    progress.finish()
    return MetadataResult(
        metadata_content=document,
        metadata_format=request.metadata_format,
        generation_time_ms=(time.perf_counter() - started) * 1000,
        metadata_size_bytes=len(text.encode()),
        sections_included=list(collected.sections_included),
        metadata=request.metadata,
        metadata_text=text,
        warnings=warning_entries((*project.warnings, *collected.warnings, *more)),
    )


def _wanted(app: App, request: FormatRequest | PlanRequest) -> "tuple[list[Wanted], Sequence[Gate]]":
    """The formats with their options, and what their files must hold."""
    from storycore.exports.export import wanted
    from storycore.exports.presets import find

    if request.target_format is None and request.preset is None:
        raise InvalidInput(
            "Missing: target_format, or a preset.",
            reason=Reason.MISSING_FIELD,
            details={"missing_fields": ["target_format"]},
        )
    preset = find(request.preset, app.places.project(request.project_path)) if request.preset else None
    formats = wanted(request.target_format or [], request.conversion_options, preset)
    return formats, () if preset is None else preset.gates


def _made_warnings(finished: "Sequence[Exported]") -> "list[ProjectWarning]":
    """What the formats warn of, each thing once."""
    return list(dict.fromkeys(warning for item in finished for warning in item.made.warnings))


def _read(app: App, path: str) -> "tuple[Path, Project, Listing]":
    """A project and its files, listed first, so that what changes after it was read is noticed when it is packed."""
    from storycore.project.files import walk
    from storycore.project.reader import read_project

    folder = app.places.project(path)
    listing = walk(folder, max_files=app.settings.max_project_files)
    return folder, read_project(folder, app.settings), listing


def _selection(request: PackageRequest | PlanRequest) -> "Selection":
    from storycore.exports.packing.selection import Selection

    return Selection(source=request.include_source, assets=request.include_assets, reports=request.include_reports)


def _contents(app: App, project: "Project", listing: "Listing", request: PackageRequest) -> "Contents":
    from storycore.exports.packing import contents as exports

    return exports.documented(exports.plan(project, listing, _selection(request)), project, app.settings)


@contextlib.contextmanager
def _output(app: App, folder: Path, wanted: str | None, progress: Progress) -> "Iterator[Path | StorePlace]":
    """Where results go: what the caller named, or else a folder of its own in the project's exports/."""
    from storycore.storage.local import free_folder

    if wanted is not None:
        yield output_place(app, wanted, folder)
        return
    exports = folder / EXPORTS
    if exports.resolve() != exports:
        raise AccessDenied(
            "The project's exports/ is a link.",
            reason=Reason.PATH_OUTSIDE_ROOT,
            remediation="Name the folder for the result, or make exports/ a folder.",
        )
    with free_folder(exports, f"export_{stamp(progress.accepted_at)}") as made:
        yield made


def _package_result(
    request: PackageRequest, project: "Project", contents: "Contents", packed: "Package", started: float
) -> PackageResult:
    files = [
        {"path": path, "size_bytes": size_bytes, "sha256": sha256, "media_type": media_type, "role": role}
        for path, size_bytes, sha256, media_type, role in packed.files
    ]
    return PackageResult(
        export_path="" if packed.path is None else str(packed.path),
        package_size_bytes=packed.size_bytes,
        files_included=len(files),
        export_time_ms=(time.perf_counter() - started) * 1000,
        checksum=f"sha256:{packed.sha256}",
        manifest=[file.path for file in packed.files],
        metadata=request.metadata,
        files=cast("list[FileEntry]", files),  # made by the model, all in one go: there can be many
        skipped=warning_entries(contents.skipped),
        renamed=dict(contents.renamed),
        warnings=warning_entries(project.warnings),
    )
