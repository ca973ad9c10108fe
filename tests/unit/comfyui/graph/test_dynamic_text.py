"""Texts with alternatives."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storycore.comfyui.graph.dynamic_text import has_choices, settle


@pytest.mark.parametrize(
    ("text", "settled"),
    [
        ("a car", "a car"),
        ("a {red|blue} car", "a red car"),
        ("a {red {light|dark}|blue} car", "a red light car"),
        ("{only}", "only"),
        ("open {a|b", "open a"),
        (r"\{a\|b\}", "{a|b}"),
        ("one // two\nthree", "one \nthree"),
        ("one /* two\n */three", "one three"),
        ("one /* two", "one /* two"),
        ("a } b | c", "a } b | c"),
        ("{{subject}} in {{ place }}", "{{subject}} in {{ place }}"),
        ("{a {{subject}}|b}", "a {{subject}}"),
    ],
)
def test_the_first_alternative_is_taken(text, settled):
    assert settle(text) == settled


def test_only_alternatives_make_a_difference():
    assert [has_choices(text) for text in ("{a|b}", "{a}", "a|b", "{{name}} | b")] == [True, False, False, False]


@settings(deadline=None)
@given(st.text("{}|\\/* \nab"))
def test_any_text_settles(text):
    assert len(settle(text)) <= len(text)


def test_a_long_text_settles_in_time_in_proportion():
    assert settle("{" * 300_000 + "/* " * 300_000) == "/* " * 300_000
