"""Where fetched files are put, and what stands beside them."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

from storycore.errors import Conflict, Reason
from storycore.operations.artifact import ArtifactEntry
from storycore.storage.local import explain

_BESIDE = ".c2pa"
_MEDIA = "media"
_SEPARATORS = re.compile(r"[/\\]")  # of the server's system, which may be another


def place_for(target: Path, names: Sequence[str]) -> Path:
    """The folder that files of these names are put in, or the name of the one that there is.

    Raises:
        StoryCoreError: the folder can't be made; see `storage.local.explain`.
    """
    names_a_file = len(names) == 1 and target.suffix.lower() == Path(names[0]).suffix.lower()
    if not names_a_file:
        _make(target)
    return target


def stands_beside(entry: ArtifactEntry) -> bool:
    """Whether a file belongs to another one that was made with it."""
    return entry.name.endswith(_BESIDE) or _is_media(entry)


def put_at(place: Path, entry: ArtifactEntry) -> Path:
    """Where an artifact is put: credentials beside what they are about, clips in the folder of their timeline."""
    if _is_media(entry):
        folder = _media_folder(place)
        _make(folder)
        return folder
    if entry.name.endswith(_BESIDE) and not place.is_dir():
        return place.with_name(place.name + _BESIDE)
    return place


def refuse_media(place: Path, made: Sequence[ArtifactEntry]) -> None:
    """Refuses to put clips into a folder that stands there already.

    Raises:
        Conflict: output_exists.
    """
    if any(map(_is_media, made)) and os.path.lexists(_media_folder(place)):
        raise Conflict(
            f"There is already something there: {_MEDIA}",
            reason=Reason.OUTPUT_EXISTS,
            remediation="The work is done: `storycore artifact list` names its files. Name a new folder for them.",
        )


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        explain(fault, folder)


def _is_media(entry: ArtifactEntry) -> bool:
    """Whether it is a clip or a sound that a timeline links, in the folder that there is for those."""
    return _SEPARATORS.split(entry.path)[-2:-1] == [_MEDIA]


def _media_folder(place: Path) -> Path:
    return (place if place.is_dir() else place.parent) / _MEDIA
