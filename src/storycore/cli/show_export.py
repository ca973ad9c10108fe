"""How packages, conversions and plans look on the terminal."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from storycore.cli.words import command, is_url, plain, typed
from storycore.operations.conversion import FormatOutput, FormatResult
from storycore.operations.package import PackageResult
from storycore.operations.plan import PlanResult
from storycore.operations.presets import PresetsResult
from storycore.operations.request import WarningEntry
from storycore.units import human_bytes, human_seconds

_MOST = 8
_MOST_FILES = 30
_MOST_BESIDE = 3


def show_package(result: PackageResult, console: Console) -> None:
    """What was packed, where it is, and what to do next."""
    console.print(_done("Packed"), Text(f"{result.files_included} files, {human_bytes(result.package_size_bytes)}"))
    if result.export_path:
        _fact(console, "file", result.export_path)
    _fact(console, "sha-256", result.checksum.removeprefix("sha256:"))
    _fact(console, "took", human_seconds(result.export_time_ms / 1000))
    _renamed(console, result.renamed)
    warnings_shown(console, "left out", result.skipped)
    warnings_shown(console, "odd", result.warnings)
    if result.export_path:
        console.print(
            Text("Next: ", style="dim"),
            Text(command("export", "verify", typed(result.export_path))),
            sep="",
            soft_wrap=True,  # a command that is broken over lines can't be copied
        )


def show_format(result: FormatResult, console: Console) -> None:
    """What was written, a line each."""
    table = Table(box=None, pad_edge=False, show_header=False)
    for output in result.outputs:
        table.add_row(
            _done(output.target_format), human_bytes(output.output_size_bytes), Text(plain(typed(output.output_path)))
        )
    console.print(table)
    for output in result.outputs:
        _figures(console, output)
        for place in _beside(output.beside):
            _fact(console, "beside", place)
        for gate in output.quality_gates:
            if not gate.passed:
                console.print(Text("✗ ", style="red"), Text(plain(f"{output.target_format}: {gate.message}")), sep="")
    warnings_shown(console, "odd", result.warnings)


def _beside(paths: Sequence[str]) -> list[str]:
    """Files beside a result: each of a few, of many how many there are in which folder."""
    if len(paths) <= _MOST_BESIDE:
        return [typed(path) for path in paths]
    folders = Counter(path.rpartition("/")[0] if is_url(path) else str(Path(path).parent) for path in paths)
    return [f"{typed(folder)} · {count} files" for folder, count in folders.items()]


def show_presets(result: PresetsResult, console: Console) -> None:
    """The presets and the templates, a line each."""
    table = Table(box=None, pad_edge=False)
    for name in ("Preset", "For", "Makes", "From"):
        table.add_column(name)
    for item in result.items:
        origin = item.date if item.origin == "storycore" else item.origin
        table.add_row(Text(plain(item.name)), Text(plain(item.title)), ", ".join(item.formats), origin)
    console.print(table)
    console.print()
    table = Table(box=None, pad_edge=False)
    for name in ("Template", "Delivers", "From"):
        table.add_column(name)
    for template in result.templates:
        origin = template.date if template.origin == "storycore" else template.origin
        table.add_row(Text(plain(template.name)), Text(plain(template.title)), origin)
    console.print(table)
    console.print(Text("Next: ", style="dim"), Text("storycore export format film/ --preset NAME"), sep="")
    console.print(Text("      ", style="dim"), Text("storycore export deliver film/ --template NAME"), sep="")


def show_plan(result: PlanResult, console: Console) -> None:
    """What would be packed or made, and what is missing."""
    shots = f"{result.shots} shot" if result.shots == 1 else f"{result.shots} shots"
    console.print(
        Text(plain(" ".join(result.project_name.split())), style="bold"),
        Text(f"· {shots} · {_length(result.duration_seconds)} of film"),
    )
    if result.outputs:
        console.print(_planned_files(result))
    if result.files or not result.outputs:
        console.print(_planned_parts(result))
    for path in result.missing[:_MOST]:
        console.print(Text("! missing  ", style="yellow"), Text(plain(path)), sep="", soft_wrap=True)
    _renamed(console, result.renamed)
    warnings_shown(console, "left out", result.skipped)
    warnings_shown(console, "part", (entry for entry in result.warnings if entry.reason == "part_left_out"))
    told = ("media_missing", "part_left_out")
    warnings_shown(console, "odd", (entry for entry in result.warnings if entry.reason not in told))


def _length(seconds: float) -> str:
    """Of a film: half a second of thirty counts."""
    return f"{seconds:.1f} s" if seconds < 60 else human_seconds(seconds)


def _planned_files(result: PlanResult) -> Table:
    """What a conversion would make, a line each."""
    table = Table(box=None, pad_edge=False)
    for name in ("File", "Picture", "Frames", "To render", "About"):
        table.add_column(name, justify="left" if name in ("File", "Picture") else "right")
    for it in result.outputs[:_MOST_FILES]:
        size = "" if it.width is None else f"{it.width}×{it.height} · {it.fps:g} fps"
        open_frames = f"{it.frames_to_render:,}" if it.frames_to_render else "none"
        todo = "" if it.frames is None else open_frames
        about = "" if it.estimated_size_bytes is None else f"~ {human_bytes(it.estimated_size_bytes)}"
        frames = "" if it.frames is None else f"{it.frames:,}"
        folder, slash, name = it.file_name.rpartition("/")  # of a delivery; both in one line leave no room
        above = f"{plain(folder)}/\n  " if slash else ""
        told = Text.assemble((above, "dim"), plain(name), overflow="fold")
        table.add_row(told, size, frames, todo, about)
    if len(result.outputs) > _MOST_FILES:
        table.add_row(f"… and {len(result.outputs) - _MOST_FILES} more; --json shows all", style="dim")
    return table


def _planned_parts(result: PlanResult) -> Table:
    """What a package would hold, by role."""
    table = Table(box=None, pad_edge=False)
    for name in ("Part", "Files", "Size"):
        table.add_column(name, justify="left" if name == "Part" else "right")
    for role in dict.fromkeys(entry.role for entry in result.files):
        sizes = [entry.size_bytes for entry in result.files if entry.role == role]
        table.add_row(role, str(len(sizes)), human_bytes(sum(sizes)))
    table.add_row("all", str(result.files_included), human_bytes(result.total_size_bytes), style="bold")
    return table


def _figures(console: Console, output: FormatOutput) -> None:
    shown = figures_of(output.quality_metrics)
    if shown:
        _fact(console, output.target_format, " · ".join(shown))


def figures_of(metrics: Mapping[str, Any]) -> list[str]:
    """The figures that people look for first."""
    shown = [str(metrics[name]) for name in ("resolution", "codec", "bitrate", "sample_rate") if metrics.get(name)]
    if "fps" in metrics:
        shown.insert(1, f"{metrics['fps']} fps")
    for name in ("clips", "transitions", "frames", "duration", "integrated_loudness", "true_peak"):
        told = metrics.get(name)
        if isinstance(told, dict) and told.get("value") is not None:
            value, unit = told["value"], str(told["unit"])
            shown.append(f"{value:g} {unit.removesuffix('s') if value == 1 and unit == name else unit}")
    return shown + _of_paper(metrics) + _of_credentials(metrics)


def _of_paper(metrics: Mapping[str, Any]) -> list[str]:
    pages, dpi, conformance = (metrics.get(name) for name in ("pages", "dpi", "conformance"))
    shown = [f"{pages} {'page' if pages == 1 else 'pages'}"] if pages else []
    shown += [f"{dpi} dpi"] if dpi else []
    return shown + ([str(conformance["value"])] if isinstance(conformance, dict) else [])


def _of_credentials(metrics: Mapping[str, Any]) -> list[str]:
    found = metrics.get("content_credentials")
    if not isinstance(found, dict):
        return []
    kinds = {"trainedAlgorithmicMedia": "marked as made with AI",
             "compositeWithTrainedAlgorithmicMedia": "marked as partly made with AI"}  # fmt: skip
    return [kinds.get(str(found.get("digital_source_type")).rsplit("/", maxsplit=1)[-1], "signed")]


def _done(word: str) -> Text:
    return Text("✓ ", style="green") + Text(word)


def _fact(console: Console, name: str, value: str) -> None:
    console.print(Text(f"  {name:<9}", style="dim"), Text(plain(value)), sep="", soft_wrap=True)


def _renamed(console: Console, renamed: dict[str, str]) -> None:
    for old, new in list(renamed.items())[:_MOST]:
        _fact(console, "renamed", f"{old} → {new}")
    _more(console, len(renamed))


def warnings_shown(console: Console, word: str, entries: Iterable[WarningEntry]) -> None:
    """The first warnings, a line each."""
    listed = list(entries)
    for entry in listed[:_MOST]:
        where = f"{entry.file}{entry.pointer}"
        text = f"{where}: {entry.message}" if where else entry.message
        console.print(Text(f"! {word:<9}", style="yellow"), Text(plain(text)), sep="")
    _more(console, len(listed))


def _more(console: Console, count: int) -> None:
    if count > _MOST:
        console.print(Text(f"  … and {count - _MOST} more; --json shows all", style="dim"))
