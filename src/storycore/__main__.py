"""The program: the command line from the catalogue, and the processes that only this level may start."""

from storycore.cli.command_line import CommandLine, Process, start

PROCESSES = (
    Process(
        "serve", "storycore.processes:serve", "Answer by HTTP on this machine",
        ("storycore serve", "storycore serve --root ~/films --port 8765"),
    ),
    Process(
        "demo", "storycore.processes:demo", "Make a small film project, pack it, verify it and describe it",
        ("storycore demo", "storycore demo -o demo-film"),
    ),
)  # fmt: skip


def main() -> None:
    """Runs the command line and exits with its code."""
    start(CommandLine(PROCESSES))


if __name__ == "__main__":
    main()
