"""Headers of AIFF and AIFF-C.

Source: Apple "Audio Interchange File Format: AIFF", version 1.3; AIFF-C draft of 1991 (compression types).
"""

import struct
from fractions import Fraction

from storycore.project.headers.codecs import AUDIO_FOURCC
from storycore.project.headers.facts import HeaderFault, MediaFacts, sound
from storycore.project.headers.window import Window

_MOST_CHUNKS = 1000


def read_aiff(window: Window, media_type: str) -> MediaFacts:
    """Codec, channels, rate, depth and duration, from the common chunk."""
    compressed = window.at(8, 4) == b"AIFC"
    at = 12
    for _ in range(_MOST_CHUNKS):
        name, length = struct.unpack(">4sI", window.at(at, 8))
        if name == b"COMM":
            return _common(media_type, window.at(at + 8, 22 if compressed else 18))
        at += 8 + length + (length & 1)
    raise HeaderFault("an AIFF of endless chunks")


def _common(media_type: str, chunk: bytes) -> MediaFacts:
    channels, frames, depth = struct.unpack_from(">hIh", chunk)
    rate = _extended(chunk[8:18])
    codec = "PCM" if len(chunk) == 18 else AUDIO_FOURCC.get(chunk[18:22].decode("latin-1").lower())
    if rate <= 0 or channels <= 0:
        raise HeaderFault("an AIFF without channels or sample rate")
    return sound(
        media_type,
        codec,
        channels=channels,
        sample_rate_hz=round(rate),
        duration=frames / rate,
        bit_depth=depth if depth > 0 else None,
    )


def _extended(data: bytes) -> Fraction:
    """The 80-bit number in which AIFF writes its sample rate."""
    sign_exponent, mantissa = struct.unpack(">HQ", data)
    exponent = (sign_exponent & 0x7FFF) - 16383 - 63
    if sign_exponent >> 15 or not -63 <= exponent <= 0:
        raise HeaderFault("an AIFF whose sample rate is beyond belief")
    return Fraction(mantissa, 1 << -exponent)
