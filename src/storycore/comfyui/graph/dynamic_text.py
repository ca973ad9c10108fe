"""Texts with alternatives, `a {red|blue} car`, as ComfyUI's page resolves them when it sends a graph.

The page takes one at random; here it is always the first, so that the same workflow gives the same graph.
"""

import re

_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_ESCAPED = re.compile(r"\\([{}|])")


def settle(text: str) -> str:
    r"""The text with the first of each set of alternatives, without `/* */` and `//` comments.

    `\{`, `\|` and `\}` stand for themselves.
    """
    if not any(mark in text for mark in ("{", "\\", "//", "/*")):
        return text
    return _ESCAPED.sub(r"\1", _first_choices(_COMMENT.sub("", text)))


def has_choices(text: str) -> bool:
    """Whether another run of the page could give another text."""
    return "|" in _COMMENT.sub("", text) and "{" in text


def _first_choices(text: str) -> str:
    kept: list[str] = []
    keeping: list[bool] = []  # for each open brace, whether its first alternative is still read
    at = 0
    while at < len(text):
        letter = text[at]
        pair = text[at : at + 2] if letter == "\\" else letter
        at += len(pair)
        if letter == "{":
            keeping.append(True)
        elif letter == "}" and keeping:
            keeping.pop()
        elif letter == "|" and keeping:
            keeping[-1] = False
        elif all(keeping):
            kept.append(pair)
    return "".join(kept)
