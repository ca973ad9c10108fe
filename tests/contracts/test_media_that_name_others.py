"""Files in a project that name other files or places on the net: nobody is called, and nothing foreign is shown.

Each disguise is shown and heard as a shot's clip, its picture and a sound of the film. A listener counts connections;
outside the project lies a film of one colour and one tone that nothing else here has.
"""

import contextlib
import socket
import struct
import threading

import av
import numpy as np
import pytest

from fixtures.films import deliver, film_in, make_film, see
from fixtures.media_files import film_bytes
from fixtures.sounds import RATE, save, tone, track
from storycore.exports.export import export, wanted
from storycore.observe.progress import Progress

MAGENTA, TONE_HZ = (255, 0, 255), 3000
WORD = b"a-word-that-nobody-may-read"


class Listener:
    """Takes every connection on one port, by TCP and UDP, and counts them."""

    def __init__(self):
        self._tcp, self._udp = socket.socket(), socket.socket(type=socket.SOCK_DGRAM)
        self._tcp.bind(("127.0.0.1", 0))
        self._tcp.listen(50)
        self.port = self._tcp.getsockname()[1]
        with contextlib.suppress(OSError):
            self._udp.bind(("127.0.0.1", self.port))
        self.heard = []
        for work in (self._accept, self._receive):
            threading.Thread(target=work, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                caller, address = self._tcp.accept()
                self.heard.append(address)
                caller.close()

    def _receive(self):
        with contextlib.suppress(OSError):
            while True:
                self.heard.append(self._udp.recvfrom(100)[1])

    def close(self):
        self._tcp.close()
        self._udp.close()


@pytest.fixture
def listener():
    found = Listener()
    yield found
    found.close()


@pytest.fixture
def secret(tmp_path):
    """Outside the project: a film, a picture, a sound, and words."""
    folder = make_film(tmp_path / "secret", {"colour": MAGENTA, "duration": 2})
    deliver(folder, "mp4", tmp_path / "secret")
    (tmp_path / "secret/Small.mp4").rename(tmp_path / "secret/secret.mp4")
    save(tmp_path / "secret/secret.wav", tone(seconds=2, hz=TONE_HZ, channels=2))
    (tmp_path / "secret/secret.txt").write_bytes(WORD * 40)
    return tmp_path / "secret"


def playlist(where):
    lines = ["#EXTM3U", "#EXT-X-VERSION:3", "#EXT-X-TARGETDURATION:2"]
    lines += [line for target in where for line in ("#EXTINF:2.0,", target)]
    return "\n".join([*lines, "#EXT-X-ENDLIST", ""]).encode()


def concat(where):
    return ("ffconcat version 1.0\n" + "".join(f"file '{target}'\n" for target in where)).encode()


def dash(where):
    parts = "".join(
        f'<AdaptationSet mimeType="video/mp4"><Representation id="{n}" bandwidth="9" codecs="avc1.42E01E" width="64" '
        f'height="36"><BaseURL>{target}</BaseURL></Representation></AdaptationSet>'
        for n, target in enumerate(where)
    )
    head = '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration='
    return f'{head}"PT2S" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011"><Period>{parts}</Period></MPD>'.encode()


def svg(where):
    parts = "".join(f'<image width="64" height="36" xlink:href="{target}"/>' for target in where)
    names = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    entity = f'<!DOCTYPE svg [<!ENTITY x SYSTEM "{where[-1]}">]>'
    return f'<?xml version="1.0"?>{entity}<svg {names} width="64" height="36">{parts}<text>&x;</text></svg>'.encode()


def session(where):
    port = where[0].rpartition(":")[2].partition("/")[0]
    lines = ["v=0", "o=- 0 0 IN IP4 127.0.0.1", "s=x", "c=IN IP4 127.0.0.1", "t=0 0", f"m=video {port} RTP/AVP 96",
             "a=rtpmap:96 H264/90000"]  # fmt: skip
    return "\r\n".join([*lines, ""]).encode()


def lists(where):
    entries = "".join(f"File{n}={target}\n" for n, target in enumerate(where, start=1))
    return f"[playlist]\n{entries}NumberOfEntries={len(where)}\n".encode()


def asx(where):
    return f"<asx version='3.0'>{''.join(f'<entry><ref href={t!r}/></entry>' for t in where)}</asx>".encode()


def data_reference(where, kind=b"url "):
    """A QuickTime film whose samples stand elsewhere: its data references name other files."""
    whole = _small_mov()
    location = where[0].encode() + b"\0" if kind == b"url " else _alias(where[-1])
    entry = struct.pack(">I4sI", 12 + len(location), kind, 0) + location
    return _with_reference(whole, 0, len(whole), entry)


def _alias(path):
    name = path.removeprefix("file://").encode()
    fields = bytearray(150)
    fields[4:6], fields[10] = struct.pack(">H", 2), 4
    fields[10:15] = b"\x04disk"
    fields[50 : 51 + len(name[-60:])] = bytes([len(name[-60:])]) + name[-60:]
    tail = struct.pack(">HH", 2, len(name)) + name + b"\0" * (len(name) % 2) + struct.pack(">HH", 18, len(name)) + name
    return bytes(fields) + tail + b"\0" * (len(name) % 2) + struct.pack(">hH", -1, 0)


_PARENTS = {b"moov", b"trak", b"mdia", b"minf", b"dinf"}


def _with_reference(data, at, end, entry):
    """The boxes of a film with another data reference in each track."""
    out = b""
    while at < end:
        size, name = struct.unpack(">I4s", data[at : at + 8])
        body = data[at + 8 : at + size]
        if name in _PARENTS:
            body = _with_reference(data, at + 8, at + size, entry)
        elif name == b"dref":
            body = struct.pack(">II", 0, 1) + entry
        out += struct.pack(">I4s", 8 + len(body), name) + body
        at += size
    return out


def _small_mov():
    return film_bytes("mov", video="mpeg4", audio="pcm_s16le", frames=24)


DISGUISES = {
    "m3u8": playlist, "concat": concat, "dash": dash, "svg": svg, "sdp": session, "pls": lists, "asx": asx,
    "data reference by URL": data_reference,
    "data reference by alias": lambda where: data_reference(where, b"alis"),
}  # fmt: skip


@pytest.mark.parametrize("suffix", ["mp4", "mov", "png", "wav", "m3u8", "svg", "sdp"])
def test_media_that_name_others_call_nobody_and_show_nothing_foreign(tmp_path, listener, secret, suffix):
    """One film of all disguises under one suffix, each as a clip, as a picture, and as a sound."""
    form = "wav" if suffix == "wav" else "mp4"
    where = [f"http://127.0.0.1:{listener.port}/a.{form}", f"{secret}/secret.{form}", f"file://{secret}/secret.{form}"]
    where.append(f"file://{secret}/secret.txt")
    names = [f"assets/{kind.replace(' ', '_')}.{suffix}" for kind in DISGUISES]
    shots = [{field: name, "duration": 0.25} for name in names for field in ("video", "image")]
    folder = make_film(tmp_path / "film", *shots, {"colour": (0, 90, 0), "duration": 0.25},
                       audioTracks=[track(name, startTime=0) for name in names])  # fmt: skip
    for name, disguise in zip(names, DISGUISES.values(), strict=True):
        (folder / name).write_bytes(disguise(where))
    path, _ = deliver(folder, "mp4", tmp_path / "out", audio_codec="aac")
    wav = heard(folder, tmp_path / "out")
    assert listener.heard == []
    seen = see(path)
    assert len(seen.frames) == 6 * (len(shots) + 1)
    assert max(_like_magenta(picture) for picture in seen.frames) == 0
    assert _tone(wav) < 1e-3
    for made in (path, wav):
        assert WORD not in made.read_bytes()


def heard(folder, out):
    """The film's sound alone."""
    return export(film_in(folder), wanted("wav", {}), out, Progress())[0].path


def _like_magenta(picture):
    red, green, blue = (picture[:, :, n].astype(int) for n in range(3))
    return int(((red > 180) & (blue > 180) & (green < 90)).sum())


def _tone(path):
    """How strong the foreign tone is in a sound, full scale 1."""
    with av.open(str(path)) as file:
        heard = np.concatenate([_floats(frame) for frame in file.decode(audio=0)])
    at = np.arange(len(heard)) / RATE
    return 2 * abs(np.mean(heard * np.exp(-2j * np.pi * TONE_HZ * at)))


def _floats(frame):
    samples = frame.to_ndarray()
    scale = 1.0 if samples.dtype.kind == "f" else float(np.iinfo(samples.dtype).max)
    mono = samples.reshape(-1, frame.layout.nb_channels)[:, 0] if not frame.format.is_planar else samples[0]
    return mono / scale


def test_the_foreign_film_would_have_been_recognised(tmp_path, secret):
    folder = make_film(tmp_path / "film", {"clip": (secret / "secret.mp4").read_bytes()}, audioTracks=[track("a.wav")])
    (folder / "a.wav").write_bytes((secret / "secret.wav").read_bytes())
    path, _ = deliver(folder, "mp4", tmp_path / "out")
    wav = heard(folder, tmp_path / "out")
    assert max(_like_magenta(picture) for picture in see(path).frames) > 1000
    assert _tone(wav) > 0.1
