"""What is wrong with a value, in words for people: what is needed, instead of what a library found.

Source: https://docs.pydantic.dev/latest/errors/validation_errors/ for the kinds of faults and their facts.
"""

from collections.abc import Mapping
from typing import Any, Final

_TEXT, _WHOLE, _NUMBER = "text is needed", "a whole number is needed", "a number is needed"
_FLAG, _LIST, _OBJECT = "true or false is needed", "a list is needed", "an object is needed"
_PATH: Final = "a path is needed"
_INSTANT: Final = "an instant with its time zone is needed, like 2026-11-24T18:30:00Z"
_CHOICE: Final = "must be {expected}"

_WORDS: Final[Mapping[str, str]] = {
    "missing": "is needed",
    "none_required": "must be left out",
    "string_type": _TEXT,
    "string_sub_type": _TEXT,
    "string_unicode": "holds what is no character",
    "string_too_long": "must have at most {max_length} characters",
    "string_too_short": "must have at least {min_length} characters",
    "string_pattern_mismatch": "does not have the form {pattern}",
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_parsing_size": "is too large",
    "int_from_float": _WHOLE,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "decimal_type": _NUMBER,
    "decimal_parsing": _NUMBER,
    "finite_number": "NaN and infinity are no numbers here",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "multiple_of": "must be a multiple of {multiple_of}",
    "bool_type": _FLAG,
    "bool_parsing": _FLAG,
    "list_type": _LIST,
    "tuple_type": _LIST,
    "set_type": _LIST,
    "frozen_set_type": _LIST,
    "iterable_type": _LIST,
    "too_long": "must have at most {max_length} entries",
    "too_short": "must have at least {min_length} entries",
    "dict_type": _OBJECT,
    "mapping_type": _OBJECT,
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
    "dataclass_type": _OBJECT,
    "invalid_key": "has a name that is no text",
    "literal_error": _CHOICE,
    "enum": _CHOICE,
    "union_tag_invalid": "must be one of {expected_tags}",
    "union_tag_not_found": "does not say of which kind it is",
    "path_type": _PATH,
    "datetime_type": _INSTANT,
    "datetime_parsing": _INSTANT,
    "datetime_from_date_parsing": _INSTANT,
    "datetime_object_invalid": _INSTANT,
    "timezone_aware": _INSTANT,
    "extra_forbidden": "there is no such field",
    "recursion_loop": "holds itself",
    "recursion_depth_exceeded": "is nested too deeply",
}
_OURS: Final = frozenset({"value_error", "path_invalid"})


def explain(kind: str, facts: Mapping[str, Any], message: str) -> str:
    """What is needed, as half a sentence after the name of the value.

    Args:
        kind: pydantic's word for the fault.
        facts: that go with it, its `ctx`.
        message: pydantic's own words; they are ours where our own code refused the value.
    """
    if kind in _OURS:
        return message.removeprefix("Value error, ")
    if kind in ("too_short", "string_too_short") and facts.get("min_length") == 1:
        return "must not be empty"
    words = _WORDS.get(kind, "is not acceptable")
    return words.format_map({name: _plain(value) for name, value in facts.items()})


def _plain(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
