"""A hidden folder in which many things are made, each of which then appears whole beside it."""

import contextlib
import os
import secrets
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

from storycore.errors import Cancelled, Conflict, Reason
from storycore.storage import traces
from storycore.storage.local import explain, make_folders, publish_folder, remove_empty, sync_folder, temporary_name


class Staging:
    """Where folders are made that appear in `parent`; it stands from the first of them until `close`.

    One note covers all that is made in it: after a crash whoever takes the work over removes what was not finished,
    and what has appeared stays. Any thread may use it.

    Args:
        parent: folder that the others appear in; is made if need be.
    """

    def __init__(self, parent: Path) -> None:
        self._parent = parent
        self._lock = threading.Lock()
        self._folder: Path | None = None
        self._is_closed = False
        self._made: list[Path] = []

    @contextlib.contextmanager
    def new_folder(self, name: str) -> Iterator[Path]:
        """A folder that appears as `name` when the block ends well; until then it is yours alone.

        Guarantee: atomic. After an error nothing of it is left. Whatever stands there already is never touched. Files
        in it are not synced to the disk one by one; names are, when all is closed.

        Raises:
            Conflict: output_exists.
            Unavailable: disk_full.
            AccessDenied: permission_denied.
            InvalidInput: path_invalid: a part of the path is a file, or too long.
            Cancelled: all is closed: the work was stopped.
        """
        path, temporary = self._parent / name, None
        if os.path.lexists(path):
            raise Conflict(f"There is already something there: {name}", reason=Reason.OUTPUT_EXISTS)
        try:
            temporary = self._begun() / secrets.token_hex(6)
            temporary.mkdir(mode=0o700)
            yield temporary
            publish_folder(temporary, path)
        except BaseException as fault:
            if temporary is not None:
                shutil.rmtree(temporary, ignore_errors=True)
            if isinstance(fault, OSError):
                explain(fault, path)
            raise

    def close(self) -> None:
        """Removes it, and folders that were made for nothing; what has appeared is on the disk from then on."""
        with self._lock:
            folder, self._folder, self._is_closed = self._folder, None, True
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
            sync_folder(self._parent)
        remove_empty(self._made)

    def _begun(self) -> Path:
        with self._lock:
            if self._is_closed:  # a thread that nobody waits for any more would leave one that nobody removes
                raise Cancelled("Stopped on request; nothing was kept.")
            if self._folder is None:
                make_folders(self._parent, self._made)
                folder = temporary_name(self._parent / "making")
                traces.note(traces.PART, folder)
                folder.mkdir(mode=0o700)
                self._folder = folder
            return self._folder
