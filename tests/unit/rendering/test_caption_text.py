import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storycore.rendering.caption_text import LINE_COLUMNS, LINES, columns, pages, plain


@given(st.text(max_size=400))
def test_lines_fit_and_no_word_is_lost(text):
    clean = plain(text)
    shown = pages(clean)
    assert all(len(page) <= LINES for page in shown)
    assert all(columns(line) <= LINE_COLUMNS for page in shown for line in page)
    assert "".join("".join(page) for page in shown).replace(" ", "") == clean.replace(" ", "")


@given(st.text(max_size=200))
def test_plain_words_hold_nothing_that_steers_a_player(text):
    clean = plain(text)
    assert not any(unicodedata.category(letter) in ("Cc", "Cs", "Co", "Cn") for letter in clean)
    assert not set(clean) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029")
    assert clean == clean.strip() == plain(clean)


def test_letters_of_other_scripts_stay():
    assert plain("Où est\u00a0l’été ?\r\n שלום\u200f مرحبا 你好 👩‍🚀") == "Où est l’été ? שלום\u200f مرحبا 你好 👩‍🚀"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("Then we use mine.", [("Then we use mine.",)]),
        (
            "Harbour, do you hear me? I can't see the light.",
            [("Harbour, do you hear me?", "I can't see the light.")],
        ),
    ],
)
def test_two_lines_are_of_about_the_same_length(text, expected):
    assert pages(text) == expected


def test_a_word_longer_than_a_line_is_broken_and_wide_letters_count_double():
    assert [columns(line) for page in pages("x" * 100) for line in page] == [42, 42, 16]
    assert [len(line) for page in pages("你" * 50) for line in page] == [21, 21, 8]


def test_marks_stay_with_their_letters():
    word = "e\u0323" * 60
    assert all(not unicodedata.combining(line[0]) for page in pages(word) for line in page)
