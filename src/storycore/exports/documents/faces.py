"""Which families of fonts the typesetter asks for letters, in which order."""

import re
from collections.abc import Sequence
from pathlib import Path

from storycore.rendering import fonts

FOLDERS = (fonts.FOLDER, fonts.EAST_ASIAN_FOLDER)
"""Where all fonts are."""

_REGIONS = ("SC", "TC", "HK", "JP", "KR")
_SIGNS = ("Noto Sans Symbols", "Noto Emoji")
_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")


def families(language: str) -> list[str]:
    """Every family, the likeliest first; Chinese characters look as they do where `language` is spoken.

    Args:
        language: BCP 47 tag.
    """
    names = sorted({_family(path) for path in fonts.FOLDER.glob("Noto*.ttf")})
    scripts = [name for name in names if name not in (fonts.FAMILY, *_SIGNS)]
    first = _region(language.lower().split("-"))
    east_asian = [f"Noto Sans CJK {region}" for region in sorted(_REGIONS, key=lambda it: it != first)]
    return [fonts.FAMILY, *scripts, *east_asian, *_SIGNS]


def _family(path: Path) -> str:
    return _WORDS.sub(" ", path.name.split("[")[0].split("-")[0])


def _region(tags: Sequence[str]) -> str:
    if tags[0] in ("ja", "ko"):
        return "JP" if tags[0] == "ja" else "KR"
    if "hk" in tags or "mo" in tags or tags[0] == "yue":
        return "HK"
    return "TC" if {"hant", "tw"} & set(tags) else "SC"
