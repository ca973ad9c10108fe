"""What stands in columns: JSON that every database keeps as it is."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import sqlite

from storycore.database.tables import Json

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def kept(value):
    """The text that is stored."""
    return Json().process_bind_param(value, sqlite.dialect())


def back(text):
    return Json().process_result_value(text, sqlite.dialect())


@given(values)
def test_what_is_kept_comes_back_the_same_and_is_ascii_meanwhile(value):
    text = kept(value)
    assert back(text) == value
    assert text is None or text.isascii()


@pytest.mark.parametrize("text", ["NaN", "Infinity", "half a pair \ud83d", "\0", "\u2028", "é 😀"])
def test_odd_texts_come_back_the_same(text):
    assert back(kept({"title": text, "list": [text]})) == {"title": text, "list": [text]}


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_numbers_that_json_does_not_have_are_refused(number):
    with pytest.raises(ValueError, match="JSON compliant"):
        kept({"files": [{"seconds": number}]})


def test_a_long_list_is_written_as_the_standard_library_writes_it():
    files = [{"path": f"d/{number}.json", "size_bytes": number, "sha256": "a" * 64} for number in range(1000)]
    assert kept(files) == json.dumps(files, separators=(",", ":"))
