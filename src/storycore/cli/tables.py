"""What results on the terminal are laid out with: tables without lines, and strangers' text made harmless."""

from typing import Literal

from rich.table import Table
from rich.text import Text

from storycore.cli.words import plain


def words(text: str, style: str = "") -> Text:
    """A stranger's text on one line, harmless for a terminal."""
    return Text(plain(" ".join(text.split())), style=style)


def table(*columns: str, right: frozenset[str] = frozenset(), whole: frozenset[str] = frozenset()) -> Table:
    """A table with these headings; those in `right` are for numbers, those in `whole` are never folded."""
    made = Table(box=None, pad_edge=False, expand=False)
    for column in columns:
        justify: Literal["left", "right"] = "right" if column in right else "left"
        made.add_column(column, justify=justify, overflow="fold", no_wrap=column in whole)
    return made


def instant(text: str | None) -> Text:
    """An instant to the minute, in UTC, as results tell it."""
    return Text("" if text is None else text[:16].replace("T", " "))


def next_page(cursor: str | None) -> Text | None:
    """How to see more of a list, if there is more."""
    return None if cursor is None else Text(f"There are more: --cursor {cursor}", style="dim")
