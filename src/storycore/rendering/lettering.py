"""Lines of letters of any script, measured and drawn: each part in a font that has it, in the order of its script.

Where libraqm is at hand it shapes letters as their script wants it; without it they stand one beside the other, which
is right for Latin, Greek, Cyrillic, Chinese, Japanese and Korean, and can hardly be read in Arabic or Devanagari.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from PIL import ImageDraw, ImageFont, features

from storycore.rendering import fonts
from storycore.rendering.bidi import base_level, levels, visual

_NOT_FIRST = frozenset("、。，．・：；？！）］｝」』】〉》〕ー々ゝゞぁぃぅぇぉっゃゅょァィゥェォッャュョ…‥%％")
"""What never begins a line. Source: JIS X 4051, and the same signs in GB/T 15834."""

_JOINING = (("\u0600", "\u08ff"), ("\u0900", "\u0dff"), ("\u1000", "\u109f"), ("\u1780", "\u17ff"))
"""Arabic and its kin, the scripts of India, Myanmar, Khmer."""

_NOT_LAST = frozenset("（［｛「『【〈《〔")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lettering:
    """How letters look.

    Attributes:
        height: of the font, in pixels.
        weight: 100-900, as far as a font has it.
        language: BCP 47 tag of the film.
    """

    height: int
    weight: int
    language: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line, ready to be drawn.

    Attributes:
        text: in the order in which it is read.
        runs: font, letters and direction of each part, from left to right.
        width: in pixels.
        rise: from the line's middle down to the baseline, in pixels.
    """

    text: str
    runs: tuple[tuple[ImageFont.FreeTypeFont, str, str], ...]
    width: float
    rise: float

    def draw(self, draw: ImageDraw.ImageDraw, middle: tuple[float, float], fill: Any, *, stroke: int = 0) -> None:
        """Draws it around a middle.

        Args:
            draw: onto what.
            middle: of the line, in pixels.
            fill: colour of the letters, and of what surrounds them.
            stroke: how many pixels are added around them.
        """
        x, y = middle[0] - self.width / 2, middle[1] + self.rise
        for font, text, direction in self.runs:
            told: dict[str, Any] = {"direction": direction} if direction else {}
            draw.text((x, y), text, font=font, fill=fill, anchor="ls", stroke_width=stroke, stroke_fill=fill, **told)
            x += _length(font, text, direction)


def lines(text: str, look: Lettering, width: float, level: int | None = None) -> Iterator[Line]:
    """A text broken into lines of at most a width, one after the other; a word that is longer is cut.

    Args:
        text: to be set.
        look: of its letters.
        width: in pixels.
        level: 0 for a text that begins at the left, 1 for one that begins at the right; as its first letter does if
            left out.
    """
    for paragraph in text.split("\n"):
        base = base_level(paragraph) if level is None else level
        for broken in _broken(paragraph, look, base, width):
            line = _line(broken, look, base)
            yield line if line.width <= width else _cut(broken, look, base, width)


def typesetter() -> str:
    """What lays out the letters: raqm, which knows every script, or basic, which does not."""
    return "raqm" if _shapes() else "basic"


def versions() -> str:
    """Of what lays out the letters, since it decides how they look."""
    return " ".join(f"{name} {features.version(name) or '-'}" for name in ("freetype2", "raqm", "fribidi", "harfbuzz"))


def unshaped(text: str) -> bool:
    """Whether a text has letters that join or move, and nothing here does that."""
    return not _shapes() and any(first <= letter <= last for letter in text for first, last in _JOINING)


def _broken(paragraph: str, look: Lettering, base: int, width: float) -> Iterator[str]:
    """The texts of lines. Parts are measured alone: what stands between them does not change how wide they are."""
    space = _width(" ", look, base)
    text, wide = "", 0.0
    for gap, part in _parts(paragraph):
        longer = _width(part, look, base) + (space if gap and text else 0)
        if text and wide + longer > width:
            yield text
            text, wide = part, _width(part, look, base)
        else:
            text, wide = f"{text}{gap}{part}" if text else part, wide + longer
    yield text


@lru_cache(maxsize=8192)
def _width(part: str, look: Lettering, base: int) -> float:
    return _line(part, look, base).width


def _parts(paragraph: str) -> list[tuple[str, str]]:
    """What may stand on a line of its own, with the gap before it: words, and letters of scripts without gaps."""
    found: list[tuple[str, str]] = []
    for word in paragraph.split(" "):
        gap = " "
        for cluster in fonts.clusters(word):
            if found and not gap and not _breaks(found[-1][1], cluster):
                found[-1] = (found[-1][0], found[-1][1] + cluster)
                continue
            found.append((gap, cluster))
            gap = ""
    return found


def _breaks(before: str, after: str) -> bool:
    """Whether a line may end between two letters that have no space between them."""
    if after[0] in _NOT_FIRST or before[-1] in _NOT_LAST:
        return False
    return _wide(before[-1]) or _wide(after[0])


def _wide(letter: str) -> bool:
    """Whether a letter is of Chinese or Japanese, which have no spaces; Korean has them."""
    return unicodedata.east_asian_width(letter) in ("W", "F") and not "\uac00" <= letter <= "\ud7a3"


def _cut(text: str, look: Lettering, base: int, width: float) -> Line:
    """A line that is one endless word, cut where it leaves the frame."""
    fits, too_long = 0, len(text)
    while too_long - fits > 1:
        middle = (fits + too_long) // 2
        fits, too_long = (middle, too_long) if _line(text[:middle] + "…", look, base).width <= width else (fits, middle)
    return _line(text[:fits] + "…", look, base)


def _line(text: str, look: Lettering, base: int) -> Line:
    main = _font(fonts.UPRIGHT, look.height, look.weight)
    up, down = main.getmetrics()
    runs = tuple(_runs(text, look, base))
    return Line(text=text, runs=runs, width=sum(_length(*run) for run in runs), rise=(up - down) / 2)


def _runs(text: str, look: Lettering, base: int) -> list[tuple[ImageFont.FreeTypeFont, str, str]]:
    """Parts of one font and one direction, from left to right."""
    found = levels(text, base)
    parts: list[tuple[fonts.Face, int, str]] = []
    place = 0
    for face, run in fonts.runs(text, look.language):
        for number, letter in enumerate(run):
            level = found[place + number]
            if number and parts[-1][1] == level:
                parts[-1] = (face, level, parts[-1][2] + letter)
            else:
                parts.append((face, level, letter))
        place += len(run)
    order = visual([level for _, level, _ in parts])
    return [_part(*parts[number], look) for number in order]


def _part(face: fonts.Face, level: int, text: str, look: Lettering) -> tuple[ImageFont.FreeTypeFont, str, str]:
    font = _font(face, look.height, look.weight)
    if _shapes():
        return font, text, "rtl" if level % 2 else "ltr"
    return font, "".join(reversed(list(fonts.clusters(text)))) if level % 2 else text, ""


@lru_cache(maxsize=4096)
def _length(font: ImageFont.FreeTypeFont, text: str, direction: str) -> float:
    return font.getlength(text, direction=direction) if direction else font.getlength(text)


@cache
def _shapes() -> bool:
    return bool(features.check("raqm"))


@lru_cache(maxsize=64)
def _font(face: fonts.Face, height: int, weight: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.truetype(str(face.path), height, index=face.index)
    axis = font.get_variation_axes()[0]
    font.set_variation_by_axes([min(axis["maximum"] or weight, max(axis["minimum"] or weight, weight))])
    return font
