"""Errors and answers on the terminal: the one place where an error becomes words here."""

import contextlib
import errno
import os
import shlex
import shutil
import sys
import traceback
import unicodedata
import uuid
from pathlib import Path
from typing import Any, Final

import click

from storycore.errors import Cancelled, InvalidInput, Reason, StoryCoreError, Unavailable, Unexpected
from storycore.json_text import write
from storycore.operations import envelope
from storycore.units import now

_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories of what steers a terminal, hides, or has no agreed shape."""


def plain(text: str) -> str:
    """Text of strangers in which nothing can steer a terminal, add a line or hide: such characters become escapes."""
    return "".join(
        _escape(character) if unicodedata.category(character) in _HIDDEN else character for character in text
    )


def _escape(character: str) -> str:
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def command(*words: object) -> str:
    """A command as it can be typed here, whether or not the program's folder is on the PATH."""
    program = "storycore"
    if shutil.which(program) is None:
        program = str(Path(sys.executable).with_name(program))
    return shlex.join([program, *map(str, words)])


def is_url(path: str) -> bool:
    """Whether it is the URL of an object in a store, and no path of a machine: those begin with a slash or a drive."""
    return "://" in path and not path.startswith("/")


def typed(path: str) -> str:
    """A path as a person would type it from here; a URL as it is."""
    if is_url(path):
        return path
    full = Path(path)
    with contextlib.suppress(OSError, ValueError):  # the current folder may be gone
        return str(full.relative_to(Path.cwd()))
    return str(full)


def show_json(answer: dict[str, Any], *, err: bool = False) -> None:
    """Prints an envelope."""
    click.echo(write(answer), nl=False, err=err)


def show_error(fault: StoryCoreError) -> None:
    """Prints what happened, what to do, and the faults of single fields, to stderr."""
    colour = click.style("✗", fg="red") if sys.stderr.isatty() else "✗"
    click.echo(f"{colour} {plain(fault.message)}", err=True)
    if len(fault.errors) > 1:
        for item in fault.errors:
            click.echo(f"    {plain(item.pointer.lstrip('/') or 'request')}: {plain(item.message)}", err=True)
    click.echo(f"  {plain(fault.remediation)}", err=True)


def show_usage_json(message: str, reason: Reason, details: dict[str, Any] | None = None) -> None:
    """Prints the envelope of a command line that can't be understood."""
    fault = InvalidInput(message, reason=reason, remediation="See --help.", details=details)
    show_json(envelope.failure(fault, envelope.metadata(uuid.uuid4().hex, now(), 0.0)))


def told(fault: BaseException) -> StoryCoreError:
    """The error that a person is told for whatever was raised."""
    if isinstance(fault, StoryCoreError):
        return fault
    if isinstance(fault, KeyboardInterrupt):
        return Cancelled("Stopped.")
    if os.environ.get("STORYCORE_LOG_LEVEL", "").lower() == "debug":
        traceback.print_exception(fault)
    if isinstance(fault, OSError) and fault.errno == errno.ENOSPC:
        return Unavailable("No room left for the output.", reason=Reason.DISK_FULL)
    return Unexpected(
        f"A fault of StoryCore's own: {type(fault).__name__}.",
        remediation="Run it again with STORYCORE_LOG_LEVEL=debug, and report what it says.",
    )
