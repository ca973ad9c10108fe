"""One file for each shot, names of files, languages: what options make of a film, judged by other readers."""

import av
import numpy as np
import pysubs2
import pytest
import soundfile

from fixtures.films import SMALL, cached_segments, film_in, make_film, middle, see
from fixtures.sounds import make_sound_project, save, tone, track
from storycore.errors import InvalidInput, Reason
from storycore.exports.export import export, wanted
from storycore.observe.progress import Progress

SHOTS = [
    {"colour": (200, 30, 30), "duration": 2, "transition": "dissolve", "transition_duration": 0.5, "title": "Red"},
    {"colour": (30, 160, 30), "duration": 1, "transition": "fade", "title": "Green"},
    {"colour": (30, 30, 200), "duration": 1.5, "title": "Blue"},
]


def deliver(folder, targets, out, **options):
    small = {name: SMALL[name] for name in ("width", "height")} if "mp4" in targets or "mov" in targets else {}
    return export(film_in(folder), wanted(targets, {**small, **options}), out, Progress())


def test_each_shot_is_a_file_of_its_own_whole_and_without_its_transitions(tmp_path):
    folder = make_film(tmp_path / "film", *SHOTS)
    made = deliver(folder, "mp4", tmp_path / "out", per_shot=True, audio_codec="none", naming="{number} {shot}")
    assert [item.path.name for item in made] == ["01 Red.mp4", "02 Green.mp4", "03 Blue.mp4"]
    for item, frames, shot in zip(made, [48, 24, 36], SHOTS, strict=True):
        seen = see(item.path)
        assert len(seen.frames) == frames == item.made.metrics["frames"]["value"]
        assert all(middle(picture) == pytest.approx(shot["colour"], abs=4) for picture in seen.frames)


def test_shots_alone_are_made_of_what_the_film_has_rendered(tmp_path):
    folder = make_film(tmp_path / "film", *SHOTS)
    deliver(folder, "mp4", tmp_path / "a", audio_codec="none")
    before = cached_segments()
    deliver(folder, "mp4", tmp_path / "b", per_shot=True, audio_codec="none")
    assert len(before) == 5
    assert len(cached_segments()) == 5 + 3, (
        "ends of shots, which the film has in transitions; two of them look the same"
    )


def test_files_that_would_have_one_name_are_refused_before_any_work(tmp_path):
    folder = make_film(tmp_path / "film", *SHOTS)
    for options in ({"per_shot": True, "naming": "{project}"}, {"per_shot": True, "time_range": [0, 1]}):
        with pytest.raises(InvalidInput) as fault:
            deliver(folder, "mp4", tmp_path / "out", **options)
        assert fault.value.reason is Reason.OUT_OF_RANGE
    with pytest.raises(InvalidInput, match="in braces there can be"):
        deliver(folder, "mp4", tmp_path / "out", naming="{path}")
    assert not (tmp_path / "out").exists()
    assert cached_segments() == {}


@pytest.fixture
def two_languages(tmp_path):
    """English at 400 Hz, French at 1000 Hz, music at 100 Hz."""
    folder = tmp_path / "film"
    for name, hz in (("en", 400), ("fr", 1000), ("music", 100)):
        save(folder / f"{name}.wav", tone(seconds=2, hz=hz, level=0.2, channels=2))
    return make_sound_project(
        folder,
        {
            "audioTracks": [
                track("en.wav", "dialogue", language="en"),
                track("fr.wav", "dialogue", language="fr"),
                track("music.wav", "music"),
            ],
            "dialogue": [
                {"text": "Good evening", "language": "en", "startTime": 0.2, "endTime": 1},
                {"text": "Bonsoir", "language": "fr", "startTime": 0.2, "endTime": 1},
            ],
        },
    )


def loudest(path):
    """Which of the three tones is in a file."""
    sound, rate = soundfile.read(path)
    heard = np.abs(np.fft.rfft(sound[:, 0]))
    return [hz for hz in (100, 400, 1000) if heard[round(hz * len(sound) / rate)] > len(sound) / 2000]


@pytest.mark.parametrize(("options", "heard"), [({}, [100, 400]), ({"dub_language": "fr-FR"}, [100, 1000])])
def test_voices_are_in_one_language(two_languages, tmp_path, options, heard):
    (made,) = deliver(two_languages, "wav", tmp_path / "out", **options)
    assert loudest(made.path) == heard
    told = [warning.message for warning in made.made.warnings if warning.reason == "languages_left_out"]
    assert told == (
        [] if options else ["There are voices in en, fr; those in en were taken. dub_language chooses others."]
    )


def test_a_dubbed_film_says_its_language_and_shows_the_words_of_another(two_languages, tmp_path):
    (made,) = deliver(two_languages, "mp4", tmp_path / "out", dub_language="fr", captions="soft", caption_language="en")
    with av.open(str(made.path)) as film:
        assert film.streams.audio[0].metadata["language"] == "fra"
        assert film.streams.subtitles[0].metadata["language"] == "eng"
    (words,) = deliver(two_languages, "srt", tmp_path / "out", caption_language="fr")
    assert [line.plaintext for line in pysubs2.load(str(words.path))] == ["Bonsoir"]


@pytest.mark.parametrize("name", ["mp4", "mkv"])
def test_captions_that_can_be_switched_on_are_in_the_language_of_the_film(tmp_path, name):
    folder = make_sound_project(tmp_path / "film", {"dialogue": [{"text": "Good evening"}]}, language="en")
    (made,) = deliver(folder, name, tmp_path / "out", captions="soft")
    with av.open(str(made.path)) as film:
        assert film.streams.subtitles[0].metadata["language"] == "eng"


def test_a_language_that_the_film_does_not_speak_is_refused(two_languages, tmp_path):
    for name in ("dub_language", "caption_language"):
        with pytest.raises(InvalidInput, match="there are: en, fr") as fault:
            deliver(two_languages, "mp4", tmp_path / "out", **{name: "de"})
        assert fault.value.details["pointer"] == f"/conversion_options/{name}"


@pytest.mark.parametrize(("target", "codec"), [("mov", "pcm"), ("mkv", "flac")])
@pytest.mark.parametrize("bits", [16, 24])
def test_sound_without_loss_has_the_bits_that_were_asked_for(two_languages, tmp_path, target, codec, bits):
    (made,) = deliver(two_languages, target, tmp_path / "out", audio_codec=codec, bit_depth=bits, width=64, height=36)
    with av.open(str(made.path)) as film:
        stream = film.streams.audio[0]
        assert stream.format.name == ("s16" if bits == 16 else "s32")
        assert stream.codec_context.name == {"pcm": f"pcm_s{bits}le", "flac": "flac"}[codec]
