"""Pages of a finished PDF as pictures, drawn by a process of their own."""

import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, Final

from storycore.errors import DependencyFailed, InvalidInput, Reason
from storycore.observe.progress import Progress
from storycore.rendering.encoder import Limits, confine
from storycore.units import MEBIBYTE

SIDES: Final = {"large": 1600, "small": 320}
"""Longest side of a picture in pixels, by what it is called."""

_LIMITS: Final = Limits(memory_bytes=1024 * MEBIBYTE, cpu_seconds=20, file_bytes=64 * MEBIBYTE)
_MOST_SECONDS: Final = 60.0
_LOOK_SECONDS: Final = 0.05
_MOST_PAGES: Final = 10_000_000


def draw(path: Path, folder: Path, *, first: int, last: int, progress: Progress) -> int:
    """Draws pages of a PDF into a folder, as `NUMBER-large.jpg` and `NUMBER-small.jpg`; gives how many pages it has.

    A page that can't be drawn has no picture. Nothing of the PDF is run, and nothing is fetched.

    Args:
        path: of the PDF, absolute; its name is not believed.
        folder: private to this call.
        first: page, from 1.
        last: page; those after the end of the PDF are passed over.
        progress: can cancel.

    Raises:
        InvalidInput: media_invalid: it is no PDF, is locked by a password, or takes more than it may.
        DependencyFailed: library_missing.
        Cancelled.
    """
    order = {"path": str(path), "folder": str(folder), "first": first, "last": last, "sides": SIDES}
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "storycore.exports.documents.page_painter"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=folder,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        text=True,
        encoding="utf-8",
        errors="replace",
    ) as process:
        try:
            confine(process.pid, _LIMITS)
            answer, errors = _answer(process, json.dumps(order), progress)
        finally:
            process.kill()
    return _pages(answer, errors)


def _answer(process: "subprocess.Popen[str]", order: str, progress: Progress) -> tuple[str, str]:
    """What it says, ("", …) if it took too long."""
    heard: list[tuple[str, str]] = []
    listener = threading.Thread(target=lambda: heard.append(process.communicate(order)), daemon=True)
    listener.start()
    until = time.monotonic() + _MOST_SECONDS
    try:
        while listener.is_alive() and time.monotonic() < until:
            progress.check()
            listener.join(_LOOK_SECONDS)
    finally:
        process.kill()
        listener.join()
    return heard[0] if heard and process.returncode == 0 else ("", heard[0][1] if heard else "")


def _pages(answer: str, errors: str) -> int:
    if "ModuleNotFoundError" in errors or "ImportError" in errors:
        raise DependencyFailed(
            "pypdfium2 can't be loaded.", reason=Reason.LIBRARY_MISSING, remediation="Install pypdfium2.",
            details={"log": errors[-2000:]},
        )  # fmt: skip
    told: Any = json.loads(answer) if answer else {"error": "it takes more time or memory than it may"}
    if "error" in told:
        raise InvalidInput(f"The pages can't be drawn: {str(told['error'])[:200]}", reason=Reason.MEDIA_INVALID)
    return max(0, min(int(told["pages"]), _MOST_PAGES))
