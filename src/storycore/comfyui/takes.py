"""The index of takes of a project: shot id → what was generated for it, and which one was picked.

`assets/generated/index.json`, as `storycore.project.lookup` reads it. It is replaced whole, under a lock, so that two
runs that end at once both stand in it.
"""

import contextlib
import os
import secrets
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from storycore.errors import InvalidInput, NotFound, Reason
from storycore.json_text import BadJson, read, write
from storycore.project.lookup import INDEX
from storycore.project.paths import inside
from storycore.storage.local import explain

_MOST_BYTES: Final = 64 * 1024 * 1024

Take = dict[str, Any]
Index = dict[str, Any]


def takes_of(project: Path, shot_id: str) -> list[Take]:
    """The takes of a shot, in the order in which they came.

    Raises:
        InvalidInput: project_invalid: the index is broken.
    """
    return _listed(_read(project), shot_id)


def add(project: Path, shot_id: str, takes: Sequence[Mapping[str, Any]]) -> None:
    """Adds takes of a shot; those of the same ids are replaced, so that it may be done twice.

    Guarantee: the index is replaced whole; what others wrote meanwhile stays.

    Raises:
        InvalidInput: project_invalid: the index is broken.
        Unavailable, AccessDenied: it can't be written.
    """
    ids = {take["id"] for take in takes}

    def change(index: Index) -> None:
        before = _listed(index, shot_id)
        picked = {take.get("id") for take in before if take.get("picked") is True}
        kept = [take for take in before if take.get("id") not in ids]
        index[shot_id] = [*kept, *({**take, "picked": take["id"] in picked} for take in takes)]

    _change(project, change)


def pick(project: Path, shot_id: str, take_id: str | None) -> list[Take]:
    """Chooses one take of a shot, or none, so that the newest counts again; gives its takes as they stand then.

    Raises:
        NotFound: take_not_found.
        InvalidInput: project_invalid: the index is broken.
        Unavailable, AccessDenied: it can't be written.
    """
    found: list[Take] = []

    def change(index: Index) -> None:
        listed = _listed(index, shot_id)
        ids = [take.get("id") for take in listed]
        if take_id is not None and take_id not in ids:
            raise NotFound(
                f"Shot {shot_id} has no take {take_id}.", reason=Reason.TAKE_NOT_FOUND, details={"takes": ids}
            )
        found.extend({**take, "picked": take.get("id") == take_id} for take in listed)
        index[shot_id] = found

    _change(project, change)
    return found


def _change(project: Path, change: Callable[[Index], None]) -> None:
    path = project / INDEX
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.parent.resolve() != project.resolve() / Path(INDEX).parent:
            raise InvalidInput(f"{INDEX} leads out of the project.", reason=Reason.PROJECT_INVALID)
        with _locked(path.parent):
            index = _read(project)
            change(index)
            _replace(path, write(index).encode())
    except OSError as fault:
        explain(fault, path)


def _read(project: Path) -> Index:
    if not os.path.lexists(project / INDEX):
        return {}
    found = inside(project, INDEX)
    try:
        if found is None or found.stat().st_size > _MOST_BYTES:
            raise InvalidInput(f"{INDEX} is no acceptable file.", reason=Reason.PROJECT_INVALID)
        value = read(found.read_bytes()).value
    except BadJson as fault:
        raise InvalidInput(f"{INDEX}: {fault}", reason=Reason.PROJECT_INVALID) from None
    if not isinstance(value, dict):
        raise InvalidInput(f"{INDEX} does not hold one JSON object.", reason=Reason.PROJECT_INVALID)
    return value


def _listed(index: Index, shot_id: str) -> list[Take]:
    listed = index.get(shot_id)
    return [take for take in listed if isinstance(take, dict)] if isinstance(listed, list) else []


def _replace(path: Path, data: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.part")
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """While the block runs, no other process of this machine changes the index in `folder`."""
    if sys.platform == "win32":
        import msvcrt

        lock = folder / ".index.lock"
        with lock.open("a+b") as file:
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
            try:
                yield
            finally:
                file.seek(0)
                msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)
        return
    import fcntl

    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
