"""Texts with alternatives, `a {red|blue} car`, as ComfyUI's page resolves them when it sends a graph.

The page takes one at random; here it is always the first, so that the same workflow gives the same graph.
"""

import re
from collections.abc import Iterator

PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z_][\w.-]{0,63})\s*\}\}")
"""`{{name}}`, which stands for a value that is given later."""

_ESCAPED = re.compile(r"\\([{}|])")
_COMMENT = re.compile(r"/\*|//[^\n]*")


def settle(text: str) -> str:
    r"""The text with the first of each set of alternatives, without `/* */` and `//` comments.

    `\{`, `\|` and `\}` stand for themselves, and so does `{{name}}`.
    """
    if not any(mark in text for mark in ("{", "\\", "//", "/*")):
        return text
    return _ESCAPED.sub(r"\1", "".join(_first_choices(_without_comments(text))))


def has_choices(text: str) -> bool:
    """Whether another run of the page could give another text."""
    return "|" in _without_comments(text) and "{" in PLACEHOLDER.sub("", text)


def _without_comments(text: str) -> str:
    kept: list[str] = []
    at, closes = 0, True
    for match in _COMMENT.finditer(text):
        if match.start() < at:
            continue
        end = match.end()
        if match[0] == "/*":
            closed = text.find("*/", end) if closes else -1
            if closed < 0:  # it is never closed, so it is no comment, and later ones are not either
                closes = False
                continue
            end = closed + 2
        kept.append(text[at : match.start()])
        at = end
    return "".join((*kept, text[at:]))


def _first_choices(text: str) -> Iterator[str]:
    """The parts that stand outside of braces or in a first alternative; an open brace goes to the end."""
    kept: list[bool] = []  # for each open brace, whether its first alternative is still read
    dropped = at = 0
    while at < len(text):
        letter = text[at]
        whole = PLACEHOLDER.match(text, at) if letter == "{" else None
        part = whole[0] if whole else text[at : at + 2] if letter == "\\" else letter
        at += len(part)
        if letter == "{" and whole is None:
            kept.append(True)
        elif letter == "}" and kept:
            dropped -= not kept.pop()
        elif letter == "|" and kept:
            dropped += kept[-1]
            kept[-1] = False
        elif not dropped:
            yield part
