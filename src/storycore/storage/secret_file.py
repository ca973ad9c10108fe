"""Keys in files that nobody else on the machine can read."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path


def make_once(file: Path, content: Callable[[], bytes]) -> None:
    """Writes a file for this user alone, unless there is one of that name; its folder too.

    Guarantee: of processes that make it at once, one wins and all find its content. It is on the disk, whole, when this
    returns. On Windows it inherits the rights of the user's own folder, which other users can't read.

    Raises:
        OSError: the system refuses.
    """
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")  # 0600 from the start
    try:
        with os.fdopen(handle, "wb") as made:
            made.write(content())
            made.flush()
            os.fsync(made.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(name, file)
    finally:
        Path(name).unlink()


def others_may_read(file: Path) -> bool:
    """Whether the file's mode lets other users read or change it; never said on Windows, where rights are inherited.

    Raises:
        OSError: the system refuses.
    """
    return sys.platform != "win32" and bool(file.stat().st_mode & 0o077)
