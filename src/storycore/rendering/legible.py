"""Whether everything that a film says can be read as it was written."""

from collections.abc import Iterator

from storycore.rendering import fonts
from storycore.rendering.lettering import unshaped
from storycore.rendering.words import clean

_MOST = 8


def odd_letters(text: str) -> Iterator[tuple[str, str]]:
    """Reason and message for what can't be written as it should be.

    Args:
        text: all that is written.
    """
    text = clean(text, longest=None)
    if unknown := fonts.missing(text):
        shown = " ".join(f"{letter} (U+{ord(letter):04X})" for letter in unknown[:_MOST])
        others = " and others" if len(unknown) > _MOST else ""
        yield "letters_missing", f"No font at hand has {shown}{others}; boxes stand for them."
    if unshaped(text):
        yield "letters_unshaped", "Letters stand apart that should join, since FriBidi is not installed here."
