"""Every command that the pages show is one that there is, with options that it takes."""

import re
import shlex
from itertools import starmap
from pathlib import Path

import click
import pytest

from storycore.__main__ import PROCESSES
from storycore.cli.command_line import CommandLine, Process

ROOT = Path(__file__).parents[2]
RECIPES = ROOT / "docs/recipes.md"  # its commands are those of what it adds; a test of its own types them
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted({*(ROOT / "docs").glob("*.md")} - {RECIPES})]
TYPED = re.compile(r"(?:[A-Z_]+=\S+ +)*storycore +(.+)")
NEXT = re.compile(r"&&|\|\||;|\s\|\s|\s[12]?>|\s&$")
"""Where a command ends, or its output goes elsewhere."""


def shown() -> list[tuple[str, str]]:
    """Name of the page, and what is typed after `storycore`."""
    return [
        (page.name, typed[1])
        for page in PAGES
        for block in re.findall(r"```(?:sh|console|bash)\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
        for line in block.replace("\\\n", " ").splitlines()
        for part in NEXT.split(re.sub(r"(^|\s)#.*", "", line))
        if (typed := TYPED.fullmatch(part.strip().removeprefix("$ ")))
    ]


def wrong_with(command_line: click.Group, text: str) -> str:
    """What click finds wrong with a command before it would run; "" for nothing."""
    words, command = shlex.split(text), command_line
    context = click.Context(command_line, info_name="storycore")
    try:
        while isinstance(command, click.Group):
            if words and words[0] in ("-h", "--help", "--version"):
                return ""
            name, command, words = command.resolve_command(context, words)
            context = click.Context(command, parent=context, info_name=name)
        if not {"-h", "--help"} & set(words):
            command.make_parser(context).parse_args(list(words))
    except click.UsageError as fault:
        return fault.format_message()
    return ""


@pytest.fixture(scope="module")
def command_line():
    return CommandLine(starmap(Process, PROCESSES))


def test_every_command_on_the_pages_can_be_typed(command_line):
    commands = shown()
    assert len(commands) > 80
    told = [(page, text, wrong_with(command_line, text)) for page, text in commands]
    assert [it for it in told if it[2]] == []


@pytest.mark.parametrize("text", ["export pakage film/", "export package film/ --colour red", "demo --serv 1"])
def test_a_command_that_there_is_not_would_be_found(command_line, text):
    assert wrong_with(command_line, text)
