"""Commands from the catalogue; what a command needs is loaded when that command is asked for."""

import atexit
import difflib
import os
import signal
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import click
from typing_extensions import override

from storycore import __version__
from storycore.errors import Reason
from storycore.loading import load
from storycore.operations.catalog import GROUPS, OPERATIONS, Operation

EXIT_CODES = """\b
Exit codes:
  0 done        1 failed or not valid   2 not acceptable    3 not found
  4 not allowed 5 conflict              6 dependency failed 7 too slow
  8 disk full   130 interrupted"""

_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class Process(NamedTuple):
    """A command that is not an operation: it starts something that runs.

    Attributes:
        name: the word, or several: `webhook sink`.
        command: `module:attribute` of its click command.
        summary: one line.
        examples: command lines that work.
    """

    name: str
    command: str
    summary: str
    examples: tuple[str, ...]

    @property
    def words(self) -> tuple[str, ...]:
        """How it is said."""
        return tuple(self.name.split())


class _Lazy(click.Command):
    """A command of which only the name and summary are known yet."""

    def __init__(self, name: str, summary: str) -> None:
        super().__init__(name, short_help=summary)


class _Words(click.Group):
    """A group whose commands are the operations and processes that begin with its words."""

    def __init__(self, prefix: tuple[str, ...], summary: str, processes: Iterable[Process] = ()) -> None:
        super().__init__(name=prefix[-1] if prefix else "storycore", help=summary, context_settings=_SETTINGS)
        self.prefix = prefix
        self.processes = tuple(processes)

    def below(self) -> dict[str, list[Operation]]:
        """The next words, each with the operations that go on with it."""
        found: dict[str, list[Operation]] = {}
        depth = len(self.prefix)
        for operation in OPERATIONS:
            if operation.words[:depth] == self.prefix and len(operation.words) > depth:
                found.setdefault(operation.words[depth], []).append(operation)
        return found

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        depth = len(self.prefix)
        own = [it.words[-1] for it in self.processes if it.words[:-1] == self.prefix and len(it.words) == depth + 1]
        return [*self.below(), *own]

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        process = next((it for it in self.processes if it.words == (*self.prefix, cmd_name)), None)
        if process is not None:
            return _command_of(process, ctx)
        found = self.below().get(cmd_name)
        if not found:
            return None
        words = (*self.prefix, cmd_name)
        if found[0].words != words:
            return _Words(words, GROUPS[cmd_name], self.processes)
        if _only_listing(ctx):
            return _Lazy(cmd_name, found[0].summary)
        command: click.Command = load("storycore.cli.operation_command:build")(found[0])
        return command

    @override
    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as fault:
            near = difflib.get_close_matches(args[0], self.list_commands(ctx), n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise click.UsageError(fault.format_message() + hint, ctx) from None

    @override
    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except click.UsageError as fault:
            if fault.ctx is None and ctx.invoked_subcommand:  # as of an option that lacks its value
                fault.ctx = click.Context(self, info_name=ctx.invoked_subcommand, parent=ctx)
            raise

    @override
    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        ctx.meta["storycore.listing"] = True
        super().format_commands(ctx, formatter)


def _command_of(process: Process, ctx: click.Context) -> click.Command:
    if _only_listing(ctx):
        return _Lazy(process.words[-1], process.summary)
    command: click.Command = load(process.command)
    command.help = with_examples(process.summary, process.examples)
    return command


def _only_listing(ctx: click.Context) -> bool:
    return bool(ctx.resilient_parsing or ctx.meta.get("storycore.listing"))


class CommandLine(_Words):
    """The whole command line.

    Args:
        processes: commands beside the operations.
    """

    def __init__(self, processes: Iterable[Process]) -> None:
        super().__init__((), "Pack, verify and describe film projects made with generative AI.", processes)
        self.epilog = EXIT_CODES
        self.params.append(
            click.Option(
                ["--version"], is_flag=True, expose_value=False, is_eager=True, callback=_show_version,
                help="Show the version and exit.",
            )
        )  # fmt: skip

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*super().list_commands(ctx), "completion"]

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name == "completion":
            return _completion
        return super().get_command(ctx, cmd_name)


def with_examples(summary: str, examples: Iterable[str]) -> str:
    """Help text of a command: examples first, they say most."""
    lines = "\n".join(f"  {example}" for example in examples)
    return f"{summary}.\n\n\b\nExamples:\n{lines}"


def start(command_line: click.Command) -> None:
    """Runs a command line with the arguments of this process and exits; usage faults exit with 2."""
    _keep_utf8()
    try:
        code = command_line.main(standalone_mode=False, prog_name="storycore")
    except click.exceptions.NoArgsIsHelpError as fault:
        click.echo(fault.format_message(), err=False)
        code = 0
    except click.UsageError as fault:
        code = _usage_fault(fault)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        code = 130
    except BrokenPipeError:
        code = 1
    except OSError as fault:
        click.echo(f"✗ The output can't be written: {fault.strerror}.", err=True)
        code = 8
    _settle_stdout()
    code = code if isinstance(code, int) else 0
    _end_quietly(code)
    sys.exit(code)


def _usage_fault(fault: click.UsageError) -> int:
    if "--json" in sys.argv[1:]:
        from storycore.cli.words import show_usage_json

        if isinstance(fault, click.MissingParameter) and fault.param:
            show_usage_json(fault.format_message(), Reason.MISSING_FIELD, {"missing_fields": [fault.param.name]})
        else:
            show_usage_json(fault.format_message(), Reason.UNKNOWN_FIELD)
    else:
        where = fault.ctx.command_path if fault.ctx else "storycore"
        click.echo(f"✗ {fault.format_message()}\n  See `{where} --help`.", err=True)
    return 2


def _keep_utf8() -> None:
    sys.stdout = sys.stdout or _nowhere()  # whoever started us may have closed them
    sys.stderr = sys.stderr or _nowhere()
    for stream in (sys.stdout, sys.stderr):
        reconfigure: Any = getattr(stream, "reconfigure", None)
        if reconfigure:  # Windows consoles and pipes may have another encoding
            reconfigure(encoding="utf-8", errors="backslashreplace")


def _nowhere() -> TextIO:
    return Path(os.devnull).open("w", encoding="utf-8")


def _settle_stdout() -> None:
    """Keeps the interpreter from complaining at exit when our output can't be written; that was told already."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _end_quietly(code: int) -> None:
    """All is said and done: Ctrl-C while the interpreter tidies up changes neither the code nor adds a traceback."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, lambda _number, _frame: os._exit(code))  # it may wait for threads
        atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)  # and then takes the handler away


def _show_version(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        click.echo(f"storycore {__version__}")
        ctx.exit(0)


@click.command("completion", short_help="Print the completion script of a shell")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def _completion(shell: str) -> None:
    """Print the completion script of a shell.

    \b
    Examples:
      storycore completion bash > ~/.local/share/bash-completion/completions/storycore
      storycore completion zsh > "${fpath[1]}/_storycore"
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"There is no completion for {shell}.")
    click.echo(kind(CommandLine(()), {}, "storycore", "_STORYCORE_COMPLETE").source())
