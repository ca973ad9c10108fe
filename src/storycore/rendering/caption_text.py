"""The words of captions, made harmless and broken into lines. Pure."""

import unicodedata
from collections.abc import Iterator

LINE_COLUMNS = 42
"""Most columns of a line; letters of East Asian scripts take two. Source: EBU-TT-D and the usual house styles."""

LINES = 2
"""Most lines that are shown at once."""

LONGEST = 20_000
"""Most letters of one line of dialogue that are looked at."""

_STEERING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff\u200b\u2060\u00ad")
_BRACES = str.maketrans("{}", "()")
_DROPPED = ("Cc", "Cs", "Co", "Cn")  # control characters, halves of letters, private and unassigned ones


def plain(text: str) -> str:
    """The words of a text, on one line, without characters that steer a player or reorder what follows.

    Braces become round brackets: many players take what stands in braces for a command, and no format can escape them.
    """
    kept = (
        " " if letter.isspace() else letter
        for letter in unicodedata.normalize("NFC", text[:LONGEST])
        if letter.isspace() or (unicodedata.category(letter) not in _DROPPED and letter not in _STEERING)
    )
    return " ".join("".join(kept).translate(_BRACES).split())


def columns(text: str) -> int:
    """How wide a text is."""
    return sum(_width(letter) for letter in text)


def pages(text: str) -> list[tuple[str, ...]]:
    """A plain text as what is shown at once, one after the other: lines of at most `LINE_COLUMNS`, even in length."""
    lines = _broken(text, LINE_COLUMNS)
    count = -(-len(lines) // LINES)
    found = [tuple(lines[number * LINES : (number + 1) * LINES]) for number in range(count)]
    return [_evened(page) for page in found]


def _evened(page: tuple[str, ...]) -> tuple[str, ...]:
    """Two lines of about the same length, the shorter one first where both are possible."""
    if len(page) != 2:
        return page
    whole = " ".join(page)
    words = whole.split(" ")
    splits = ((" ".join(words[:cut]), " ".join(words[cut:])) for cut in range(1, len(words)))
    fitting = [pair for pair in splits if max(map(columns, pair)) <= LINE_COLUMNS]
    return min(fitting, key=lambda pair: abs(columns(pair[0]) - columns(pair[1])), default=page)


def _broken(text: str, most: int) -> list[str]:
    lines: list[str] = []
    line = ""
    for word in text.split():
        for part in _parts(word, most):
            longer = f"{line} {part}" if line else part
            if columns(longer) <= most:
                line = longer
            else:
                lines.append(line)
                line = part
    return [*lines, line] if line else lines


def _parts(word: str, most: int) -> Iterator[str]:
    """A word in pieces that fit on a line; marks stay with their letters."""
    piece, width = "", 0
    for letter in word:
        wide = _width(letter)
        if width + wide > most and wide:
            yield piece
            piece, width = "", 0
        piece += letter
        width += wide
    if piece:
        yield piece


def _width(letter: str) -> int:
    if unicodedata.combining(letter) or unicodedata.category(letter) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in ("W", "F") else 1
