"""storycore.export.metadata: a project, or the package of one, described for people and machines."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypedDict

from pydantic import Field

from storycore.app import App
from storycore.observe.progress import Progress
from storycore.operations.request import (
    Facts,
    Flag,
    Request,
    Result,
    Spelling,
    StoredPathText,
    WarningEntry,
    warning_entries,
)
from storycore.operations.stored import describable_place
from storycore.storage.place import StorePlace
from storycore.units import now

if TYPE_CHECKING:
    from storycore.metadata.collect import Collected
    from storycore.project.model import ProjectWarning


class MetadataResult(Result):
    """A project described."""

    metadata_content: dict[str, Any] = Field(description="The document, the same for every format.")
    metadata_format: Literal["json", "xml", "yaml"] = Field(description="Format of metadata_text.")
    generation_time_ms: float = Field(description="How long it took.")
    metadata_size_bytes: int = Field(description="Bytes of metadata_text in UTF-8.")
    sections_included: list[str] = Field(description="technical, creative, qa_reports.")
    metadata: dict[str, Any] = Field(description="As sent.")
    metadata_text: str = Field(description="The document in the format asked for.")
    warnings: list[WarningEntry] = Field(description="What is odd about the project or its description.")


class _Wanted(TypedDict):
    """What `collect` and `recorded` are told alike."""

    technical: bool
    creative: bool
    qa_reports: bool
    measure: str
    omc: bool


class MetadataRequest(Request[MetadataResult]):
    """Describe a project, or the package of one, for people and machines."""

    project_path: Annotated[StoredPathText, Spelling()] = Field(
        description="Folder of the project; or a package of it, here or in a listed object store (s3://bucket/…)."
    )
    metadata_format: Annotated[Literal["json", "xml", "yaml"], Spelling(("-f", "--format", "-t", "--to"))] = Field(
        default="json", description="json, xml or yaml."
    )
    include_technical: Flag = Field(default=True, description="Files, formats, durations, sizes, checksums, software.")
    include_creative: Flag = Field(default=True, description="Title, story, scenes, shots, prompts, seeds, models.")
    include_qa_reports: Flag = Field(default=True, description="What quality checks said.")
    measure: Literal["none", "quick", "full"] = Field(
        default="quick",
        description="none: names and sizes; quick: headers too; full: checksums too, a package's as its manifest says.",
    )
    omc: Flag = Field(default=False, description="Add the MovieLabs OMC-JSON description.")
    metadata: Facts = Field(default={}, description="Facts of your own; they come back in the result.")


def check_described(app: App, request: MetadataRequest) -> None:
    """Refuses what can be refused before any work.

    Raises:
        InvalidInput, AccessDenied, NotFound: the path is not acceptable, or there is no such project or package.
    """
    describable_place(app, request.project_path)


def metadata(app: App, request: MetadataRequest, progress: Progress) -> MetadataResult:
    """The project described; nothing of it is changed, and nothing is written but the memory of measured files.

    Of a package only the list of contents and what describes it are read, wherever it lies.

    Raises:
        StoryCoreError: the path is not acceptable, or there is no project or package that can be read.
    """
    from storycore.metadata.collect import with_run
    from storycore.metadata.write import write

    started = time.perf_counter()
    place = describable_place(app, request.project_path)
    if isinstance(place, Path) and place.is_dir():
        is_folder, (collected, odd) = True, _of_folder(app, place, request, progress)
    else:
        is_folder, (collected, odd) = False, _of_package(app, place, request, progress)
    document, more = with_run(collected.document, project_path=place, generated_at=now(), measured=is_folder)
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
        warnings=warning_entries((*odd, *collected.warnings, *more)),
    )


def _wanted(request: MetadataRequest) -> "_Wanted":
    return {
        "technical": request.include_technical,
        "creative": request.include_creative,
        "qa_reports": request.include_qa_reports,
        "measure": request.measure,
        "omc": request.omc,
    }


def _of_folder(
    app: App, folder: Path, request: MetadataRequest, progress: Progress
) -> "tuple[Collected, Sequence[ProjectWarning]]":
    from storycore.exports.packing.selection import Selection, select
    from storycore.metadata.collect import collect
    from storycore.project.files import walk
    from storycore.project.reader import read_project

    project = read_project(folder, app.settings)
    # What the film shows is media wherever it lies, as in a package, so that both are described alike.
    listing = select(walk(folder, max_files=app.settings.max_project_files), project, Selection(source=True))
    return collect(project, listing, settings=app.settings, progress=progress, **_wanted(request)), project.warnings


def _of_package(
    app: App, place: Path | StorePlace, request: MetadataRequest, progress: Progress
) -> "tuple[Collected, Sequence[ProjectWarning]]":
    from storycore.exports.carried import invalid, read_carried
    from storycore.metadata.recorded import is_description, recorded

    carried = read_carried(place, settings=app.settings, progress=progress)
    if not is_description(carried.description):
        raise invalid("Its description is of a form that is not known here.", "Describe it with a newer StoryCore.")
    return recorded(carried.description, carried.sha256, **_wanted(request)), ()
