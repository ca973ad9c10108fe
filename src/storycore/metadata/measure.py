"""What the files of a project measure: headers and checksums, each file opened once, and only if it is not remembered.

No writing happens but to the memory, which lies outside the project.
"""

import hashlib
import os
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from storycore.observe.progress import Progress
from storycore.project.content import open_regular
from storycore.project.files import Listing, Role, SourceFile
from storycore.project.headers import HeaderFault, MediaFacts, facts_of
from storycore.project.media_types import named
from storycore.project.memory import Measured, Memory
from storycore.project.model import ProjectWarning
from storycore.units import MEBIBYTE


class Depth(StrEnum):
    """How much is measured."""

    NONE = "none"
    """Names and sizes: nothing is opened."""
    QUICK = "quick"
    """Headers of media too."""
    FULL = "full"
    """Checksums of all files too."""


@dataclass(frozen=True, slots=True)
class MeasuredFile:
    """One file and what is known of it.

    Attributes:
        file: as listed.
        media_type: by content for media, by name for other files; empty if neither tells, or nothing was opened.
        measured: headers and checksum, as far as they were asked for.
    """

    file: SourceFile
    media_type: str
    measured: Measured

    @property
    def facts(self) -> MediaFacts | None:
        """What its headers say, if it is media."""
        return self.measured.facts


@dataclass(frozen=True, slots=True)
class Measurement:
    """All files of a project, measured.

    Attributes:
        depth: how much was asked for.
        files: in the order of the listing.
        warnings: files that changed, vanished or have broken headers.
    """

    depth: Depth
    files: tuple[MeasuredFile, ...]
    warnings: tuple[ProjectWarning, ...]


def measure(folder: Path, listing: Listing, depth: Depth, memory: Memory, progress: Progress) -> Measurement:
    """Every file of the listing, measured as deeply as asked; what was new is saved in the memory.

    Raises:
        Cancelled: on request; what was measured until then is remembered.
    """
    warnings: list[ProjectWarning] = []
    if depth is Depth.FULL:
        progress.begin("measuring", total=sum(file.size_bytes for file in listing.files), unit="bytes", until=0.95)
    else:
        progress.begin("measuring", total=len(listing.files), until=0.95)
    try:
        files = tuple(_measured(folder, file, depth, memory, warnings, progress) for file in listing.files)
    finally:
        memory.save()
    return Measurement(depth, files, tuple(warnings))


def _measured(  # noqa: PLR0913, PLR0917 - one call of the loop above
    folder: Path, file: SourceFile, depth: Depth, memory: Memory, warnings: list[ProjectWarning], progress: Progress
) -> MeasuredFile:
    probe = depth is not Depth.NONE and file.role is Role.MEDIA
    hashed = depth is Depth.FULL
    found = memory.recall(file) if probe or hashed else Measured()
    if (probe and not found.probed) or (hashed and found.sha256 is None):
        found = _read(folder, file, found, memory, warnings, progress, probe=probe, hashed=hashed)
    progress.advance(file.size_bytes if hashed else 1)
    if probe and found.fault:
        warnings.append(_warning(file, "header_broken", f"Its headers can't be read: {found.fault}."))
    shown = replace(found, sha256=found.sha256 if hashed else None)
    return MeasuredFile(file, "" if depth is Depth.NONE else _media_type(file, shown), shown)


def _read(  # noqa: PLR0913, PLR0917 - what to do stands in the two flags
    folder: Path,
    file: SourceFile,
    known: Measured,
    memory: Memory,
    warnings: list[ProjectWarning],
    progress: Progress,
    *,
    probe: bool,
    hashed: bool,
) -> Measured:
    """Opens a file once for all that is still unknown of it, and remembers it if it stood still meanwhile."""
    try:
        with open_regular(folder / file.path) as opened:
            found = _probed(known, opened) if probe and not known.probed else known
            if hashed and known.sha256 is None:
                opened.seek(0)
                found = replace(found, sha256=_digest(opened, progress))
            stands = os.fstat(opened.fileno())
    except OSError:
        warnings.append(_warning(file, "unreadable", "It vanished or can't be read."))
        return known
    if (stands.st_size, stands.st_mtime_ns) != (file.size_bytes, file.modified_ns):
        warnings.append(_warning(file, "source_changed", "It changed while it was measured."))
        return replace(found, sha256=None)
    memory.remember(file, found)
    return found


def _digest(opened: BinaryIO, progress: Progress) -> str:
    digest = hashlib.sha256()
    while part := opened.read(MEBIBYTE):
        digest.update(part)
        progress.check()
    return digest.hexdigest()


def _probed(known: Measured, opened: BinaryIO) -> Measured:
    try:
        return replace(known, probed=True, facts=facts_of(opened))
    except HeaderFault as fault:
        return replace(known, probed=True, fault=str(fault))


def _media_type(file: SourceFile, measured: Measured) -> str:
    return measured.facts.media_type if measured.facts else named(file.path)


def _warning(file: SourceFile, reason: str, message: str) -> ProjectWarning:
    return ProjectWarning(file=file.path, pointer="", reason=reason, message=message)
