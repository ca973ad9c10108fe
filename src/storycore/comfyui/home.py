"""What is at home already: a run that begins anew after a crash of ours need not fetch it, nor run, once more."""

import shutil
from pathlib import Path
from typing import Any, Final

from storycore.comfyui.fetched import Fetched, measure
from storycore.json_text import BadJson, read
from storycore.project.lookup import SIDECAR

_MOST_SIDECAR_BYTES: Final = 64 * 1024 * 1024


def at_home(folder: Path, run_id: str, prompt_id: str) -> list[Fetched] | None:
    """The files of a run in `folder`, measured now, if all of them stand there as they were written; None if not.

    They are known by the prompt id in their sidecars, which nobody else could guess. A folder that is surely of this
    prompt, but not whole, as after a power cut, is removed.
    """
    if folder.is_symlink() or not folder.is_dir():
        return None
    names = sorted({it.name.removesuffix(SIDECAR) for it in folder.iterdir()})
    told = {name: _told(folder / (name + SIDECAR)) for name in names}
    ours = {name for name, it in told.items() if (it.get("workflow_id"), it.get("prompt_id")) == (run_id, prompt_id)}
    if not ours:
        return None
    found = [_found(folder / name, it) for name, it in told.items()] if len(ours) == len(told) else [None]
    whole = [it for it in found if it is not None]
    if len(whole) < len(found):
        shutil.rmtree(folder)
        return None
    return sorted(whole, key=lambda it: (not it.remote, not it.is_kept))


def _found(path: Path, told: dict[str, Any]) -> Fetched | None:
    """A file as it stands, if that is how its sidecar tells of it."""
    file = told.get("file")
    if not isinstance(file, dict) or path.is_symlink() or not path.is_file():
        return None
    item = measure(path, path, str(file.get("node")), str(file.get("remote")), is_kept=file.get("is_kept") is not False)
    return item if (item.size_bytes, item.sha256) == (file.get("size_bytes"), file.get("sha256")) else None


def _told(path: Path) -> dict[str, Any]:
    """What a sidecar says; {} if it is none."""
    if path.is_symlink() or not path.is_file() or path.stat().st_size > _MOST_SIDECAR_BYTES:
        return {}
    try:
        value = read(path.read_bytes()).value
    except BadJson:
        return {}
    return value if isinstance(value, dict) else {}
