"""How ComfyUI servers, what they made, and takes of shots look on the terminal. Fits 80 columns."""

import sys
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

from storycore.cli.tables import table, words
from storycore.cli.words import command, plain, typed
from storycore.operations.batch import BatchItem, BatchResult
from storycore.operations.comfyui_servers import BackendEntry, BackendsResult, ConnectResult
from storycore.operations.generation import OutputEntry
from storycore.operations.take import PickResult
from storycore.operations.workflow import WorkflowResult
from storycore.units import human_bytes, human_seconds

_MOST: Final = 20
_STATES: Final = {
    "up": ("✓", "up", "green"), "down": ("✗", "down", "red"), "draining": ("○", "nothing new", "yellow"),
}  # fmt: skip


def show_connect(result: ConnectResult, console: Console) -> None:
    """Whether a server is connected, what it is, and what to do next."""
    name = f"{result.host}:{result.port}"
    if not result.connected:
        console.print(Text.assemble(("✗ not connected  ", "red"), words(name)))
        for line in (result.error_message, result.hint):
            if line:
                console.print(Text("  ") + words(line), soft_wrap=True)
        return
    console.print(Text.assemble(("✓ connected  ", "green"), words(f"ComfyUI {result.server_version} at {name}")))
    free = "" if not result.vram_free_bytes else f" · {human_bytes(result.vram_free_bytes)} free"
    _fact(console, "device", f"{', '.join(result.devices) or 'not told'}{free}")
    _fact(console, "queue", f"{result.queue_remaining} waiting or running")
    models = result.available_models
    more = f" and {len(models) - 5} more" if len(models) > 5 else ""
    _fact(console, "models", f"{', '.join(models[:5])}{more}" if models else "none found")
    _next(console, "comfyui", "check", "workflow.json")


def show_backends(result: BackendsResult, console: Console) -> None:
    """Servers, one a line; the reason below those that are down."""
    if not result.items:
        console.print(Text(f"No ComfyUI servers yet. The first one:  {command('comfyui', 'connect')}"))
        return
    shown = table("Server", "State", "Version", "Ours", "Queue", "Answers in", right=frozenset({"Ours", "Queue"}))
    for it in result.items:
        mark, word, style = _STATES[it.status]
        quick = "" if it.latency_ms is None else f"{it.latency_ms:.0f} ms"
        queue = "" if it.queue_remaining is None else str(it.queue_remaining)
        state = Text(f"{mark} {word}", style=style)
        shown.add_row(words(it.name), state, words(it.server_version), str(it.in_flight), queue, quick)
    console.print(shown)
    for it in result.items:
        _trouble(console, it)


def show_workflow(result: WorkflowResult, console: Console) -> None:
    """What a workflow made, and where it is."""
    took = human_seconds(result.execution_time_ms / 1000)
    console.print(Text.assemble(("✓ made  ", "green"), words(f"in {took} by {result.backend or 'a server'}")))
    _outputs(console, result.outputs)
    if result.blocked_nodes:
        console.print(
            Text("! blocked  ", style="yellow") + words(f"nodes {', '.join(result.blocked_nodes)} gave nothing")
        )
    for warning in result.warnings[:_MOST]:
        console.print(Text("! odd      ", style="yellow") + words(warning))
    _fact(console, "workflow", result.workflow_id)


def show_batch(result: BatchResult, console: Console) -> None:
    """The rows of a batch, and how to run again what failed."""
    shown = table("Row", "Shot", "State", "Seed", "Made", right=frozenset({"Row", "Seed"}))
    for item in result.items[: _MOST * 5]:
        shown.add_row(str(item.row), words(item.shot_id or ""), _state(item), str(item.seed or ""), _made(item))
    console.print(shown)
    style = "green" if not result.failed else "yellow"
    console.print(Text(f"{result.completed} made, {result.failed} failed", style=style))
    if result.failed:
        _next(console, *_without_again(sys.argv[1:]), "--again", result.task_id)


def show_pick(result: PickResult, console: Console) -> None:
    """The takes of a shot, and which one the film shows."""
    if not result.takes:
        console.print(
            Text("No takes of this shot yet. A workflow makes them:  ") + Text(command("comfyui", "workflow", "…"))
        )
        return
    for number, take in enumerate(result.takes, 1):
        newest = result.picked is None and number == len(result.takes)
        mark = "✓" if take.picked or newest else " "
        console.print(Text(f"{mark} {number:>3}  ", style="green" if mark == "✓" else "") + Text(plain(take.take_id)))
    chosen = "the newest take counts" if result.picked is None else "the marked take counts"
    console.print(Text(f"  {chosen}", style="dim"))


def _outputs(console: Console, outputs: list[OutputEntry]) -> None:
    for it in outputs[:_MOST]:
        where = f"{typed(it.path)}  ({it.kind}, {human_bytes(it.size_bytes)})"
        console.print(Text("  ") + Text(plain(where)), soft_wrap=True)
    if len(outputs) > _MOST:
        console.print(Text(f"  … and {len(outputs) - _MOST} more; --json shows all", style="dim"))


def _state(item: BatchItem) -> Text:
    if item.status == "completed":
        return Text("✓ made", style="green")
    return Text("✗ failed", style="red")


def _made(item: BatchItem) -> Text:
    if item.error is not None:
        return words(str(item.error.get("message", "")))
    return words(", ".join(Path(path).name for path in item.output_paths))


def _trouble(console: Console, it: BackendEntry) -> None:
    if it.error:
        console.print(Text("✗ ", style="red") + words(f"{it.name}: {it.error}"), soft_wrap=True)
    if it.quarantined_until:
        console.print(
            Text("! ", style="yellow")
            + words(f"{it.name} died under workflows; left alone until {it.quarantined_until}")
        )


def _fact(console: Console, name: str, value: str) -> None:
    console.print(Text.assemble((f"  {name:<9}", "dim"), words(value)), soft_wrap=True)


def _without_again(words: list[str]) -> list[str]:
    """The command as it was given, less the batch that it ran again."""
    for at, word in enumerate(words):
        if word == "--again":
            return words[:at] + words[at + 2 :]
        if word.startswith("--again="):
            return words[:at] + words[at + 1 :]
    return words


def _next(console: Console, *what: str) -> None:
    console.print(Text("Next: ", style="dim") + Text(command(*what)), soft_wrap=True)
