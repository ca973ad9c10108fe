"""The project that an export reads, and the folder that its results go to."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from storycore.app import App
from storycore.errors import AccessDenied, Reason
from storycore.observe.progress import Progress
from storycore.operations.stored import output_place
from storycore.project.paths import EXPORTS
from storycore.storage.place import StorePlace
from storycore.units import stamp

if TYPE_CHECKING:
    from storycore.operations.conversion import FormatRequest
    from storycore.operations.film_delivery import DeliverRequest
    from storycore.operations.package import PackageRequest
    from storycore.project.files import Listing
    from storycore.project.model import Project


def check_project(app: App, request: "PackageRequest | FormatRequest | DeliverRequest") -> None:
    """Refuses what can be refused before any work.

    Raises:
        InvalidInput, AccessDenied, NotFound: the paths are not acceptable, or there is no such project.
    """
    folder = app.places.project(request.project_path)
    output = getattr(request, "output_path", None)
    if output is not None:
        output_place(app, output, folder)


def read(app: App, path: str) -> "tuple[Path, Project, Listing]":
    """A project and its files, listed first, so that what changes after it was read is noticed when it is packed."""
    from storycore.project.files import walk
    from storycore.project.reader import read_project

    folder = app.places.project(path)
    listing = walk(folder, max_files=app.settings.max_project_files)
    return folder, read_project(folder, app.settings), listing


@contextlib.contextmanager
def output(app: App, folder: Path, wanted: str | None, progress: Progress) -> "Iterator[Path | StorePlace]":
    """Where results go: what the caller named, or else a folder of its own in the project's exports/."""
    from storycore.storage.local import free_folder

    if wanted is not None:
        yield output_place(app, wanted, folder)
        return
    with free_folder(exports_of(folder), f"export_{stamp(progress.accepted_at)}") as made:
        yield made


def exports_of(folder: Path) -> Path:
    """A project's exports/, which need not be there yet.

    Raises:
        AccessDenied: path_outside_root: it is a link.
    """
    exports = folder / EXPORTS
    if exports.resolve() != exports:
        raise AccessDenied(
            "The project's exports/ is a link.",
            reason=Reason.PATH_OUTSIDE_ROOT,
            remediation="Name the folder for the result, or make exports/ a folder.",
        )
    return exports
