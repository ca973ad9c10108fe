"""How converted and checked workflows look on the terminal; names and values in them are text of strangers."""

import sys
from collections import Counter
from pathlib import Path
from typing import Final, TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from storycore.cli.words import plain, typed
from storycore.json_text import write
from storycore.operations.comfyui_graph import (
    CheckResult,
    ConvertedFile,
    ConvertResult,
    FindingEntry,
    GraphWarningEntry,
)

_MOST: Final = 12
"""How many of a kind are shown; `--json` has them all."""


def show_convert(result: ConvertResult, stdout: TextIO) -> None:
    """The graph on the standard output and what is odd about it beside; or, of files, what was written where."""
    if result.graph is not None:
        stdout.write(write(result.graph))
        _warnings(_console(sys.stderr), result.files[0].warnings)
        return
    console = _console(stdout)
    for file in [file for file in result.files if file.error is not None][:_MOST]:
        word, colour = ("skipped", "dim") if file.source_format == "none" else ("failed ", "red")
        console.print(Text(f"{word}  ", style=colour), Text(plain(f"{_name(file)}: {file.error}")), sep="")
    if len(result.files) == 1 and result.converted:
        only = result.files[0]
        console.print(
            _done("Converted"), Text(f"{only.nodes} nodes → {plain(typed(only.output_path))}"), soft_wrap=True
        )
        _warnings(console, only.warnings)
        return
    _summary(console, result)


def _summary(console: Console, result: ConvertResult) -> None:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_row("converted", str(result.converted))
    for word, count in (("no workflow", result.skipped), ("failed", result.failed)):
        if count:
            table.add_row(word, str(count))
    for reason, count in Counter(odd.reason for file in result.files for odd in file.warnings).most_common():
        table.add_row(Text(f"odd: {plain(reason.replace('_', ' '))}", style="yellow"), str(count))
    console.print(table)
    written = next((file.output_path for file in result.files if file.output_path), "")
    if written:
        console.print(Text(f"in {plain(typed(str(Path(written).parent)))}", style="dim"), soft_wrap=True)


def show_check(result: CheckResult, console: Console) -> None:
    """The verdict, everything that stands in the way by kind, and what to do about it."""
    size = f"{result.nodes} nodes, {len(result.outputs)} of them outputs"
    if result.valid:
        console.print(Text("✓ can run", style="bold green"), Text(size))
    else:
        count = len(result.findings)
        console.print(Text("✗ can't run", style="bold red"), Text(f"{count} thing{'s' * (count != 1)} · {size}"))
    for finding in result.findings[:_MOST]:
        console.print(Text("✗ ", style="red"), Text(plain(finding.message)), sep="")
        for line in _help(finding):
            console.print(Text(f"    {line}", style="dim"), soft_wrap=True)
    _more(console, len(result.findings))
    _warnings(console, [odd for odd in result.warnings if odd.reason not in ("value_not_listed", "missing_class")])


def _help(finding: FindingEntry) -> list[str]:
    lines = []
    if finding.suggestions:
        lines.append(f"did you mean {' or '.join(plain(one) for one in finding.suggestions)}?")
    if finding.source_url:
        folder = f" into models/{plain(finding.source_folder)}" if finding.source_folder else ""
        lines.append(f"the workflow says: {plain(finding.source_url)}{folder}")
    return lines


def _warnings(console: Console, warnings: list[GraphWarningEntry]) -> None:
    for odd in warnings[:_MOST]:
        where = f"node {odd.node}" + (f", {odd.input}" if odd.input else "")
        console.print(Text("! ", style="yellow"), Text(plain(f"{where}: {odd.message}")), sep="")
    _more(console, len(warnings))


def _more(console: Console, count: int) -> None:
    if count > _MOST:
        console.print(Text(f"  … and {count - _MOST} more; --json shows all", style="dim"))


def _done(word: str) -> Text:
    return Text("✓ ", style="green") + Text(word)


def _name(file: ConvertedFile) -> str:
    return Path(file.path).name


def _console(stream: TextIO) -> Console:
    return Console(file=stream, highlight=False, markup=False, emoji=False, width=None if stream.isatty() else 80)
