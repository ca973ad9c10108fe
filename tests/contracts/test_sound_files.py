"""Finished sounds and captions, judged by readers that are not ours: libsndfile, mutagen, PyAV, zipfile, pysubs2."""

import io
import json
import zipfile
from fractions import Fraction

import av
import mutagen
import numpy as np
import pysubs2
import pytest
import soundfile

from fixtures.sounds import RATE, level_db, make_sound_project, noise, save, tone, track
from storycore.errors import InvalidInput
from storycore.exports.export import export, wanted
from storycore.exports.formats.format import Film
from storycore.observe.progress import Progress
from storycore.project.files import walk
from storycore.project.reader import read_project
from storycore.rendering import encoder
from storycore.rendering.loudness import measure_loudness
from storycore.settings import Settings

SOUNDS = ("wav", "mp3", "flac", "m4a", "ogg", "opus")


@pytest.fixture
def project(tmp_path):
    """Music and speech over two shots with a dissolve: 3.5 seconds."""
    folder = tmp_path / "film"
    save(folder / "music.wav", 0.1 * noise(seconds=5) + tone(seconds=5, hz=220, level=0.2, channels=2))
    save(folder / "voice.wav", tone(seconds=1, hz=800, level=0.4), rate=44_100)
    return make_sound_project(
        folder,
        {
            "transitionOut": {"type": "dissolve", "duration": 0.5},
            "audioTracks": [track("music.wav", "music"), track("voice.wav", "dialogue", startTime=0.5)],
            "dialogue": [{"text": "Somebody kept it burning."}],
        },
        {},
        metadata={"frame_rate": 24, "author": "Ada", "language": "en", "description": "A light at sea"},
    )


def made(folder, tmp_path, formats, **options):
    """Exported files and what is told of them, by format."""
    settings = Settings.read()
    film = Film(project=read_project(folder, settings), listing=walk(folder, max_files=1000), settings=settings)
    found = export(film, wanted(formats, options), tmp_path / "out", Progress())
    return {item.format: (item.path, item.made) for item in found}


def decoded(path):
    """All samples of a file by PyAV, `(samples, channels)`, and its rate.

    Of AAC it gives whole frames; the container says how many samples of the last one are meant.
    """
    with av.open(str(path)) as file:
        stream = file.streams.audio[0]
        meant = round(stream.duration * stream.time_base * stream.rate) if path.suffix == ".m4a" else None
        resampler = av.AudioResampler(format="fltp", layout=stream.layout.name, rate=stream.rate)
        frames = [part for frame in file.decode(stream) for part in resampler.resample(frame)]
        return np.concatenate([frame.to_ndarray() for frame in frames], axis=1).T[:meant], stream.rate


@pytest.mark.parametrize("name", SOUNDS)
def test_a_file_is_as_long_as_the_film_to_the_sample(project, tmp_path, name):
    path, told = made(project, tmp_path, name)[name]
    sound, rate = decoded(path)
    assert rate == RATE
    assert told.metrics["audio_duration"]["value"] == 3.5
    assert len(sound) == pytest.approx(3.5 * RATE, abs=1)
    assert mutagen.File(path).info.length == pytest.approx(3.5, abs=0.03)


@pytest.mark.parametrize("name", ["wav", "mp3", "flac", "m4a", "ogg"])
def test_another_sample_rate_keeps_the_length(project, tmp_path, name):
    path, told = made(project, tmp_path, name, sample_rate_hz=44100)[name]
    sound, rate = decoded(path)
    assert (rate, told.metrics["sample_rate"]) == (44_100, "44100Hz")
    assert len(sound) == pytest.approx(3.5 * 44_100, abs=1)


@pytest.mark.parametrize("name", ["wav", "flac", "m4a"])
def test_a_high_sample_rate_is_told_as_the_file_has_it(project, tmp_path, name):
    path, told = made(project, tmp_path, name, sample_rate_hz=96000)[name]
    assert (decoded(path)[1], told.metrics["sample_rate"]) == (96_000, "96000Hz")


@pytest.mark.parametrize("channels", [1, 2, 6, 8])
def test_vorbis_takes_the_bit_rates_that_it_has_and_no_others(project, tmp_path, channels):
    least, most = {1: (32_000, 240_000), 2: (45_000, 500_000), 6: (84_000, 640_000), 8: (256_000, 640_000)}[channels]
    for rate in (least, most):
        made(project, tmp_path / str(rate), "ogg", audio_bitrate_bps=rate, channels=channels)
    with pytest.raises(InvalidInput, match=f"Vorbis takes {least} to {most}"):
        made(project, tmp_path / "out", "ogg", audio_bitrate_bps=least - 1, channels=channels)


@pytest.mark.parametrize("name", SOUNDS)
@pytest.mark.parametrize("target", [-14, -23])
def test_the_finished_file_has_the_loudness_that_was_asked_for(project, tmp_path, name, target):
    path, told = made(project, tmp_path, name, loudness_lufs=target)[name]
    found = measure_loudness(encoder.find(Settings.read()), encoder.source(path), Progress())
    assert found.integrated_lufs == pytest.approx(target, abs=0.3)
    assert found.true_peak_dbtp <= -1
    assert told.metrics["integrated_loudness"]["verdict"] == told.metrics["true_peak"]["verdict"] == "within target"


@pytest.mark.parametrize("name", SOUNDS)
def test_peaks_of_a_loud_mix_stay_below_the_bound_in_the_finished_file(tmp_path, name):
    """Drums over a quiet bed, far too loud: what comes out is measured by an eightfold spectrum of the decoded file.

    A meter that interpolates fourfold, as the standard has it, reads up to 0.6 dB too little at the top of the band.
    Source: ITU-R BS.1770-5, annex 2, attachment 1.
    """
    folder = tmp_path / "film"
    drums = noise(seconds=4, level=0.05)
    for place in range(0, len(drums) - 4800, RATE // 2):
        drums[place : place + 4800] += (
            noise(seconds=0.1, level=0.6, seed=place) * np.exp(-np.arange(4800) / 900)[:, None]
        )
    save(folder / "drums.wav", drums)
    make_sound_project(folder, {"duration": 4, "audioTracks": [track("drums.wav", "music")]})
    path, told = made(folder, tmp_path, name, loudness_lufs=-16)[name]
    sound, _ = decoded(path)
    spectrum = np.fft.rfft(sound, axis=0)
    longer = np.zeros((4 * len(sound) + 1, 2), complex)
    longer[: len(spectrum)] = spectrum
    peak = 20 * np.log10(np.abs(np.fft.irfft(longer, n=8 * len(sound), axis=0) * 8).max())
    assert peak <= -1 + 0.6
    assert told.metrics["true_peak"]["verdict"] == "within target"
    assert told.metrics["integrated_loudness"]["value"] == pytest.approx(-16, abs=0.3)
    assert told.metrics["clipping"]["verdict"] == "none"


def test_a_target_that_clicks_do_not_allow_is_missed_with_a_warning(tmp_path):
    folder = tmp_path / "film"
    clicks = noise(seconds=6, level=0.004)
    for place in range(0, len(clicks) - 300, RATE // 2):
        clicks[place : place + 300] += (0.95 * np.hanning(300) * np.sin(np.arange(300) * 0.3))[:, None]
    save(folder / "clicks.wav", clicks)
    make_sound_project(folder, {"duration": 6, "audioTracks": [track("clicks.wav")]})
    both = made(folder, tmp_path, "wav", loudness_lufs=-14)["wav"][1]
    (told,) = [warning.message for warning in both.warnings if warning.reason == "loudness_missed"]
    assert f"{both.metrics['integrated_loudness']['verdict']} for loudness_lufs (-14)" in told
    quiet = made(folder, tmp_path / "quiet", "wav", loudness_lufs=-30)["wav"][1]
    assert [warning.reason for warning in quiet.warnings if warning.reason == "loudness_missed"] == []


def test_without_a_target_a_mix_stays_as_loud_as_it_is(tmp_path):
    folder = tmp_path / "film"
    save(folder / "a.wav", tone(seconds=2, level=0.25, channels=2))
    make_sound_project(folder, {"audioTracks": [track("a.wav")]})
    path, _ = made(folder, tmp_path, "wav", bit_depth=32)["wav"]
    sound, _ = soundfile.read(path)
    assert level_db(sound[:-480]) == pytest.approx(level_db(tone(seconds=2, level=0.25)), abs=0.01)


def test_dynamic_evens_out_what_one_gain_leaves(tmp_path):
    folder = tmp_path / "film"
    save(folder / "a.wav", np.concatenate((noise(seconds=8, level=0.01), noise(seconds=8, level=0.3))))
    make_sound_project(folder, {"duration": 16, "audioTracks": [track("a.wav")]})
    spans = []
    for dynamic in (False, True):
        path, told = made(folder, tmp_path / str(dynamic), "wav", loudness_lufs=-20, dynamic=dynamic)["wav"]
        sound, _ = soundfile.read(path)
        spans.append(level_db(sound[-3 * RATE : -RATE]) - level_db(sound[3 * RATE : 5 * RATE]))
        assert len(sound) == 16 * RATE
        assert told.metrics["integrated_loudness"]["value"] == pytest.approx(-20, abs=0.3)
    assert spans[0] > 25
    assert spans[1] < spans[0] - 8


@pytest.mark.parametrize(("depth", "subtype"), [(16, "PCM_16"), (24, "PCM_24"), (32, "FLOAT")])
def test_wav_has_the_bits_that_were_asked_for(project, tmp_path, depth, subtype):
    path, told = made(project, tmp_path, "wav", bit_depth=depth)["wav"]
    info = soundfile.info(path)
    assert (info.subtype, info.frames, info.channels) == (subtype, 168_000, 2)
    assert (told.metrics["bit_depth"], told.metrics["channels"], told.metrics["sample_rate"]) == (
        depth,
        "stereo",
        "48000Hz",
    )


@pytest.mark.parametrize("depth", [16, 24])
def test_flac_holds_the_very_samples_of_the_wav(project, tmp_path, depth):
    files = made(project, tmp_path, "wav,flac", bit_depth=depth)
    (first, rate), (second, other) = (soundfile.read(files[name][0], dtype="int32") for name in ("wav", "flac"))
    assert rate == other == RATE
    assert np.array_equal(first, second)


@pytest.mark.parametrize(("channels", "word", "mask"), [(1, "mono", None), (6, "5.1", 0x3F), (8, "7.1", 0x63F)])
def test_channels_stand_in_the_order_of_wave_files(project, tmp_path, channels, word, mask):
    path, told = made(project, tmp_path, "wav", channels=channels)["wav"]
    head = path.read_bytes()[:80]
    assert soundfile.info(path).channels == channels
    assert told.metrics["channels"] == word
    if mask is not None:
        assert int.from_bytes(head[40:44], "little") == mask
        sound, _ = soundfile.read(path)
        assert level_db(sound[RATE // 2 : RATE, 2]) > level_db(sound[RATE // 2 : RATE, 0]), (
            "speech comes from the centre"
        )


@pytest.mark.parametrize("name", ["m4a", "opus", "ogg", "flac"])
def test_surround_survives_compression(project, tmp_path, name):
    path, _ = made(project, tmp_path, name, channels=6)[name]
    sound, _ = decoded(path)
    assert sound.shape[1] == 6
    levels = [level_db(sound[RATE // 2 : RATE, channel]) for channel in range(6)]
    assert int(np.argmax(levels)) == 2


def test_files_tell_title_artist_and_comment(project, tmp_path):
    files = made(project, tmp_path, ",".join(SOUNDS))
    mp3 = mutagen.File(files["mp3"][0]).tags
    assert (str(mp3["TIT2"]), str(mp3["TPE1"])) == ("Sounding", "Ada")
    m4a = mutagen.File(files["m4a"][0]).tags
    assert (m4a["\xa9nam"], m4a["\xa9ART"], m4a["\xa9cmt"]) == (["Sounding"], ["Ada"], ["A light at sea"])
    for name in ("flac", "ogg", "opus"):
        tags = mutagen.File(files[name][0]).tags
        assert (tags["title"], tags["artist"]) == (["Sounding"], ["Ada"])


def test_mp4_sound_begins_at_once_with_its_index_first(project, tmp_path):
    data = made(project, tmp_path, "m4a")["m4a"][0].read_bytes()
    assert 0 < data.index(b"moov") < data.index(b"mdat")


def test_hostile_titles_are_only_titles(tmp_path):
    folder = tmp_path / "film"
    title = "a\n-i /etc/passwd;[x]=\u202e\"'\\ {b}"
    make_sound_project(folder, project_name=title)
    path, _ = made(folder, tmp_path, "mp3")["mp3"]
    assert str(mutagen.File(path).tags["TIT2"]) == "a -i /etc/passwd;[x]=\"'\\ {b}"


@pytest.mark.parametrize("name", SOUNDS)
def test_a_film_without_sound_is_silence_of_its_length_and_says_so(tmp_path, name):
    path, told = made(make_sound_project(tmp_path / "film"), tmp_path, name, loudness_lufs=-16)[name]
    sound, _ = decoded(path)
    assert len(sound) == pytest.approx(2 * RATE, abs=1)
    assert np.abs(sound).max() < 0.0002
    assert told.metrics["integrated_loudness"]["verdict"] == "silent"
    assert told.metrics["silent_stretches"]["value"] == [[0.0, 2.0]]


def test_stems_are_one_wav_each_as_long_as_the_film_and_add_up(project, tmp_path):
    path, told = made(project, tmp_path, "stems")["stems"]
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        sounds = {name: soundfile.read(io.BytesIO(archive.read(name)), dtype="float32") for name in archive.namelist()}
    assert list(sounds) == [f"Sounding_{stem}.wav" for stem in ("dialogue", "sfx", "ambience", "music")]
    assert {(len(sound), rate) for sound, rate in sounds.values()} == {(168_000, RATE)}
    whole, _ = soundfile.read(made(project, tmp_path / "mix", "wav", bit_depth=32)["wav"][0], dtype="float32")
    assert np.max(np.abs(sum(sound for sound, _ in sounds.values()) - whole)) < 1e-6
    assert told.metrics["stems"]["music"]["audio_duration"]["verdict"] == "within target"
    assert np.abs(sounds["Sounding_sfx.wav"][0]).max() == 0


@pytest.mark.parametrize("name", ["srt", "vtt", "ass"])
def test_captions_are_read_by_others(project, tmp_path, name):
    path, told = made(project, tmp_path, name)[name]
    (event,) = pysubs2.load(str(path))
    assert (event.start, event.end, event.plaintext) == (0, 2000, "Somebody kept it burning.")
    assert told.metrics["captions"] == 1


@pytest.mark.parametrize("name", ["srt", "vtt"])
def test_captions_are_read_by_ffmpeg(project, tmp_path, name):
    path, _ = made(project, tmp_path, name)[name]
    with av.open(str(path)) as file:
        packets = [packet for packet in file.demux() if packet.size]
    assert [(packet.pts, packet.duration) for packet in packets] == [(0, 2000)]


@pytest.mark.parametrize("name", [*SOUNDS, "stems"])
def test_a_range_of_the_film_is_as_long_as_the_range(project, tmp_path, name):
    _, told = made(project, tmp_path, name, time_range=[1, 2.5])[name]
    figures = told.metrics["stems"]["music"] if name == "stems" else told.metrics
    assert figures["audio_duration"]["value"] == 1.5


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("mp3", {"channels": 6}),
        ("mp3", {"sample_rate_hz": 96000}),
        ("opus", {"sample_rate_hz": 44100}),
        ("ogg", {"sample_rate_hz": 96000}),
        ("opus", {"audio_bitrate_bps": 512_001}),
        ("webm", {"audio_bitrate_bps": 256_001, "channels": 1}),
        ("wav", {"bit_depth": 20}),
        ("wav", {"audio_bitrate_bps": 128000}),
        ("m4a", {"audio_bitrate_bps": 0}),
        ("stems", {"loudness_lufs": -16}),
        ("wav", {"loudness_lufs": float("nan")}),
    ],
)
def test_what_a_format_can_not_do_is_refused(project, tmp_path, name, options):
    with pytest.raises(InvalidInput):
        made(project, tmp_path, name, **options)
    assert not (tmp_path / "out").exists()


def test_what_could_not_be_heard_is_told_with_the_result(tmp_path):
    folder = tmp_path / "film"
    folder.mkdir()
    (folder / "bad.flac").write_bytes(b"fLaC" + b"\xff" * 99)
    make_sound_project(folder, {"audioTracks": [track("bad.flac")]})
    _, told = made(folder, tmp_path, "wav")["wav"]
    assert [warning.file for warning in told.warnings] == ["bad.flac"]


def test_figures_are_plain_json(project, tmp_path):
    told = made(project, tmp_path, "wav")["wav"][1]
    assert json.loads(json.dumps(told.metrics)) == told.metrics
    assert Fraction(str(told.metrics["audio_duration"]["value"])) == Fraction(7, 2)


def test_a_sound_that_was_made_before_is_used_again_until_something_changes(project, tmp_path):
    first = made(project, tmp_path / "1", "mp3", loudness_lufs=-16)["mp3"][1]
    kept = list((Settings.read().cache_folder / "segments").glob("*/*.segment"))
    again = made(project, tmp_path / "2", "mp3", loudness_lufs=-16)["mp3"][1]
    assert (again.sha256, again.metrics) == (first.sha256, first.metrics)
    assert list((Settings.read().cache_folder / "segments").glob("*/*.segment")) == kept
    assert len(kept) == 1
    save(project / "voice.wav", tone(seconds=1, hz=900, level=0.4))
    assert made(project, tmp_path / "3", "mp3", loudness_lufs=-16)["mp3"][1].sha256 != first.sha256


def test_a_sound_with_something_unheard_is_not_kept(tmp_path):
    folder = tmp_path / "film"
    folder.mkdir()
    (folder / "bad.flac").write_bytes(b"fLaC" + b"\xff" * 99)
    make_sound_project(folder, {"audioTracks": [track("bad.flac")]})
    for place in ("1", "2"):
        assert made(folder, tmp_path / place, "wav")["wav"][1].warnings != ()


def test_an_empty_project_is_silence_and_a_warning_unless_strict(tmp_path):
    folder = tmp_path / "film"
    folder.mkdir()
    (folder / "project.json").write_text('{"name": "test"}')
    _, told = made(folder, tmp_path, "wav")["wav"]
    assert (told.metrics["audio_duration"]["value"], [it.reason for it in told.warnings]) == (2.0, ["nothing_to_show"])


def test_a_range_behind_the_end_is_refused(project, tmp_path):
    for name in ("wav", "stems", "srt"):
        with pytest.raises(InvalidInput, match="it lasts 3"):
            made(project, tmp_path, name, time_range=[60, 70])
