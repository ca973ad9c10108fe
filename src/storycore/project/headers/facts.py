"""The answer of every header reader."""

from dataclasses import dataclass
from fractions import Fraction

from storycore.project.model import MediaKind


class HeaderFault(ValueError):  # noqa: N818 - the name says what it is
    """A file begins like a media file, but its headers are cut short or contradict each other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaFacts:
    """What a file says about itself. None stands for what it does not say.

    Attributes:
        media_type: IANA media type, by content.
        kind: picture, video or sound.
        width: in pixels, as shown: turned by `orientation`.
        height: in pixels, as shown.
        bit_depth: bits of one sample: of a colour channel, or of a sound channel.
        color: grey, grey+alpha, rgb, rgb+alpha, palette, ycbcr, cmyk, lab, mono, and names of other models.
        orientation: how the stored picture is turned for showing: 1-8 as TIFF counts.
        duration: seconds of what the file plays.
        frame_rate: pictures per second, exact.
        video_codec: name of the codec, as people write it.
        audio_codec: name of the codec, as people write it.
        channels: of the first sound track.
        sample_rate_hz: of the first sound track.
        estimated: whether `duration` was reckoned from a bit rate instead of read or counted.
    """

    media_type: str
    kind: MediaKind
    width: int | None = None
    height: int | None = None
    bit_depth: int | None = None
    color: str | None = None
    orientation: int = 1
    duration: Fraction | None = None
    frame_rate: Fraction | None = None
    video_codec: str | None = None
    audio_codec: str | None = None
    channels: int | None = None
    sample_rate_hz: int | None = None
    estimated: bool = False


MAX_SIDE = 1 << 24
"""Longest side of a picture that is believed, in pixels."""

MAX_SECONDS = 10_000_000
"""Longest duration that is believed: 115 days."""


def picture(  # noqa: PLR0913 - facts by name
    media_type: str,
    width: int,
    height: int,
    *,
    bit_depth: int | None = None,
    color: str | None = None,
    orientation: int = 1,
) -> MediaFacts:
    """Facts of a still picture, sides swapped if its orientation lays it on its side.

    Raises:
        HeaderFault: a side is zero or beyond belief.
    """
    check_sides(width, height)
    if orientation >= 5:
        width, height = height, width
    return MediaFacts(
        media_type=media_type,
        kind=MediaKind.IMAGE,
        width=width,
        height=height,
        bit_depth=bit_depth,
        color=color,
        orientation=orientation,
    )


def sound(  # noqa: PLR0913 - facts by name
    media_type: str,
    codec: str | None,
    *,
    channels: int | None,
    sample_rate_hz: int | None,
    duration: Fraction | None,
    bit_depth: int | None = None,
    estimated: bool = False,
) -> MediaFacts:
    """Facts of a sound file.

    Raises:
        HeaderFault: no channels, no sample rate or a duration beyond belief.
    """
    if channels == 0 or sample_rate_hz == 0:
        raise HeaderFault("a sound without channels or sample rate")
    return MediaFacts(
        media_type=media_type,
        kind=MediaKind.AUDIO,
        bit_depth=bit_depth,
        duration=believed(duration),
        audio_codec=codec,
        channels=channels,
        sample_rate_hz=sample_rate_hz,
        estimated=estimated,
    )


def check_sides(width: int, height: int) -> None:
    """Refuses a picture without area or with sides beyond belief."""
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE):
        raise HeaderFault(f"a picture of {width} × {height} pixels")


def believed(duration: Fraction | None) -> Fraction | None:
    """The duration, unless it is beyond belief: then None."""
    return duration if duration is not None and 0 <= duration <= MAX_SECONDS else None


def kind_of(media_type: str | None) -> MediaKind | None:
    """The kind of media that a media type stands for, or None."""
    family = (media_type or "").split("/", maxsplit=1)[0]
    return MediaKind(family) if family in ("image", "video", "audio") else None
