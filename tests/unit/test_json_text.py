"""JSON of strangers."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storycore.json_text import BadJson, read, read_strict, write

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(JSON)
def test_what_is_written_is_read_again(value):
    assert read_strict(write(value)) == value


@given(JSON)
def test_what_others_write_is_read(value):
    assert read(json.dumps(value).encode()).value == value


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ('{"a": NaN}', 1, 7),
        ('{"a":\n -Infinity}', 2, 2),
        ("[1,\n 1e999]", 2, 2),
        ('{"a": 1', 1, 8),
        ("", 1, 1),
        ('{"a": 1}}', 1, 9),
        ("[" * 65 + "]" * 65, 1, 65),
        ("[" + "9" * 5000 + "]", 1, 2),
    ],
)
def test_a_fault_is_told_with_its_place(text, line, column):
    with pytest.raises(BadJson) as fault:
        read(text)
    assert (fault.value.line, fault.value.column) == (line, column)


def test_bytes_that_are_not_utf8_are_told_with_their_place():
    with pytest.raises(BadJson, match=r"not UTF-8 \(line 2, column 3\)"):
        read(b'{\n "\xff": 1}')


def test_a_byte_order_mark_is_skipped():
    assert read(b'\xef\xbb\xbf{"a": 1}').value == {"a": 1}


def test_words_inside_strings_are_just_words():
    assert read_strict('["NaN, Infinity, 1e999, [[[[", "\\"NaN"]') == ["NaN, Infinity, 1e999, [[[[", '"NaN']


def test_of_two_equal_keys_the_last_wins_and_is_told():
    assert read('{"a": 1, "b": {"c": 1, "c": 2}, "a": 3}')[:2] == ({"a": 3, "b": {"c": 2}}, ("c", "a"))


def test_strict_reading_refuses_equal_keys():
    with pytest.raises(BadJson) as fault:
        read_strict('{"a": 1, "a": 2}')
    assert fault.value.duplicate == "a"


def test_half_a_surrogate_pair_is_repaired_or_refused():
    assert read('["\\ud800x"]')[::2] == (["\ufffdx"], 1)
    with pytest.raises(BadJson):
        read_strict('["\\ud800"]')


def test_depth_is_bounded_whatever_comes():
    with pytest.raises(BadJson, match="nested more than 64"):
        read("[" * 1_000_000)


@given(st.text() | st.binary())
def test_nothing_but_bad_json_is_ever_raised(data):
    try:
        read(data)
    except BadJson as fault:
        assert fault.line >= 1  # noqa: PT017 - most data raises, some does not
