"""storycore.export.package: a project in one ZIP that anyone can verify."""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, Literal

from pydantic import Field
from typing_extensions import override

from storycore.app import App
from storycore.errors import InvalidInput, Reason
from storycore.observe.progress import Progress
from storycore.operations.project_folder import output, read
from storycore.operations.request import (
    Facts,
    Flag,
    Made,
    OutputPlace,
    ProjectPath,
    Request,
    Result,
    Spelling,
    WarningEntry,
    Whole,
    warning_entries,
)
from storycore.operations.stored import zip_place
from storycore.storage.place import StorePlace

if TYPE_CHECKING:
    from storycore.exports.package import Package
    from storycore.exports.packing.contents import Contents
    from storycore.exports.packing.selection import Selection
    from storycore.operations.plan import PlanRequest
    from storycore.project.files import Listing
    from storycore.project.model import Project


@dataclass(slots=True)
class FileEntry:  # no `Result` and not frozen, which takes ten times the memory and five times the time: they are many
    """One file of a package."""

    path: Annotated[str, Field(description="Name inside the package's data/ folder.")]
    size_bytes: Annotated[int, Field(description="Size, unpacked.")]
    sha256: Annotated[str, Field(description="SHA-256 of the content, 64 hex digits.")]
    media_type: Annotated[str, Field(description="IANA media type.")]
    role: Annotated[str, Field(description="project, storyboard, media, report, source, generated.")]


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


def package(app: App, request: PackageRequest, progress: Progress) -> PackageResult:
    """Packs a project into a ZIP file.

    Guarantee: atomic; no file is replaced; after an error or a cancellation nothing is left; the project is not
    changed.

    Raises:
        StoryCoreError: see `exports.package.write_package`.
    """
    from storycore.exports.package import send_package, write_package

    started = time.perf_counter()
    folder, project, listing = read(app, request.project_path)
    contents = _contents(app, project, listing, request)
    with output(app, folder, request.output_path, progress) as place:
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
    _, project, listing = read(app, request.project_path)
    contents = _contents(app, project, listing, request)
    packed = stream(contents, sink, level=request.compression_level, progress=progress)
    progress.finish()
    return _package_result(request, project, contents, packed, started)


def selection_of(request: "PackageRequest | PlanRequest") -> "Selection":
    """Which kinds of files go in."""
    from storycore.exports.packing.selection import Selection

    return Selection(source=request.include_source, assets=request.include_assets, reports=request.include_reports)


def _contents(app: App, project: "Project", listing: "Listing", request: PackageRequest) -> "Contents":
    from storycore.exports.packing import contents as exports

    return exports.documented(exports.plan(project, listing, selection_of(request)), project, app.settings)


def _package_result(
    request: PackageRequest, project: "Project", contents: "Contents", packed: "Package", started: float
) -> PackageResult:
    return PackageResult(
        export_path="" if packed.path is None else str(packed.path),
        package_size_bytes=packed.size_bytes,
        files_included=len(packed.files),
        export_time_ms=(time.perf_counter() - started) * 1000,
        checksum=f"sha256:{packed.sha256}",
        manifest=[file.path for file in packed.files],
        metadata=request.metadata,
        files=[FileEntry(*file) for file in packed.files],
        skipped=warning_entries(contents.skipped),
        renamed=dict(contents.renamed),
        warnings=warning_entries(project.warnings),
    )
