"""How projects look on the terminal: a card with the storyboard, and a list. Fits 80 columns.

All text of a project is a stranger's: it is shown as it is, never read as markup or control sequences.
"""

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table
from rich.text import Text

from storycore.cli.tables import words
from storycore.operations.project import InspectResult, ListEntry, ListResult, ShotEntry
from storycore.operations.request import WarningEntry
from storycore.units import human_seconds

_MOST = 8
_GLYPHS = {"cut": "│", "fade": "▼", "dissolve": "╳", "wipe": "▐", "slide": "⇥", "zoom": "◎", "blur": "░"}


def show_inspect(result: InspectResult, console: Console) -> None:
    """A project: what it is called, how long it is, its storyboard, and what needs a hand."""
    console.print(words(result.title, style="bold"))
    if result.logline:
        console.print(words(result.logline, style="italic"))
    for name, value in _facts(result):
        console.print(Text.assemble((f"  {name:<9}", "dim"), value))
    console.print()
    if result.shots:
        console.print(_storyboard(result.shots))
    else:
        console.print(
            words("No shots yet. A storyboard.json with shots beside project.json makes the first ones.", style="dim")
        )
    _missing(result, console)
    _warnings(result.warnings, console)


def show_list(result: ListResult, console: Console) -> None:
    """Projects, one a line; broken ones with the reason below."""
    if not result.items:
        console.print(words("No projects here. A folder is a project when it holds a project.json.", style="dim"))
        return
    table = Table(box=None, pad_edge=False, expand=False)
    table.add_column("Project", ratio=2, overflow="ellipsis", no_wrap=True, max_width=34)
    table.add_column("Shots", justify="right")
    table.add_column("Length", justify="right")
    table.add_column("Changed", no_wrap=True)
    table.add_column("State", no_wrap=True)
    for entry in result.items:
        changed = (entry.updated_at or "")[:10]
        if entry.error is None:
            table.add_row(
                words(entry.project_name),
                str(entry.shots),
                human_seconds(entry.duration_seconds),
                changed,
                _state(entry),
            )
        else:
            table.add_row(words(entry.project_name), "", "", "", _state(entry))
    console.print(table)
    for entry in result.items:
        if entry.error is not None:
            console.print(Text.assemble(("✗ ", "red"), words(f"{entry.project_name}: {entry.error}")))
    if result.next_cursor:
        console.print(words(f"There are more: --cursor {result.next_cursor}", style="dim"), soft_wrap=True)


def _facts(result: InspectResult) -> Iterable[tuple[str, Text]]:
    if result.title != result.project_name:
        yield "project", words(result.project_name)
    shots = "1 shot" if len(result.shots) == 1 else f"{len(result.shots)} shots"
    yield "length", Text(f"{result.duration} · {human_seconds(result.duration_seconds)} · {shots}")
    yield "picture", Text(f"{result.width} × {result.height} · {_rate(result.frame_rate)} frames a second")
    yield "story", words(_story(result))
    yield "sound", Text(f"{_count(result.audio_tracks, 'track')} · {_count(result.subtitles, 'subtitle')}")
    yield "quality", _verdict(result)
    version = result.schema_version or "no version written"
    yield "form", words(f"{result.shape.replace('_', ' ')} · {version}")


def _rate(frame_rate: str) -> str:
    above, _, below = frame_rate.partition("/")
    return f"{int(above) / int(below):.3f}" if below else above


def _story(result: InspectResult) -> str:
    people = ", ".join(result.characters[:4])
    more = len(result.characters) - 4
    people = f"{people} and {more} more" if more > 0 else people
    return f"{_count(result.scenes, 'scene')} · {people or 'no characters'}"


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _verdict(result: InspectResult) -> Text:
    if result.qa_score is None and result.qa_passed is None:
        return Text("not checked yet", style="dim")
    score = "no score" if result.qa_score is None else f"{result.qa_score * 100:.0f} of 100"
    if result.qa_passed is None:
        return Text(f"{score}, no verdict")
    mark, word, style = ("✓", "passed", "green") if result.qa_passed else ("✗", "not passed", "red")
    return Text.assemble((f"{mark} {word}", style), f", {score}")


def _storyboard(shots: list[ShotEntry]) -> Table:
    table = Table(box=None, pad_edge=False, expand=False)
    table.add_column("#", justify="right", style="dim", no_wrap=True)
    table.add_column("Shot", max_width=20, overflow="fold")
    table.add_column("Starts", no_wrap=True)
    table.add_column("Lasts", justify="right", no_wrap=True)
    table.add_column("Camera", max_width=8, overflow="ellipsis", no_wrap=True)
    table.add_column("Out", no_wrap=True)
    table.add_column("Picture", max_width=14, overflow="fold")
    for shot in shots:
        table.add_row(
            str(shot.number),
            _title(shot),
            shot.start,
            f"{shot.duration_seconds:.4g} s",
            words(shot.camera),
            _glyph(shot.transition),
            _picture(shot),
        )
    return table


def _title(shot: ShotEntry) -> Text:
    title = words(shot.title)
    for line in shot.dialogue[:3]:
        title += Text("\n") + words(f"“{line}”", style="italic dim")
    return title


def _glyph(transition: str) -> Text:
    word = transition.split("_", maxsplit=1)[0]
    return Text(f"{_GLYPHS.get(word, '│')} {word}")


def _picture(shot: ShotEntry) -> Text:
    if shot.media_source == "missing":
        return Text("! missing", style="yellow")
    return words(shot.shows)


def _missing(result: InspectResult, console: Console) -> None:
    for path in result.missing[:_MOST]:
        console.print(Text.assemble(("! missing  ", "yellow"), words(path)), soft_wrap=True)
    _more(len(result.missing), console)


def _warnings(warnings: list[WarningEntry], console: Console) -> None:
    listed = [warning for warning in warnings if warning.reason != "media_missing"]
    for warning in listed[:_MOST]:
        where = f"{warning.file}{warning.pointer}"
        text = f"{where}: {warning.message}" if where else warning.message
        console.print(Text.assemble(("! odd      ", "yellow"), words(text)))
    _more(len(listed), console)


def _more(count: int, console: Console) -> None:
    if count > _MOST:
        console.print(Text(f"  … and {count - _MOST} more; --json shows all", style="dim"))


def _state(entry: ListEntry) -> Text:
    if entry.error is not None:
        return Text("✗ can't be read", style="red")
    return Text(f"! {entry.warnings} odd", style="yellow") if entry.warnings else Text("✓ fine", style="green")
