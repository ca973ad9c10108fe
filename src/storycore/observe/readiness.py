"""Whether this machine can do its work now: are the folders there, is there room left."""

import contextlib
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from storycore.units import human_bytes

Checks = Mapping[str, str | None]
"""Name of a check → what is wrong, in words that tell no path and no secret, or None if all is well."""


def check_places(roots: Sequence[Path], output_roots: Sequence[Path], *, min_free_bytes: int) -> Checks:
    """Whether each place can be listed and the fullest of their disks has `min_free_bytes` left.

    Places are called `root_1`, `root_2`, `output_root_1`, … in the order in which they are configured. May block for
    as long as the operating system does, which is long when a network folder is away.
    """
    named = {f"root_{number}": path for number, path in enumerate(roots, 1)}
    named |= {f"output_root_{number}": path for number, path in enumerate(output_roots, 1)}
    found = {name: _problem(path) for name, path in named.items()}
    free = free_bytes(named.values())
    little = free is not None and free < min_free_bytes
    found["disk"] = f"less than {human_bytes(min_free_bytes)} free" if little else None
    return found


def free_bytes(folders: Iterable[Path]) -> int | None:
    """Room left on the fullest of the disks that `folders` are on; None if none of them can be asked."""
    found = []
    for folder in folders:
        with contextlib.suppress(OSError):
            found.append(shutil.disk_usage(folder).free)
    return min(found, default=None)


def _problem(folder: Path) -> str | None:
    try:
        with os.scandir(folder) as entries:
            next(entries, None)
    except OSError as fault:
        return f"can't be listed: {os.strerror(fault.errno)}" if fault.errno else "can't be listed"
    return None
