"""The pages of a finished PDF as pictures, to be looked at; kept in the cache folder under what the PDF is.

They are drawn by a child process, some at a time, never in this one.
"""

import secrets
import shutil
import threading
from pathlib import Path
from typing import Final, Literal

from storycore.app import App
from storycore.errors import Cancelled, NotFound, Reason, StoryCoreError
from storycore.observe import logging
from storycore.observe.progress import Progress
from storycore.operations.likeness import forget_oldest, is_there
from storycore.tasks.task import Artifact

AT_ONCE: Final = 8
"""Pages that are drawn in one go."""

MOST_KEPT: Final = 200
"""Of so many PDFs the pages are kept."""

Size = Literal["large", "small"]

_one_at_a_time = threading.Lock()
_failed: set[str] = set()

log = logging.get(__name__)


def page_picture(app: App, artifact_id: str, number: int, size: Size, progress: Progress) -> bytes | None:
    """The picture of a page, a JPEG: 1,600 pixels on its longer side, or 320 for a small one.

    None where there is none: the file is not on this machine, is not there as it was made, has no such page, or can't
    be drawn.

    Args:
        app: knows the files and the cache folder.
        artifact_id: which PDF.
        number: of the page, from 1.
        size: of the picture.
        progress: can cancel.

    Raises:
        NotFound: artifact_not_found: there is no such file, or it is no PDF.
        Cancelled: the work was asked to stop.
    """
    if number > 1 and number > page_count(app, artifact_id, progress):
        return None
    folder = _drawn(app, _pdf(app, artifact_id), number, progress)
    try:
        return None if folder is None else (folder / f"{number}-{size}.jpg").read_bytes()
    except OSError:
        return None


def page_count(app: App, artifact_id: str, progress: Progress) -> int:
    """How many pages a finished PDF has; 0 where that can't be told. See `page_picture`."""
    folder = _drawn(app, _pdf(app, artifact_id), 1, progress)
    try:
        return 0 if folder is None else int((folder / "pages").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0


def _pdf(app: App, artifact_id: str) -> Artifact:
    found = app.tasks.records.artifact(artifact_id)
    if found.media_type != "application/pdf":
        raise NotFound("Only PDFs have pages.", reason=Reason.ARTIFACT_NOT_FOUND)
    return found


def _drawn(app: App, artifact: Artifact, number: int, progress: Progress) -> Path | None:
    """The folder with the pictures of a page and of those beside it, drawn if need be."""
    batch = (number - 1) // AT_ONCE
    place = app.settings.cache_folder / "pages" / artifact.sha256 / str(batch)
    key = f"{artifact.sha256} {batch}"
    if not place.is_dir() and key not in _failed:
        with _one_at_a_time:
            if not place.is_dir() and key not in _failed and is_there(artifact):
                _draw(Path(artifact.path), place, batch, progress)
    return place if place.is_dir() else None


def _draw(path: Path, place: Path, batch: int, progress: Progress) -> None:
    from storycore.exports.documents.page_pictures import draw

    part = place.with_name(f"{place.name}.{secrets.token_hex(4)}.part")
    try:
        part.mkdir(parents=True)
        first = batch * AT_ONCE + 1
        pages = draw(path, part, first=first, last=first + AT_ONCE - 1, progress=progress)
        (part / "pages").write_text(str(pages), encoding="ascii")
        part.rename(place)
    except Cancelled:  # that says nothing of the PDF
        raise
    except (StoryCoreError, OSError) as fault:
        log.warning("pages_not_drawn", reason=str(fault)[:200])
        if len(_failed) > MOST_KEPT:
            _failed.clear()
        _failed.add(f"{place.parent.name} {batch}")
    else:
        forget_oldest(place.parent.parent.iterdir(), MOST_KEPT)
    finally:
        shutil.rmtree(part, ignore_errors=True)
