"""The playlists of a stream: which pieces there are, and which renditions. Pure.

Source: RFC 8216 and draft-pantos-hls-rfc8216bis (HTTP Live Streaming), Apple's HLS Authoring Specification.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

_PIECE = re.compile(r"^#EXTINF:([0-9.]+),[^\n]*\n([^#\n][^\n]*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One piece of a rendition.

    Attributes:
        name: of its file, relative to the playlist.
        duration: seconds.
    """

    name: str
    duration: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One rendition of the picture.

    Attributes:
        uri: of its playlist, relative to the master playlist.
        width: pixels.
        height: pixels.
        rate: frames per second.
        codecs: as RFC 6381 writes them, those of the sound too.
        peak_bps: most bits per second of any piece, with the sound.
        average_bps: of the whole, with the sound.
    """

    uri: str
    width: int
    height: int
    rate: Fraction
    codecs: str
    peak_bps: int
    average_bps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendition:
    """A rendition of sound or of captions.

    Attributes:
        kind: AUDIO or SUBTITLES.
        uri: of its playlist, relative to the master playlist.
        language: BCP 47, "" if it is not known.
        channels: of sound; 0 for captions.
    """

    kind: str
    uri: str
    language: str = ""
    channels: int = 0


def pieces(playlist: str) -> list[Piece]:
    """The pieces that a media playlist names, in order."""
    return [Piece(name=name.strip(), duration=Fraction(length)) for length, name in _PIECE.findall(playlist)]


def master(variants: Sequence[Variant], renditions: Sequence[Rendition] = ()) -> str:
    """The master playlist; players begin with the first variant."""
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"]
    lines += [_rendition(rendition) for rendition in renditions]
    groups = "".join(f',{rendition.kind}="{rendition.kind.lower()}"' for rendition in renditions)
    for variant in variants:
        told = f"BANDWIDTH={variant.peak_bps},AVERAGE-BANDWIDTH={variant.average_bps}"
        told += f',CODECS="{variant.codecs}",RESOLUTION={variant.width}x{variant.height}'
        told += f",FRAME-RATE={float(variant.rate):.3f}{groups}"
        lines += [f"#EXT-X-STREAM-INF:{told}", variant.uri]
    return "\n".join(lines) + "\n"


def whole(uri: str, duration: Fraction) -> str:
    """The media playlist of captions that come in one piece."""
    target = -(-duration.numerator // duration.denominator)
    return (
        f"#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:{max(1, target)}\n#EXT-X-PLAYLIST-TYPE:VOD\n"
        f"#EXTINF:{float(duration):.6f},\n{uri}\n#EXT-X-ENDLIST\n"
    )


def rungs(size: tuple[int, int], wanted: Sequence[int] | None) -> list[tuple[int, int]]:
    """Sizes of the renditions, the whole one first, each even and of the same shape.

    Args:
        size: of the whole film.
        wanted: shorter sides of the smaller renditions; the usual ones if left out.
    """
    shorter = min(size)
    sides = [side for side in (1440, 1080, 720, 480, 360, 240) if side * 4 <= shorter * 3][:_USUAL]
    if wanted is not None:
        sides = sorted({side for side in wanted if side < shorter}, reverse=True)
    smaller = (tuple(max(16, round(length * side / shorter / 2) * 2) for length in size) for side in sides)
    return [size, *((width, height) for width, height in smaller)]


_USUAL = 3


def _rendition(rendition: Rendition) -> str:
    name = rendition.language or {"AUDIO": "Sound"}.get(rendition.kind, "Captions")
    told = [f"TYPE={rendition.kind}", f'GROUP-ID="{rendition.kind.lower()}"', f'NAME="{name}"']
    told += [f'LANGUAGE="{rendition.language}"'] if rendition.language else []
    told += [f'CHANNELS="{rendition.channels}"'] if rendition.channels else []
    told += ["DEFAULT=YES" if rendition.kind == "AUDIO" else "DEFAULT=NO", "AUTOSELECT=YES", f'URI="{rendition.uri}"']
    return "#EXT-X-MEDIA:" + ",".join(told)
