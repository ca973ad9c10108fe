"""Where results go and packages are read from: this machine, or an object store that is listed."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from storycore.app import App
from storycore.errors import InvalidInput, NotFound, Reason
from storycore.observe.progress import Progress
from storycore.project.paths import check_text
from storycore.storage.place import StorePlace, names_store

if TYPE_CHECKING:
    from storycore.exports.export import Exported
    from storycore.storage.objects import Bucket

VOUCHED: Final = ("image/", "audio/", "video/", "application/pdf")
"""Kinds of files that say themselves, or beside them, how they came to be."""

_CHUNK_BYTES = 1024 * 1024
_MADE_HERE = 0.8
"""Share of the work that is done before files are sent to a store."""


def output_place(app: App, path: str, project: Path) -> Path | StorePlace:
    """Where a result of `project` goes; nothing is made or asked yet.

    Raises:
        InvalidInput: path_invalid.
        AccessDenied: path_outside_root.
    """
    if names_store(path):
        return app.places.stored(path, pointer="/output_path")
    return app.places.output(path, project)


def readable_place(app: App, path: str) -> Path | StorePlace:
    """Where a package is read; a store is not asked yet.

    Raises:
        InvalidInput: path_invalid.
        AccessDenied: path_outside_root.
        NotFound: file_not_found, on this machine.
    """
    return app.places.stored(path, pointer="/package_path") if names_store(path) else app.places.file(path)


def describable_place(app: App, path: str) -> Path | StorePlace:
    """Where a project is described: its folder, or a package of it; a store is not asked yet.

    Raises:
        InvalidInput: path_invalid: the text; a film, a sound or a picture in a store.
        AccessDenied: path_outside_root.
        NotFound: project_not_found, on this machine.
    """
    from storycore.project.media_types import expected

    pointer = "/project_path"
    if not names_store(path):
        check_text(path, pointer=pointer)
        with contextlib.suppress(NotFound):  # told below, as callers know it
            found = app.places.file(path)
            if found.is_file() and _is_package(found):
                return found
        return app.places.project(path)
    place = app.places.stored(path, pointer=pointer)
    if expected(place.key).startswith(VOUCHED):
        raise InvalidInput(
            "In a store packages are described; a film, a sound or a picture is looked at on this machine.",
            reason=Reason.PATH_INVALID,
            remediation="Name the package of the project. What a single film says of itself is told by "
            "`storycore export verify`, once it was fetched.",
            details={"pointer": pointer},
        )
    return place


def _is_package(file: Path) -> bool:
    """Whether it is one, or is called so: who names a damaged one is told what is wrong with it."""
    from storycore.exports.vouching import is_called_package, is_package

    return is_package(file) or is_called_package(file)


def zip_place(place: Path | StorePlace, name: str) -> Path | StorePlace:
    """The ZIP at a place: the place itself if it is called so, else one named `name` in it."""
    named = place.name.lower().endswith(".zip") and not (isinstance(place, Path) and place.is_dir())
    return place if named else place / f"{name}.zip"


@dataclass(frozen=True, slots=True)
class Stage:
    """Where files are made that belong at `place`.

    Attributes:
        folder: the folder or file name to write to.
        place: where they belong.
        scratch: what `folder` stands in, if they are sent elsewhere afterwards.
        progress: told of what is sent; can cancel.
    """

    folder: Path
    place: Path | StorePlace
    scratch: Path | None
    progress: Progress

    @property
    def share(self) -> float:
        """Share of the work that is done when the files are made."""
        return 1.0 if self.scratch is None else _MADE_HERE

    def publish(self, finished: "Sequence[Exported]") -> dict[Path, str]:
        """Brings finished files to where they belong, and gives for each where it is now.

        Guarantee: all or none.

        Raises:
            Conflict: output_exists.
            DependencyFailed: store_unavailable.
        """
        types: dict[Path, str] = {}
        for item in finished:
            types |= dict.fromkeys(item.made.beside, "application/octet-stream") | {item.path: _media_type(item.format)}
        if self.scratch is None or not isinstance(self.place, StorePlace):
            return {path: str(path) for path in types}
        base = self.place.parent if self.place.key else self.place
        places = {path: base / path.relative_to(self.scratch).as_posix() for path in types}
        self.progress.begin("sending", total=sum(path.stat().st_size for path in places), unit="bytes", until=0.99)
        with contextlib.ExitStack() as undo:
            for path, place in places.items():
                _send(path, place, types[path], self.progress, undo)
            undo.pop_all()
        return {path: place.url for path, place in places.items()}


@contextlib.contextmanager
def staged(app: App, place: Path | StorePlace, progress: Progress) -> Iterator[Stage]:
    """A stage for files that belong at `place`; in a store they appear by `Stage.publish`.

    Programs that write films seek in them, so they are made on this machine first; that is gone when the block ends.
    """
    if isinstance(place, Path):
        yield Stage(place, place, None, progress)
        return
    from storycore.storage.local import scratch_folder

    with scratch_folder(app.settings.cache_folder / "sending") as scratch:
        yield Stage(scratch / place.name if place.key else scratch, place, scratch, progress)


def _media_type(format_name: str) -> str:
    from storycore.exports.formats.registry import find

    return find(format_name).media_type


def _send(path: Path, place: StorePlace, media_type: str, progress: Progress, undo: contextlib.ExitStack) -> None:
    from storycore.storage.objects import Bucket
    from storycore.storage.upload import new_object

    size = path.stat().st_size
    with (
        path.open("rb") as source,
        new_object(place, size_bytes=size, media_type=media_type, check=progress.check) as upload,
    ):
        while chunk := source.read(_CHUNK_BYTES):
            upload.write(chunk)
            progress.advance(len(chunk))
    undo.callback(_remove, Bucket(place), place.key)


def _remove(bucket: "Bucket", key: str) -> None:
    from storycore.errors import DependencyFailed

    with contextlib.suppress(DependencyFailed):
        bucket.remove(key)
