"""Finished films, judged by PyAV: frames, times, colours, sound."""

import io
import os
import re
import shutil
import subprocess
import zipfile
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from PIL import Image, ImageSequence

from fixtures.films import cached_segments, deliver, film_in, make_film, middle, see
from fixtures.media_files import film_bytes, image_bytes, wav_bytes
from fixtures.projects import snapshot
from fixtures.sounds import save
from storycore.errors import DependencyFailed, InvalidInput, NotFound, Reason
from storycore.exports.export import export, wanted
from storycore.exports.formats import filming
from storycore.exports.formats.codec_options import hardware_warnings
from storycore.exports.formats.mp4 import FORMAT as MP4
from storycore.exports.presets import find, presets
from storycore.observe.progress import Progress
from storycore.rendering import encoder
from storycore.rendering.ability import measures
from storycore.rendering.cache import SegmentCache
from storycore.rendering.film import render
from storycore.rendering.joining import Wrapping, join
from storycore.rendering.look import Canvas
from storycore.rendering.plan import timeline
from storycore.rendering.sources import Sources
from storycore.settings import Settings

CODECS = {
    "mp4": ["h264", "h265", "av1"],
    "mov": ["prores", "h264"],
    "webm": ["vp9", "av1"],
    "mkv": ["ffv1", "h264"],
}
PAIRS = [(name, codec) for name, codecs in CODECS.items() for codec in codecs]
RATES = {"23.976": Fraction(24000, 1001), "24": Fraction(24), "25": Fraction(25), "29.97": Fraction(30000, 1001),
         "30": Fraction(30), "60": Fraction(60)}  # fmt: skip
PATCHES = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0), (200, 120, 40), (90, 30, 160)]


@pytest.mark.parametrize(("name", "codec"), PAIRS)
def test_colours_come_out_as_they_went_in(tmp_path, name, codec):
    folder = make_film(tmp_path / "film", *({"colour": colour, "duration": 0.25} for colour in PATCHES))
    path, _ = deliver(folder, name, tmp_path, video_codec=codec, fps=8)
    seen = see(path)
    assert len(seen.frames) == 2 * len(PATCHES)
    assert seen.tags == (0 if codec == "ffv1" else 1, 1), "BT.709, of limited range"
    for colour, picture in zip(PATCHES, seen.frames[::2], strict=True):
        assert middle(picture) == pytest.approx(colour, abs=3)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("name", ["mp4", "webm", "mov", "mkv", "avi"])
def test_a_film_has_every_frame_at_its_time(tmp_path, name, rate):
    shots = [{"colour": (40 * n, 90, 20), "duration": 0.31, "transition": "dissolve"} for n in range(6)]
    folder = make_film(tmp_path / "film", *({**shot, "transition_duration": 0.1} for shot in shots))
    path, made = deliver(folder, name, tmp_path, width=64, height=36, fps=rate)
    seen = see(path, pictures=False)
    wanted_frames = round((6 * 0.31 - 5 * 0.1) * RATES[rate])
    assert len(seen.times) == wanted_frames == made.metrics["frames"]["value"]
    tick = 0 if name in ("mp4", "mov", "avi") else Fraction(1, 1000)  # Matroska counts milliseconds
    assert seen.times[0] == 0
    assert all(abs(time - number / RATES[rate]) <= tick for number, time in enumerate(seen.times))


@pytest.mark.parametrize("rate", RATES)
def test_600_joins_never_drift(tmp_path, rate):
    """Shots of odd lengths, so that each segment has another number of B-frames at its end."""
    shots = [{"colour": (n % 7 * 30, 80, 20), "duration": 0.05 + 0.01 * (n % 11)} for n in range(601)]
    folder = make_film(tmp_path / "film", *shots)
    path, _ = deliver(folder, "mp4", tmp_path, width=16, height=16, fps=rate)
    seen = see(path, pictures=False)
    assert dict(seen.steps) == {1 / RATES[rate]: len(seen.times) - 1}
    assert seen.times[0] == 0


@pytest.mark.parametrize("name", ["mp4", "mov", "webm", "mkv"])
def test_a_warm_cache_gives_the_bytes_of_a_cold_one(tmp_path, name):
    folder = make_film(tmp_path / "film", {"colour": "red", "transition": "wipe"}, {"colour": "blue", "camera": "pan"})
    first = deliver(folder, name, tmp_path / "a")[0].read_bytes()
    kept = cached_segments()
    assert len(kept) == 3
    assert deliver(folder, name, tmp_path / "b")[0].read_bytes() == first
    assert cached_segments() == kept, "nothing was rendered again"


def test_several_painters_give_the_bytes_of_one(tmp_path, monkeypatch):
    shots = [{"colour": colour, "camera": "pan", "transition": "dissolve"} for colour in ("red", "blue", "green")]
    folder = make_film(tmp_path / "film", *shots)
    made = []
    for painters in ("1", "3"):
        monkeypatch.setenv("STORYCORE_RENDER_WORKERS", painters)
        monkeypatch.setenv("STORYCORE_CACHE_FOLDER", str(tmp_path / f"cache-{painters}"))
        made.append(deliver(folder, "mp4", tmp_path / painters)[0].read_bytes())
    assert made[0] == made[1]


def test_a_cache_that_was_emptied_gives_the_same_bytes(tmp_path, monkeypatch):
    folder = make_film(tmp_path / "film", {"colour": "red", "transition": "blur"}, {"colour": "blue"})
    first = deliver(folder, "mp4", tmp_path / "a")[0].read_bytes()
    monkeypatch.setenv("STORYCORE_CACHE_FOLDER", str(tmp_path / "another"))
    assert deliver(folder, "mp4", tmp_path / "b")[0].read_bytes() == first


def test_a_changed_shot_renders_itself_and_its_transitions_anew(tmp_path):
    shots = [{"colour": (n * 20, 90, 20), "transition": "dissolve", "transition_duration": 0.2} for n in range(8)]
    folder = make_film(tmp_path / "film", *shots)
    deliver(folder, "mp4", tmp_path / "a")
    before = cached_segments()
    make_film(folder, *shots[:3], {**shots[3], "colour": "white"}, *shots[4:])
    deliver(folder, "mp4", tmp_path / "b")
    assert len(cached_segments().keys() - before.keys()) == 3


def test_a_broken_segment_in_the_cache_is_rendered_again(tmp_path):
    folder = make_film(tmp_path / "film", {"colour": "red"}, {"colour": "blue"})
    first = deliver(folder, "mp4", tmp_path / "a")[0].read_bytes()
    for path in Path(os.environ["STORYCORE_CACHE_FOLDER"]).glob("segments/*/*.segment"):
        path.write_bytes(path.read_bytes()[:-40])
    assert deliver(folder, "mp4", tmp_path / "b")[0].read_bytes() == first


@pytest.mark.parametrize("name", ["mp4", "mov", "webm", "mkv", "avi"])
def test_sound_is_as_long_as_the_picture(tmp_path, name):
    folder = make_film(tmp_path / "film", {"colour": "red", "duration": 1.7}, audio=[])
    (folder / "a.wav").write_bytes(wav_bytes(seconds=9))
    path, made = deliver(folder, name, tmp_path, fps="29.97", audio_codec=_sound_of(name))
    seen = see(path, pictures=False)
    assert abs(seen.sound - len(seen.times) / float(RATES["29.97"])) <= 0.0214
    assert made.metrics["audio_duration"]["verdict"] == "within target"


def _sound_of(name):
    return {"mp4": "aac", "mov": "pcm", "webm": "opus", "mkv": "flac", "avi": "pcm"}[name]


@pytest.mark.parametrize("codec", ["prores", "ffv1"])
def test_a_master_keeps_a_ramp_of_ten_bits(tmp_path, codec):
    ramp = np.tile(np.linspace(0, 65535, 1920).astype(np.uint16), (32, 1))
    (tmp_path / "film/assets").mkdir(parents=True)
    cv2.imwrite(str(tmp_path / "film/assets/ramp.png"), np.repeat(ramp[:, :, None], 3, axis=2))
    folder = make_film(tmp_path / "film", {"image": "assets/ramp.png", "duration": 0.1})
    name = "mov" if codec == "prores" else "mkv"
    path, _ = deliver(folder, name, tmp_path, width=1920, height=32, fps=10)
    with av.open(str(path)) as film:
        frame = next(film.decode(video=0))
        luma = np.frombuffer(frame.planes[0], np.uint16).reshape(frame.height, -1)[16, :1920]
    assert frame.format.name == "yuv422p10le"
    exact = 64 + 876 * np.linspace(0, 1, 1920)
    assert np.abs(luma - exact).max() <= (1 if codec == "ffv1" else 4)
    assert len(set(luma.tolist())) > 800


def test_clips_of_every_kind_are_made_alike(tmp_path):
    clips = [
        {"clip": film_bytes("mp4", video="mpeg4", rate=Fraction(30), frames=30, size=(96, 54))},
        {"clip": film_bytes("mp4", video="libx264", audio="aac", rate=Fraction(25), frames=25, size=(54, 96))},
        {"clip": film_bytes("webm", video="libvpx-vp9", rate=Fraction(12), frames=12, size=(64, 64)), "suffix": "webm"},
        {"clip": film_bytes("mov", video="prores_ks", rate=Fraction(24), frames=24, pixels="yuv422p10le"),
         "suffix": "mov"},
    ]  # fmt: skip
    folder = make_film(tmp_path / "film", *clips, {"colour": "red"})
    path, made = deliver(folder, "mp4", tmp_path, fps=24)
    seen = see(path)
    assert (len(seen.frames), set(seen.steps), made.warnings) == (120, {Fraction(1, 24)}, ())
    assert {picture.shape for picture in seen.frames} == {(90, 160, 3)}
    assert seen.frames[30][:, :40].max() < 30, "a tall clip stands between black bars"


@pytest.mark.parametrize("name", ["mp4", "mov"])
def test_a_clip_of_another_shape_stands_on_a_blurred_copy_of_itself(tmp_path, name):
    clip = film_bytes("mp4", video="libx264", frames=24, size=(54, 96))
    folder = make_film(tmp_path / "film", {"clip": clip})
    path, made = deliver(folder, name, tmp_path, fit="blur")
    seen = see(path)
    boxed = see(deliver(folder, name, tmp_path / "boxed", fit="letterbox")[0])
    assert made.warnings == ()
    assert np.abs(seen.frames[9][5:-5, 60:100].astype(int) - boxed.frames[9][5:-5, 60:100]).mean() < 3, (
        "the clip itself"
    )
    assert boxed.frames[9][:, :40].max() < 30 < seen.frames[9][:, :40].mean(), "and what stands beside it"


def test_a_clip_begins_at_its_in_point_and_its_last_frame_stands_when_it_is_over(tmp_path):
    numbered = [np.full((36, 64, 3), 10 * n, np.uint8) for n in range(24)]
    clip = _clip_of(numbered, tmp_path / "n.mp4")
    folder = make_film(tmp_path / "film", {"clip": clip, "duration": 1, "in_point": 0.5})
    path, _ = deliver(folder, "mp4", tmp_path, fps=24, crf=4)
    seen = [round(middle(picture)[0] / 10) for picture in see(path).frames]
    assert seen == [*range(12, 24), *[23] * 12]


def test_a_clip_that_is_over_long_before_its_shot_stands_on_its_last_frame_and_is_shown_elsewhere(tmp_path):
    clip = _clip_of([np.full((36, 64, 3), 10 * n, np.uint8) for n in range(24)], tmp_path / "n.mp4")
    late = {"clip": clip, "duration": 1, "in_point": 7}
    folder = make_film(tmp_path / "film", {"clip": clip, "duration": 21}, late, {"clip": clip, "duration": 0.5})
    sheet = export(film_in(folder), wanted("sheet", {}), tmp_path, Progress())[0]
    path, made = deliver(folder, "mp4", tmp_path, fps=5, crf=4)
    seen = [round(middle(picture)[0] / 10) for picture in see(path).frames]
    told = [warning.reason for warning in (*sheet.made.warnings, *made.warnings)]
    assert (told, seen) == (["clip_too_short"] * 4, [2, 7, 11, 16, *[21] * 106, 2, 7, 11])


def _clip_of(pictures, path, rate=24):
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=rate, options={"crf": "1", "g": "6"})
        stream.width, stream.height, stream.pix_fmt = pictures[0].shape[1], pictures[0].shape[0], "yuv420p"
        for picture in pictures:
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        out.mux(stream.encode())
    return path.read_bytes()


HOSTILE = {
    "empty": b"",
    "text": b"not a picture at all\n" * 50,
    "cut png": image_bytes("PNG", size=(640, 360))[:2000],
    "cut jpeg": image_bytes("JPEG", size=(640, 360))[:300],
    "bomb": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\x01\x86\xa0\0\x01\x86\xa0\x08\x02\0\0\0" + bytes(100),
    "playlist": b"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nhttp://127.0.0.1:9/a.ts\n",
    "concat": b"ffconcat version 1.0\nfile '/etc/passwd'\n",
    "giant header": b"\0\0\0\x18ftypisom" + b"\xff\xff\xff\xffmoov" + bytes(5000),
}


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("suffix", ["png", "mp4"])
def test_what_is_no_picture_becomes_a_slate_and_a_warning(tmp_path, kind, suffix):
    field = "picture" if suffix == "png" else "clip"
    folder = make_film(tmp_path / "film", {"colour": "red"}, {field: HOSTILE[kind], "suffix": suffix})
    before = snapshot(folder)
    path, made = deliver(folder, "mp4", tmp_path / "out")
    project = film_in(folder).project
    assert len(see(path).frames) == 48
    assert [warning.reason for warning in (*made.warnings, *project.warnings)]
    assert snapshot(folder) == before
    assert deliver(folder, "mp4", tmp_path / "again")[0].read_bytes() == path.read_bytes()


def test_what_one_ffmpeg_can_not_read_another_is_asked_for(tmp_path):
    broken = film_bytes("mp4", video="libx264")[:900]
    film = film_in(make_film(tmp_path / "film", {"clip": broken}))
    shot = film.project.shots[0]
    (span,) = timeline([shot], Fraction(24)).spans
    canvas = Canvas(pixel_format="yuv420p", width=64, height=36, rate=Fraction(24))
    cache = SegmentCache(tmp_path / "cache", 10**9)
    old, new = (Sources(film.project, cache, tmp_path, decoder) for decoder in ("5.1", "9.0"))
    assert old.look(span, canvas).source == "clip"
    assert old.give_up("assets/clip_1.mp4", "broken")
    assert (old.look(span, canvas).source, new.look(span, canvas).source) == ("slate", "clip")


def test_a_film_without_shots_is_a_slate_with_its_title(tmp_path):
    path, made = deliver(make_film(tmp_path / "film"), "mp4", tmp_path)
    seen = see(path)
    assert len(seen.frames) == 48
    assert seen.frames[0].max() > 200
    assert [warning.reason for warning in made.warnings] == ["nothing_to_show"]
    with pytest.raises(NotFound) as fault:
        deliver(make_film(tmp_path / "film"), "mp4", tmp_path / "b", strict=True)
    assert fault.value.reason is Reason.NOTHING_TO_EXPORT


@pytest.mark.parametrize(
    ("option", "value"),
    [("fps", 0), ("fps", 100000), ("fps", "fast"), ("bitrate_bps", 0), ("width", 161), ("width", 0), ("height", 9999),
     ("crf", 99), ("fit", "stretch"), ("video_codec", "wmv"), ("time_range", [5, 2]), ("effort", "most")],
)  # fmt: skip
def test_options_that_can_not_be_are_refused_by_name(option, value):
    with pytest.raises(InvalidInput) as fault:
        wanted("mp4", {option: value})
    assert fault.value.errors[0].pointer.startswith(f"/conversion_options/{option}")


@pytest.mark.parametrize(("name", "codec", "pixels"), [("mp4", "h264", "yuv420p10le"), ("mkv", "h265", "yuv444p")])
def test_pixels_that_a_codec_does_not_take_are_refused(tmp_path, name, codec, pixels):
    folder = make_film(tmp_path / "film", {"colour": "red"})
    with pytest.raises(InvalidInput, match=r"^conversion_options\.pixel_format: H\.26\d does not take") as fault:
        deliver(folder, name, tmp_path / "out", video_codec=codec, pixel_format=pixels)
    assert fault.value.reason is Reason.OUT_OF_RANGE
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "options", "told"),
    [
        ("mov", {"crf": 20}, "ProRes 422 HQ has no crf"),
        ("mkv", {"bitrate_bps": 5_000_000}, "FFV1 takes no bitrate_bps"),
        ("avi", {"bitrate_bps": 5_000_000}, "MPEG-4 takes no bitrate_bps"),
        ("mp4", {"crf": 0}, "H.264 has crf 1 to 51, not 0"),
        ("mp4", {"crf": 52}, "H.264 has crf 1 to 51"),
        ("hls", {"crf": 52}, "H.264 has crf 1 to 51"),
        ("avi", {"crf": 40}, "MPEG-4 has crf 0 to 31"),
        ("mp4,webm", {"crf": 60}, "H.264 has crf 1 to 51"),
        ("mov", {"audio_bitrate_bps": 192_000}, "uncompressed sound takes no audio_bitrate_bps"),
        ("mkv", {"audio_bitrate_bps": 192_000}, "FLAC takes no audio_bitrate_bps"),
        ("mov", {"audio_codec": "aac", "bit_depth": 16}, "AAC has no bit_depth"),
        ("mp4", {"audio_codec": "none", "audio_bitrate_bps": 192_000}, "there is no sound"),
        ("mp4", {"channels": 1, "audio_bitrate_bps": 300_000}, "AAC has at most 288000 bits per second"),
        ("m4a", {"sample_rate_hz": 44_100, "audio_bitrate_bps": 640_000}, "AAC has at most 529200 bits per second"),
        ("mov,mkv", {"crf": 20}, "ProRes 422 HQ has no crf"),
    ],
)
def test_options_that_the_codec_does_not_heed_are_refused_by_its_name(name, options, told):
    """Nothing that was asked for is left out without a word."""
    with pytest.raises(InvalidInput) as fault:
        wanted(name, options)
    assert told in fault.value.message
    assert fault.value.reason is Reason.OUT_OF_RANGE
    assert fault.value.errors[0].pointer in {f"/conversion_options/{option}" for option in options}
    assert wanted("mp4", {"channels": 1, "audio_bitrate_bps": 288_000})
    assert fault.value.remediation


@pytest.mark.parametrize(
    ("name", "codec", "size", "told"),
    [
        ("avi", "mpeg4", (8192, 32), "MPEG-4 takes pictures of 16 to 8190 pixels a side, not 8192×32."),
        ("mp4", "h265", (16, 8192), "H.265 takes pictures of 32 to 8192 pixels a side, not 16×8192."),
    ],
)
def test_a_size_that_a_codec_does_not_have_is_refused_by_its_name(tmp_path, name, codec, size, told):
    folder = make_film(tmp_path / "film", {"colour": "red"})
    options = {"video_codec": codec} if name == "mp4" else {}
    with pytest.raises(InvalidInput) as fault:
        deliver(folder, name, tmp_path / "out", width=size[0], height=size[1], **options)
    assert (fault.value.message, fault.value.reason) == (told, Reason.OUT_OF_RANGE)
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_master_in_ffv1_may_be_larger_than_4k(tmp_path):
    folder = make_film(tmp_path / "film", {"colour": "red", "duration": 0.04})
    path, _ = deliver(folder, "mkv", tmp_path, width=6144, height=3160)
    assert (len(see(path).frames), see(path).frames[0].shape[:2]) == (1, (3160, 6144))


def test_an_option_for_one_format_of_several_is_taken():
    for name, options in (("mov,mp4", {"crf": 20}), ("mkv,mp4", {"bitrate_bps": 5_000_000}), ("webm", {"crf": 63})):
        assert len(wanted(name, options)) == len(name.split(","))


def test_a_preset_that_asks_its_codec_for_what_it_has_not_is_refused(tmp_path):
    (tmp_path / "presets").mkdir()
    text = 'title = "x"\nformats = ["mov"]\nsource = "x"\ndate = 2026-11-26\n[options]\ncrf = 9\n'
    (tmp_path / "presets/odd.toml").write_text(text, encoding="utf-8")
    odd = find("odd", tmp_path)
    with pytest.raises(InvalidInput, match="ProRes 422 HQ has no crf"):
        wanted("", {}, odd)
    assert wanted("", {"video_codec": "h264"}, odd)[0].options.crf == 9


def test_every_preset_asks_its_codecs_for_what_they_have():
    for preset in presets():
        assert wanted("", {}, preset)


def test_a_bound_that_the_encoder_misses_is_told_with_what_was_measured(tmp_path):
    noise = np.random.default_rng(1).integers(0, 256, (90, 160, 3), np.uint8)
    folder = make_film(tmp_path / "film", {"picture": noise, "camera": "pan"})
    _, made = deliver(folder, "mp4", tmp_path / "out", bitrate_bps=10_000)
    (told,) = [warning.message for warning in made.warnings if warning.reason == "bitrate_missed"]
    figure = made.metrics["video_bitrate"]
    assert figure["target"] == 10_000
    assert figure["value"] > 11_500
    assert f"{figure['value']:,} bits per second" in told
    _, made = deliver(folder, "mp4", tmp_path / "easy", bitrate_bps=800_000_000)
    assert made.metrics["video_bitrate"]["verdict"] == "within target"
    assert [warning.reason for warning in made.warnings] == []


def test_an_encoder_in_hardware_is_told_of_that_does_not_heed_what_was_asked_for(tmp_path):
    film, (item,) = film_in(make_film(tmp_path / "film", {"colour": "red"})), wanted("mp4", {"crf": 9})
    picture = item.format.picture(film, item.options)
    assert hardware_warnings(picture, item.options) == ()
    (told,) = hardware_warnings(picture, item.options.model_copy(update={"hardware": True}))
    assert (told.reason, told.message) == (
        "hardware_missing",
        "No encoder in hardware works here for H.264; libx264 was used.",
    )
    (told,) = hardware_warnings(replace(picture, encoder="h264_nvenc"), item.options)
    assert told.message == "h264_nvenc encodes in hardware and does not heed crf; bitrate_bps is heeded."
    assert hardware_warnings(replace(picture, encoder="h264_nvenc"), wanted("mp4", {})[0].options) == ()


def test_a_range_that_holds_no_frame_is_refused(tmp_path):
    folder = make_film(tmp_path / "film", {"colour": "red"})
    with pytest.raises(InvalidInput, match=r"no frame begins in it; one lasts 0\.0417 s"):
        deliver(folder, "mp4", tmp_path / "out", time_range=[0.5, 0.501])


def test_a_film_of_shots_shorter_than_a_frame_is_a_slate_that_says_so(tmp_path):
    folder = make_film(tmp_path / "film", {"colour": "red", "duration": 0.001})
    path, made = deliver(folder, "mp4", tmp_path / "out")
    assert len(see(path).frames) == 48
    assert [it.reason for it in made.warnings if it.reason != "origin_unsaid"] == ["shot_too_short", "nothing_to_show"]
    assert made.warnings[1].message == "No shot lasts a frame; a slate with the film's title was made."


def test_a_range_behind_the_end_is_refused(tmp_path):
    folder = make_film(tmp_path / "film", {"colour": "red"})
    with pytest.raises(InvalidInput) as fault:
        deliver(folder, "mp4", tmp_path / "out", time_range=[5, 6])
    assert fault.value.reason is Reason.OUT_OF_RANGE
    assert not (tmp_path / "out").exists()


def test_a_range_shows_that_part_of_the_film(tmp_path):
    folder = make_film(tmp_path / "film", {"colour": "red"}, {"colour": "blue"})
    path, _ = deliver(folder, "mp4", tmp_path, time_range=[0.5, 1.25])
    seen = see(path)
    assert len(seen.frames) == 18
    assert middle(seen.frames[11])[0] > 200 > middle(seen.frames[12])[0]


def test_hostile_titles_are_letters_and_nothing_else(tmp_path):
    title = "a';drop\\n=#:|%{eif}[x]\u202e\x07<b>🎬 -y /etc/passwd"
    folder = make_film(tmp_path / "film", {"colour": "red", "title": title, "transition": "fade"},
                       project_name=title, scenes=[{"id": "x", "title": title, "shot_ids": ["s1"]}])  # fmt: skip
    path, _ = deliver(folder, "mp4", tmp_path / "out", burn_in="timecode_and_shot", slate=True, watermark="draft")
    seen = see(path)
    assert len(seen.frames) == 72
    assert "drop" in seen.metadata["title"]
    assert "\x07" not in seen.metadata["title"]


def test_a_title_of_any_length_leaves_the_picture_to_be_seen(tmp_path):
    folder = make_film(tmp_path / "film", {"colour": "gray", "duration": 0.5, "title": "A very long title\n" * 100})
    plain, burned = (
        see(deliver(folder, "mp4", tmp_path / burn_in, burn_in=burn_in)[0]).frames[3].astype(int)
        for burn_in in ("none", "timecode_and_shot")
    )
    differs = np.abs(plain - burned).max(axis=2) > 20
    assert differs[:27].any()
    assert not differs[27:].any()


def test_several_formats_are_drawn_once(tmp_path):
    folder = make_film(tmp_path / "film", {"colour": "red"}, {"colour": "blue"})
    reports = []
    formats = wanted("mp4,webm,avi", {"width": 64, "height": 36})
    export(film_in(folder), formats, tmp_path / "out", Progress(reports.append, interval_seconds=0))
    drawn = [report for report in reports if report.step == "rendering"]
    assert {report.total for report in drawn} == {48}
    assert len(cached_segments()) == 6 + 3, "two shots and a sound for each format"
    fractions = [report.fraction for report in reports]
    assert fractions == sorted(fractions)


def test_a_full_measurement_tells_what_is_black_and_what_stands_still(tmp_path):
    folder = make_film(tmp_path / "film", {"colour": "red", "duration": 3}, {"colour": "black", "duration": 2})
    _, made = deliver(folder, "mp4", tmp_path, measure="full")
    assert made.metrics["black_stretches"]["value"] == [[3.0, pytest.approx(5, abs=0.05)]]
    assert made.metrics["frozen_stretches"]["value"][0] == [0.0, 3.0]


LIKENESS = ("ssim", "psnr", "vmaf", "ssim_lowest")


def _likeness(made):
    return {name: made.metrics[name]["value"] for name in LIKENESS if name in made.metrics}


def _noise(seed):
    return np.random.default_rng(seed).integers(0, 255, (90, 160, 3)).astype(np.uint8)


def test_a_full_measurement_compares_the_picture_with_the_frames_that_were_drawn(tmp_path):
    """PyAV decodes both, numpy reckons; the archive holds the very frames that were drawn."""
    shots = [{"picture": _noise(n), "camera": "zoom", "duration": 0.5, "transition": "dissolve"} for n in range(2)]
    folder = make_film(tmp_path / "film", *({**shot, "transition_duration": 0.2} for shot in shots))
    lossless, kept = deliver(folder, "mkv", tmp_path, measure="full", pixel_format="yuv420p")
    path, made = deliver(folder, "mp4", tmp_path, measure="full")
    assert _likeness(kept) == {"ssim": 1.0, "psnr": None, "ssim_lowest": 1.0}
    assert kept.metrics["psnr"]["verdict"] == "identical"
    drawn, shown = (np.array([frame.to_ndarray() for frame in _decoded(one)], float) for one in (lossless, path))
    assert made.metrics["psnr"]["value"] == pytest.approx(
        10 * np.log10(255**2 / np.mean((drawn - shown) ** 2)), abs=0.1
    )
    assert 0.5 < made.metrics["ssim_lowest"]["value"] <= made.metrics["ssim"]["value"] < 1


def test_likeness_is_what_ffmpeg_says_of_the_finished_film_beside_the_frames(tmp_path):
    """The system's ffmpeg decodes the film and an archive of the frames, both whole, and compares them."""
    other = shutil.which("ffmpeg")
    if other is None:
        pytest.skip("no ffmpeg on PATH")
    shots = [{"picture": _noise(n), "camera": "zoom", "duration": 0.5, "transition": "dissolve"} for n in range(2)]
    folder = make_film(tmp_path / "film", *({**shot, "transition_duration": 0.2} for shot in shots))
    drawn, _ = deliver(folder, "mkv", tmp_path, measure="none", pixel_format="yuv420p")
    film, made = deliver(folder, "mp4", tmp_path, measure="full")
    counted = "settb=1/1000,setpts=N"
    for name, pattern in (("ssim", r"SSIM .*All:([\d.]+)"), ("psnr", r"PSNR .*average:([\d.]+)")):
        graph = f"[0:v]{counted}[a];[1:v]{counted}[b];[a][b]{name}"
        ran = subprocess.run(
            [other, "-hide_banner", "-i", film, "-i", drawn, "-lavfi", graph, "-f", "null", "-"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        said = float(re.findall(pattern, ran.stderr)[-1])
        assert made.metrics[name]["value"] == pytest.approx(said, abs=2e-5 if name == "ssim" else 0.006)


def _decoded(path):
    with av.open(str(path)) as film:
        yield from film.decode(video=0)


@pytest.mark.parametrize("codec", ["h264", "h265"])
def test_a_film_that_is_joined_without_decoders_has_the_same_bytes(tmp_path, codec):
    shots = [{"picture": _noise(n), "camera": "zoom", "duration": 0.5, "transition": "dissolve"} for n in range(2)]
    film = film_in(make_film(tmp_path / "film", *({**shot, "transition_duration": 0.2} for shot in shots)))
    options = MP4.options(video_codec=codec, width=160, height=90)
    with filming.studio(film) as studio:
        rendered = render([MP4.picture(film, options)], studio, Progress(), until=1.0)[0]
        for container in ("mp4", "mov"):
            for told in (True, False):
                plain = replace(rendered.picture, codec=replace(rendered.picture.codec, boxes_tell=told))
                target = tmp_path / f"{told}.{container}"
                wrapping = Wrapping(container=container, arguments=["-movflags", "+faststart"])
                join(studio.ffmpeg, replace(rendered, picture=plain), wrapping, target, Progress())
            assert (tmp_path / f"True.{container}").read_bytes() == (tmp_path / f"False.{container}").read_bytes()


def test_measuring_changes_no_byte_and_what_was_measured_is_kept(tmp_path, monkeypatch):
    folder = make_film(tmp_path / "film", {"picture": _noise(1), "camera": "pan"}, {"picture": _noise(2)})
    plain = deliver(folder, "mp4", tmp_path / "a")[0].read_bytes()
    later, compared = deliver(folder, "mp4", tmp_path / "b", measure="full")
    kept = cached_segments()
    again = deliver(folder, "mp4", tmp_path / "c", measure="full")[1]
    monkeypatch.setenv("STORYCORE_CACHE_FOLDER", str(tmp_path / "another"))
    at_once, meanwhile = deliver(folder, "mp4", tmp_path / "d", measure="full")
    assert plain == later.read_bytes() == at_once.read_bytes()
    assert cached_segments(tmp_path / "another").keys() == kept.keys()
    assert _likeness(compared) == _likeness(again) == _likeness(meanwhile)


def test_vmaf_is_measured_where_it_can_be(tmp_path):
    folder = make_film(tmp_path / "film", {"picture": _noise(1), "duration": 0.5})
    if not measures(("vmaf",), encoder.find(Settings.read()), tmp_path / "abilities"):
        pytest.skip("this ffmpeg has no libvmaf")
    made = deliver(folder, "mp4", tmp_path, vmaf=True, width=320, height=180)[1]
    assert _likeness(made).keys() == {"vmaf"}
    assert 0 < made.metrics["vmaf"]["value"] <= 100
    with pytest.raises(InvalidInput, match="too small for VMAF"):
        deliver(folder, "mp4", tmp_path / "small", vmaf=True, width=64, height=36)


def test_an_ffmpeg_without_loopback_and_vmaf_compares_afterwards_and_refuses_what_it_can_not(tmp_path, monkeypatch):
    other = shutil.which("ffmpeg")
    if other is None or measures(("vmaf",), encoder.find(Settings.read(ffmpeg=Path(other))), tmp_path / "abilities"):
        pytest.skip("no ffmpeg without libvmaf on PATH")
    monkeypatch.setenv("STORYCORE_FFMPEG", other)
    folder = make_film(tmp_path / "film", {"picture": _noise(1), "duration": 0.5})
    assert 0.5 < deliver(folder, "mp4", tmp_path / "a", measure="full")[1].metrics["ssim"]["value"] < 1
    with pytest.raises(DependencyFailed, match="can't measure VMAF") as fault:
        deliver(folder, "mp4", tmp_path / "b", vmaf=True)
    assert fault.value.reason == Reason.ENCODER_MISSING
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize("name", ["mp4", "mov"])
@pytest.mark.parametrize("edit_lists", [True, False])
def test_sound_is_in_time_with_the_picture_with_and_without_edit_lists(tmp_path, name, edit_lists):
    track = {"id": "a", "type": "sfx", "url": "click.wav", "startTime": 0.5, "volume": 100}
    shot = {"duration": 1, "transition": "dissolve", "transition_duration": 0.2}
    folder = make_film(tmp_path / "film", {**shot, "colour": "red"}, {**shot, "colour": "blue"}, audioTracks=[track])
    save(folder / "click.wav", np.eye(4800, 1, dtype=np.float32))
    options = {"audio_codec": "aac", "video_codec": "h264", "edit_lists": edit_lists}
    path, made = deliver(folder, name, tmp_path, **options)
    seen = see(path, pictures=False)
    assert made.metrics["edit_lists"]["value"] == (2 if edit_lists else 0)
    assert (seen.times[0], dict(seen.steps)) == (0, {Fraction(1, 24): len(seen.times) - 1})
    assert abs(seen.sound - len(seen.times) / 24) <= 0.0214
    assert _loudest(path) == pytest.approx(0.5, abs=1 / 48000)


@pytest.mark.parametrize(
    ("name", "rate", "first"),
    [("mov", 24, "01:00:00:00"), ("mp4", 25, "23:59:59:24"), ("mp4", "29.97", "10:00:00;00"),
     ("mov", "59.94", "00:01:00:30")],
)  # fmt: skip
def test_a_film_begins_at_its_timecode(tmp_path, name, rate, first):
    folder = make_film(tmp_path / "film", {"colour": "red", "duration": 0.5})
    options = {"fps": rate, "start_timecode": first, "edit_lists": name == "mov", "video_codec": "h264"}
    path, made = deliver(folder, name, tmp_path, **options)
    told = {"value": first, "unit": "", "method": "timecode track", "target": first, "verdict": "within target"}
    assert made.metrics["start_timecode"] == told
    assert made.metrics["edit_lists"]["value"] == 0 or name == "mov"
    with av.open(str(path)) as film:
        assert film.streams.video[0].metadata["timecode"] == first
        assert [it.metadata["timecode"] for it in film.streams if it.type == "data"] == [first]
    plain, told = deliver(folder, name, tmp_path / "plain", fps=rate, video_codec="h264")
    assert "start_timecode" not in told.metrics
    with av.open(str(plain)) as film:
        assert [it.type for it in film.streams if it.type == "data"] == []


@pytest.mark.parametrize(
    ("rate", "first", "why"),
    [("12.5", "01:00:00:00", "does not count 12.5"), (24, "01:00:00;00", "29.97 and 59.94 only, not at 24"),
     ("29.97", "01:01:00;00", "leaves out"), (24, "01:00:00:24", "there is no 01:00:00:24")],
)  # fmt: skip
def test_a_timecode_that_a_film_cannot_have_is_refused_before_anything_is_drawn(tmp_path, rate, first, why):
    folder = make_film(tmp_path / "film", {"colour": "red", "duration": 0.5})
    with pytest.raises(InvalidInput, match=why) as fault:
        deliver(folder, "mov", tmp_path / "out", fps=rate, start_timecode=first)
    assert fault.value.details["pointer"] == "/conversion_options/start_timecode"
    assert not list((tmp_path / "out").glob("*"))


def _loudest(path):
    """Seconds at which the sound is loudest, edit lists kept to."""
    with av.open(str(path)) as film:
        frames = [(frame.pts * frame.time_base, frame.to_ndarray()) for frame in film.decode(audio=0)]
    return float(max((abs(heard).max(), at + int(abs(heard).max(0).argmax()) / 48000) for at, heard in frames)[1])


def _page(folder, out, **options):
    """A contact sheet as RGB."""
    made = export(film_in(folder), wanted("sheet", {"columns": 1, **options}), out, Progress())
    return np.asarray(Image.open(made[0].path).convert("RGB")).astype(int)


def test_a_contact_sheet_names_its_shots_unless_told_otherwise(tmp_path):
    folder = make_film(tmp_path / "film", {"colour": "red"}, {"colour": "blue"})
    named, plain = _page(folder, tmp_path / "a"), _page(folder, tmp_path / "b", burn_in="none")
    changed = np.abs(named - plain).max(axis=2) > 40
    for top in (8, 286):  # each frame is 270 lines high, and 8 lie between
        assert not changed[top : top + 220].any()
        assert changed[top + 220 : top + 270].sum() > 500
    make_film(folder, {"colour": "red", "title": "Another"}, {"colour": "blue"})
    assert (np.abs(_page(folder, tmp_path / "c") - named).max(axis=2) > 40)[:280].any()


def test_a_watermark_stays_clear_of_the_titles_of_slates(tmp_path):
    folder = make_film(tmp_path / "film", {"title": "A shot that is not there and has a title of two lines, or more"})
    pictures = []
    for mark in ("", "FOR REVIEW"):
        options = {"watermark": mark, "width": 960, "height": 540}
        made = export(film_in(folder), wanted("poster", options), tmp_path / f"out{mark}", Progress())
        pictures.append(np.asarray(Image.open(made[0].path).convert("RGB")).astype(int))
    plain, marked = pictures
    words = (np.abs(plain - plain[0, 0]).max(axis=2) > 30).any(axis=1).nonzero()[0]
    mark = (np.abs(plain - marked).max(axis=2) > 8).any(axis=1).nonzero()[0]
    assert words[-1] < mark[0]
    assert mark[-1] < 540 * 0.85, "captions stand below it"


def test_a_poster_of_a_moment_behind_the_end_is_refused_before_anything_is_made(tmp_path):
    folder = make_film(tmp_path / "film", {"colour": "red"}, {"colour": "blue"})
    with pytest.raises(InvalidInput, match="lies behind the end; it lasts 2 s") as fault:
        export(film_in(folder), wanted("mp4,poster", {"at_seconds": 9999}), tmp_path / "out", Progress())
    assert fault.value.reason is Reason.OUT_OF_RANGE
    assert not (tmp_path / "out").exists()
    assert cached_segments() == {}
    (made,) = export(film_in(folder), wanted("poster", {"at_seconds": 2}), tmp_path / "out", Progress())
    assert Image.open(made.path).convert("RGB").getpixel((100, 100)) == pytest.approx((0, 0, 255), abs=3)


def test_a_film_that_is_not_measured_tells_nothing_of_its_picture(tmp_path):
    folder = make_film(tmp_path / "film", {"colour": "red", "duration": 0.2})
    assert deliver(folder, "mp4", tmp_path, measure="none")[1].metrics == {}


@pytest.mark.parametrize("name", ["mp4", "webm", "mkv"])
def test_captions_are_a_track_a_file_or_part_of_the_picture(tmp_path, name):
    shot = {"colour": (20, 60, 90), "duration": 2, "dialogue": [{"character": "a", "text": "Then we use mine."}]}
    folder = make_film(tmp_path / "film", shot)
    plain, _ = deliver(folder, name, tmp_path / "a")
    burned, _ = deliver(folder, name, tmp_path / "b", captions="burn")
    soft, _ = deliver(folder, name, tmp_path / "c", captions="soft", caption_language="en")
    side, made = deliver(folder, name, tmp_path / "d", captions="sidecar")
    assert see(plain).frames[20].max() < 120
    assert see(burned).frames[20][60:].max() > 200
    with av.open(str(soft)) as film:
        assert film.streams.subtitles[0].metadata["language"] == "eng"
        assert sum(1 for packet in film.demux(film.streams.subtitles[0]) if packet.size > 4) == 1
    assert [path.name for path in made.beside] == ["Small.srt"]
    assert "Then we use mine." in made.beside[0].read_text(encoding="utf-8")
    assert side.is_file()


def test_scenes_are_chapters(tmp_path):
    shots = [{"colour": "red"}, {"colour": "blue"}, {"colour": "green"}]
    scenes = [
        {"id": "a", "title": "Night; = # one", "shot_ids": ["s1", "s2"]},
        {"id": "b", "title": "Day", "shot_ids": ["s3"]},
    ]
    folder = make_film(tmp_path / "film", *shots, scenes=scenes)
    path, _ = deliver(folder, "mp4", tmp_path)
    with av.open(str(path)) as film:
        told = [(float(one["start"] * one["time_base"]), one["metadata"]["title"]) for one in film.chapters()]
    assert told == [(0.0, "Night; = # one"), (2.0, "Day")]


@pytest.mark.parametrize(
    "kind", ["dissolve", "fade", "fade_white", "wipe_left", "wipe_down", "slide_right", "slide_up", "zoom", "blur"]
)
def test_a_transition_leads_from_one_shot_to_the_other(tmp_path, kind):
    shots = [{"colour": "red", "transition": kind, "transition_duration": 0.5}, {"colour": "blue"}]
    path, _ = deliver(make_film(tmp_path / "film", *shots), "mp4", tmp_path, fps=24)
    seen = see(path)
    overlaps = kind not in ("fade", "fade_white")
    assert len(seen.frames) == (36 if overlaps else 48)
    assert middle(seen.frames[0]) == pytest.approx((255, 0, 0), abs=4)
    assert middle(seen.frames[-1]) == pytest.approx((0, 0, 255), abs=4)
    if not overlaps:
        assert middle(seen.frames[23 if kind == "fade" else 24]) == pytest.approx(
            (0,) * 3 if kind == "fade" else (255,) * 3, abs=45
        )


@pytest.mark.parametrize("name", ["gif", "frames", "poster", "sheet"])
def test_pictures_show_the_film(tmp_path, name):
    folder = make_film(tmp_path / "film", {"colour": "red"}, {"colour": "blue"}, {"colour": "lime"})
    film = film_in(folder)
    made = export(film, wanted(name, {"width": 64, "height": 36}), tmp_path / "out", Progress())[0]
    pictures = _pictures(made.path, name)
    colours = [middle(np.asarray(picture.convert("RGB"))) for picture in pictures]
    if name == "sheet":
        assert pictures[0].size == (2 * 64 + 3 * 8, 2 * 36 + 3 * 8)
        return
    expected = {"poster": [(0, 0, 255)], "gif": [(255, 0, 0), (0, 255, 0)], "frames": [(255, 0, 0), (0, 255, 0)]}[name]
    assert colours[0] == pytest.approx(expected[0], abs=4)
    assert colours[-1] == pytest.approx(expected[-1], abs=4)
    assert len(colours) == {"poster": 1, "gif": 38, "frames": 72}[name]


def _pictures(path, name):
    if name == "frames":
        with zipfile.ZipFile(path) as package:
            return [Image.open(io.BytesIO(package.read(entry))) for entry in package.namelist()]
    with Image.open(path) as image:
        return [frame.copy() for frame in ImageSequence.Iterator(image)]


@pytest.mark.parametrize(
    ("option", "message"),
    [({"fps": 0}, "between 1 and 240"), ({"fps": 100000}, "between 1 and 240"), ({"width": 321}, "must be"),
     ({"time_range": [5, 2]}, "the end must come"), ({"time_range": [-1, 2]}, "the film begins at 0 s")],
)  # fmt: skip
def test_a_value_that_no_film_can_have_is_out_of_range(option, message):
    with pytest.raises(InvalidInput) as fault:
        wanted("mp4", option)
    assert fault.value.reason is Reason.OUT_OF_RANGE
    assert fault.value.message.startswith(f"conversion_options.{next(iter(option))}: {message}")
