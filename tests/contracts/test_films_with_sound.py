"""The sound inside of finished films: in its place, at its loudness, with its captions; read by PyAV and pysubs2."""

import shutil

import av
import numpy as np
import pysubs2
import pytest

from fixtures.films import deliver
from fixtures.sounds import RATE, make_sound_project, noise, save, tone, track
from storycore.observe.progress import Progress
from storycore.rendering import encoder
from storycore.rendering.loudness import measure_loudness
from storycore.rendering.measure_sound import measure_sound, sound_in
from storycore.settings import Settings

CODECS = {"mp4": "aac", "mov": "pcm", "webm": "opus", "mkv": "flac", "avi": "mp3"}
FRAME_SECONDS = 1024 / RATE


@pytest.fixture
def project(tmp_path):
    """A click on the first frame of the second shot, over a bed of noise."""
    folder = tmp_path / "film"
    click = np.zeros((RATE // 2, 2), np.float32)
    click[:96] = 0.9
    save(folder / "click.wav", click)
    save(folder / "bed.wav", noise(seconds=4, level=0.01))
    return make_sound_project(
        folder,
        {"audioTracks": [track("bed.wav", "ambient")], "dialogue": "Words of the first shot."},
        {"audioTracks": [track("click.wav")]},
    )


def film(folder, name, tmp_path, **options):
    """A tiny film with its usual sound, and what was told of it."""
    return deliver(folder, name, tmp_path / "out", width=64, height=36, audio_codec=CODECS[name], **options)


def sound_of(path):
    """Samples, and the time of the first one in seconds."""
    with av.open(str(path)) as file:
        stream = file.streams.audio[0]
        frames = list(file.decode(stream))
        resampler = av.AudioResampler(format="fltp", layout="stereo", rate=RATE)
        parts = [part.to_ndarray() for frame in frames for part in resampler.resample(frame)]
        return np.concatenate(parts, axis=1).T, float(frames[0].pts * frames[0].time_base)


@pytest.mark.parametrize("name", CODECS)
def test_a_sound_is_heard_when_its_picture_is_seen(project, tmp_path, name):
    path, told = film(project, name, tmp_path)
    sound, begins = sound_of(path)
    heard = begins + float(np.argmax(np.abs(sound[:, 0]) > 0.3)) / RATE
    assert heard == pytest.approx(2.0, abs=FRAME_SECONDS)
    assert told.metrics["audio_duration"]["value"] == pytest.approx(4.0, abs=FRAME_SECONDS)
    assert told.metrics["duration"]["value"] == pytest.approx(4.0, abs=0.002)


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="no other ffmpeg is installed")
def test_the_ffmpeg_of_an_older_system_makes_films_with_sound_too(project, tmp_path, monkeypatch):
    monkeypatch.setenv("STORYCORE_FFMPEG", shutil.which("ffmpeg"))
    path, told = film(project, "mp4", tmp_path, loudness_lufs=-23)
    assert told.metrics["integrated_loudness"]["verdict"] == "within target"
    assert len(sound_of(path)[0]) == pytest.approx(4 * RATE, abs=1024)


@pytest.mark.parametrize("name", ["mp4", "webm", "mkv"])
def test_a_film_has_the_loudness_that_was_asked_for(tmp_path, name):
    folder = tmp_path / "film"
    save(folder / "music.wav", tone(seconds=4, hz=220, level=0.1, channels=2) + noise(seconds=4, level=0.02))
    make_sound_project(folder, {"duration": 4, "audioTracks": [track("music.wav", "music")]})
    path, told = film(folder, name, tmp_path, loudness_lufs=-16)
    found = measure_loudness(encoder.find(Settings.read()), encoder.source(path), Progress())
    assert found.integrated_lufs == pytest.approx(-16, abs=0.3)
    assert found.true_peak_dbtp <= -1
    assert told.metrics["integrated_loudness"]["verdict"] == "within target"


@pytest.mark.parametrize("name", ["mp4", "mov"])
def test_what_was_measured_in_a_sound_holds_only_for_a_film_that_has_its_very_bytes(project, tmp_path, name):
    """Whatever they are wrapped in; a film with another sound in it is decoded itself."""
    path, _ = film(project, name, tmp_path)
    ffmpeg, own = encoder.find(Settings.read()), tmp_path / "own.mov"
    run = ["-i", str(path), "-map", "0:a:0", "-c", "copy", "-f", "mov", str(own)]
    encoder.run(ffmpeg, run, progress=Progress())
    facts = measure_sound(ffmpeg, own, Progress())
    assert sound_in(ffmpeg, path, own, facts, Progress()) is facts
    other = tmp_path / "other.wav"
    save(other, tone(seconds=1, hz=500, level=0.5, channels=2))
    found = sound_in(ffmpeg, path, other, measure_sound(ffmpeg, other, Progress()), Progress())
    assert found.samples == facts.samples != RATE
    assert found.loudness == facts.loudness


@pytest.mark.parametrize("name", ["mp4", "mkv", "webm"])
def test_captions_that_can_be_switched_on_are_in_the_film(project, tmp_path, name):
    path, _ = film(project, name, tmp_path, captions="soft", caption_language="en")
    with av.open(str(path)) as file:
        (stream,) = file.streams.subtitles
        packets = [packet for packet in file.demux(stream) if packet.size > 2]
        assert stream.language == "eng"
        assert len(packets) == 1
        assert b"Words of the first shot." in bytes(packets[0])
        assert float(packets[0].pts * packets[0].time_base) == 0


def test_captions_beside_a_film_count_from_its_slate(project, tmp_path):
    path, _ = film(project, "mp4", tmp_path, captions="sidecar", slate=True)
    (event,) = pysubs2.load(str(path.with_suffix(".srt")))
    assert (event.start, event.end, event.plaintext) == (2000, 4000, "Words of the first shot.")
