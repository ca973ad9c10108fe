"""The order of letters where scripts of both directions meet, judged by the Unicode consortium's rules elsewhere."""

import pytest
from bidi import get_base_level, get_display
from hypothesis import given
from hypothesis import strategies as st

from storycore.rendering.bidi import base_level, levels, visual

LETTERS = st.sampled_from("abcÄя漢あ한אבגمرحبا٠١٢123 ,.:;!?%€+-/()[]{}\"'…—")


def shown(text):
    """Letters from left to right."""
    found = levels(text, base_level(text))
    return "".join(text[place] for place in visual(found))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("abc", "abc"),
        ("שלום", "םולש"),
        ("abc שלום def", "abc םולש def"),
        ("שלום abc", "abc םולש"),
        ("שלום 12", "12 םולש"),
        ("", ""),
    ],
)
def test_letters_stand_in_the_order_of_their_script(text, expected):
    assert shown(text) == expected


@given(st.text(LETTERS, min_size=1, max_size=30))
def test_the_order_is_that_of_another_reader_of_the_same_rules(text):
    assert base_level(text) == get_base_level(text)
    assert shown(text) == get_display(text)
