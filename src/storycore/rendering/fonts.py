"""The fonts that come with StoryCore, so that a film looks the same wherever it is made, whatever script it speaks."""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import manimgx_fonts
import manimgx_fonts_cjk

from storycore.rendering.coverage import Coverage, read_coverage

FAMILY = "Noto Sans"
"""Name of the family: Noto Sans, which covers Latin, Greek, Cyrillic and Vietnamese."""

FOLDER = Path(manimgx_fonts.__file__).parent
"""Where the fonts of alphabets are, each a variable font with a weight axis."""

EAST_ASIAN_FOLDER = Path(manimgx_fonts_cjk.__file__).parent
"""Where the font of Chinese, Japanese and Korean is."""

PACKAGES = ("manimgx-fonts", "manimgx-fonts-cjk")
"""The packages that bring them; their versions decide how letters look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """One font in a file of fonts.

    Attributes:
        path: of the file.
        index: of the font in it.
    """

    path: Path
    index: int = 0

    @property
    def coverage(self) -> Coverage:
        """Which characters it has."""
        return _coverage(self)


UPRIGHT = Face(path=FOLDER / "NotoSans[wght].ttf")
"""The font that everything is set in that it has letters for."""

_EAST_ASIAN = {
    name: Face(path=EAST_ASIAN_FOLDER / "NotoSansCJK-VF.otf.ttc", index=index)
    for index, name in enumerate(("ja", "ko", "zh-Hans", "zh-Hant", "zh-HK"))
}
"""One font for each region: the same character is written differently in them."""

_LAST = ("Symbols", "Emoji")
"""Fonts of signs, asked after those of scripts."""


def runs(text: str, language: str = "") -> list[tuple[Face, str]]:
    """A text in parts, each with the font that it is to be set in; marks stay with their letters.

    Args:
        text: one line, or several.
        language: BCP 47 tag of the film, which decides about Chinese characters where the text itself does not.
    """
    found: list[tuple[Face, str]] = []
    faces = _order(_east_asian(text, language))
    for cluster in clusters(text):
        here = found[-1][0] if found else None
        face = _face(cluster, faces, here)
        if face == here:
            found[-1] = (face, found[-1][1] + cluster)
        else:
            found.append((face, cluster))
    return found


def missing(text: str) -> list[str]:
    """The characters of a text that no font has, each once; a box is drawn for them."""
    faces = _order(_EAST_ASIAN["ja"])
    seen = dict.fromkeys(letter for letter in text if not _unseen(letter))
    return [letter for letter in seen if not any(letter in face.coverage for face in faces)]


def clusters(text: str) -> Iterator[str]:
    """Letters with the marks, joiners and variation selectors that belong to them."""
    held = ""
    for letter in text:
        if held and (unicodedata.category(letter) in ("Mn", "Mc", "Me") or _unseen(letter) or held[-1] == "\u200d"):
            held += letter
            continue
        if held:
            yield held
        held = letter
    if held:
        yield held


def _face(cluster: str, faces: Sequence[Face], here: Face | None) -> Face:
    """The first font that has all of a cluster, else its first letter; spaces and signs stay where they are."""
    letters = [letter for letter in cluster if not _unseen(letter)]
    follows = not cluster[0].isalpha() and unicodedata.category(cluster[0]) not in ("Ps", "Pi")
    if here is not None and follows and not _of_signs(here) and all(letter in here.coverage for letter in letters):
        return here
    whole = (face for face in faces if all(letter in face.coverage for letter in letters))
    begun = (face for face in faces if cluster[0] in face.coverage)
    return next(whole, None) or next(begun, UPRIGHT)


def _of_signs(face: Face) -> bool:
    """Whether it is a font of signs, whose spaces and digits are not like others."""
    return any(name in face.path.name for name in _LAST)


def _unseen(letter: str) -> bool:
    """Whether a character has no shape of its own: control and format characters, variation selectors."""
    return unicodedata.category(letter) in ("Cc", "Cf") or "\ufe00" <= letter <= "\ufe0f" or letter == "\u2028"


@lru_cache(maxsize=8)
def _order(east_asian: Face) -> tuple[Face, ...]:
    """The fonts in the order in which they are asked."""
    upright = [path for path in sorted(FOLDER.glob("Noto*.ttf")) if "Italic" not in path.name and path != UPRIGHT.path]
    faces = [Face(path=path) for path in upright]
    scripts = [face for face in faces if not _of_signs(face)]
    signs = [face for last in _LAST for face in faces if last in face.path.name]
    return (UPRIGHT, *scripts, east_asian, *signs)


def _east_asian(text: str, language: str) -> Face:
    if any("\u3040" <= letter <= "\u30ff" for letter in text):
        return _EAST_ASIAN["ja"]
    if any("\uac00" <= letter <= "\ud7a3" or "\u1100" <= letter <= "\u11ff" for letter in text):
        return _EAST_ASIAN["ko"]
    if any("\u3100" <= letter <= "\u312f" for letter in text):
        return _EAST_ASIAN["zh-Hant"]
    tags = language.lower().split("-")
    if tags[0] in ("ja", "ko"):
        return _EAST_ASIAN[tags[0]]
    if "hk" in tags or "mo" in tags or tags[0] == "yue":
        return _EAST_ASIAN["zh-HK"]
    return _EAST_ASIAN["zh-Hant" if {"hant", "tw"} & set(tags) else "zh-Hans"]


@cache
def _coverage(face: Face) -> Coverage:
    return read_coverage(face.path, face.index)
