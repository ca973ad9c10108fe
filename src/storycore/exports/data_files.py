"""Data in TOML files that StoryCore brings, and that a user or a project adds to; the nearest one of a name counts."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from storycore.project.content import open_regular
from storycore.settings import user_folder
from storycore.wording import explain

FAULTS = (OSError, ValidationError, ValueError, TypeError, RecursionError)
"""What reading such a file, and checking it with a model, can raise."""

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,40}")
_MOST_BYTES = 64 * 1024
_MOST_FILES = 1000


class DataFile(NamedTuple):
    """One file.

    Attributes:
        path: where it is; its name without the suffix is what callers ask for.
        origin: storycore, user or project.
    """

    path: Path
    origin: str

    @property
    def name(self) -> str:
        """As callers ask for it."""
        return self.path.stem


def nearest(ours: Path, folder: str, project: Path | None) -> dict[str, DataFile]:
    """The files there are, by name, sorted; of several of one name the nearest.

    Args:
        ours: folder of those that StoryCore brings.
        folder: name of the folder of others, in the user's config folder and in the project.
        project: folder of the project; None for none.
    """
    found = {file.name: file for file in _files(ours, folder, project)}
    return {name: found[name] for name in sorted(found)}


def content(file: DataFile) -> dict[str, Any]:
    """What a file says.

    Raises:
        OSError, ValueError, RecursionError: it can't be read, or is no TOML.
    """
    with open_regular(file.path) as opened:
        data = opened.read(_MOST_BYTES)
    return tomllib.loads(data.decode("utf-8"))


def why(fault: Exception) -> str:
    """What is wrong with a file, and where, of one of `FAULTS`."""
    if isinstance(fault, ValidationError):
        first = fault.errors(include_url=False)[0]
        return f"{'.'.join(map(str, first['loc']))}: {explain(first['type'], first.get('ctx', {}), first['msg'])}"
    return str(fault)[:500]


def tables(told: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """The tables of a list of tables, as far as they are any; what is none is left to the model to refuse."""
    listed = told.get(name, [])
    return [entry if isinstance(entry, dict) else {} for entry in (listed if isinstance(listed, list) else [])]


def _files(ours: Path, folder: str, project: Path | None) -> Iterator[DataFile]:
    """From the farthest to the nearest."""
    yield from _in_folder(ours, "storycore")
    yield from _in_folder(user_folder() / folder, "user")
    if project is not None:
        yield from _in_folder(project / folder, "project")


def _in_folder(folder: Path, origin: str) -> Iterator[DataFile]:
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix == ".toml")[:_MOST_FILES]
    except OSError:
        return
    yield from (DataFile(path, origin) for path in paths if _NAME.fullmatch(path.stem))
