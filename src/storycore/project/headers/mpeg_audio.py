"""Headers of MPEG audio: MP3 (and layers I, II), and AAC in ADTS.

Source: ISO/IEC 11172-3 §2.4.1.3 and 13818-3 (frame header); the Xing/LAME and VBRI tags as LAME and Fraunhofer write
them; ID3v2.4 §3.1; ISO/IEC 13818-7 §6.2 (ADTS).
"""

import struct
from fractions import Fraction
from typing import NamedTuple

from storycore.project.headers.facts import HeaderFault, MediaFacts, sound
from storycore.project.headers.window import Window

_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_LONG = {
    1: (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    2: (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    3: (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
}
_SHORT = {
    1: (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    2: (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_ADTS_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
_SEARCH = 64 * 1024


class _Frame(NamedTuple):
    version: int
    layer: int
    bitrate_bps: int
    rate_hz: int
    channels: int
    samples: int
    length: int


def read_mp3(window: Window, media_type: str) -> MediaFacts:
    """Codec, channels, rate and duration.

    Exact with a Xing, Info or VBRI tag (less the encoder's own delay and padding where LAME says them); else reckoned
    from the bit rate of the first frame and marked as estimated.
    """
    start, frame = _first_frame(window, _after_id3(window))
    counted = _tagged(window, start, frame)
    if counted is not None:
        duration, estimated = Fraction(counted, frame.rate_hz), False
    else:
        end = window.size - (128 if window.tail(128)[:3] == b"TAG" else 0)
        duration, estimated = Fraction((end - start) * 8, frame.bitrate_bps), True
    return sound(
        media_type,
        f"MP{frame.layer}",
        channels=frame.channels,
        sample_rate_hz=frame.rate_hz,
        duration=duration,
        estimated=estimated,
    )


def read_adts(window: Window, media_type: str) -> MediaFacts:
    """Channels and rate of a bare AAC stream; it does not say how long it is."""
    head = window.at(0, 7)
    index, channels = head[2] >> 2 & 15, (head[2] & 1) << 2 | head[3] >> 6
    if index >= len(_ADTS_RATES):
        raise HeaderFault("an AAC stream without a sample rate")
    return sound(media_type, "AAC", channels=channels or None, sample_rate_hz=_ADTS_RATES[index], duration=None)


def _after_id3(window: Window) -> int:
    at = 0
    for _ in range(8):  # some writers put several tags
        head = window.at(at, min(10, window.size - at))
        if len(head) < 10 or head[:3] != b"ID3":
            return at
        a, b, c, d = (byte & 0x7F for byte in head[6:10])
        at += 10 + (a << 21 | b << 14 | c << 7 | d) + (10 if head[5] & 0x10 else 0)
        if at >= window.size:
            raise HeaderFault("an MP3 whose tag is longer than the file")
    return at


def _first_frame(window: Window, at: int) -> tuple[int, _Frame]:
    block = window.at(at, min(_SEARCH, window.size - at))
    place = block.find(0xFF)
    while 0 <= place <= len(block) - 4:
        frame = _frame(block[place : place + 4])
        if frame is not None and _follows(window, at + place, frame):
            return at + place, frame
        place = block.find(0xFF, place + 1)
    raise HeaderFault("an MP3 without a frame")


def _follows(window: Window, at: int, frame: _Frame) -> bool:
    """Whether the next frame, or the end of the file, stands where this frame ends."""
    after = at + frame.length
    if after + 4 > window.size:
        return after <= window.size
    following = _frame(window.at(after, 4))
    return following is not None and (following.rate_hz, following.layer) == (frame.rate_hz, frame.layer)


def _frame(head: bytes) -> _Frame | None:
    sync, flags, rates, mode = head
    version, layer = flags >> 3 & 3, 4 - (flags >> 1 & 3)
    index, rate = rates >> 4, rates >> 2 & 3
    if sync != 0xFF or flags < 0xE0 or version == 1 or layer == 4 or not 0 < index < 15 or rate == 3:
        return None
    table = _LONG[layer] if version == 3 else _SHORT[min(layer, 2)]
    bitrate, rate_hz = table[index - 1] * 1000, _RATES[version][rate]
    samples = 384 if layer == 1 else 1152 if layer == 2 or version == 3 else 576
    slot = 4 if layer == 1 else 1
    length = (samples // (8 * slot) * bitrate // rate_hz + (rates >> 1 & 1)) * slot
    return _Frame(version, layer, bitrate, rate_hz, 1 if mode >> 6 == 3 else 2, samples, length)


def _tagged(window: Window, start: int, frame: _Frame) -> int | None:
    """How many samples a Xing, Info or VBRI tag counts."""
    block = window.at(start, min(frame.length, window.size - start))
    side = {(3, 2): 32, (3, 1): 17, (2, 2): 17, (0, 2): 17}.get((frame.version, frame.channels), 9)
    tag = block[4 + side :]
    if tag[:4] in (b"Xing", b"Info") and len(tag) >= 12:
        flags, frames = struct.unpack_from(">II", tag, 4)
        return max(0, frames * frame.samples - _trimmed(tag, flags)) if flags & 1 and frames else None
    if block[36:40] == b"VBRI" and len(block) >= 54:
        return int(struct.unpack_from(">I", block, 50)[0]) * frame.samples or None
    return None


def _trimmed(tag: bytes, flags: int) -> int:
    """Samples of silence that the encoder put before and after, as LAME's extension of the tag says."""
    at = 8 + 4 * (flags & 1) + 4 * (flags >> 1 & 1) + 100 * (flags >> 2 & 1) + 4 * (flags >> 3 & 1)
    if len(tag) < at + 24 or not tag[at : at + 4].isalnum():
        return 0
    both = int.from_bytes(tag[at + 21 : at + 24], "big")
    return (both >> 12) + (both & 0xFFF)
