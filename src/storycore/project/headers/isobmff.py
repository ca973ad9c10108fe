"""Headers of the ISO base media family: MP4, MOV, M4A, and pictures in HEIF (AVIF, HEIC).

Source: ISO/IEC 14496-12 (boxes), 14496-14 and -1 (esds); Apple QuickTime File Format; ISO/IEC 23008-12 §6.5 (ispe,
irot, pixi) for HEIF.
"""

import struct
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

from storycore.project.headers.codecs import AUDIO_FOURCC, OBJECT_TYPES, VIDEO_FOURCC
from storycore.project.headers.facts import HeaderFault, MediaFacts, believed, check_sides, picture
from storycore.project.headers.window import Window
from storycore.project.model import MediaKind

_MOST_BOXES = 1000
_MOST_TRACKS = 32
_LONGEST_TABLE = 4096


class Box(NamedTuple):
    """One box: its name, and where its content begins and ends."""

    name: bytes
    at: int
    end: int


class _Track(NamedTuple):
    kind: bytes
    code: str
    duration: Fraction | None
    width: int = 0
    height: int = 0
    frame_rate: Fraction | None = None
    codec: str | None = None
    channels: int = 0
    rate_hz: int = 0
    depth: int = 0


def read_iso(window: Window, media_type: str) -> MediaFacts:
    """Facts of a film, a sound or a picture, whichever the boxes hold."""
    top: dict[bytes, Box] = {}
    for box in boxes(window, 0, window.size):
        top.setdefault(box.name, box)
        if box.name == b"moov" or (box.name == b"meta" and media_type.startswith("image/")):
            break
    if b"moov" in top:
        return _film(window, media_type, top[b"moov"])
    if b"meta" in top and media_type.startswith("image/"):
        return _still(window, media_type, top[b"meta"])
    raise HeaderFault("a film without a moov box")


def boxes(window: Window, at: int, end: int) -> Iterator[Box]:
    """The boxes between two places.

    Raises:
        HeaderFault: a box shorter than its own header, or too many of them.
    """
    end = min(end, window.size)
    for _ in range(_MOST_BOXES):
        if at + 8 > end:
            return
        size, name = struct.unpack(">I4s", window.at(at, 8))
        head = 8
        if size == 1:
            (size,), head = struct.unpack(">Q", window.at(at + 8, 8)), 16
        elif size == 0:
            size = end - at
        if size < head:
            raise HeaderFault("a box shorter than its own header")
        yield Box(name, at + head, min(at + size, end))
        at += size
    raise HeaderFault("too many boxes")


def _inside(window: Window, box: Box, *path: bytes) -> Box | None:
    for name in path:
        found = next((inner for inner in boxes(window, box.at, box.end) if inner.name == name), None)
        if found is None:
            return None
        box = found
    return box


def _film(window: Window, media_type: str, moov: Box) -> MediaFacts:
    tracks: list[_Track] = []
    for box in boxes(window, moov.at, moov.end):
        if box.name == b"trak" and len(tracks) < _MOST_TRACKS:
            tracks.append(_track(window, box))
    video = next((track for track in tracks if track.kind == b"vide"), None)
    audio = next((track for track in tracks if track.kind == b"soun"), None)
    if video is None and audio is None:
        raise HeaderFault("a film without picture and sound")
    if video is not None:
        check_sides(video.width, video.height)
    if video is None and media_type == "video/mp4":
        media_type = "audio/mp4"
    lasting = [track.duration for track in (video, audio) if track is not None and track.duration]
    return MediaFacts(
        media_type=media_type,
        kind=MediaKind.VIDEO if video else MediaKind.AUDIO,
        width=video.width if video else None,
        height=video.height if video else None,
        duration=believed(_header_duration(window, moov) or max(lasting, default=None)),
        frame_rate=video.frame_rate if video else None,
        video_codec=video.codec if video else None,
        audio_codec=audio.codec if audio else None,
        channels=(audio.channels or None) if audio else None,
        sample_rate_hz=(audio.rate_hz or None) if audio else None,
        bit_depth=(video.depth or None) if video else None,
    )


def _header_duration(window: Window, moov: Box) -> Fraction | None:
    """The film's own duration, of mvhd, or of mehd for a film in fragments."""
    box = _inside(window, moov, b"mvhd")
    if box is None:
        return None
    scale, length = _scale_and_length(window, box)
    if not length:
        fragments = _inside(window, moov, b"mvex", b"mehd")
        if fragments is not None:
            wide = window.at(fragments.at, 1)[0] == 1
            length = int.from_bytes(window.at(fragments.at + 4, 8 if wide else 4), "big")
    return Fraction(length, scale) if scale and length else None


def _scale_and_length(window: Window, box: Box) -> tuple[int, int]:
    """Timescale and duration of mvhd or mdhd; the duration is 0 where it is said to be unknown."""
    if window.at(box.at, 1)[0] == 1:
        scale, length = struct.unpack(">IQ", window.at(box.at + 20, 12))
        return scale, 0 if length == (1 << 64) - 1 else length
    scale, length = struct.unpack(">II", window.at(box.at + 12, 8))
    return scale, 0 if length == (1 << 32) - 1 else length


def _track(window: Window, trak: Box) -> _Track:
    mdia = _inside(window, trak, b"mdia")
    handler = mdia and _inside(window, mdia, b"hdlr")
    times = mdia and _inside(window, mdia, b"mdhd")
    table = mdia and _inside(window, mdia, b"minf", b"stbl")
    entry = table and _inside(window, table, b"stsd")
    if not (handler and times and table and entry):
        return _Track(b"", "", None)
    kind = window.at(handler.at + 8, 4)
    scale, length = _scale_and_length(window, times)
    duration = Fraction(length, scale) if scale and length else None
    sample = next(boxes(window, entry.at + 8, entry.end), None)
    if sample is None or kind not in (b"vide", b"soun"):
        return _Track(kind, "", duration)
    code = sample.name.decode("latin-1").lower()
    if kind == b"soun":
        return _sound(window, sample, code, duration)
    width, height = struct.unpack(">HH", window.at(sample.at + 24, 4))
    if _lies_on_its_side(window, trak):
        width, height = height, width
    return _Track(
        kind,
        code,
        duration,
        width=width,
        height=height,
        frame_rate=_frame_rate(window, table, scale),
        codec=VIDEO_FOURCC.get(code, sample.name.decode("latin-1").strip("\0 ")),
        depth=_video_depth(window, sample),
    )


def _lies_on_its_side(window: Window, trak: Box) -> bool:
    """Whether the track header's matrix turns the picture by 90 or 270 degrees."""
    box = _inside(window, trak, b"tkhd")
    if box is None:
        return False
    wide = window.at(box.at, 1)[0] == 1
    a, b, _, c, d = struct.unpack(">iiiii", window.at(box.at + (52 if wide else 40), 20))
    return bool(a == d == 0 and b and c)


def _frame_rate(window: Window, table: Box, scale: int) -> Fraction | None:
    """Samples over the time they take, from the time-to-sample table; exact where all last equally long."""
    box = _inside(window, table, b"stts")
    if box is None or not scale:
        return None
    (count,) = struct.unpack(">I", window.at(box.at + 4, 4))
    count = min(count, _LONGEST_TABLE, (box.end - box.at - 8) // 8)
    rows = struct.unpack(f">{2 * count}I", window.at(box.at + 8, 8 * count))
    samples, ticks = sum(rows[::2]), sum(n * step for n, step in zip(rows[::2], rows[1::2], strict=True))
    if count == 2 and rows[2] == 1:  # the last picture is often held a little longer or shorter
        samples, ticks = rows[0], rows[0] * rows[1]
    rate = Fraction(samples * scale, ticks) if samples and ticks else None
    return rate if rate is not None and 0 < rate <= 100_000 else None


def _video_depth(window: Window, sample: Box) -> int:
    """Bits of a colour channel, where the codec's own configuration box says them."""
    for box in boxes(window, sample.at + 78, sample.end):
        if box.name == b"av1C":
            flags = window.at(box.at + 2, 1)[0]
            return (12 if flags & 0x20 else 10) if flags & 0x40 else 8
        if box.name == b"hvcC":
            return (window.at(box.at + 17, 1)[0] & 7) + 8
        if box.name == b"vpcC":
            return window.at(box.at + 6, 1)[0] >> 4
    return 0


def _sound(window: Window, sample: Box, code: str, duration: Fraction | None) -> _Track:
    version, channels, depth, rate = struct.unpack(">HxxxxxxHHxxxxI", window.at(sample.at + 8, 20))
    rate_hz, inner = rate >> 16, sample.at + 28 + (16 if version == 1 else 0)
    if version == 2:  # QuickTime's long form
        real, channels = struct.unpack(">dI", window.at(sample.at + 32, 12))
        rate_hz, inner = (round(real) if 0 < real < 1e9 else 0), sample.at + 64
    codec = AUDIO_FOURCC.get(code, sample.name.decode("latin-1").strip("\0 "))
    if code == "mp4a":
        block = _decoder(window, inner, sample.end)
        codec, rate_hz = OBJECT_TYPES.get(block[0], codec), _high_rate(block) or rate_hz
    return _Track(b"soun", code, duration, codec=codec, channels=channels, rate_hz=rate_hz, depth=depth)


def _decoder(window: Window, at: int, end: int) -> bytes:
    """The decoder configuration in the esds box of an `mp4a` entry: what it really holds; a zero if there is none."""
    for box in boxes(window, at, end):
        if box.name == b"wave":  # QuickTime wraps it
            return _decoder(window, box.at, box.end)
        if box.name == b"esds":
            return _descriptor(window.at(box.at + 4, min(64, box.end - box.at - 4))) or b"\0"
    return b"\0"


def _descriptor(block: bytes) -> bytes:
    """What stands behind the descriptor tags 3 and 4, from the objectTypeIndication on."""
    at = 0
    for tag, skip in ((3, 3), (4, 0)):
        if block[at] != tag:
            return b""
        at += 1
        while block[at] & 0x80:
            at += 1
        at += 1 + skip
    return block[at:]


def _high_rate(block: bytes) -> int:
    """The rate of AAC that is too high for the 16 bits of its entry, from its AudioSpecificConfig; else 0."""
    config = block[14:].lstrip(b"\x80")[1:3]  # behind its length, which may be written in four bytes
    if block[13:14] != b"\x05" or len(config) < 2:
        return 0
    return {0: 96_000, 1: 88_200}.get((config[0] & 7) << 1 | config[1] >> 7, 0)


def _still(window: Window, media_type: str, meta: Box) -> MediaFacts:
    """Size of the largest picture that the item properties of a HEIF file describe, turned as they say."""
    container = next((box for box in boxes(window, meta.at + 4, meta.end) if box.name == b"iprp"), None)
    properties = container and _inside(window, container, b"ipco")
    if not properties:
        raise HeaderFault("a HEIF picture without properties")
    width = height = depth = turns = 0
    for box in boxes(window, properties.at, properties.end):
        if box.name == b"ispe":
            size = struct.unpack(">II", window.at(box.at + 4, 8))
            if size[0] * size[1] > width * height:
                width, height = size
        elif box.name == b"pixi" and not depth:
            depth = window.at(box.at + 5, 1)[0]
        elif box.name == b"irot":
            turns = window.at(box.at, 1)[0] & 3
    orientation = {0: 1, 1: 8, 2: 3, 3: 6}[turns]
    return picture(media_type, width, height, bit_depth=depth or None, orientation=orientation)
