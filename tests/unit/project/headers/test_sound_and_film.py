"""Header readers of sound and film, held against the standard library and FFmpeg."""

import io
import struct
import wave
from fractions import Fraction

import av
import pytest

from fixtures.media_files import extensible_wav_bytes, film_bytes, rf64_bytes, wav_bytes
from storycore.project.headers import HeaderFault, MediaFacts, facts_of
from storycore.project.model import MediaKind

NAMES = {
    "h264": "H.264",
    "hevc": "H.265",
    "vp8": "VP8",
    "vp9": "VP9",
    "av1": "AV1",
    "mpeg4": "MPEG-4",
    "mjpeg": "Motion JPEG",
    "prores": "ProRes",
    "ffv1": "FFV1",
    "aac": "AAC",
    "mp3": "MP3",
    "mp3float": "MP3",
    "opus": "Opus",
    "vorbis": "Vorbis",
    "flac": "FLAC",
    "pcm_s16le": "PCM",
    "pcm_s16be": "PCM",
    "pcm_s24le": "PCM",
}
NTSC = Fraction(24000, 1001)

FILMS = {
    "h264.mp4": ("mp4", "libx264", "aac", Fraction(24)),
    "ntsc.mp4": ("mp4", "libx264", "aac", NTSC),
    "h265.mp4": ("mp4", "libx265", None, Fraction(25)),
    "faststart.mp4": ("mp4", "mpeg4", "libmp3lame", Fraction(30)),
    "prores.mov": ("mov", "prores_ks", "pcm_s16le", Fraction(24)),
    "motion.mov": ("mov", "mjpeg", "aac", Fraction(12)),
    "vp8.webm": ("webm", "libvpx", "libopus", Fraction(24)),
    "vp9.webm": ("webm", "libvpx-vp9", "libopus", NTSC),
    "ffv1.mkv": ("matroska", "ffv1", "flac", Fraction(30000, 1001)),
    "h264.mkv": ("matroska", "libx264", "libmp3lame", Fraction(50)),
    "mpeg4.avi": ("avi", "mpeg4", "libmp3lame", Fraction(25)),
    "motion.avi": ("avi", "mjpeg", "pcm_s16le", Fraction(30)),
}
PIXELS = {"prores_ks": "yuv422p10le", "mjpeg": "yuvj420p"}
OPTIONS = {"faststart.mp4": {"movflags": "faststart"}}


def film(name: str) -> bytes:
    container, video, audio, rate = FILMS[name]
    pixels = PIXELS.get(video, "yuv420p")
    return film_bytes(container, video=video, audio=audio, rate=rate, pixels=pixels, options=OPTIONS.get(name))


def facts(data: bytes) -> MediaFacts:
    found = facts_of(io.BytesIO(data))
    assert found is not None
    return found


@pytest.mark.parametrize("name", FILMS)
def test_a_film_tells_what_ffmpeg_reads(name):
    data = film(name)
    found = facts(data)
    with av.open(io.BytesIO(data)) as opened:
        video, audio = opened.streams.video[0], next(iter(opened.streams.audio), None)
        seconds = Fraction(opened.duration, av.time_base)
        assert (found.width, found.height) == (video.width, video.height)
        assert (found.video_codec or "").startswith(NAMES[video.codec_context.codec.canonical_name])
        assert found.frame_rate == pytest.approx(video.average_rate, rel=1e-4)
        assert found.duration == pytest.approx(seconds, abs=1e-3)
        if audio is None:
            assert (found.audio_codec, found.channels, found.sample_rate_hz) == (None, None, None)
        else:
            assert found.audio_codec == NAMES[audio.codec_context.codec.canonical_name]
            assert (found.channels, found.sample_rate_hz) == (audio.channels, audio.sample_rate)
    assert (found.kind, found.estimated) == (MediaKind.VIDEO, False)


@pytest.mark.parametrize("name", ["ntsc.mp4", "vp9.webm", "ffv1.mkv"])
def test_the_rates_of_ntsc_are_exact(name):
    assert facts(film(name)).frame_rate == FILMS[name][3]


def test_a_film_in_fragments_tells_its_size():
    data = film_bytes("mp4", video="libx264", options={"movflags": "frag_keyframe+empty_moov"})
    found = facts(data)
    assert (found.width, found.height, found.video_codec) == (96, 54, "H.264")


def test_a_film_that_lies_on_its_side_has_the_size_that_is_shown():
    data = bytearray(film_bytes("mp4", video="mpeg4"))
    at = data.index(b"tkhd") + 4 + 40
    struct.pack_into(">9i", data, at, 0, 1 << 16, 0, -(1 << 16), 0, 0, 54 << 16, 0, 1 << 30)
    found = facts(bytes(data))
    assert (found.width, found.height) == (54, 96)


@pytest.mark.parametrize(("width", "channels", "rate"), [(1, 1, 8000), (2, 2, 44100), (3, 6, 48000), (4, 1, 96000)])
def test_a_wav_tells_what_the_standard_library_reads(width, channels, rate):
    data = wav_bytes(width=width, channels=channels, rate=rate)
    with wave.open(io.BytesIO(data)) as sound:
        expected = MediaFacts(
            media_type="audio/wav",
            kind=MediaKind.AUDIO,
            bit_depth=8 * sound.getsampwidth(),
            duration=Fraction(sound.getnframes(), sound.getframerate()),
            audio_codec="PCM",
            channels=sound.getnchannels(),
            sample_rate_hz=sound.getframerate(),
        )
    assert facts(data) == expected


def test_a_wav_cut_short_has_the_length_of_what_is_there():
    data = wav_bytes(seconds=1)
    assert facts(data[: 44 + 48000 * 2]).duration == Fraction(1, 2)


@pytest.mark.parametrize(
    ("data", "channels", "depth"), [(rf64_bytes(), 2, 16), (extensible_wav_bytes(), 6, 24)], ids=["rf64", "extensible"]
)
def test_long_and_extensible_wavs_are_read(data, channels, depth):
    with av.open(io.BytesIO(data)) as opened:
        assert opened.streams.audio[0].channels == channels
    found = facts(data)
    assert (found.channels, found.bit_depth, found.audio_codec) == (channels, depth, "PCM")
    assert found.duration == Fraction(1, 2)


SOUNDS = {
    "flac": ("flac", "flac", "audio/flac", 0.0),
    "mp3 with a count": ("mp3", "libmp3lame", "audio/mpeg", 0.0),
    "opus": ("ogg", "libopus", "audio/ogg", 0.0),
    "vorbis": ("ogg", "vorbis", "audio/ogg", 0.03),
    "ogg flac": ("ogg", "flac", "audio/ogg", 0.0),
    "aiff": ("aiff", "pcm_s16be", "audio/aiff", 0.0),
    "m4a": ("ipod", "aac", "audio/mp4", 0.03),
    "mka": ("matroska", "libopus", "audio/x-matroska", 0.03),
}


@pytest.mark.parametrize("name", SOUNDS)
def test_a_sound_tells_what_ffmpeg_reads(name):
    container, codec, media_type, slack = SOUNDS[name]
    options = {"strict": "experimental"}
    data = film_bytes(container, audio=codec, frames=24, options=options)
    found = facts(data)
    with av.open(io.BytesIO(data)) as opened:
        stream = opened.streams.audio[0]
        assert found.audio_codec == NAMES[stream.codec_context.codec.canonical_name]
        assert (found.channels, found.sample_rate_hz) == (stream.channels, stream.sample_rate)
    assert (found.media_type, found.kind, found.estimated) == (media_type, MediaKind.AUDIO, False)
    assert found.duration == pytest.approx(1, abs=slack or 1e-9)


def test_an_mp3_without_a_count_is_marked_as_estimated():
    data = film_bytes("mp3", audio="libmp3lame", frames=24 * 4, options={"write_xing": "0", "id3v2_version": "0"})
    found = facts(data)
    assert found.estimated
    assert found.duration == pytest.approx(4, rel=0.03)


def test_an_mp3_with_a_vbri_tag_has_the_length_that_it_counts():
    data = bytearray(
        film_bytes("mp3", audio="libmp3lame", frames=24, options={"write_xing": "0", "id3v2_version": "0"})
    )
    struct.pack_into(">4sHHHII", data, 36, b"VBRI", 1, 0, 0, len(data), 500)
    found = facts(bytes(data))
    with av.open(io.BytesIO(bytes(data))) as opened:
        assert found.duration == pytest.approx(Fraction(opened.duration, av.time_base), abs=0.1)
    assert (found.duration, found.estimated) == (Fraction(500 * 1152, 48000), False)


def test_tags_before_and_after_an_mp3_are_not_sound():
    plain = film_bytes("mp3", audio="libmp3lame", frames=24, options={"write_xing": "0", "id3v2_version": "0"})
    tag = b"ID3\x04\0\0\0\0\x08\0" + bytes(1024)
    assert facts(tag + plain + b"TAG" + bytes(125)).duration == facts(plain).duration


def test_a_bare_aac_stream_does_not_say_how_long_it_is():
    found = facts(film_bytes("adts", audio="aac"))
    assert (found.audio_codec, found.channels, found.sample_rate_hz, found.duration) == ("AAC", 2, 48000, None)


def test_a_transport_stream_is_known_by_kind_only():
    found = facts(film_bytes("mpegts", video="mpeg4"))
    assert found == MediaFacts(media_type="video/mp2t", kind=MediaKind.VIDEO)


@pytest.mark.parametrize(
    "data",
    [
        struct.pack(">I4s4sI", 16, b"ftyp", b"isom", 0) + struct.pack(">I4s", 4, b"moov") * 10,
        struct.pack(">I4s4sI", 16, b"ftyp", b"isom", 0) + struct.pack(">I4s", 8, b"free") * 5000,
        struct.pack(">I4s4sI", 16, b"ftyp", b"isom", 0) + struct.pack(">I4sQ", 1, b"mdat", 1 << 62),
        b"\x1aE\xdf\xa3\x80" + b"\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff" + b"\xec\x80" * 5000,
        b"RIFF\xff\xff\xff\xffWAVE" + b"junk\0\0\0\0" * 5000,
        b"OggS\0\x02" + bytes(20) + b"\xff" * 256,
        b"ID3\x04\0\0\x7f\x7f\x7f\x7f",
        b"fLaC\x80\0\0\x22" + bytes(34),
    ],
)
def test_broken_headers_are_a_header_fault(data):
    with pytest.raises(HeaderFault):
        facts_of(io.BytesIO(data))
