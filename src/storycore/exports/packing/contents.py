"""What a package of a project will hold, settled before the first byte is written.

The plan of an export and the package itself come from here, so that they name the same files.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from storycore import json_text
from storycore.errors import AccessDenied, Reason
from storycore.exports.moment import source_date_epoch
from storycore.exports.packing.bag import Label
from storycore.exports.packing.crate import CRATE
from storycore.exports.packing.names import portable, title_name
from storycore.exports.packing.selection import Selection, select
from storycore.project.files import Listing, Role, SourceFile
from storycore.project.model import Project, ProjectWarning
from storycore.settings import Settings

GENERATED = "storycore"
"""The folder of the payload for what StoryCore adds."""

_RESERVED = (GENERATED, CRATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What goes into a package.

    Attributes:
        folder: absolute path of the project.
        label: what the package says about itself.
        files: sources, sorted by path.
        renamed: paths that are not portable, and their names in the package.
        skipped: what was left out, and why.
        latest_ns: no file in the package is younger; nanoseconds since 1970.
        documents: what is added, by name inside data/storycore/.
    """

    folder: Path
    label: Label
    files: tuple[SourceFile, ...]
    renamed: Mapping[str, str]
    skipped: tuple[ProjectWarning, ...]
    latest_ns: int
    documents: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name of the package without a suffix, and of its top folder."""
        return title_name(self.label.name)

    @property
    def size_bytes(self) -> int:
        """Bytes of all sources."""
        return sum(file.size_bytes for file in self.files)


def plan(project: Project, listing: Listing, selection: Selection) -> Contents:
    """The files that a package would hold, without the documents that are added.

    Raises:
        InvalidInput: setting_invalid: SOURCE_DATE_EPOCH is not a count of seconds.
    """
    chosen = select(listing, project, selection)
    epoch = source_date_epoch()
    newest = max((file.modified_ns for file in chosen.files), default=0)
    return Contents(
        folder=project.folder,
        label=Label(
            name=project.name,
            identifier=project.id,
            description=project.logline or project.title,
            modified_ns=max(newest, 0) if epoch is None else epoch,
        ),
        files=chosen.files,
        renamed=portable((file.path for file in chosen.files), reserved=_RESERVED),
        skipped=chosen.skipped,
        latest_ns=newest if epoch is None else epoch,
    )


def documented(contents: Contents, project: Project, settings: Settings) -> Contents:
    """The same contents with what StoryCore adds: the canonical project, its description, the names that changed.

    Nothing in it knows the clock, the machine or an absolute path. The description is of the film; workflows and
    scripts are told by the manifest alone, so that the description is the same with and without them.

    Raises:
        AccessDenied: permission_denied: a folder can't be read, so that nobody knows what would be missing.
    """
    from storycore.metadata.collect import collect
    from storycore.project.canonical import canonical

    for item in contents.skipped:
        if item.reason == "unreadable":
            raise AccessDenied(
                f"{item.file} can't be read.",
                reason=Reason.PERMISSION_DENIED,
                remediation="Give StoryCore the right to read it, or move it out of the project.",
            )
    described = collect(
        project,
        Listing(tuple(file for file in contents.files if file.role is not Role.SOURCE), ()),
        technical=True,
        creative=True,
        qa_reports=True,
        measure="quick",
        settings=settings,
    )
    added = {
        "project.json": json_text.write(canonical(project)),
        # On one line: with thousands of files, indenting takes longer than everything else together.
        "metadata.json": json_text.write(described.document, indent=None),
    }
    if contents.renamed:
        added["renames.json"] = json_text.write(contents.renamed)
    return replace(contents, documents={name: text.encode() for name, text in added.items()})
