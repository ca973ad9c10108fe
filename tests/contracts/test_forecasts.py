"""What a forecast says of a limited mix, beside the limited mix as ffmpeg hears it."""

import numpy as np
import pytest

from fixtures.sounds import noise
from storycore.observe.progress import Progress
from storycore.rendering import encoder
from storycore.rendering.forecast import Forecast
from storycore.rendering.loudness import measure_loudness
from storycore.rendering.master import Goal, Mastering
from storycore.rendering.mix import Mix
from storycore.rendering.raw_sound import raw_input
from storycore.rendering.stem_file import StemFile
from storycore.settings import Settings

RATE = 48_000


def mix_of(sound, folder):
    path = folder / "mix.f32"
    with StemFile(path, samples=len(sound), channels=sound.shape[1]) as kept:
        kept.write(0, sound.astype(np.float32))
    ffmpeg = encoder.find(Settings.read())
    loudness = measure_loudness(ffmpeg, raw_input(path, sound.shape[1]), Progress())
    return ffmpeg, Mix(
        path=path, channels=sound.shape[1], samples=len(sound), loudness=loudness, stems={},
        stem_channels=sound.shape[1], unheard=(), odd=(),
    )  # fmt: skip


def drums(seconds=12.0, channels=2):
    hits = np.exp(-(np.arange(int(seconds * RATE)) / RATE % 0.5) * 14)[:, None]
    return noise(seconds=seconds, level=0.3 * (2 if channels < 6 else 6), channels=channels) * hits


@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize("quieter", [3.0, 6.0])
def test_a_mix_is_as_loud_as_was_forecast_however_much_is_limited(tmp_path, quieter, channels):
    ffmpeg, mix = mix_of(drums(channels=channels), tmp_path)
    target = mix.loudness.integrated_lufs - quieter
    ceiling = mix.loudness.true_peak_dbtp - quieter - 6
    with Mastering(mix, ffmpeg=ffmpeg, progress=Progress()) as mastering:
        master = mastering.master(Goal(loudness_lufs=target, ceiling_dbtp=ceiling))
        found = measure_loudness(ffmpeg, raw_input(master.path, channels), Progress())
    assert master.reduced_db > 5
    assert found.integrated_lufs == pytest.approx(target, abs=0.15)
    assert found.true_peak_dbtp <= ceiling + 0.1
    assert [path.name for path in tmp_path.glob("*.forecast")] == []


def test_without_a_limit_a_forecast_is_the_measured_loudness_and_the_gain(tmp_path):
    ffmpeg, mix = mix_of(drums(), tmp_path)
    with StemFile(mix.path, samples=mix.samples, channels=2, new=False) as source:
        forecast = Forecast(source, mix.loudness, 10.0, ffmpeg=ffmpeg, progress=Progress())
    assert forecast.loudness(6.0, float("inf")) == pytest.approx(mix.loudness.integrated_lufs + 6, abs=0.01)
    forecast.close()


def test_what_can_not_be_made_louder_comes_as_near_as_it_can(tmp_path):
    ffmpeg, mix = mix_of(drums(seconds=4.0), tmp_path)
    with Mastering(mix, ffmpeg=ffmpeg, progress=Progress()) as mastering:
        master = mastering.master(Goal(loudness_lufs=-5.0, ceiling_dbtp=-9.0))
    assert np.isfinite(master.gain_db)
    assert master.gain_db <= 40
