"""Words over a picture."""

import numpy as np

from storycore.rendering.frame import Frame
from storycore.rendering.layout import LAYOUTS
from storycore.rendering.lettering import Lettering, lines
from storycore.rendering.title import overlay, slate
from storycore.rendering.words import Words


def test_white_words_have_a_dark_edge_on_every_side_where_the_picture_is_white():
    layout = LAYOUTS["yuv420p"]
    frame = Frame.filled(layout, 320, 180, layout.white)
    overlay(Words(text="I", y=0.5, size=0.3, weight=600), layout, (320, 180)).draw(frame)
    dark = frame.planes[0] < 160
    letter = np.argwhere(dark)
    middle = frame.planes[0][90]
    assert dark.any()
    inside = (letter[:, 1].min() + letter[:, 1].max()) // 2
    assert middle[inside - 2] > 200, "the letter is white"
    assert dark[90, :inside].any(), "dark on its left"
    assert dark[90, inside:].any(), "dark on its right"
    assert dark[:90, inside - 2].any(), "dark above"


def test_timecode_stands_at_the_left_of_a_title_that_reads_from_the_right():
    look = Lettering(height=20, weight=500)
    (line,) = lines("00:00:05:12 12 שלום", look, 600, 0)
    assert line.runs[0][1].startswith("00:00:05:12")
    assert sorted(line.runs[-1][1]) == sorted("שלום")
    (by_itself,) = lines("00:00:05:12 12 שלום", look, 600)
    assert sorted(by_itself.runs[0][1].strip()) == sorted("שלום")


def test_a_slate_shows_letters_of_every_script():
    empty = slate("\u2003", [], (640, 360))
    for title in ("Grüße", "Маяк", "مرحبا", "नमस्ते", "灯台", "안녕하세요"):
        assert np.count_nonzero(slate(title, [], (640, 360)) != empty) > 1000, title
