"""Headers of Matroska and WebM.

Source: RFC 8794 §4-6 (EBML); RFC 9559 (Matroska) for the elements.
"""

import struct
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

from storycore.project.headers.codecs import MATROSKA_CODECS
from storycore.project.headers.facts import HeaderFault, MediaFacts, believed, check_sides
from storycore.project.headers.window import Window
from storycore.project.model import MediaKind

_SEGMENT, _INFO, _TRACKS, _CLUSTER, _SEEK_HEAD = 0x18538067, 0x1549A966, 0x1654AE6B, 0x1F43B675, 0x114D9B74
_SEEK, _SEEK_ID, _SEEK_AT = 0x4DBB, 0x53AB, 0x53AC
_SCALE, _DURATION = 0x2AD7B1, 0x4489
_ENTRY, _TYPE, _CODEC, _FRAME_NS, _VIDEO, _AUDIO = 0xAE, 0x83, 0x86, 0x23E383, 0xE0, 0xE1
_WIDTH, _HEIGHT, _RATE, _CHANNELS, _DEPTH = 0xB0, 0xBA, 0xB5, 0x9F, 0x6264
_MOST_ELEMENTS = 1000
_LONGEST = 4096
_NTSC = tuple(Fraction(rate * 1000, 1001) for rate in (24, 30, 48, 60, 120))


class _Element(NamedTuple):
    id: int
    at: int
    end: int


class _Track(NamedTuple):
    kind: int
    codec: str | None
    frame_ns: int
    width: int
    height: int
    rate: float
    channels: int
    depth: int


def read_matroska(window: Window, media_type: str) -> MediaFacts:
    """Size, duration, rate and codecs, from the Info and Tracks elements wherever the file puts them."""
    segment = next((found for found in _elements(window, 0, window.size) if found.id == _SEGMENT), None)
    if segment is None:
        raise HeaderFault("a Matroska file without a segment")
    parts = _parts(window, segment)
    if _TRACKS not in parts:
        raise HeaderFault("a Matroska file without tracks")
    tracks = [
        _track(window, entry)
        for entry in _elements(window, parts[_TRACKS].at, parts[_TRACKS].end)
        if entry.id == _ENTRY
    ]
    duration = _duration(window, parts[_INFO]) if _INFO in parts else None
    return _facts(media_type, tracks, duration)


def _facts(media_type: str, tracks: list[_Track], duration: Fraction | None) -> MediaFacts:
    video = next((track for track in tracks if track.kind == 1), None)
    audio = next((track for track in tracks if track.kind == 2), None)
    if video is None and audio is None:
        raise HeaderFault("a Matroska file without picture and sound")
    if video is not None:
        check_sides(video.width, video.height)
    return MediaFacts(
        media_type=media_type if video else media_type.replace("video/", "audio/"),
        kind=MediaKind.VIDEO if video else MediaKind.AUDIO,
        width=video.width if video else None,
        height=video.height if video else None,
        duration=duration,
        frame_rate=_frame_rate(video.frame_ns) if video and video.frame_ns else None,
        video_codec=video.codec if video else None,
        audio_codec=audio.codec if audio else None,
        channels=audio.channels if audio else None,
        sample_rate_hz=_hertz(audio.rate) if audio else None,
        bit_depth=audio.depth or None if audio and not video else None,
    )


def _parts(window: Window, segment: _Element) -> dict[int, _Element]:
    """Info and Tracks: read in order up to the first cluster, then where the seek head says."""
    found: dict[int, _Element] = {}
    places: list[int] = []
    for element in _elements(window, segment.at, segment.end):
        if element.id in (_INFO, _TRACKS):
            found.setdefault(element.id, element)
        elif element.id == _SEEK_HEAD:
            places += _places(window, element)
        if len(found) == 2 or element.id == _CLUSTER:
            break
    for place in places if len(found) < 2 else ():
        named = next(_elements(window, segment.at + place, segment.end), None)
        if named is not None and named.id in (_INFO, _TRACKS):
            found.setdefault(named.id, named)
    return found


def _places(window: Window, head: _Element) -> list[int]:
    """Where the seek head says that Info and Tracks are, counted from the start of the segment."""
    found = []
    for entry in _elements(window, head.at, head.end):
        values = {element.id: element for element in _elements(window, entry.at, entry.end)}
        if entry.id == _SEEK and _whole(window, values.get(_SEEK_ID)) in (_INFO, _TRACKS):
            found.append(_whole(window, values.get(_SEEK_AT)))
    return found


def _duration(window: Window, info: _Element) -> Fraction | None:
    values = {element.id: element for element in _elements(window, info.at, info.end)}
    ticks = _real(window, values.get(_DURATION), 0.0)
    scale = _whole(window, values.get(_SCALE), 1_000_000)
    return believed(Fraction(ticks) * scale / 1_000_000_000) if ticks else None


def _frame_rate(nanoseconds: int) -> Fraction:
    """The rate of a frame duration; a duration rounded to a nanosecond gives the rate that was meant."""
    exact = Fraction(1_000_000_000, nanoseconds)
    meant = [rate for rate in _NTSC if abs(rate - exact) * nanoseconds <= 2 * rate]
    near = Fraction(round(exact))
    return meant[0] if meant else near if near and abs(near - exact) * nanoseconds <= 2 * near else exact


def _hertz(rate: float) -> int | None:
    return round(rate) if 0 < rate < 1e9 else None


def _track(window: Window, entry: _Element) -> _Track:
    inner = list(_elements(window, entry.at, entry.end))
    values = {element.id: element for element in inner}
    deeper = {
        element.id: element
        for group in (_VIDEO, _AUDIO)
        if group in values
        for element in _elements(window, values[group].at, values[group].end)
    }
    name = _text(window, values.get(_CODEC))
    codec = name.removesuffix("\0") if name else None
    if codec:
        codec = "AAC" if codec.startswith("A_AAC") else MATROSKA_CODECS.get(codec, codec)
    return _Track(
        kind=_whole(window, values.get(_TYPE)),
        codec=codec,
        frame_ns=_whole(window, values.get(_FRAME_NS)),
        width=_whole(window, deeper.get(_WIDTH)),
        height=_whole(window, deeper.get(_HEIGHT)),
        rate=_real(window, deeper.get(_RATE), 8000.0),
        channels=_whole(window, deeper.get(_CHANNELS), 1),
        depth=_whole(window, deeper.get(_DEPTH)),
    )


def _elements(window: Window, at: int, end: int) -> Iterator[_Element]:
    """The elements between two places; one of unknown or overlong size ends where they end."""
    end = min(end, window.size)
    for _ in range(_MOST_ELEMENTS):
        if at + 2 > end:
            return
        name, at = _number(window, at, keep_marker=True)
        size, at = _number(window, at)
        stop = end if size is None or at + size > end else at + size
        yield _Element(name or 0, at, stop)
        at = stop


def _number(window: Window, at: int, *, keep_marker: bool = False) -> tuple[int | None, int]:
    """A variable-size integer and the place after it; all ones means unknown."""
    first = window.at(at, 1)[0]
    width = 9 - first.bit_length()
    if width > 8 or (keep_marker and width > 4):
        raise HeaderFault("a Matroska element with an overlong number")
    whole = int.from_bytes(window.at(at, width), "big")
    if keep_marker:
        return whole, at + width
    ones = (1 << 7 * width) - 1
    return (None if whole & ones == ones else whole & ones), at + width


def _bytes(window: Window, element: _Element | None) -> bytes:
    if element is None or element.end - element.at > _LONGEST:
        return b""
    return window.at(element.at, element.end - element.at)


def _whole(window: Window, element: _Element | None, default: int = 0) -> int:
    data = _bytes(window, element)
    return int.from_bytes(data, "big") if 0 < len(data) <= 8 else default


def _real(window: Window, element: _Element | None, default: float) -> float:
    data = _bytes(window, element)
    if len(data) not in (4, 8):
        return default
    value: float = struct.unpack(">f" if len(data) == 4 else ">d", data)[0]
    return value if 0 <= value < 1e18 else default


def _text(window: Window, element: _Element | None) -> str:
    return _bytes(window, element).decode("latin-1")
