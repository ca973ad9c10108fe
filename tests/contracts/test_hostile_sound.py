"""Sound files that are broken, mislabelled or hostile become silence and a warning; nothing else happens."""

import socket
import struct
import threading

import numpy as np
import pytest

from fixtures.media_files import film_bytes
from fixtures.sounds import RATE, level_db, make_sound_project, mix_of, noise, save, tone, track


def mixed(tmp_path, data, name="bad.wav"):
    """A film with one good sound and one made of `data`: its samples and warnings."""
    folder = tmp_path / "film"
    save(folder / "good.wav", tone(seconds=2, channels=2))
    (folder / name).write_bytes(data)
    make_sound_project(folder, {"audioTracks": [track("good.wav"), track(name, "music")]})
    sound, mix = mix_of(folder, tmp_path / "work")
    return sound, mix.warnings


def giant_header():
    """A WAV that says it holds four gigabytes, at a rate of four billion."""
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 2, 0xFFFFFFFF, 0xFFFFFFFF, 4, 16)
    return b"RIFF" + struct.pack("<I", 0xFFFFFFFF) + b"WAVE" + form + struct.pack("<4sI", b"data", 0xFFFFFFFF) + b"ab"


@pytest.mark.parametrize(
    "data",
    [
        b"RIFF\x24\0\0\0WAVEjunk",
        b"ID3\x03\0\0\0\0\x0f\x76",
        b"fLaC" + b"\xff" * 200,
        b"OggS" + b"\0" * 300,
        giant_header(),
    ],
    ids=["riff", "id3", "flac", "ogg", "giant header"],
)
def test_what_can_not_be_decoded_is_silence_and_a_warning(tmp_path, data):
    sound, warnings = mixed(tmp_path, data)
    assert [(warning.file, warning.reason) for warning in warnings] == [("bad.wav", "media_unreadable")]
    assert np.allclose(sound[:-480], tone(seconds=2, channels=2)[:-480], atol=1e-4)


def test_a_truncated_file_is_heard_as_far_as_it_goes_and_told(tmp_path):
    whole = save(tmp_path / "whole.flac", noise(seconds=2), subtype="PCM_16").read_bytes()
    sound, warnings = mixed(tmp_path, whole[: len(whole) // 2], name="bad.flac")
    assert [(it.file, "cut short" in it.message) for it in warnings] == [("bad.flac", True)]
    other = sound - tone(seconds=2, channels=2)
    assert level_db(other[: RATE // 2]) > -25
    assert level_db(other[-RATE // 2 : -480]) < -80


def test_a_file_of_nothing_or_of_text_is_missing_and_told_when_the_project_is_read(tmp_path):
    for data in (b"", b"not a sound"):
        sound, warnings = mixed(tmp_path, data)
        assert warnings == ()
        assert len(sound) == 2 * RATE


def test_a_float_file_of_nan_and_giants_does_not_spoil_the_mix(tmp_path):
    folder = tmp_path / "film"
    wild = np.array([[np.nan], [np.inf], [-np.inf], [1e30], [0.25]] * 1000, np.float32)
    save(folder / "bad.wav", wild)
    make_sound_project(folder, {"audioTracks": [track("bad.wav")]})
    sound, _ = mix_of(folder, tmp_path / "work")
    assert np.isfinite(sound).all()
    assert np.abs(sound).max() <= 8


PLAYLISTS = {
    "m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{url}\n#EXT-X-ENDLIST\n",
    "ffconcat": "ffconcat version 1.0\nfile '{url}'\n",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio {port} RTP/AVP 0\n",
}


@pytest.mark.parametrize("kind", PLAYLISTS)
@pytest.mark.parametrize("start", [b"", b"ID3\x03\0\0\0\0\0\0", b"RIFF\0\0\0\0WAVE"], ids=["bare", "as mp3", "as wav"])
def test_a_playlist_in_disguise_reaches_nobody(tmp_path, kind, start):
    """A listener on loopback hears nothing, and no byte of another file gets into the film."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.3)
        port = server.getsockname()[1]
        calls = []

        def listen():
            try:
                calls.append(server.accept())
            except TimeoutError:
                return

        waiting = threading.Thread(target=listen)
        waiting.start()
        secret = save(tmp_path / "secret.wav", tone(seconds=2, hz=5000, level=0.9, channels=2))
        url = secret if kind == "ffconcat" else f"http://127.0.0.1:{port}/a.ts"
        sound, _ = mixed(tmp_path, start + PLAYLISTS[kind].format(url=url, port=port).encode(), name="bad.mp3")
        waiting.join()
    assert calls == []
    assert np.allclose(sound[:-480], tone(seconds=2, channels=2)[:-480], atol=1e-4)


@pytest.mark.parametrize(
    "name", ["-i.wav", "concat:a|b.wav", "a'b\"c.wav", "%03d.wav", "pipe:0.wav", "ü – 音.wav", "a,b;[c]=d.wav"]
)
def test_names_that_look_like_commands_are_names(tmp_path, name):
    folder = tmp_path / "film"
    save(folder / name, tone(seconds=1, channels=2))
    make_sound_project(folder, {"duration": 1, "audioTracks": [track(name)]})
    sound, mix = mix_of(folder, tmp_path / "work")
    assert mix.warnings == ()
    assert level_db(sound) > -10


def test_a_sound_that_is_asked_for_beyond_its_end_is_told(tmp_path):
    folder = tmp_path / "film"
    save(folder / "short.wav", tone(seconds=1))
    make_sound_project(folder, {"audioTracks": [track("short.wav", offset=5)]})
    _, mix = mix_of(folder, tmp_path / "work")
    assert [warning.file for warning in mix.warnings] == ["short.wav"]


def test_a_picture_clip_named_as_a_sound_is_told(tmp_path):
    folder = tmp_path / "film"
    folder.mkdir()
    (folder / "mute.mp4").write_bytes(film_bytes("mp4", video="mpeg4"))
    make_sound_project(folder, {"audioTracks": [track("mute.mp4")]})
    _, mix = mix_of(folder, tmp_path / "work")
    assert [(it.file, "holds no sound" in it.message) for it in mix.warnings] == [("mute.mp4", True)]


def test_hundreds_of_sounds_at_once_need_one_process_at_a_time(tmp_path):
    folder = tmp_path / "film"
    save(folder / "a.wav", tone(seconds=0.2, level=0.01, channels=2))
    make_sound_project(folder, {"duration": 1, "audioTracks": [track("a.wav") for _ in range(60)]})
    sound, mix = mix_of(folder, tmp_path / "work")
    assert mix.warnings == ()
    assert np.abs(sound[100:9000]).max() == pytest.approx(0.6, abs=0.01)
