"""Streams for browsers: unpacked and read by PyAV, which reads HLS by itself."""

import re
import zipfile
from fractions import Fraction

import av
import numpy as np
import pytest

from fixtures.films import deliver, make_film, middle
from fixtures.sounds import RATE, make_sound_project, save, track
from storycore.errors import InvalidInput

SHOTS = [
    {"colour": (200, 40, 40), "duration": 2.7, "transition": "dissolve", "transition_duration": 0.4, "camera": "pan"},
    {"colour": (40, 160, 40), "duration": 3.1, "transition": "wipe", "transition_duration": 0.4},
    {"colour": (40, 40, 200), "duration": 2.3},
]


def stream(folder, tmp_path, **options):
    """An unpacked stream, and what was told of it."""
    path, made = deliver(folder, "hls", tmp_path / "out", **options)
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "site")
    return tmp_path / "site", made


def variants(site):
    """Size → playlist, as the master playlist names them."""
    text = (site / "master.m3u8").read_text(encoding="ascii")
    return {size: site / uri for size, uri in re.findall(r"RESOLUTION=(\S+?),.*\n(\S+)", text)}


@pytest.mark.parametrize("rate", [24, "23.976", 25, "59.94"])
def test_every_size_has_every_frame_at_its_time_and_its_keyframes_where_the_others_have_them(tmp_path, rate):
    folder = make_film(tmp_path / "film", *SHOTS)
    site, made = stream(folder, tmp_path, width=320, height=180, fps=rate, sizes=[160, 144], piece_seconds=2)
    frames = made.metrics["frames"]["value"]
    assert made.metrics["frames"]["verdict"] == "within target"
    found = variants(site)
    assert list(found) == ["320x180", "284x160", "256x144"]
    keys = []
    for size, playlist in found.items():
        with av.open(str(playlist)) as film:
            seen = list(film.decode(film.streams.video[0]))
            times = [frame.pts * Fraction(frame.time_base) for frame in seen]
            assert f"{seen[0].width}x{seen[0].height}" == size
            step = 1 / film.streams.video[0].average_rate
        assert (len(times), times[0]) == (frames, 0)
        assert all(abs(time - number * step) < Fraction(1, 1000) for number, time in enumerate(times))
        keys.append([round(float(time), 3) for time, frame in zip(times, seen, strict=True) if frame.key_frame])
        starts = _starts(playlist)
        assert all(any(abs(start - key) < 0.002 for key in keys[-1]) for start in starts)
        assert len(starts) == made.metrics["pieces"]["value"] >= 3
    assert keys[0] == keys[1] == keys[2]


def _starts(playlist):
    lengths = [float(length) for length in re.findall(r"#EXTINF:([0-9.]+)", playlist.read_text(encoding="ascii"))]
    assert max(map(round, lengths)) <= int(re.search(r"TARGETDURATION:(\d+)", playlist.read_text())[1])
    return [sum(lengths[:number]) for number in range(len(lengths))]


def test_a_master_playlist_leads_to_picture_and_sound_that_belong_together(tmp_path):
    click = np.zeros((RATE // 2, 2), np.float32)
    click[:96] = 0.9
    save(tmp_path / "film/click.wav", click)
    folder = make_sound_project(tmp_path / "film", {}, {"audioTracks": [track("click.wav")]})
    site, made = stream(folder, tmp_path, width=64, height=36, audio_codec="aac", piece_seconds=1)
    with av.open(str(site / "master.m3u8")) as film:
        sound, picture = film.streams.audio[0], film.streams.video[0]
        heard = [(float(frame.pts * frame.time_base), frame.to_ndarray()[0]) for frame in film.decode(sound)]
    begins = next(
        time + float(np.argmax(np.abs(data) > 0.3)) / RATE for time, data in heard if np.abs(data).max() > 0.3
    )
    assert begins == pytest.approx(2.0, abs=1024 / RATE)
    assert (picture.codec_context.name, sound.codec_context.name) == ("h264", "aac")
    assert made.metrics["audio_duration"]["value"] == pytest.approx(4.0, abs=1024 / RATE)


def test_colours_and_captions_come_through(tmp_path):
    shot = {"colour": (200, 120, 40), "duration": 2, "dialogue": [{"character": "a", "text": "Then we use mine."}]}
    folder = make_film(tmp_path / "film", shot)
    site, made = stream(folder, tmp_path, width=320, height=180, captions="soft", caption_language="en")
    assert "Then we use mine." in (site / "captions/captions.vtt").read_text(encoding="utf-8")
    assert 'TYPE=SUBTITLES,GROUP-ID="subtitles",NAME="en",LANGUAGE="en"' in (site / "master.m3u8").read_text()
    for playlist in variants(site).values():
        with av.open(str(playlist)) as film:
            picture = next(film.decode(film.streams.video[0])).to_ndarray(format="rgb24")
        assert middle(picture) == pytest.approx((200, 120, 40), abs=3)
    assert [size["frames"] for size in made.metrics["sizes"]["value"]] == [48]


def test_bits_per_second_are_those_of_the_pieces(tmp_path):
    site, made = stream(make_film(tmp_path / "film", *SHOTS), tmp_path, width=320, height=180, piece_seconds=2)
    text = (site / "master.m3u8").read_text()
    peaks = [int(value) for value in re.findall(r"[:,]BANDWIDTH=(\d+)", text)]
    for peak, playlist, told in zip(peaks, variants(site).values(), made.metrics["sizes"]["value"], strict=True):
        found = re.findall(r"#EXTINF:([0-9.]+),\n(\S+)", playlist.read_text())
        rates = [(playlist.parent / name).stat().st_size * 8 / float(length) for length, name in found]
        assert peak == told["peak_bps"] == pytest.approx(max(rates), abs=1)


@pytest.mark.parametrize("sizes", [[145], [10], "720", [720.5], [200] * 9])
def test_sizes_that_can_not_be_are_refused(tmp_path, sizes):
    with pytest.raises(InvalidInput, match="sizes"):
        deliver(make_film(tmp_path / "film", *SHOTS), "hls", tmp_path, sizes=sizes)
