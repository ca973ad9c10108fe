"""The fonts that come with StoryCore, so that a film looks the same wherever it is made."""

from pathlib import Path

import fontpkg_noto_sans

FAMILY = fontpkg_noto_sans.FAMILY
"""Name of the family: Noto Sans, which covers Latin, Greek, Cyrillic and Vietnamese."""

FOLDER = Path(fontpkg_noto_sans.ROOT) / "files"
"""Where its files are, upright and italic, each a variable font with a weight axis."""

UPRIGHT = FOLDER / "NotoSans[wdth,wght].ttf"
"""The upright font."""
