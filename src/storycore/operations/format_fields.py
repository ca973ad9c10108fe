"""Fields whose documentation depends on which formats there are; they are looked up only when a schema is made."""

import re
from typing import Any, ClassVar

from pydantic import GetJsonSchemaHandler
from pydantic_core import CoreSchema


def format_names() -> list[str]:
    """Every format there is."""
    from storycore.exports.formats.registry import names

    return names()


class FormatNames:
    """Annotation: one or several names of formats, in any case."""

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: CoreSchema, _handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Names with commas between, or a list of them."""
        from storycore.exports.formats.registry import names

        one = "|".join(_in_any_case(name) for name in names())
        text = {"type": "string", "pattern": f"^(?:{one})(?:,(?:{one}))*$"}
        return {"anyOf": [text, {"type": "array", "items": text, "minItems": 1}]}


class FormatOptions:
    """Annotation: options of formats, by name.

    Attributes:
        words: the options that are text, whatever is written there: a title may be 1984.
    """

    words: ClassVar[frozenset[str]] = frozenset(
        {
            *("ai_words", "caption_language", "dub_language", "footer", "header", "layout", "logo", "naming"),
            *("picture_naming", "start_timecode", "template", "text_language", "title", "watermark"),
        }
    )

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: CoreSchema, _handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Every option that any format knows."""
        from storycore.exports.formats.registry import find, names

        found: dict[str, Any] = {}
        for name in names():
            for option, facts in find(name).options.model_json_schema()["properties"].items():
                found.setdefault(option, facts)
        return {"type": "object", "properties": found, "additionalProperties": False}


def _in_any_case(name: str) -> str:
    return "".join(f"[{letter.upper()}{letter}]" if letter.isalpha() else re.escape(letter) for letter in name.lower())
