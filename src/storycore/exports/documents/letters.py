"""Words of strangers as they can be printed: no control characters, no letters without a shape, no endless words."""

import re
import unicodedata

_KEPT = frozenset("\n\u00ad\u200c\u200d")
"""A new line, and what joins and parts letters inside of a word."""
_BREAK = "\u200b"
_SPACES = re.compile(r"[^\S\n]+")
_WIDE = "\u1100-\u11ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef"
"""Scripts whose lines may break between any two letters."""


_MARKS = "\u0300-\u036f\u064b-\u065f\u0900-\u0903\u093a-\u094f\u200c\u200d"


class Letters:
    """Turns texts into what can be printed, and counts what was replaced."""

    def printable(self, text: str, *, longest_word: int = 60) -> str:
        """A text without what can't be printed, with places to break in words that are too long for a line.

        Args:
            text: of anybody.
            longest_word: letters that fit into a line.
        """
        clean = "".join(letter if letter in _KEPT else _clean(letter) for letter in text.replace("\r\n", "\n"))
        lines = (_SPACES.sub(" ", line).strip() for line in clean.split("\n"))
        return _broken("\n".join(lines).strip(), longest_word)


def _clean(letter: str) -> str:
    kind = unicodedata.category(letter)
    if kind in ("Cc", "Zl", "Zp"):
        return " "
    return "" if kind in ("Cf", "Cs", "Co", "Cn") else letter


def _broken(text: str, longest: int) -> str:
    endless = re.compile(rf"[^\s{_WIDE}]{{{longest + 1},}}")
    return endless.sub(lambda found: _BREAK.join(_parts(found[0], longest)), text)


def _parts(word: str, longest: int) -> list[str]:
    """A word in parts of a few letters, not torn between a letter and its marks."""
    size = max(1, longest // 3)
    return re.findall(rf"(?s)(?:.[{_MARKS}]*){{1,{size}}}", word)
