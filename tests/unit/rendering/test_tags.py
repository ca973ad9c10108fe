from hypothesis import given
from hypothesis import strategies as st

from storycore.rendering.tags import arguments, clean, three_letters


@given(st.text(max_size=300))
def test_a_tag_is_one_line_that_steers_nothing(text):
    found = clean(text)
    assert found == found.strip()
    assert not any(ord(letter) < 32 or letter in "\u202e\u2066\x7f" for letter in found)


def test_long_texts_are_cut_and_empty_tags_left_out():
    assert arguments({"title": "x" * 5000, "artist": " \n", "comment": "-y=;rm\n\0"}) == [
        "-metadata",
        "title=" + "x" * 1000,
        "-metadata",
        "comment=-y=;rm",
    ]


def test_languages_are_told_with_three_letters():
    assert arguments({}, language="fr-CA") == ["-metadata:s:a:0", "language=fra"]
    assert [three_letters(word) for word in ("en", "DE-at", "yue", "x", "")] == ["eng", "deu", "yue", "und", "und"]
