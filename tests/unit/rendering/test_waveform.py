"""The outline of a sound is that of the sound."""

import wave

import numpy as np
import pytest

from storycore import Settings
from storycore.errors import InvalidInput
from storycore.observe.progress import Progress
from storycore.rendering.encoder import find
from storycore.rendering.waveform import outline


def written(path, samples):
    """A WAV of `(samples, channels) float -1..1` at 48 kHz."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(samples.shape[1])
        file.setsampwidth(2)
        file.setframerate(48_000)
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return path


def outlined(path, columns):
    return outline(find(Settings.read()), path, columns=columns, progress=Progress())


def test_each_stretch_tells_its_loudest_moment_whichever_channel_has_it(tmp_path):
    samples = np.zeros((48_000, 2))
    samples[12_000:24_000, 0] = 0.25
    samples[24_000:36_000, 1] = -0.5
    samples[40_000, 1] = 1.0
    assert outlined(written(tmp_path / "a.wav", samples), 4) == pytest.approx([0, 0.25, 0.5, 1.0], abs=0.002)


def test_a_sound_that_is_shorter_than_its_picture_is_told_as_it_is(tmp_path):
    assert outlined(written(tmp_path / "a.wav", np.full((1000, 1), 0.5)), 600) == pytest.approx([0.5] * 3, abs=0.002)


def test_what_is_no_sound_is_refused(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"#EXTM3U\nfile:///etc/passwd\n")
    with pytest.raises(InvalidInput):
        outlined(tmp_path / "a.wav", 10)
