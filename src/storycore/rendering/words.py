"""Words on the picture, as plain values. Pure."""

import unicodedata
from dataclasses import dataclass

_LONGEST = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Text at a place of the frame.

    Attributes:
        text: may have several lines.
        x: of its middle, 0.0 (left) - 1.0 (right).
        y: of its middle, 0.0 (top) - 1.0 (bottom).
        size: height of a line, as a share of the frame's height.
        colour: of the letters, as CSS writes it.
        ground: of a box behind them, "" for none.
        weight: 100-900.
        opacity: 0.0-1.0.
        margin: that is kept free to the edges, as a share of the frame's shorter side.
    """

    text: str
    x: float = 0.5
    y: float = 0.5
    size: float = 0.05
    colour: str = "white"
    ground: str = ""
    weight: int = 500
    opacity: float = 1.0
    margin: float = 0.0


def clean(text: str, *, longest: int | None = _LONGEST) -> str:
    """Text without control and direction characters, and not without end."""
    kept = (_kept(letter) for letter in text[:longest])
    return "\n".join(" ".join(line.split()) for line in "".join(kept).split("\n")).strip()


def _kept(letter: str) -> str:
    """A letter as it is drawn; joiners stay, since they shape Persian and Indian letters."""
    if letter in "\n\u200c\u200d":
        return letter
    return {"Cc": " ", "Cf": "", "Cs": " ", "Co": " "}.get(unicodedata.category(letter), letter)
