"""How a page of panels is divided: paper, columns, rows, sizes of pictures and letters. Pure."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

POINTS_PER_INCH = 72
POINTS_PER_MM = POINTS_PER_INCH / 25.4

Paper = Literal["a4", "letter"]
Orientation = Literal["landscape", "portrait"]

_PAPERS_MM = {"a4": (210.0, 297.0), "letter": (215.9, 279.4)}
_MARGIN_MM, _HEAD_MM, _FOOT_MM = 12.0, 17.0, 14.0
_TEXT_POINTS = (10.0, 9.5, 8.5, 7.5, 7.0, 6.5, 6.0, 5.5)
"""Size of letters by columns or rows, whichever are more."""
_SMALLEST_POINTS = 5.0
_SLACK_POINTS = 0.1
"""So that rows which fill a page do not miss it by a rounding."""
_LINES = 5
_MOST_TEXT = 0.45
_WIDTH_OF_LETTER = 0.62
"""Of a wide letter, as a share of its size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page, in points of 1/72 inch.

    Attributes:
        width: of the paper.
        height: of the paper.
        margin: left and right.
        head: above the panels.
        foot: below them.
    """

    width: float
    height: float
    margin: float
    head: float
    foot: float

    @property
    def content_width(self) -> float:
        """Between the margins."""
        return self.width - 2 * self.margin

    @property
    def content_height(self) -> float:
        """Between head and foot."""
        return self.height - self.head - self.foot


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Panels on a page, in points of 1/72 inch.

    Attributes:
        columns: 1-8.
        rows: 1-8, of a page where all words fit.
        gap: between panels.
        column_width: of one panel.
        row_height: of one panel.
        picture_width: at most `column_width`.
        picture_height: leaves room for words.
        text: size of letters.
        smallest: size that letters shrink to before a row grows.
        longest_word: letters of one word that fit into a column at `text`.
    """

    columns: int
    rows: int
    gap: float
    column_width: float
    row_height: float
    picture_width: float
    picture_height: float
    text: float
    smallest: float
    longest_word: int


def page(paper: Paper, orientation: Orientation) -> Page:
    """A page of a paper."""
    sides = [side * POINTS_PER_MM for side in _PAPERS_MM[paper]]
    width, height = sorted(sides, reverse=orientation == "landscape")
    return Page(
        width=width,
        height=height,
        margin=_MARGIN_MM * POINTS_PER_MM,
        head=_HEAD_MM * POINTS_PER_MM,
        foot=_FOOT_MM * POINTS_PER_MM,
    )


def grid(on: Page, columns: int, rows: int, aspect: Fraction, *, worded: bool) -> Grid:
    """Equal panels that fill a page.

    Args:
        on: the page.
        columns: 1-8.
        rows: 1-8.
        aspect: width of a picture by its height.
        worded: whether there is more to read than a line with the number of the shot.
    """
    dense = max(columns, rows)
    gap = 14.0 if dense <= 3 else 10.0 if dense <= 5 else 7.0
    text = _TEXT_POINTS[dense - 1]
    column_width = (on.content_width - gap * (columns - 1)) / columns
    row_height = (on.content_height - gap * (rows - 1)) / rows - _SLACK_POINTS
    heading = 2.2 * text
    reserve = min(heading + (1.35 * text * _LINES if worded else 0), max(heading, _MOST_TEXT * row_height))
    picture_height = min(column_width / float(aspect), row_height - reserve)
    return Grid(
        columns=columns,
        rows=rows,
        gap=gap,
        column_width=column_width,
        row_height=row_height,
        picture_width=picture_height * float(aspect),
        picture_height=picture_height,
        text=text,
        smallest=max(_SMALLEST_POINTS, 0.75 * text),
        longest_word=max(6, int(column_width / (text * _WIDTH_OF_LETTER))),
    )


def pixels(points: float, dpi: int) -> int:
    """Pixels of a length at a resolution, even, at least 16."""
    return max(16, round(points / POINTS_PER_INCH * dpi / 2) * 2)
