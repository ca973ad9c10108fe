"""Stills and clips of the film trade and of odd shapes: shown as they are, or a slate that says why not."""

import io
import itertools
import struct
import subprocess
from fractions import Fraction

import av
import cv2
import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image

from fixtures.films import deliver, make_film, middle, see

COLOUR = (200, 120, 40)


def linear(colour):
    return [((value / 255 + 0.055) / 1.055) ** 2.4 for value in colour]


def by_ffmpeg(codec, pixels, raw, size):
    """A picture file that ffmpeg writes."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-f", "rawvideo", "-pix_fmt", pixels, "-s", size]
    command += ["-i", "-", "-frames:v", "1", "-c:v", codec, "-f", "image2pipe", "-"]
    return subprocess.run(command, input=raw, capture_output=True, check=True, timeout=60).stdout


def exr(light):
    """OpenEXR of one colour of light."""
    planes = [np.full((36, 64), value, np.float32).tobytes() for value in (light[1], light[2], light[0])]
    return by_ffmpeg("exr", "gbrpf32le", b"".join(planes), "64x36")


def hdr(light):
    """Radiance of one colour of light."""
    return cv2.imencode(".hdr", np.full((36, 64, 3), light[::-1], np.float32))[1].tobytes()


def dpx(colour):
    """DPX of ten bits."""
    return by_ffmpeg("dpx", "rgb48le", np.full((36, 64, 3), colour, np.uint16).astype("<u2").tobytes(), "64x36")


def psd(colour):
    """A flattened Photoshop file. Source: Adobe Photoshop File Formats Specification."""
    head = b"8BPS" + struct.pack(">H6xHIIHH", 1, 3, 36, 64, 8, 3) + bytes(12) + bytes(2)
    return head + b"".join(bytes([value]) * (36 * 64) for value in colour)


def cmyk(_colour):
    file = io.BytesIO()
    Image.new("CMYK", (64, 36), (55, 135, 215, 0)).save(file, "JPEG", quality=95)
    return file.getvalue()


def sixteen(suffix):
    return cv2.imencode(suffix, np.full((36, 64, 3), [value * 257 for value in COLOUR[::-1]], np.uint16))[1].tobytes()


STILLS = {
    "exr": exr(linear(COLOUR)),
    "hdr": hdr(linear(COLOUR)),
    "dpx": dpx([value * 257 for value in COLOUR]),
    "psd": psd(COLOUR),
    "png": sixteen(".png"),
    "tiff": sixteen(".tiff"),
    "jpg": cmyk(COLOUR),
}


@pytest.mark.parametrize("suffix", STILLS)
def test_stills_of_the_film_trade_show_their_colours(tmp_path, suffix):
    folder = make_film(tmp_path / "film", {"picture": STILLS[suffix], "suffix": suffix, "duration": 0.5})
    path, made = deliver(folder, "mp4", tmp_path)
    assert middle(see(path).frames[3]) == pytest.approx(COLOUR, abs=4)
    assert made.warnings == ()


@pytest.mark.parametrize(("make", "suffix"), [(exr, "exr"), (hdr, "hdr")])
def test_light_that_no_screen_shows_is_bent_and_said_each_time(tmp_path, make, suffix):
    folder = make_film(tmp_path / "film", {"picture": make([6.0, 3.0, 1.5]), "suffix": suffix, "duration": 0.5})
    for out in "ab":
        path, made = deliver(folder, "mp4", tmp_path / out)
        red, green, blue = middle(see(path).frames[3])
        assert 250 < red <= 255
        assert red > green > blue > 100
        assert [warning.reason for warning in made.warnings] == ["tone_mapped"], out
        assert f"picture_1.{suffix}" in made.warnings[0].message


@pytest.mark.parametrize("suffix", ["exr", "hdr", "dpx", "psd"])
@pytest.mark.parametrize("kept", [20, 60, 0.5])
def test_broken_ones_are_slates(tmp_path, suffix, kept):
    data = STILLS[suffix]
    size = kept if kept > 1 else round(len(data) * kept)
    folder = make_film(tmp_path / "film", {"picture": data[:size], "suffix": suffix, "duration": 0.25})
    path, made = deliver(folder, "mp4", tmp_path)
    assert len(see(path).frames) == 6
    told = [warning.message for warning in made.warnings if warning.reason == "media_unreadable"]
    assert ".;" not in "".join(told)


def clip(width, height, pixels="yuv420p", codec="ffv1"):
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as film:
        stream = film.add_stream(codec, rate=24)
        stream.width, stream.height, stream.pix_fmt = width, height, pixels
        for number in range(12):
            picture = np.full((height, width, 3), COLOUR, np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 24)
            film.mux(stream.encode(frame.reformat(format=pixels)))
        film.mux(stream.encode(None))
    return file.getvalue()


@pytest.mark.parametrize("fit", ["letterbox", "crop", "blur"])
@pytest.mark.parametrize("size", [(2000, 4), (4, 2000), (161, 91), (2, 2), (1, 1), (3, 500), (4096, 16)])
def test_clips_of_any_shape_are_shown(tmp_path, size, fit):
    pixels = "yuv444p" if size[0] % 2 or size[1] % 2 else "yuv420p"
    film = {"clip": clip(*size, pixels), "suffix": "mkv", "duration": 0.5}
    path, made = deliver(make_film(tmp_path / "film", film), "mp4", tmp_path, fit=fit)
    seen = see(path).frames
    assert made.warnings == ()
    assert len(seen) == 12
    if max(size) < 20 * min(size):
        assert middle(seen[5]) == pytest.approx(COLOUR, abs=8)
    else:  # a strip of a few pixels, whose colour mixes with what is beside it
        red, _, blue = seen[5][41:50, 74:87].reshape(-1, 3).max(axis=0)
        assert red > 110 > blue


def test_clips_that_are_over_before_their_shot_are_said(tmp_path):
    shots = [{"clip": clip(64, 36), "suffix": "mkv", "duration": seconds} for seconds in (0.5, 0.58, 1)]
    path, made = deliver(make_film(tmp_path / "film", *shots), "mp4", tmp_path)
    assert len(see(path).frames) == 50
    told = [(it.file, it.reason, it.message) for it in made.warnings]
    message = "assets/clip_3.mkv lasts 0.5 s, and shot 3 shows it from 0.0 s to 1.0 s; then its last frame stands."
    assert told == [("assets/clip_3.mkv", "clip_too_short", message)]


def test_a_clip_whose_rest_is_missing_is_shown_as_far_as_it_goes_and_said_each_time(tmp_path):
    path = tmp_path / "whole.mp4"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=64x36:rate=24:d=2"]
    command += ["-c:v", "libx264", "-bf", "0", "-g", "1", "-movflags", "+faststart", str(path)]
    subprocess.run(command, check=True, timeout=60)
    data = path.read_bytes()
    folder = make_film(tmp_path / "film", {"clip": data[: len(data) * 6 // 10], "duration": 2})
    for out in "ab":
        film, made = deliver(folder, "mp4", tmp_path / out, crf=1)
        frames = see(film).frames
        moving = sum(not np.array_equal(one, other) for one, other in itertools.pairwise(frames))
        assert len(frames) == 48
        assert 15 < moving < 40
        assert [(it.file, it.reason) for it in made.warnings] == [("assets/clip_1.mp4", "clip_too_short")], out
        assert "then its last frame stands" in made.warnings[0].message


def test_clips_of_high_dynamic_range_are_said_each_time(tmp_path):
    tagged = "format=yuv420p10le,setparams=color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc"
    path = tmp_path / "pq.mp4"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=64x36:rate=24:d=0.5"]
    command += ["-vf", tagged, "-c:v", "libx265", "-x265-params", "log-level=error", str(path)]
    subprocess.run(command, check=True, timeout=60)
    folder = make_film(tmp_path / "film", {"clip": path.read_bytes(), "duration": 0.5})
    for out in "ab":
        _, made = deliver(folder, "mp4", tmp_path / out)
        assert [(it.file, it.reason) for it in made.warnings] == [("assets/clip_1.mp4", "tone_mapped")]
