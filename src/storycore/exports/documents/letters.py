"""Words of strangers as they can be printed: no control characters, no letters without a shape, no endless words."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from storycore.project.model import ProjectWarning
from storycore.rendering import fonts

REPLACEMENT = "\ufffd"
"""Stands for a letter that no font has."""

_KEPT = frozenset("\n\u00ad\u200c\u200d")
"""A new line, and what joins and parts letters inside of a word."""
_BREAK = "\u200b"
_SPACES = re.compile(r"[^\S\n]+")
_WIDE = "\u1100-\u11ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef"
"""Scripts whose lines may break between any two letters."""
_MOST_TOLD = 12


class Letters:
    """Turns texts into what can be printed, and remembers what was replaced."""

    def __init__(self) -> None:
        self._replaced: dict[str, None] = {}

    def printable(self, text: str, *, longest_word: int = 60) -> str:
        """A text without what can't be printed, with places to break in words that are too long for a line.

        Args:
            text: of anybody.
            longest_word: letters that fit into a line.
        """
        shown = clean(text)
        for letter in fonts.missing(shown):
            shown = self._without(shown, letter)
        lines = (_SPACES.sub(" ", line).strip() for line in shown.split("\n"))
        return _broken("\n".join(lines).strip(), longest_word)

    def repaired(self, value: Any, refused: Sequence[str]) -> Any:
        """Plain data without letters that the typesetter refused, wherever they are in it."""
        if isinstance(value, str):
            for letters in refused:
                value = self._without(value, letters)
            return value
        if isinstance(value, Mapping):
            return {name: self.repaired(item, refused) for name, item in value.items()}
        return [self.repaired(item, refused) for item in value] if isinstance(value, (list, tuple)) else value

    @property
    def warnings(self) -> tuple[ProjectWarning, ...]:
        """What was replaced."""
        if not self._replaced:
            return ()
        names = [" ".join(f"U+{ord(letter):04X}" for letter in letters[:4]) for letters in self._replaced]
        told = ", ".join(names[:_MOST_TOLD]) + (", …" if len(names) > _MOST_TOLD else "")
        return (
            ProjectWarning(
                file="", pointer="", reason="text_repaired", message=f"Letters that no font has were replaced: {told}."
            ),
        )

    def _without(self, text: str, letters: str) -> str:
        if letters not in text:
            return text
        self._replaced[letters] = None
        return text.replace(letters, REPLACEMENT)


def clean(text: str) -> str:
    """A text without characters that have no shape but turn, hide or break what stands around them."""
    return "".join(letter if letter in _KEPT else _cleaned(letter) for letter in text.replace("\r\n", "\n"))


def _cleaned(letter: str) -> str:
    kind = unicodedata.category(letter)
    if kind in ("Cc", "Zl", "Zp"):
        return " "
    return "" if kind in ("Cf", "Cs") else letter


def _broken(text: str, longest: int) -> str:
    endless = re.compile(rf"[^\s{_WIDE}]{{{longest + 1},}}")
    return endless.sub(lambda found: _BREAK.join(_parts(found[0], longest)), text)


def _parts(word: str, longest: int) -> list[str]:
    """A word in parts of a few letters, not torn between a letter and its marks."""
    size = max(1, longest // 3)
    clusters = list(fonts.clusters(word))
    return ["".join(clusters[at : at + size]) for at in range(0, len(clusters), size)]
