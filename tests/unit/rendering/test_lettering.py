"""Lines of letters of any script."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from storycore.rendering.lettering import Lettering, lines, typesetter

LOOK = Lettering(height=40, weight=500)


def drawn(line):
    image = Image.new("L", (round(line.width) + 80, 100))
    line.draw(ImageDraw.Draw(image), (image.width / 2, 50), 255)
    return np.asarray(image)


def test_words_go_to_the_next_line_where_they_leave_the_frame():
    assert [line.text for line in lines("one two three", LOOK, 160)] == ["one two", "three"]
    assert [line.text for line in lines("one\ntwo", LOOK, 1000)] == ["one", "two"]


def test_an_endless_word_is_cut():
    (line,) = lines("x" * 500, LOOK, 300)
    assert line.text.endswith("…")
    assert 250 < line.width <= 300


def test_chinese_breaks_between_characters_but_never_before_a_full_stop():
    found = lines("春の夜の夢。春の夜の夢。春の夜", LOOK, 205)
    assert [line.text for line in found] == ["春の夜の", "夢。春の夜", "の夢。春の", "夜"]


def test_korean_breaks_between_words():
    assert [line.text for line in lines("안녕하세요 세계", LOOK, 210)] == ["안녕하세요", "세계"]


@pytest.mark.parametrize("text", ["Grüße", "Привет", "مرحبا بك", "नमस्ते", "灯台の光", "안녕하세요", "שלום", "สวัสดี"])
def test_each_script_is_drawn_as_wide_as_it_was_measured(text):
    (line,) = lines(text, LOOK, 2000)
    columns = np.flatnonzero(drawn(line).max(axis=0))
    assert columns[0] >= 40 - 6
    assert columns[-1] <= 40 + line.width + 6
    assert columns[-1] - columns[0] > line.width * 0.8


@pytest.mark.skipif(typesetter() != "raqm", reason="letters are joined by raqm, which is not at hand")
def test_arabic_letters_join():
    (word,) = lines("سسس", LOOK, 2000)
    apart = lines("س", LOOK, 2000)[0].width * 3
    assert word.width < apart * 0.9
    rows = drawn(word)
    middle = np.flatnonzero(rows.max(axis=0))
    assert len(middle) == middle[-1] - middle[0] + 1, "no gap between them"


def test_a_line_that_reads_from_the_right_begins_there():
    (line,) = lines("א.", LOOK, 2000)
    assert "".join(text for _, text, _ in line.runs) in ("א.", ".א")
    image = drawn(line)
    left, right = np.flatnonzero(image.max(axis=0))[[0, -1]]
    stop = image[:, left : left + 6]
    assert stop[:55].max() == 0, "the full stop, which ends it, is on the left and low"
    assert image[:, right - 6 :][:50].max() > 0


def test_parts_of_several_scripts_stand_as_readers_of_both_expect():
    (line,) = lines("שלום abc 12", LOOK, 2000)
    assert [text.strip() for _, text, _ in line.runs if text.strip()][:1] == ["abc 12"]
