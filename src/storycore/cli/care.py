"""Commands that look after an installation: config, doctor, backup, restore."""

import contextlib
import json
import os
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from storycore.cli.bar import follow
from storycore.cli.words import command, plain, show_error, show_json, told, typed
from storycore.library import StoryCore
from storycore.operations import envelope
from storycore.operations.backup import no_folder
from storycore.settings import Settings, files, sources
from storycore.units import human_bytes, now

if TYPE_CHECKING:
    from storycore.operations.backup import KeptCopy
    from storycore.operations.finding import Finding

_SETTINGS = {"help_option_names": ["-h", "--help"]}
_JSON = click.option("--json", "as_json", is_flag=True, help="Print the whole answer as JSON.")
_MARKS = {"fine": ("✓", "green"), "odd": ("!", "yellow"), "broken": ("✗", "red")}


@click.command("config", context_settings=_SETTINGS)
@_JSON
def config(as_json: bool) -> int:
    """Show every setting, and where it comes from."""
    return _answer(as_json, _config)


@click.command("doctor", context_settings=_SETTINGS)
@_JSON
def doctor(as_json: bool) -> int:
    """Say whether all is well, and what to do if not."""
    return _answer(as_json, _doctor)


@click.command("backup", context_settings=_SETTINGS)
@click.option(
    "-o", "--output", type=click.Path(), default=".", help="New file, or a folder that is there.  [default: here]"
)
@_JSON
def backup(output: str, as_json: bool) -> int:
    """Copy everything that StoryCore remembers into one file."""
    return _answer(
        as_json, lambda: _kept("Backed up", lambda core, listener: core.back_up(_target(output), progress=listener))
    )


def _target(output: str) -> Path:
    """A file, or a folder that is there; whoever writes a slash at the end means a folder."""
    if output.endswith(("/", os.sep)) and not Path(output).is_dir():
        raise no_folder(Path(output))
    return Path(output)


@click.command("restore", context_settings=_SETTINGS)
@click.argument("source", metavar="FILE", type=click.Path(path_type=Path))
@_JSON
def restore(source: Path, as_json: bool) -> int:
    """Fill an empty database from a backup."""
    return _answer(as_json, lambda: _kept("Restored", lambda core, listener: core.restore(source, progress=listener)))


class _Answer:
    """What a command found: as data, as words, and whether all is well."""

    def __init__(self, data: dict[str, Any], show: Callable[[], None], *, well: bool = True) -> None:
        self.data, self.show, self.well = data, show, well


def _answer(as_json: bool, work: Callable[[], _Answer]) -> int:
    """Exit code of a command; its answer or its error is shown."""
    started, request_id = time.monotonic(), uuid.uuid4().hex
    try:
        found = work()
    except BrokenPipeError:
        raise
    except (Exception, KeyboardInterrupt) as fault:  # noqa: BLE001 - people get words, never a traceback
        error = told(fault)
        if as_json:
            show_json(envelope.failure(error, envelope.metadata(request_id, now(), time.monotonic() - started)))
        else:
            show_error(error)
        return error.facts.exit_code
    if as_json:
        show_json(envelope.success(found.data, envelope.metadata(request_id, now(), time.monotonic() - started)))
    else:
        found.show()
    return 0 if found.well else 1


def _config() -> _Answer:
    values = Settings.read().shown()
    origins = {name: place for place, given in sources() for name in given}
    data = {
        "settings": {name: {"value": value, "origin": origins.get(name, "default")} for name, value in values.items()},
        "files": [_whole(path) for path in files()],
    }

    def show() -> None:
        from rich.console import Console

        from storycore.cli.tables import table, words

        shown = table("Setting", "Value", "From")
        for name, value in values.items():
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            shown.add_row(name, words(text), words(origins.get(name, "default")))
        Console(highlight=False, markup=False, emoji=False).print(shown)
        click.echo("\nAn argument overrules STORYCORE_<SETTING> in the environment, and that these files:")
        for path in reversed(files()):
            click.echo(f"  {plain(_whole(path))}{'' if path.is_file() else '  (not there)'}")

    return _Answer(data, show)


def _whole(path: Path) -> str:
    """A path from the root on; the current folder may be gone."""
    with contextlib.suppress(FileNotFoundError):
        path = path.absolute()
    return str(path)


def _doctor() -> _Answer:
    from storycore.operations.doctor import healthy

    with StoryCore() as core:
        findings = core.examine()

    def show() -> None:
        for finding in findings:
            _show_finding(finding)
        click.echo(_verdict(findings))

    data = [
        {"name": item.name, "state": item.state.value, "words": item.words, "remedy": item.remedy} for item in findings
    ]
    return _Answer({"healthy": healthy(findings), "findings": data}, show, well=healthy(findings))


def _show_finding(finding: "Finding") -> None:
    mark, colour = _MARKS[finding.state.value]
    click.echo(f"{click.style(mark, fg=colour)} {finding.name:<14} {plain(finding.words)}")
    if finding.remedy:
        click.echo(f"  {'':<14} → {plain(finding.remedy)}")


def _verdict(findings: "list[Finding]") -> str:
    """What it comes to, in one line."""
    broken, odd = (sum(it.state.value == state for it in findings) for state in ("broken", "odd"))
    if broken:
        return f"\n{broken} of {len(findings)} {'stands' if broken == 1 else 'stand'} in the way; → says what to do."
    return f"\nAll is well{f', {odd} to know of' if odd else ''}."


def _kept(done: str, work: "Callable[[StoryCore, Any], KeptCopy]") -> _Answer:
    with StoryCore() as core, follow(quiet=False) as listener:
        made = work(core, listener)
    data = {"path": str(made.path), "size_bytes": made.size_bytes, "rows": made.rows, "has_secret": made.has_secret}

    def show() -> None:
        click.echo(f"{click.style('✓', fg='green')} {done} {made.rows} rows, {human_bytes(made.size_bytes)}")
        click.echo(f"  file     {plain(typed(str(made.path)))}")
        if done == "Backed up":
            click.echo(f"Keep it where nobody else can read it. To use it: {command('restore', typed(str(made.path)))}")

    return _Answer(data, show)
