"""A project described in one document: sections technical, creative and qa_reports, and field standards.

The document knows no clock, no host and no absolute path, so that the same project gives the same bytes everywhere;
`with_run` adds what belongs to one run only.
"""

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import metadata as installed
from pathlib import Path
from typing import Any

from storycore.metadata.creative import creative_section
from storycore.metadata.disclosure import Disclosure, disclose
from storycore.metadata.document import Change, Cleaned, Document, clean, object_at
from storycore.metadata.measure import Depth, Measurement, measure
from storycore.metadata.omc import omc as omc_entities
from storycore.metadata.quality import quality_section
from storycore.metadata.standards import ai_disclosure, associated_media, dublin_core, iptc, schema_org
from storycore.metadata.stated import Stated, stated
from storycore.metadata.technical import Section, technical_section
from storycore.observe.progress import Progress
from storycore.project.files import Listing
from storycore.project.memory import Memory
from storycore.project.model import Project, ProjectWarning
from storycore.settings import Settings
from storycore.storage.place import StorePlace
from storycore.units import iso

DOCUMENT_VERSION = "1.0"
"""Version of the document's layout, as `metadata.schema.json` publishes it."""

_LIBRARIES = ("isal", "pillow", "pydantic", "pyyaml", "zlib-ng")


@dataclass(frozen=True, slots=True)
class Collected:
    """A project described.

    Attributes:
        document: in the model that all formats carry.
        sections_included: those of technical, creative and qa_reports that were asked for, in this order. The
            `standards` beside them restate the same facts in other words and are not counted.
        warnings: files that could not be measured, and characters that no format carries.
    """

    document: Document
    sections_included: tuple[str, ...]
    warnings: tuple[ProjectWarning, ...]


def collect(  # noqa: PLR0913 - sections are switched one by one
    project: Project,
    listing: Listing,
    *,
    technical: bool,
    creative: bool,
    qa_reports: bool,
    measure: str,
    settings: Settings,
    omc: bool = False,
    progress: Progress | None = None,
) -> Collected:
    """The project described. Only the memory of measured files is written, and that outside the project.

    Args:
        project: as read.
        listing: its files.
        technical: with what was measured.
        creative: with the story, prompts, models and seeds; also decides whether the standards tell these.
        qa_reports: with what quality checks said.
        measure: "none" names and sizes, "quick" headers too, "full" checksums too; without `technical` nothing is
            measured.
        settings: where the memory is, and the limits.
        omc: with the MovieLabs OMC-JSON entities among the standards.
        progress: told how far measuring is; can cancel.

    Raises:
        Cancelled: on request.
    """
    depth = Depth(measure) if technical else Depth.NONE
    measurement = _measured(project, listing, depth, settings, progress or Progress())
    words, found = stated(project), disclose(project)
    sections: dict[str, Section] = {}
    if technical:
        sections["technical"] = technical_section(project, measurement)
    if creative:
        sections["creative"] = creative_section(project, words, frozenset(found.generated))
    if qa_reports:
        sections["qa_reports"] = quality_section(project, settings)
    whole: Section = {
        "document_version": DOCUMENT_VERSION,
        "project_id": project.id,
        "project_name": project.name,
        **sections,
        "standards": _standards(project, words, found, measurement, creative=creative, technical=technical),
    }
    document, changes = with_omc(whole, float(project.duration)) if omc else clean(whole)
    return Collected(document, tuple(sections), (*measurement.warnings, *map(repaired, changes)))


def with_omc(whole: Mapping[str, Any], seconds: float) -> Cleaned:
    """The document in the one model, with the OMC-JSON description that follows from it among its standards.

    Args:
        whole: of any content.
        seconds: length of the film.
    """
    document, changes = clean(whole)
    entities = omc_entities(document, seconds)
    more, found = clean({**document, "standards": {**object_at(document, "standards"), "omc": entities}})
    return Cleaned(more, (*changes, *found))


def with_run(
    document: Document, *, project_path: Path | StorePlace, generated_at: datetime, measured: bool = True
) -> tuple[Document, tuple[ProjectWarning, ...]]:
    """The document with what belongs to one run: where the project lies, when it was described, and by which software.

    Args:
        document: as it is for every run.
        project_path: folder of the project, or its package.
        generated_at: now.
        measured: whether this run looked into the files; a package was measured by whoever packed it.

    Returns:
        The document with `project_path` and `generated_at`, and if it was `measured`, with `python_version` and
        `dependencies` in its technical section, if it has one; and warnings about characters of the path that no
        format carries.
    """
    run = clean({"project_path": str(project_path), "generated_at": iso(generated_at)})
    whole = {**document, **run.document}
    section = document.get("technical")
    if measured and isinstance(section, dict):
        software: Document = {"python_version": platform.python_version(), "dependencies": {**_dependencies()}}
        whole["technical"] = {**section, **software}
    return whole, tuple(map(repaired, run.changes))


def _measured(project: Project, listing: Listing, depth: Depth, settings: Settings, progress: Progress) -> Measurement:
    return measure(project.folder, listing, depth, Memory.open(project.folder, settings), progress)


def _standards(  # noqa: PLR0913 - the parts of one project
    project: Project,
    words: Stated,
    found: Disclosure,
    measurement: Measurement,
    *,
    creative: bool,
    technical: bool,
) -> Section:
    movie = schema_org(project, words, found, creative=creative)
    if technical and (media := associated_media(measurement.files)):
        movie["associatedMedia"] = media
    types = sorted({entry.facts.media_type for entry in measurement.files if entry.facts is not None})
    return {
        "ai_disclosure": ai_disclosure(found),
        "schema_org": movie,
        "iptc_video_metadata_hub": iptc(project, words, found, creative=creative),
        "dublin_core": dublin_core(project, words, found, types, creative=creative),
    }


@cache
def _dependencies() -> dict[str, str]:
    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = installed.version(name)
        except installed.PackageNotFoundError:
            continue
    return found


def repaired(change: Change) -> ProjectWarning:
    """What a caller is told of something that no format could carry as it was."""
    return ProjectWarning(
        file="", pointer=change.pointer, reason="text_repaired", message=f"Metadata: {change.message}."
    )
