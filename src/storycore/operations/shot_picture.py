"""A small picture of each shot, to be looked at; kept in the cache folder as long as what it shows is the same.

Files of strangers are decoded by painters, which are processes of their own, never in this one.
"""

import hashlib
import secrets
import shutil
import threading
from pathlib import Path
from typing import Final

from storycore.app import App
from storycore.errors import NotFound, Reason
from storycore.observe.progress import Progress
from storycore.project.files import walk
from storycore.project.model import Project
from storycore.project.paths import inside
from storycore.project.reader import read_project

WIDTH: Final = 320
HEIGHT: Final = 180
MOST_SHOTS: Final = 400
"""Of longer films only these first shots have pictures."""

_one_at_a_time = threading.Lock()


def shot_picture(app: App, project_path: str, number: int) -> Path | None:
    """The picture of a shot, a JPEG; None for a shot that shows nothing but a slate.

    The first call makes the pictures of all shots, which takes as long as that takes; others wait for it.

    Args:
        app: knows the places and the cache folder.
        project_path: folder of the project.
        number: of the shot, from 1.

    Raises:
        InvalidInput, AccessDenied, NotFound: the path is not acceptable, or there is no such project or shot.
        StoryCoreError: the pictures can't be made.
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
            if not place.is_dir():
                _make(app, project, place)
    found = place / f"{number}.jpg"
    return found if found.is_file() else None


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
