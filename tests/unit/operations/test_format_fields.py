"""Which options of formats are text."""

from typing import get_args

from storycore.exports.formats.registry import find, names
from storycore.operations.format_fields import FormatOptions


def _takes_only_text(annotation: object) -> bool:
    parts = [part for part in get_args(annotation) if part is not type(None)] or [annotation]
    return all(part is str or get_args(part)[:1] == (str,) for part in parts)


def test_the_options_that_are_text_are_those_that_a_format_takes_only_text_for() -> None:
    """So that the command line can tell a title of four digits from a number without loading a format."""
    fields = [item for name in names() for item in find(name).options.model_fields.items()]
    text = {name for name, field in fields if _takes_only_text(field.annotation)}
    others = {name for name, field in fields if not _takes_only_text(field.annotation)}
    assert text == FormatOptions.words
    assert not text & others
