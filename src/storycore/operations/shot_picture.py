"""A small picture of each shot, to be looked at; kept in the cache folder as long as what it shows is the same.

Files of strangers are decoded by painters, which are processes of their own, never in this one.
"""

import contextlib
import hashlib
import secrets
import shutil
import threading
import time
from pathlib import Path
from typing import Final

from storycore.app import App
from storycore.errors import NotFound, Reason, StoryCoreError
from storycore.observe import logging
from storycore.observe.progress import Progress
from storycore.project.files import walk
from storycore.project.model import Project
from storycore.project.paths import inside
from storycore.project.reader import read_project

WIDTH: Final = 320
HEIGHT: Final = 180
MOST_SHOTS: Final = 400
"""Of longer films only these first shots have pictures."""

MOST_KEPT: Final = 200
"""Of so many projects, or states of them, the pictures are kept."""

AGAIN_SECONDS: Final = 60.0
"""When pictures could not be made, it is tried again after that time."""

_one_at_a_time = threading.Lock()
_not_before: dict[str, float] = {}

log = logging.get(__name__)


def shot_picture(app: App, project_path: str, number: int) -> bytes | None:
    """The picture of a shot, a JPEG; None for a shot that shows nothing but a slate, or whose picture can't be made.

    The first call makes the pictures of all shots, which takes as long as that takes; others wait for it.

    Args:
        app: knows the places and the cache folder.
        project_path: folder of the project.
        number: of the shot, from 1.

    Raises:
        InvalidInput, AccessDenied, NotFound: the path is not acceptable, or there is no such project or shot.
    """
    folder = app.places.project(project_path)
    project = read_project(folder, app.settings)
    if not 1 <= number <= len(project.shots):
        raise NotFound(f"The project has no shot {number}.", reason=Reason.SHOT_NOT_FOUND)
    if number > MOST_SHOTS:
        return None
    place = app.settings.cache_folder / "shot-pictures" / _fingerprint(project)
    if not place.is_dir():
        with _one_at_a_time:
            if not place.is_dir() and _not_before.get(place.name, 0.0) <= time.monotonic():
                _make_or_wait(app, project, place)
    try:
        return (place / f"{number}.jpg").read_bytes()
    except OSError:
        return None


def _make_or_wait(app: App, project: Project, place: Path) -> None:
    """Makes the pictures; if that fails, it is not tried again at once for each shot."""
    try:
        _make(app, project, place)
    except (StoryCoreError, OSError) as fault:
        log.warning("shot_pictures_not_made", reason=str(fault)[:200])
        if len(_not_before) > MOST_KEPT:
            _not_before.clear()
        _not_before[place.name] = time.monotonic() + AGAIN_SECONDS
    else:
        _forget(place.parent)


def _forget(folder: Path) -> None:
    """Removes the pictures that were made longest ago, and what a process that died left."""
    with contextlib.suppress(OSError):
        known = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
        for path in known[MOST_KEPT:]:
            shutil.rmtree(path, ignore_errors=True)


def _fingerprint(project: Project) -> str:
    """Changes when anything changes that a picture shows."""
    told = hashlib.sha256(f"1 {project.folder} {project.frame_rate} {project.width} {project.height}".encode())
    for shot in project.shots[:MOST_SHOTS]:
        told.update(repr((shot.id, shot.duration, shot.clip_in, shot.clip_out, shot.title, shot.text)).encode())
        for media in (shot.clip, shot.image):
            path = inside(project.folder, media.path) if media is not None else None
            facts = path.stat() if path is not None else None
            seen = (facts.st_size, facts.st_mtime_ns) if facts else None
            told.update(repr((media.path if media else "", seen)).encode())
    return told.hexdigest()[:32]


def _make(app: App, project: Project, place: Path) -> None:
    from dataclasses import replace

    from storycore.exports.formats.format import Film
    from storycore.exports.formats.shot_pictures import fitting, pictures

    some = replace(project, shots=project.shots[:MOST_SHOTS])
    listing = walk(project.folder, max_files=app.settings.max_project_files)
    film = Film(project=some, listing=listing, settings=app.settings)
    part = place.with_name(f"{place.name}.{secrets.token_hex(4)}.part")
    part.mkdir(parents=True)
    try:
        with pictures(film, *fitting(film, WIDTH, HEIGHT), Progress(), until=0.9) as made:
            for index in range(len(some.shots)):
                content = made.read(index)
                if content is not None:
                    (part / f"{index + 1}.jpg").write_bytes(content)
        part.rename(place)
    finally:
        shutil.rmtree(part, ignore_errors=True)
