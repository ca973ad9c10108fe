"""A project folder, read: any known shape becomes the one model. Nothing in the folder is changed.

The straight line: the project file → its shape, by its keys → where its parts stand (`draft`) → what the side files
add → values (`fields`), media (`lookup`), times (`timeline`) → `Project`.
"""

import os
from fnmatch import fnmatchcase
from fractions import Fraction
from pathlib import Path, PurePosixPath

from storycore.errors import NotFound, Reason
from storycore.project import schema_faults, sides
from storycore.project.assembly import assemble
from storycore.project.draft import Draft, Notes, Piece
from storycore.project.files import Role, role_of
from storycore.project.folder import ProjectFolder
from storycore.project.model import Project, Shape
from storycore.project.shapes import scenario, timeline_file
from storycore.project.shapes.registry import recognise
from storycore.project.shapes.shape import KnownShape, Source
from storycore.settings import Settings

PROJECT_FILE = "project.json"
_SECONDS = Fraction(3)  # what a video plan takes for a shot
_MOST_FOLDERS = 2_000
_MORE_FACTS = (sides.STORYBOARD, sides.VIDEO_PLAN)


def read_project(folder: Path, settings: Settings) -> Project:
    """The project in a folder.

    Reads tolerantly: what is odd becomes a warning, with file and JSON Pointer, and never stops it. Unknown keys are
    kept in `original`. Of the media only the first bytes of those that shots name are read. Changes nothing.

    Raises:
        InvalidInput: project_invalid: project.json is no regular file, not JSON, not one object, too deep, or of
            version 2 or later; `details` has file, line and column. project_too_large.
        AccessDenied: permission_denied.
        NotFound: project_not_found: nothing in the folder belongs to a project.
    """
    notes = Notes()
    place = ProjectFolder(folder.resolve(), settings, notes)
    reading = place.main(PROJECT_FILE)
    if reading is None:
        source, shape = _without_project_file(place, notes)
    else:
        source = Source(folder=place, file=PROJECT_FILE, raw=reading.value, notes=notes)
        shape = recognise(source.raw)
    draft = shape.read(source) if shape is not None else Draft(head=[Piece(raw={}, file="")], default_seconds=_SECONDS)
    schema_faults.tell(source.file, source.raw, notes, shots_by_id=shape is not None and shape.SHAPE is Shape.BACKEND)
    sides.add(draft, source)
    return assemble(draft, source, shape.SHAPE if shape is not None else Shape.FOLDER)


def is_project(folder: Path, settings: Settings) -> bool:
    """Whether a folder looks like a project: it has a project file or one of the plans that stand beside it.

    Nothing is opened.
    """
    if os.path.lexists(folder / PROJECT_FILE):
        return True
    place = ProjectFolder(folder.resolve(), settings, Notes())
    return not set(_MORE_FACTS).isdisjoint(place.names("")) or bool(_stand_ins(place))


def _without_project_file(place: ProjectFolder, notes: Notes) -> tuple[Source, KnownShape | None]:
    """What a folder without project.json is read as."""
    notes.warn("", "", "project_file_missing", "There is no project.json; what else there is was read.")
    if not any((place.path / name).exists() for name in _MORE_FACTS):
        for name, shape in _stand_ins(place):
            value = place.load(name)
            if isinstance(value, dict) and shape.matches(value):
                return Source(folder=place, file=name, raw=value, notes=notes), shape
    if not _has_anything(place):
        raise NotFound(
            f"Nothing in {place.path.name} belongs to a project: no project.json, no storyboard.json, no media.",
            reason=Reason.PROJECT_NOT_FOUND,
            remediation="Name the folder that holds project.json; `storycore project list` shows which ones do.",
        )
    return Source(folder=place, file="", raw={}, notes=notes), None


def _stand_ins(place: ProjectFolder) -> list[tuple[str, KnownShape]]:
    timelines: list[tuple[str, KnownShape]] = [(name, timeline_file) for name in sides.timeline_files(place, "")]
    scenarios = [name for name in place.names("") if fnmatchcase(name.lower(), "*scenario*.json")]
    return [*timelines, *((name, scenario) for name in scenarios[:100])]


def _has_anything(place: ProjectFolder) -> bool:
    """Whether any file in the folder belongs to a project; at most some thousand folders are looked into."""
    waiting, seen = [""], 0
    while waiting and seen < _MOST_FOLDERS:
        folder = waiting.pop(0)
        seen += 1
        prefix = f"{folder}/" if folder else ""
        if any(_belongs(prefix + name) for name in place.names(folder)):
            return True
        waiting += [prefix + name for name in place.folders(folder) if not name.startswith(".")]
    return False


def _belongs(path: str) -> bool:
    return not PurePosixPath(path).name.startswith(".") and role_of(path) is not Role.SOURCE
