"""A document typeset: a private folder filled, and the typesetter run in it."""

import contextlib
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from storycore.errors import DependencyFailed, InvalidInput, Reason, StoryCoreError, Unavailable
from storycore.observe.progress import Progress
from storycore.rendering.encoder import Limits, confine
from storycore.units import MEBIBYTE

OURS = Path(__file__).with_name("templates")
"""The templates that come with StoryCore."""

STANDARDS = ("a-2a", "ua-1")
"""PDF/A-2a for archives and PDF/UA-1 for everyone."""

_OUTPUT = "document.pdf"
_LOOK_SECONDS = 0.05
_LIMITS = Limits(memory_bytes=8 * 1024 * MEBIBYTE, cpu_seconds=600, file_bytes=4 * 1024 * MEBIBYTE)
_FOREIGN = Limits(memory_bytes=2 * 1024 * MEBIBYTE, cpu_seconds=120, file_bytes=1024 * MEBIBYTE)
_SLOWEST = 10
"""How many times longer than its seconds of processor time a job may take, on a busy machine."""
_REFUSED = re.compile(
    r'the text `"(.+?)"` could not be displayed|contains the codepoint `"(.+?)"`'
    r'|the text `"(.+?)"` (?:is not|cannot be) mapped',
    re.DOTALL,
)
_ESCAPED = re.compile(r"\\u\{([0-9a-f]+)\}")
_NOWHERE = "http://127.0.0.1:9"
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is typeset.

    Attributes:
        template: name of one of ours, or the text of a user's.
        foreign: whether it is a user's.
        data: what it reads as `data.json`.
        fonts: folders of fonts; there are no others.
        moment: seconds since 1970 that the document says it was made.
        files: names that the template reads → files.
    """

    template: str
    foreign: bool
    data: Mapping[str, Any]
    fonts: Sequence[Path]
    moment: int
    files: Mapping[str, Path]


class LettersRefused(Exception):  # noqa: N818 - the name says what it is
    """The typesetter has no shape for some letters, and they may not stand in a PDF/A.

    Attributes:
        letters: which ones.
        fault: the error, if they can't be replaced.
    """

    def __init__(self, letters: Sequence[str], fault: StoryCoreError) -> None:
        super().__init__(fault.message)
        self.letters, self.fault = letters, fault


def typeset(job: Job, folder: Path, progress: Progress) -> Path:
    """A PDF, in a new folder of the workplace.

    Guarantee: the template sees nothing but its own folder, and nothing of the net; when this ends, however it does,
    no process is left.

    Args:
        job: what is made.
        folder: that is there, empty, and private.
        progress: can cancel.

    Raises:
        LettersRefused: some letters can't be shown.
        InvalidInput: template_invalid: a user's template has a fault, or took too long.
        DependencyFailed: library_missing; typesetter_failed.
        Unavailable: disk_full.
        Cancelled.
    """
    name = _fill(job, folder)
    order = {
        "folder": str(folder),
        "template": name,
        "output": _OUTPUT,
        "fonts": [str(path) for path in job.fonts],
        "standards": list(STANDARDS),
        "timestamp": job.moment,
    }
    limits = _FOREIGN if job.foreign else _LIMITS
    with _child(folder, limits) as process:
        told = _answer(process, order, limits, progress, foreign=job.foreign)
    if "error" in told:
        refused = [_spelled(found) for found in _REFUSED.findall(told["where"])]
        if refused:
            raise LettersRefused(refused, _fault(told, foreign=job.foreign))
        raise _fault(told, foreign=job.foreign)
    return folder / _OUTPUT


def _fill(job: Job, folder: Path) -> str:
    """Lays everything that a template reads into its folder; gives the name of the main file."""
    for path in OURS.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    for name, path in job.files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        path.rename(folder / name)
    (folder / "data.json").write_text(json.dumps(job.data, ensure_ascii=False), encoding="utf-8")
    if not job.foreign:
        return f"{job.template}.typ"
    (folder / "template.typ").write_text(job.template, encoding="utf-8")
    return "template.typ"


@contextlib.contextmanager
def _child(folder: Path, limits: Limits) -> Iterator["subprocess.Popen[str]"]:
    environment = {**os.environ, **{name: _NOWHERE for word in _PROXIES for name in (word, word.upper())}}
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "storycore.exports.documents.typesetter"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=folder,
        env={name: value for name, value in environment.items() if name.lower() != "no_proxy"},
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    try:
        confine(process.pid, limits)
        yield process
    finally:
        process.kill()
        process.communicate()


def _answer(
    process: "subprocess.Popen[str]", order: Mapping[str, Any], limits: Limits, progress: Progress, *, foreign: bool
) -> dict[str, Any]:
    heard: list[tuple[str, str]] = []
    listener = threading.Thread(target=lambda: heard.append(process.communicate(json.dumps(order))), daemon=True)
    listener.start()
    until = time.monotonic() + limits.cpu_seconds * _SLOWEST
    try:
        while listener.is_alive():
            progress.check()
            listener.join(_LOOK_SECONDS)
            if time.monotonic() > until:
                raise _too_long(limits, foreign=foreign)
    finally:
        process.kill()
        listener.join()
    answer, errors = heard[0] if heard else ("", "")
    if process.returncode or not answer:
        raise _crashed(process.returncode, errors, limits, foreign=foreign)
    told: dict[str, Any] = json.loads(answer.replace(json.dumps(f"{order['folder']}{os.sep}")[1:-1], ""))
    return told


def _fault(told: Mapping[str, Any], *, foreign: bool) -> StoryCoreError:
    message = " ".join([told["error"], *told["hints"]])[:500]
    if "download package" in message:
        message = "packages come from the net, and nothing is fetched; write what you need into the template."
    if "No space left" in message:
        return Unavailable("No room left to write.", reason=Reason.DISK_FULL)
    if foreign:
        return InvalidInput(
            f"The template can't be typeset: {message}",
            reason=Reason.TEMPLATE_INVALID,
            details={"where": told["where"][:2000], "pointer": "/conversion_options/template"},
        )
    return DependencyFailed(
        f"The page can't be typeset: {message}", reason=Reason.TYPESETTER_FAILED, details={"log": told["where"][:2000]}
    )


def _too_long(limits: Limits, *, foreign: bool) -> StoryCoreError:
    message = f"took more than {limits.cpu_seconds} seconds, or more memory than it may have"
    if foreign:
        return InvalidInput(
            f"The template {message}.",
            reason=Reason.TEMPLATE_INVALID,
            details={"pointer": "/conversion_options/template"},
        )
    return DependencyFailed(f"Typesetting {message}.", reason=Reason.TYPESETTER_FAILED)


def _crashed(code: int, errors: str, limits: Limits, *, foreign: bool) -> StoryCoreError:
    if "ModuleNotFoundError" in errors or "ImportError" in errors:
        return DependencyFailed(
            "typst can't be loaded.", reason=Reason.LIBRARY_MISSING, remediation="Install typst.",
            details={"log": errors[-2000:]},
        )  # fmt: skip
    if foreign:
        return _too_long(limits, foreign=True)
    return DependencyFailed(
        f"The typesetter ended with code {code}.", reason=Reason.TYPESETTER_FAILED, details={"log": errors[-2000:]}
    )


def _spelled(found: Sequence[str]) -> str:
    r"""Letters as they are, from an error that writes some of them as `\u{e000}`."""
    return _ESCAPED.sub(lambda code: chr(int(code[1], 16)), next(filter(None, found)))
