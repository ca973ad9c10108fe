"""What is heard in a mix: real files through the real decoder, measured in its samples."""

import hashlib
import shutil
import tracemalloc
from fractions import Fraction

import numpy as np
import pytest

from fixtures.media_files import film_bytes
from fixtures.sounds import RATE, level_db, make_sound_project, mix_of, noise, raw, save, tone, track
from storycore.rendering.sounds import Stem


@pytest.fixture
def project(tmp_path):
    return tmp_path / "film"


def heard(folder, tmp_path, **how):
    return mix_of(folder, tmp_path / "work", **how)[0]


@pytest.mark.parametrize("fps", [23.976, 24, 25, 29.97, 30, 60])
def test_a_mix_is_as_long_as_the_picture_to_the_sample(project, tmp_path, fps):
    save(project / "a.wav", tone(seconds=9))
    make_sound_project(project, {"duration": 1.37, "audioTracks": [track("a.wav")]}, {"duration": 0.9}, fps=fps)
    sound, mix = mix_of(project, tmp_path / "work")
    frames = round((1.37 + 0.9) * {23.976: 24000 / 1001, 29.97: 30000 / 1001}.get(fps, fps))
    rate = {23.976: Fraction(24000, 1001), 29.97: Fraction(30000, 1001)}.get(fps, Fraction(fps))
    assert len(sound) == mix.samples == round(frames / rate * RATE)
    assert level_db(sound[-4800:-480]) > -20, "the tone is heard to the end"


@pytest.mark.parametrize(
    ("pan", "left", "right"), [(-100, 0, -200), (100, -200, 0), (0, -3.01, -3.01), (50, -8.34, -0.69)]
)
def test_pan_moves_a_sound_with_equal_power(project, tmp_path, pan, left, right):
    save(project / "a.wav", tone(seconds=2))
    make_sound_project(project, {"audioTracks": [track("a.wav", pan=pan)]})
    sound = heard(project, tmp_path)
    found = [max(-200, level_db(sound[9600:86_400, side]) - level_db(tone(seconds=1))) for side in (0, 1)]
    assert found == pytest.approx([left, right], abs=90 if -200 in (left, right) else 0.05)
    assert (found[0] > found[1]) == (pan < 0) or pan == 0


def test_volume_is_a_share_of_the_amplitude(project, tmp_path):
    save(project / "a.wav", tone(seconds=2, channels=2))
    make_sound_project(project, {"audioTracks": [track("a.wav", volume=50)]})
    assert level_db(heard(project, tmp_path)) == pytest.approx(level_db(tone(seconds=2)) - 6.02, abs=0.05)


def test_fades_are_linear_and_end_where_the_sound_ends(project, tmp_path):
    save(project / "a.wav", np.ones((RATE, 2), np.float32) * 0.5)
    make_sound_project(project, {"audioTracks": [track("a.wav", fadeIn=0.5, fadeOut=0.25, startTime=0.5)]})
    sound = heard(project, tmp_path)[:, 0]
    at = {0.49: 0, 0.6: 0.1, 0.75: 0.25, 1.1: 0.5, 1.375: 0.25, 1.45: 0.1, 1.6: 0}
    assert [float(sound[round(second * RATE)]) for second in at] == pytest.approx(list(at.values()), abs=0.002)


def test_a_sound_stands_where_it_was_put_to_the_sample(project, tmp_path):
    click = np.zeros((4800, 2), np.float32)
    click[1000] = 0.8
    save(project / "a.wav", click)
    make_sound_project(project, {"duration": 1}, {"audioTracks": [track("a.wav", startTime=0.25)]})
    assert int(np.argmax(np.abs(heard(project, tmp_path)[:, 0]))) == RATE + RATE // 4 + 1000


def test_trim_takes_the_part_that_is_asked_for(project, tmp_path):
    save(project / "a.wav", np.concatenate((tone(seconds=1, level=0.1), tone(seconds=1, level=0.8))))
    make_sound_project(project, {"audioTracks": [track("a.wav", offset=0.9, duration=0.2)]})
    sound = heard(project, tmp_path)
    assert level_db(sound[:4700]) < level_db(sound[4900:9500]) - 15
    assert np.abs(sound[9600:]).max() == 0


def test_music_ducks_under_speech_and_comes_back(project, tmp_path):
    save(project / "music.wav", tone(seconds=8, hz=200, channels=2))
    save(project / "voice.wav", tone(seconds=1.5, hz=3000))
    shot = {
        "duration": 8,
        "audioTracks": [track("music.wav", "music"), track("voice.wav", "voiceover", startTime=3, pan=-100)],
    }
    make_sound_project(project, shot)
    _, mix = mix_of(project, tmp_path / "work")
    music = raw(mix.stems[Stem.MUSIC], 2)
    levels = [level_db(music[round(at * RATE) : round((at + 0.2) * RATE)]) for at in (1, 3.3, 4.4, 6.5)]
    whole = level_db(tone(seconds=1, hz=200))
    assert levels == pytest.approx([whole, whole - 12, whole - 12, whole], abs=0.1)


def test_sounds_of_clips_cross_with_the_picture_without_a_dip(project, tmp_path):
    for name, seed in (("a", 1), ("b", 2)):
        save(project / f"{name}.wav", noise(seconds=2, seed=seed))
    whole = {"duration": 2, "startTime": 0}
    make_sound_project(
        project,
        {"audioTracks": [track("a.wav", "ambient", **whole)], "transitionOut": {"type": "dissolve", "duration": 1}},
        {"audioTracks": [track("b.wav", "ambient", **whole)]},
    )
    sound = heard(project, tmp_path)
    assert len(sound) == 3 * RATE
    levels = [level_db(sound[at : at + RATE // 4]) for at in range(RATE // 2, 2 * RATE + RATE // 4, RATE // 4)]
    assert max(levels) - min(levels) < 0.3


def test_a_clip_is_heard_with_its_shot_and_one_without_sound_is_silent(project, tmp_path):
    project.mkdir()
    (project / "loud.mov").write_bytes(film_bytes("mov", video="mpeg4", audio="pcm_s16le", frames=48))
    (project / "mute.mp4").write_bytes(film_bytes("mp4", video="mpeg4", frames=48))
    make_sound_project(project, {"media_path": "loud.mov"}, {"media_path": "mute.mp4"})
    _, mix = mix_of(project, tmp_path / "work")
    assert (list(mix.stems), mix.warnings) == ([Stem.SFX], ())


def test_stems_are_as_long_as_the_film_and_add_up_to_the_mix(project, tmp_path):
    kinds = ("dialogue", "sfx", "ambient", "music")
    for number, kind in enumerate(kinds):
        save(project / f"{kind}.wav", noise(seconds=1, seed=number))
    make_sound_project(project, {"audioTracks": [track(f"{kind}.wav", kind, startTime=0.3) for kind in kinds]})
    sound, mix = mix_of(project, tmp_path / "work")
    stems = [raw(path, 2) for path in mix.stems.values()]
    assert [len(stem) for stem in stems] == [len(sound)] * 4
    assert np.array_equal(stems[0] + stems[1] + stems[2] + stems[3], sound)


@pytest.mark.parametrize("channels", [1, 2, 6, 8])
def test_a_mix_has_the_channels_that_are_asked_for(project, tmp_path, channels):
    save(project / "voice.wav", tone(seconds=1))
    make_sound_project(project, {"duration": 1, "audioTracks": [track("voice.wav", "dialogue")]})
    sound = heard(project, tmp_path, channels=channels)
    loud = [round(level_db(sound[4800:, channel]) - level_db(tone(seconds=1)), 1) for channel in range(channels)]
    expected = {1: [-3.0], 2: [-3.0, -3.0]}
    assert loud == pytest.approx(expected.get(channels, loud), abs=0.1)
    if channels > 2:
        assert [channel for channel, level in enumerate(loud) if level > -1] == [2], "speech comes from the centre"


def test_a_surround_file_keeps_its_channels_and_becomes_stereo_in_a_stereo_film(project, tmp_path):
    six = np.zeros((RATE, 6), np.float32)
    six[:, 4] = tone(seconds=1)[:, 0]
    save(project / "six.wav", six)
    make_sound_project(project, {"duration": 1, "audioTracks": [track("six.wav")]})
    surround = heard(project, tmp_path, channels=6)
    assert [channel for channel in range(6) if level_db(surround[:, channel]) > -40] == [4]
    stereo, _ = mix_of(project, tmp_path / "stereo")
    assert level_db(stereo[:, 0]) > -20 > level_db(stereo[:, 1])


@pytest.mark.parametrize("rate", [8000, 22_050, 44_100, 96_000])
def test_other_rates_are_resampled_without_drift(project, tmp_path, rate):
    save(project / "a.wav", tone(seconds=2, rate=rate, channels=2), rate=rate)
    make_sound_project(project, {"audioTracks": [track("a.wav")]})
    sound = heard(project, tmp_path)
    assert np.max(np.abs(sound[4800:-4800] - tone(seconds=2, channels=2)[4800:-4800])) < 0.002


def test_the_same_project_gives_the_same_bytes(project, tmp_path):
    save(project / "a.wav", noise(seconds=2), rate=44_100)
    make_sound_project(project, {"audioTracks": [track("a.wav", "music", fadeOut=1), track("a.wav", "dialogue")]})
    digests = {
        hashlib.sha256(mix_of(project, tmp_path / name)[1].path.read_bytes()).hexdigest() for name in ("one", "two")
    }
    assert len(digests) == 1


def test_a_range_of_the_film_is_a_part_of_its_mix(project, tmp_path):
    save(project / "a.wav", tone(seconds=4, channels=2))
    make_sound_project(project, {"duration": 4, "audioTracks": [track("a.wav", fadeIn=3)]})
    whole = heard(project, tmp_path)
    part, _ = mix_of(project, tmp_path / "part", time_range=(Fraction(1), Fraction(3)))
    assert len(part) == 2 * RATE
    assert np.max(np.abs(part[:-480] - whole[RATE : 3 * RATE - 480])) < 1e-4


@pytest.mark.slow
def test_memory_does_not_grow_with_the_film(project, tmp_path):
    save(project / "a.wav", noise(seconds=20))
    peaks = []
    for minutes in (1, 6):
        shutil.rmtree(tmp_path / "work", ignore_errors=True)
        tracks = [track("a.wav", kind, startTime=20 * n) for n in range(3 * minutes) for kind in ("music", "dialogue")]
        make_sound_project(project, {"duration": 60 * minutes, "audioTracks": tracks})
        tracemalloc.start()
        heard_mix = mix_of(project, tmp_path / "work")[1]
        peaks.append(tracemalloc.get_traced_memory()[1] - 8 * heard_mix.samples)  # what `mix_of` itself reads
        tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.3 + 2e6
