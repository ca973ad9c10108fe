"""Progress on stderr: a bar on a terminal, a line a step elsewhere, nothing when quiet."""

import contextlib
import os
import sys
from collections.abc import Callable, Iterator

import click

from storycore.observe.progress import Listener, Report
from storycore.units import human_bytes, human_seconds


@contextlib.contextmanager
def follow(*, quiet: bool) -> Iterator[Listener | None]:
    """A listener that shows progress while the block runs."""
    if quiet:
        yield None
    elif _is_terminal():
        with _bar() as listener:
            yield listener
    else:
        yield _lines()


def _is_terminal() -> bool:
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb" and not os.environ.get("CI")


def _lines() -> Listener:
    seen: list[str] = []

    def listen(report: Report) -> None:
        if report.step not in seen and report.step != "done" and not report.detail:
            seen.append(report.step)
            click.echo(f"{report.step} … {_amount(report)}".rstrip(), err=True)

    return listen


@contextlib.contextmanager
def _bar() -> Iterator[Listener]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    columns = (
        TextColumn("{task.description:<12}"),
        BarColumn(bar_width=28, complete_style="dark_orange", finished_style="green"),
        TaskProgressColumn(),
        TextColumn("{task.fields[rate]}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task("starting", total=1.0, rate="")
        rate = _rate()

        def listen(report: Report) -> None:
            told = f"{report.step}: {report.detail}" if report.detail else report.step
            shown.update(task, description=told, completed=report.fraction, rate=rate(report))

        yield listen


def _rate() -> Callable[[Report], str]:
    """What a step gets done in a second, and how long all will still take."""
    begun: dict[str, tuple[float, int]] = {}

    def tell(report: Report) -> str:
        start, done = begun.setdefault(report.step, (report.elapsed_seconds, report.done))
        spent = report.elapsed_seconds - start
        if spent < 0.5 or report.done == done:
            return _amount(report)
        speed = (report.done - done) / spent
        shown = human_bytes(round(speed)) if report.unit == "bytes" else f"{speed:.0f} {report.unit}"
        left = report.elapsed_seconds * (1 - report.fraction) / max(report.fraction, 0.001)
        return f"{shown}/s · {human_seconds(left)} left"

    return tell


def _amount(report: Report) -> str:
    if not report.total:
        return ""
    if report.unit == "bytes":
        return human_bytes(report.total)
    return f"{report.total} {report.unit.removesuffix('s') if report.total == 1 else report.unit}"
