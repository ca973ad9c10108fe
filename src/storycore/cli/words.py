"""Errors and answers on the terminal: the one place where an error becomes words here."""

import re
import sys
import uuid
from typing import Any

import click

from storycore.errors import InvalidInput, Reason, StoryCoreError
from storycore.json_text import write
from storycore.operations import envelope
from storycore.units import now

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def plain(text: str) -> str:
    """Text of strangers made harmless for a terminal: control and direction characters become visible."""
    return _CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


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


def show_usage_json(message: str, reason: Reason) -> None:
    """Prints the envelope of a command line that can't be understood."""
    fault = InvalidInput(message, reason=reason, remediation="See --help.")
    show_json(envelope.failure(fault, envelope.metadata(uuid.uuid4().hex, now(), 0.0)))
