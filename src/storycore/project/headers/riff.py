"""Headers of RIFF containers: WAV and RF64, AVI.

Source: Microsoft "Multiple Channel Audio Data and WAVE Files"; EBU Tech 3306 (RF64); Microsoft AVI RIFF reference.
"""

import struct
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from storycore.project.headers.codecs import VIDEO_FOURCC, WAVE_CODECS
from storycore.project.headers.facts import HeaderFault, MediaFacts, believed, check_sides, sound
from storycore.project.headers.window import Window
from storycore.project.model import MediaKind

_MOST_CHUNKS = 1000
_UNKNOWN = 0xFFFFFFFF


def read_wav(window: Window, media_type: str) -> MediaFacts:
    """Codec, channels, rate, depth and duration of a WAV, RF64 and WAVE_FORMAT_EXTENSIBLE too.

    The duration is counted from the bytes of sound that are really there.
    """
    form: tuple[int, int, int, int, int, int] | None = None
    samples = long_size = None
    for name, at, length in _chunks(window, 12, window.size):
        if name == b"ds64":
            long_size, samples = struct.unpack("<QQ", window.at(at + 8, 16))
        elif name == b"fmt ":
            form = struct.unpack("<HHIIHH", window.at(at, 16))
            if form[0] == 0xFFFE and length >= 26:
                form = (struct.unpack("<H", window.at(at + 24, 2))[0], *form[1:])
        elif name == b"fact" and samples is None:
            (samples,) = struct.unpack("<I", window.at(at, 4))
        elif name == b"data":
            there = window.size - at
            size = min(long_size if length == _UNKNOWN and long_size else length, there)
            return _wav(media_type, form, size, samples)
    raise HeaderFault("a WAV without sound")


def _wav(
    media_type: str, form: tuple[int, int, int, int, int, int] | None, size: int, samples: int | None
) -> MediaFacts:
    if form is None:
        raise HeaderFault("a WAV whose sound stands before its format")
    code, channels, rate, byte_rate, block, bits = form
    estimated = False
    if code in (1, 3, 6, 7) and block and rate:
        duration = Fraction(size // block, rate)
    elif samples and rate and samples != _UNKNOWN:
        duration = Fraction(samples, rate)
    elif byte_rate:
        duration, estimated = Fraction(size, byte_rate), True
    else:
        raise HeaderFault("a WAV that does not say how fast it plays")
    return sound(
        media_type,
        WAVE_CODECS.get(code, f"0x{code:04x}"),
        channels=channels,
        sample_rate_hz=rate,
        duration=duration,
        bit_depth=bits or None,
        estimated=estimated,
    )


def read_avi(window: Window, media_type: str) -> MediaFacts:
    """Size, rate, duration and codecs of an AVI, from its first video and sound stream."""
    streams = list(_streams(window))
    video = next((stream for stream in streams if stream[0] == b"vids"), None)
    audio = next((stream for stream in streams if stream[0] == b"auds"), None)
    if video is None:
        raise HeaderFault("an AVI without a picture")
    _, handler, scale, rate, length, form = video
    width, height = struct.unpack_from("<ii", form, 4)
    check_sides(width, abs(height))
    if not scale or not rate:
        raise HeaderFault("an AVI that does not say how fast it plays")
    code = form[16:20] if form[16:20].strip(b"\0 ") else handler
    facts = MediaFacts(
        media_type=media_type,
        kind=MediaKind.VIDEO,
        width=width,
        height=abs(height),
        duration=believed(Fraction(length * scale, rate)),
        frame_rate=Fraction(rate, scale),
        video_codec=_codec(code),
    )
    return facts if audio is None else _with_sound(facts, audio)


_Stream = tuple[bytes, bytes, int, int, int, bytes]


def _streams(window: Window) -> Iterator[_Stream]:
    for name, at, length in _chunks(window, 12, window.size):
        if name != b"LIST" or window.at(at, 4) != b"hdrl":
            continue
        for inner, start, size in _chunks(window, at + 4, at + length):
            if inner == b"LIST" and window.at(start, 4) == b"strl":
                yield _stream(window, start + 4, start + size)
        return


def _stream(window: Window, start: int, end: int) -> _Stream:
    header = form = b""
    for name, at, length in _chunks(window, start, end):
        if name == b"strh":
            header = window.at(at, 36)
        elif name == b"strf":
            form = window.at(at, min(length, 40))
    if len(header) < 36 or len(form) < 16 or (header[:4] == b"vids" and len(form) < 20):
        raise HeaderFault("an AVI stream without its format")
    scale, rate, _, length = struct.unpack_from("<IIII", header, 20)
    return header[:4], header[4:8], scale, rate, length, form


def _with_sound(facts: MediaFacts, stream: _Stream) -> MediaFacts:
    code, channels, rate = struct.unpack_from("<HHI", stream[5])
    return replace(
        facts,
        audio_codec=WAVE_CODECS.get(code, f"0x{code:04x}"),
        channels=channels or None,
        sample_rate_hz=rate or None,
    )


def _codec(code: bytes) -> str:
    text = code.decode("latin-1").strip("\0 ")
    return VIDEO_FOURCC.get(text.lower(), text or "raw")


def _chunks(window: Window, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Name, place and length of the content of each chunk between two places."""
    for _ in range(_MOST_CHUNKS):
        if at + 8 > min(end, window.size):
            return
        name, length = struct.unpack("<4sI", window.at(at, 8))
        yield name, at + 8, length
        at += 8 + length + (length & 1)
