"""Light without bounds, as a screen shows it."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from storycore.rendering.wide import is_wide, shown


def linear(value):
    """Light of an sRGB value of 0-255. Source: IEC 61966-2-1."""
    share = value / 255
    return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4


def test_what_a_screen_can_show_stays_as_it_is():
    values = np.arange(256)
    light = np.array([linear(value) for value in values], np.float32).reshape(16, 16, 1).repeat(3, axis=2)
    picture, bent = shown(light)
    assert not bent
    assert np.abs(picture[:, :, 0].ravel() / 257 - values).max() < 0.1


def test_highlights_are_bent_and_the_rest_is_left_alone():
    light = np.full((4, 4, 3), 0.2, np.float32)
    light[0, 0] = 40.0
    light[0, 1] = 2.0
    picture, bent = shown(light)
    plain, _ = shown(np.full((4, 4, 3), 0.2, np.float32))
    assert bent
    assert picture[3, 3].tolist() == plain[3, 3].tolist()
    assert plain[0, 0, 0] < picture[0, 1, 0] < picture[0, 0, 0] == 65535


def test_a_bright_colour_keeps_its_hue():
    light = np.zeros((1, 1, 3), np.float32)
    light[0, 0] = (8.0, 4.0, 2.0)
    picture, _ = shown(light)
    back = np.array([((value / 65535 + 0.055) / 1.055) ** 2.4 for value in picture[0, 0]])
    assert np.allclose(back / back[0], [1, 0.5, 0.25], atol=0.01)


@given(st.lists(st.floats(width=32), min_size=3, max_size=3))
def test_whatever_stands_in_a_file_becomes_a_picture(values):
    picture, _ = shown(np.array(values, np.float32).reshape(1, 1, 3))
    assert picture.shape == (1, 1, 3)


def test_such_files_are_told_by_their_first_bytes():
    assert is_wide(b"#?RADIANCE\n")
    assert is_wide(b"\x76\x2f\x31\x01rest")
    assert is_wide(b"8BPS\0\1")
    assert not is_wide(b"\x89PNG")
