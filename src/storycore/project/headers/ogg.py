"""Headers of Ogg: Vorbis, Opus, FLAC, Speex and Theora.

Source: RFC 3533 §6 (pages); RFC 7845 §5.1 (OpusHead), §4 (granule position); Vorbis I §4.2.2; Theora §6.2.
"""

import struct
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import NamedTuple

from storycore.project.headers.facts import HeaderFault, MediaFacts, believed, check_sides, sound
from storycore.project.headers.window import Window
from storycore.project.model import MediaKind

_MOST_STREAMS = 16
_TAIL = 128 * 1024
_OPUS_RATE = 48000


class _Stream(NamedTuple):
    serial: int
    facts: MediaFacts
    rate: Fraction
    skip: int
    shift: int = 0


def read_ogg(window: Window, media_type: str) -> MediaFacts:
    """Codec, channels, rate, and the duration that the last granule position of each stream tells."""
    streams = [found for found in _beginnings(window, media_type) if found is not None]
    if not streams:
        raise HeaderFault("an Ogg of streams that we do not know")
    lasts = _last_granules(window)
    told = [_with_duration(stream, lasts.get(stream.serial)) for stream in streams]
    video = next((facts for facts in told if facts.kind is MediaKind.VIDEO), None)
    audio = next((facts for facts in told if facts.kind is MediaKind.AUDIO), None)
    if video is None or audio is None:
        return video or audio or told[0]
    longest = max((facts.duration for facts in (video, audio) if facts.duration is not None), default=None)
    return replace(
        video,
        duration=longest,
        audio_codec=audio.audio_codec,
        channels=audio.channels,
        sample_rate_hz=audio.sample_rate_hz,
    )


def _beginnings(window: Window, media_type: str) -> Iterator[_Stream | None]:
    """The streams of the file, from the pages at its start that begin one."""
    at = 0
    for _ in range(_MOST_STREAMS):
        head = window.at(at, 27)
        if head[:4] != b"OggS" or not head[5] & 2:
            return
        lacing = window.at(at + 27, head[26])
        packet = window.at(at + 27 + len(lacing), sum(lacing))
        yield _stream(media_type, struct.unpack_from("<I", head, 14)[0], packet)
        at += 27 + len(lacing) + len(packet)


def _stream(media_type: str, serial: int, packet: bytes) -> _Stream | None:
    if packet[:7] == b"\x01vorbis":
        channels, rate = struct.unpack_from("<BI", packet, 11)
        return _sound(serial, _facts(media_type, "Vorbis", channels, rate))
    if packet[:8] == b"OpusHead":
        channels, skip = struct.unpack_from("<BH", packet, 9)
        return _sound(serial, _facts(media_type, "Opus", channels, _OPUS_RATE), skip)
    if packet[:5] == b"\x7fFLAC" and packet[9:13] == b"fLaC":
        bits = int.from_bytes(packet[27:35], "big")
        return _sound(serial, _facts(media_type, "FLAC", (bits >> 41 & 7) + 1, bits >> 44))
    if packet[:8] == b"Speex   ":
        rate, _, channels = struct.unpack_from("<III", packet, 36)
        return _sound(serial, _facts(media_type, "Speex", channels, rate))
    if packet[:7] == b"\x80theora":
        return _theora(serial, media_type, packet)
    return None


def _sound(serial: int, facts: MediaFacts, skip: int = 0) -> _Stream:
    return _Stream(serial, facts, Fraction(facts.sample_rate_hz or 0), skip)


def _facts(media_type: str, codec: str, channels: int, rate_hz: int) -> MediaFacts:
    return sound(media_type, codec, channels=channels, sample_rate_hz=rate_hz, duration=None)


def _theora(serial: int, media_type: str, packet: bytes) -> _Stream:
    if len(packet) < 42:
        raise HeaderFault("a Theora header cut short")
    width, height = int.from_bytes(packet[14:17], "big"), int.from_bytes(packet[17:20], "big")
    rate, scale = struct.unpack_from(">II", packet, 22)
    check_sides(width, height)
    if not rate or not scale:
        raise HeaderFault("a Theora stream that does not say how fast it plays")
    facts = MediaFacts(
        media_type=media_type,
        kind=MediaKind.VIDEO,
        width=width,
        height=height,
        frame_rate=Fraction(rate, scale),
        video_codec="Theora",
    )
    return _Stream(serial, facts, Fraction(rate, scale), 0, (packet[40] & 3) << 3 | packet[41] >> 5)


def _last_granules(window: Window) -> dict[int, int]:
    """The last granule position of each stream whose last page stands near the end of the file."""
    block = window.tail(_TAIL)
    found: dict[int, int] = {}
    at = block.rfind(b"OggS")
    while at >= 0:
        if at + 27 <= len(block) and block[at + 4] == 0:
            granule, serial = struct.unpack_from("<qI", block, at + 6)
            if granule >= 0:
                found.setdefault(serial, granule)
        at = block.rfind(b"OggS", 0, at)
    return found


def _with_duration(stream: _Stream, granule: int | None) -> MediaFacts:
    if granule is None:
        return stream.facts
    if stream.shift:  # Theora counts key frames above and frames since then below
        granule = (granule >> stream.shift) + (granule & (1 << stream.shift) - 1)
    return replace(stream.facts, duration=believed(max(Fraction(0), (granule - stream.skip) / stream.rate)))
