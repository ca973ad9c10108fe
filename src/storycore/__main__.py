"""The program: the command line from the catalogue, and the processes that only this level may start."""

import atexit
import contextlib
import gc
import os
import signal
import sys
from itertools import starmap

PROCESSES = (
    (
        "serve", "storycore.processes:serve", "Answer by HTTP on this machine",
        ("storycore serve", "storycore serve --root ~/films --port 8765", "storycore serve --root ~/films --mcp"),
    ),
    (
        "worker", "storycore.processes:worker", "Do tasks of the database, beside a server or on another machine",
        ("storycore worker", "storycore worker --root /mnt/films --workers 2"),
    ),
    (
        "mcp", "storycore.processes:mcp", "Answer an agent over stdin and stdout (Model Context Protocol)",
        ("storycore mcp --root ~/films", "storycore mcp --root ~/films --read-only"),
    ),
    (
        "config", "storycore.cli.care:config", "Show every setting, and where it comes from",
        ("storycore config", "storycore config --json"),
    ),
    (
        "doctor", "storycore.cli.care:doctor", "Say whether all is well, and what to do if not",
        ("storycore doctor", "storycore doctor --json"),
    ),
    (
        "backup", "storycore.cli.care:backup", "Copy everything that StoryCore remembers into one file",
        ("storycore backup", "storycore backup -o /mnt/safe/"),
    ),
    (
        "restore", "storycore.cli.care:restore", "Fill an empty database from a backup",
        (
            "storycore restore storycore-20261124T020135Z.backup",
            "STORYCORE_DATABASE_URL=postgresql://… storycore restore old.backup",
        ),
    ),
    (
        "webhook sink", "storycore.processes:webhook_sink",
        "Receive webhooks, to try them: verify, note, misbehave on request",
        (
            "storycore webhook sink --port 9000 --secret-file secret.txt --ledger ledger.jsonl",
            "storycore webhook sink --compare ledger.jsonl",
        ),
    ),
    (
        "webhook verify", "storycore.processes:webhook_verify", "Tell whether a message that came is genuine",
        ("storycore webhook verify body.json --headers headers.txt --secret-file secret.txt",),
    ),
    (
        "demo", "storycore.processes:demo", "Make a small film project, pack it, verify it, render it and describe it",
        ("storycore demo", "storycore demo --serve", "storycore demo -o demo-film"),
    ),
)  # fmt: skip


def main() -> None:
    """Runs the command line and exits with its code; Ctrl-C before it is there ends the program without a word."""
    usual = signal.getsignal(signal.SIGINT)
    if usual is signal.default_int_handler:  # whoever started us may have wanted it to be ignored
        signal.signal(signal.SIGINT, lambda _number, _frame: os._exit(130))
    # Plugins of pydantic that others installed would see every request; only looking for them takes 15 ms.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    # Commands hold many small facts and hardly any cycles: looking for those every 700 objects takes a tenth of the
    # time of a package of many files, and modules alone are a hundred thousand. A program that only imports StoryCore
    # keeps its own habits.
    gc.set_threshold(300_000, 20, 100)
    from storycore.cli.command_line import CommandLine, Process, start

    command_line = CommandLine(starmap(Process, PROCESSES))
    signal.signal(signal.SIGINT, usual)
    start(command_line)


def program() -> None:
    """`main` as a process of its own, which ends without taking every module and fact apart.

    That takes a tenth of the time of a package of many files, and gives back what the system takes back anyhow.
    Threads are waited for and what others asked for at exit is done, as ever.
    """
    codes: list[int] = []
    atexit.register(_leave, codes)  # the first that is asked for is done last
    try:
        main()
    except SystemExit as end:
        codes.append(end.code if isinstance(end.code, int) else 0)
        raise


def _leave(codes: list[int]) -> None:
    if not codes:  # it broke, and the interpreter is to say how
        return
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # it may be closed, and that was told already
            stream.flush()
    os._exit(codes[0])


if __name__ == "__main__":
    program()
