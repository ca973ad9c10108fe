import numpy as np
import pytest

from storycore.rendering.ducking import DEPTH_DB, WINDOW, curve, ducked, levels

DOWN = 10 ** (-DEPTH_DB / 20)


def speech(*stretches, windows=600):
    """Levels in which somebody speaks in the stretches given, in windows."""
    told = np.zeros(windows)
    for begin, end in stretches:
        told[begin:end] = 0.2
    return told


def test_music_is_down_before_the_first_word_and_up_again_after_the_last():
    found = curve(speech((200, 300)))
    assert found[:180].tolist() == [1.0] * 180
    assert np.all(np.diff(found[180:200]) <= 0)
    assert found[200:350] == pytest.approx(np.full(150, DOWN))
    assert np.all(np.diff(found[350:420]) >= -1e-12)
    assert found[420:].tolist() == [1.0] * 180


def test_music_stays_down_over_short_pauses():
    assert curve(speech((200, 230), (260, 300)))[200:300] == pytest.approx(np.full(100, DOWN))


def test_without_speech_music_is_untouched():
    music = np.ones((4800, 2), np.float32)
    assert ducked(music, 0, curve(speech())) is music
    assert ducked(music, 0, np.ones(0)) is music


def test_whispers_below_the_noise_do_not_duck():
    assert curve(np.full(100, 10 ** (-60 / 20))).tolist() == [1.0] * 100


def test_parts_of_the_music_are_ducked_as_the_whole():
    by = curve(speech((20, 40), windows=100))
    music = np.random.default_rng(1).standard_normal((100 * WINDOW, 2)).astype(np.float32)
    whole = ducked(music, 0, by)
    parts = [ducked(music[first : first + 7000], first, by) for first in range(0, len(music), 7000)]
    assert np.concatenate(parts) == pytest.approx(whole, abs=1e-6)


def test_levels_are_those_of_the_loudest_channel():
    sound = np.zeros((WINDOW * 2 + 10, 2), np.float32)
    sound[WINDOW : 2 * WINDOW, 1] = 0.5
    assert levels(sound) == pytest.approx([0, 0.5, 0])
    assert len(levels(sound[:0])) == 0
