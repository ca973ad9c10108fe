"""Where the files of a delivery that a server made belong on this machine. Pure."""

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any

from storycore.project.paths import relative_inside


def places(data: Mapping[str, Any], paths: Iterable[str]) -> dict[str, PurePosixPath]:
    """Where each file stands in its delivery; whatever a server says, nowhere else.

    Args:
        data: the result, with the `delivery_path` there.
        paths: of the files there, absolute, in the form of the server's system.

    Raises:
        ValueError: a file does not stand in the delivery.
    """
    top, found = data["delivery_path"], {}
    for path in paths:
        inside = relative_inside(path[len(top) + 1 :]) if path.startswith((f"{top}/", f"{top}\\")) else None
        if inside is None:
            raise ValueError(f"{path} stands elsewhere")
        found[path] = inside
    return found
