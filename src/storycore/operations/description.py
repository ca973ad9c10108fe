"""storycore.export.metadata: a project described, for people and machines."""

import time
from typing import Annotated, Any, Literal

from pydantic import Field

from storycore.app import App
from storycore.observe.progress import Progress
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
from storycore.units import now


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
