"""How a delivery looks on the terminal."""

import shlex
from pathlib import Path

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from storycore.cli.show_export import figures_of, warnings_shown
from storycore.cli.words import plain, typed
from storycore.operations.film_delivery import DeliveredEntry, DeliverResult, PartEntry
from storycore.units import human_bytes, human_seconds

_WIDTH = 80
_MOST_FILES = 6
"""Of one part; `--json` has them all."""

_MARKS = {"made": ("✓ ", "green"), "failed_gates": ("✗ ", "red"), "left_out": ("! ", "yellow")}


def show_delivery(result: DeliverResult, console: Console) -> None:
    """What was delivered, part by part, what is not as asked, and how the other side checks it."""
    width = min(console.width, _WIDTH)
    mark, verdict = ("✓ ", "Delivered") if result.passed else ("✗ ", "Delivered, but not as the template asks")
    console.print(
        Text.assemble((mark + verdict, "bold green" if result.passed else "bold red"), f" · {plain(result.template)}")
    )
    took = human_seconds(result.delivery_time_ms / 1000)
    counted = f"{result.files_included} files · {human_bytes(result.total_size_bytes)} · made in {took}"
    console.print(Text(f"  {counted}", style="dim"))
    console.print()
    for part in result.parts:
        _part(part, [output for output in result.outputs if output.part == part.name], console, width)
    console.print()
    warnings_shown(console, "odd", (entry for entry in result.warnings if entry.reason != "part_left_out"))
    _folder(result, console)


def _part(part: PartEntry, outputs: list[DeliveredEntry], console: Console, width: int) -> None:
    mark, colour = _MARKS[part.state]
    table = Table.grid(padding=(0, 2), pad_edge=False, expand=True)
    table.add_column(ratio=1, overflow="fold")
    table.add_column(justify="right", no_wrap=True)
    size = human_bytes(part.size_bytes) if part.files else "left out"
    table.add_row(Text.assemble((mark, colour), (plain(part.title), "bold")), Text(size))
    for output in outputs[:_MOST_FILES]:
        alone = len(outputs) == 1
        told = "" if alone else human_bytes(output.output_size_bytes)
        table.add_row(_inside(output.path), Text(told, style="dim"))
        shown = figures_of(output.quality_metrics)
        if output.beside:
            shown.append(f"{len(output.beside)} {'file' if len(output.beside) == 1 else 'files'} beside it")
        if shown:
            table.add_row(_inside(" · ".join(shown)), "")
    if len(outputs) > _MOST_FILES:
        table.add_row(_inside(f"… and {len(outputs) - _MOST_FILES} more"), "")
    console.print(table, width=width)
    for message in part.messages:
        console.print(Padding(Text(plain(message), style=colour), (0, 0, 0, 4), expand=False), width=width)


def _inside(text: str) -> Padding:
    return Padding(Text(plain(text), style="dim", overflow="fold"), (0, 0, 0, 2))


def _folder(result: DeliverResult, console: Console) -> None:
    """Where it is, and how anyone checks it; not wrapped, since a command over two lines can't be copied."""
    console.print(Text.assemble(("  folder   ", "dim"), plain(typed(result.delivery_path))), soft_wrap=True)
    folder, listed = shlex.quote(typed(result.delivery_path)), Path(result.checksums_path).name
    check = f"cd {folder} && sha256sum -c {listed}"
    console.print(Text.assemble(("Next: ", "dim"), plain(check)), soft_wrap=True)
