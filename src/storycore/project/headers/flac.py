"""Headers of FLAC.

Source: RFC 9639 §8.2 (STREAMINFO).
"""

from fractions import Fraction

from storycore.project.headers.facts import HeaderFault, MediaFacts, sound
from storycore.project.headers.window import Window


def read_flac(window: Window, media_type: str) -> MediaFacts:
    """Rate, channels, depth and duration, from STREAMINFO, which is always first."""
    block = window.at(4, 4 + 34)
    if block[0] & 0x7F != 0 or int.from_bytes(block[1:4], "big") != 34:
        raise HeaderFault("a FLAC that does not begin with STREAMINFO")
    bits = int.from_bytes(block[14:22], "big")
    rate, channels, depth = bits >> 44, (bits >> 41 & 7) + 1, (bits >> 36 & 0x1F) + 1
    samples = bits & 0xF_FFFF_FFFF
    duration = Fraction(samples, rate) if samples and rate else None
    return sound(media_type, "FLAC", channels=channels, sample_rate_hz=rate, duration=duration, bit_depth=depth)
