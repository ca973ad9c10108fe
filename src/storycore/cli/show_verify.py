"""The finding of a check, as a person wants to read it."""

import shlex
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from storycore.cli.show_credentials import show_credentials
from storycore.cli.words import is_url, plain, typed
from storycore.operations.verification import VerifyFault, VerifyResult
from storycore.units import human_bytes, human_seconds

_WIDTH: Final = 80
_MOST: Final = 20
"""How many faults are shown; `--json` has them all."""


def show_verify(result: VerifyResult, console: Console) -> None:
    """Prints the verdict, what was checked, each fault in words, and what to do next; at most 80 columns wide.

    Names and messages hold text of strangers: control characters are shown as escapes, and nothing is taken for
    markup.
    """
    if result.kind == "file":
        show_credentials(result, console)
        return
    width = min(console.width, _WIDTH)
    _print(console, width, _verdict(result))
    for line in _facts(result):
        _print(console, width, Text(line, style="dim"), indent=2)
    _list(console, width, "✗", "red", result.faults)
    _list(console, width, "!", "yellow", result.warnings)
    console.print()
    if not result.valid:
        _print(console, width, Text("Ask for the package again, or pack it again from the project."))
    elif "sha256" in result.algorithms and (result.unpacked_to or not is_url(result.path)):  # else it is not here
        _print(console, width, Text("The same without StoryCore:"))
        # Not wrapped: a command that is broken over lines can't be copied.
        console.print(Text(f"  {_command(result)}"), soft_wrap=True)


def _verdict(result: VerifyResult) -> Text:
    name = plain(Path(result.path).name)
    if result.valid:
        return Text.assemble(("✓ valid", "bold green"), f"  {name}")
    count = len(result.faults)
    return Text.assemble(("✗ not valid", "bold red"), f"  {name}: {_count(count, 'fault')}")


def _facts(result: VerifyResult) -> list[str]:
    took = human_seconds(result.verify_time_ms / 1000)
    checked = f"{_count(result.files_checked, 'file')}, {human_bytes(result.bytes_checked)} read in {took}"
    compared = f"; compared: {', '.join(result.algorithms)}" if result.algorithms else ""
    lines = [checked + compared]
    if result.checksum:
        lines.append(result.checksum)
    if result.credentials is not None:
        lines.append(f"credentials beside it: {result.credentials.state}, by {plain(result.credentials.signer)}")
    if result.unpacked_to:
        lines.append(f"unpacked to {plain(result.unpacked_to)}")
    return lines


def _list(console: Console, width: int, icon: str, colour: str, faults: list[VerifyFault]) -> None:
    for fault in faults[:_MOST]:
        where = plain(fault.path) if fault.path else "the package"
        _print(console, width, Text.assemble((icon, colour), " ", (where, "bold"), f" ({plain(fault.reason)})"))
        _print(console, width, Text(plain(fault.message)), indent=4)
    if len(faults) > _MOST:
        _print(console, width, Text(f"  … and {len(faults) - _MOST} more; --json lists them.", style="dim"))


def _command(result: VerifyResult) -> str:
    check = "sha256sum -c --quiet manifest-sha256.txt"
    if result.unpacked_to:
        return f"(cd {shlex.quote(plain(typed(result.unpacked_to)))} && {check})"
    name = shlex.quote(plain(typed(result.path)))
    if result.kind == "folder":
        return f"(cd {name} && {check})"
    return f"unzip -q {name} -d check && (cd check/*/ && {check})"


def _print(console: Console, width: int, text: Text, *, indent: int = 0) -> None:
    text.overflow = "fold"
    console.print(Padding(text, (0, 0, 0, indent), expand=False), width=width, highlight=False)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
