"""The program: the command line from the catalogue, and the processes that only this level may start."""

import gc

from storycore.cli.command_line import CommandLine, Process, start

PROCESSES = (
    Process(
        "serve", "storycore.processes:serve", "Answer by HTTP on this machine",
        ("storycore serve", "storycore serve --root ~/films --port 8765"),
    ),
    Process(
        "worker", "storycore.processes:worker", "Do tasks of the database, beside a server or on another machine",
        ("storycore worker", "storycore worker --root /mnt/films --workers 2"),
    ),
    Process(
        "config", "storycore.cli.care:config", "Show every setting, and where it comes from",
        ("storycore config", "storycore config --json"),
    ),
    Process(
        "doctor", "storycore.cli.care:doctor", "Say whether all is well, and what to do if not",
        ("storycore doctor", "storycore doctor --json"),
    ),
    Process(
        "backup", "storycore.cli.care:backup", "Copy everything that StoryCore remembers into one file",
        ("storycore backup", "storycore backup -o /mnt/safe/"),
    ),
    Process(
        "restore", "storycore.cli.care:restore", "Fill an empty database from a backup",
        (
            "storycore restore storycore-20261124T020135Z.backup",
            "STORYCORE_DATABASE_URL=postgresql://… storycore restore old.backup",
        ),
    ),
    Process(
        "webhook sink", "storycore.processes:webhook_sink",
        "Receive webhooks, to try them: verify, note, misbehave on request",
        (
            "storycore webhook sink --port 9000 --secret-file secret.txt --ledger ledger.jsonl",
            "storycore webhook sink --compare ledger.jsonl",
        ),
    ),
    Process(
        "webhook verify", "storycore.processes:webhook_verify", "Tell whether a message that came is genuine",
        ("storycore webhook verify body.json --headers headers.txt --secret-file secret.txt",),
    ),
    Process(
        "demo", "storycore.processes:demo", "Make a small film project, pack it, verify it and describe it",
        ("storycore demo", "storycore demo -o demo-film"),
    ),
)  # fmt: skip


def main() -> None:
    """Runs the command line and exits with its code."""
    # Commands hold many small facts and hardly any cycles: looking for those every 700 objects takes a tenth of the
    # time of a package of many files. A program that only imports StoryCore keeps its own habits.
    gc.set_threshold(100_000, 20, 100)
    start(CommandLine(PROCESSES))


if __name__ == "__main__":
    main()
