"""Codecs of the picture: how each is asked of ffmpeg, so that segments made apart can be joined.

Joining copies streams, so every segment must have the same configuration: fixed parameters and threads, closed groups
of pictures, constant quality (a rate over the whole film would need the whole film), no times of day.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from storycore.errors import DependencyFailed, Reason
from storycore.rendering.layout import LAYOUTS
from storycore.rendering.look import Canvas
from storycore.units import round_half_up


@dataclass(frozen=True, slots=True, kw_only=True)
class Codec:
    """One way to encode pictures.

    Attributes:
        name: as callers ask for it.
        title: for people.
        encoders: of ffmpeg, the software one first, then those in hardware.
        pixel_formats: that it takes, the usual one first.
        crf: the usual quality and the worst one; None where quality is no number.
        sides: the fewest and the most pixels that each side of a picture may have.
        best_crf: with H.264, 0 is another profile, lossless, which is not asked of the encoder and few players know.
        bounded: whether its rate can be held below a bound.
        efforts: arguments for fast, normal and slow work.
        arguments: that always stand.
        b_frames: by how many frames decoding may run ahead.
        every_frame: whether each frame stands alone, so that keyframes need no setting.
        segment: ffmpeg's name of the container that its segments are kept in.
        boxes_tell: whether the boxes of mp4 and mov hold all that must be known of it to copy it from one to the other.
    """

    name: str
    title: str
    encoders: tuple[str, ...]
    pixel_formats: tuple[str, ...]
    crf: tuple[int, int] | None = None
    best_crf: int = 0
    sides: tuple[int, int] = (16, 8192)
    bounded: bool = True
    efforts: Mapping[str, Sequence[str]]
    arguments: Sequence[str] = ()
    b_frames: int = 0
    every_frame: bool = False
    segment: str = "mp4"
    boxes_tell: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """How well, and how hard it is tried.

    Attributes:
        crf: the lower, the better; the codec's usual one if None.
        bitrate_bps: most bits per second, None for no bound.
        effort: fast, normal or slow.
        keyframe_seconds: most seconds from one keyframe to the next.
        pixel_format: None for the codec's usual one.
    """

    crf: int | None = None
    bitrate_bps: int | None = None
    effort: str = "normal"
    keyframe_seconds: Fraction = Fraction(2)
    pixel_format: str | None = None


def _efforts(option: str, fast: str, normal: str, slow: str) -> dict[str, Sequence[str]]:
    return {"fast": (option, fast), "normal": (option, normal), "slow": (option, slow)}


_ALONE: dict[str, Sequence[str]] = {"fast": (), "normal": (), "slow": ()}

CODECS: Mapping[str, Codec] = {
    codec.name: codec
    for codec in (
        Codec(
            name="h264", title="H.264", crf=(20, 51), best_crf=1, b_frames=2, boxes_tell=True,
            encoders=("libx264", "h264_videotoolbox", "h264_nvenc", "h264_qsv", "h264_amf"),
            pixel_formats=("yuv420p",),
            efforts=_efforts("-preset", "veryfast", "medium", "slow"),
            arguments=("-profile:v", "high", "-bf", "2", "-x264-params", "open-gop=0:stitchable=1"),
        ),
        Codec(
            name="h265", title="H.265", crf=(24, 51), b_frames=2, boxes_tell=True, sides=(32, 8192),
            encoders=("libx265", "hevc_videotoolbox", "hevc_nvenc", "hevc_qsv", "hevc_amf"),
            pixel_formats=("yuv420p", "yuv420p10le"),
            efforts=_efforts("-preset", "ultrafast", "fast", "medium"),
            arguments=(
                *("-x265-params", "open-gop=0:pools=none:frame-threads=1:log-level=error:bframes=2:b-pyramid=0:info=0"),
                *("-tag:v", "hvc1"),
            ),
        ),
        Codec(
            name="vp9", title="VP9", crf=(32, 63), encoders=("libvpx-vp9",), pixel_formats=("yuv420p",),
            efforts={
                "fast": ("-deadline", "realtime", "-cpu-used", "7"),
                "normal": ("-deadline", "good", "-cpu-used", "4"),
                "slow": ("-deadline", "good", "-cpu-used", "1"),
            },
            arguments=("-row-mt", "0", "-tile-columns", "0"),
        ),
        Codec(
            name="av1", title="AV1", crf=(32, 63), encoders=("libsvtav1",), pixel_formats=("yuv420p", "yuv420p10le"),
            efforts=_efforts("-preset", "10", "8", "5"), arguments=("-svtav1-params", "lp=1"),
        ),
        Codec(
            name="prores", title="ProRes 422 HQ", encoders=("prores_ks",), pixel_formats=("yuv422p10le",),
            bounded=False, efforts=_ALONE, arguments=("-profile:v", "3", "-vendor", "apl0"), every_frame=True,
            segment="mov",
        ),
        Codec(
            name="ffv1", title="FFV1", encoders=("ffv1",), bounded=False,
            pixel_formats=("yuv422p10le", "yuv420p", "yuv444p", "yuv444p10le"), efforts=_ALONE,
            arguments=("-level", "3", "-g", "1", "-slicecrc", "1"), every_frame=True, segment="mov",
        ),
        Codec(
            name="mpeg4", title="MPEG-4", crf=(4, 31), encoders=("mpeg4",), pixel_formats=("yuv420p",),
            sides=(16, 8190), bounded=False, efforts=_ALONE, arguments=("-bf", "0"),
        ),
    )
}  # fmt: skip
"""Codecs by name."""


def canvas_format(codec: Codec, quality: Quality) -> str:
    """The pixel format that frames for a codec are drawn in."""
    wanted = quality.pixel_format or codec.pixel_formats[0]
    if wanted not in codec.pixel_formats or wanted not in LAYOUTS:
        raise ValueError(f"{codec.title} does not take {wanted}")
    return wanted


def encoding(codec: Codec, quality: Quality, canvas: Canvas, encoder: str) -> list[str]:
    """Arguments that encode raw frames of a canvas from stdin; the output's name comes after them."""
    return [
        *(*raw_frames(canvas), "-map", "0:v"),
        *("-vf", TAGS, "-c:v", encoder, *_quality(codec, quality, canvas, encoder), *COLOUR),
        *("-threads", "1", "-video_track_timescale", str(timescale(canvas.rate)[0]), *EXACT, "-f", codec.segment),
    ]


def raw_frames(canvas: Canvas) -> list[str]:
    """Arguments that name raw frames from stdin as an input."""
    return [
        *("-f", "rawvideo", "-pixel_format", canvas.pixel_format, "-video_size", f"{canvas.width}x{canvas.height}"),
        *("-framerate", str(canvas.rate), "-thread_queue_size", "1", "-i", "pipe:0"),
    ]


_FOUR_SLICES = 4096 * 3112

TAGS = "setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709:field_mode=prog"
"""Filter that says of raw frames what they are."""

COLOUR = ("-color_range", "tv", "-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709",
          "-chroma_sample_location", "left")  # fmt: skip

EXACT = ("-map_metadata", "-1", "-fflags", "+bitexact", "-flags:v", "+bitexact")
"""Arguments under which the same input gives the same bytes."""


def timescale(rate: Fraction) -> tuple[int, int]:
    """Ticks per second of a track, and ticks per frame; both whole."""
    times = max(1, round_half_up(Fraction(12_000, rate.numerator)))
    return rate.numerator * times, rate.denominator * times


def missing(codec: Codec) -> DependencyFailed:
    """The error for a codec that this ffmpeg can't encode."""
    return DependencyFailed(
        f"This ffmpeg can't encode {codec.title}.",
        reason=Reason.ENCODER_MISSING,
        remediation="Choose another video_codec, or name another ffmpeg with STORYCORE_FFMPEG.",
        details={"video_codec": codec.name},
    )


def _slices(canvas: Canvas) -> int:
    """Parts that a frame of FFV1 is encoded in; each may hold some 4 million pixels."""
    return 4 if canvas.width * canvas.height <= _FOUR_SLICES else 24


def _quality(codec: Codec, quality: Quality, canvas: Canvas, encoder: str) -> list[str]:
    if encoder != codec.encoders[0]:
        rate = quality.bitrate_bps or _usual_bitrate(canvas)
        return ["-b:v", str(rate), "-maxrate", str(rate), "-bufsize", str(2 * rate), *_group(quality, canvas)]
    arguments = [*codec.efforts[quality.effort], *codec.arguments]
    if codec.crf is not None:
        crf = codec.crf[0] if quality.crf is None else quality.crf
        arguments += _constant(codec, crf, quality.bitrate_bps)
    if codec.name == "ffv1":
        arguments += ["-slices", str(_slices(canvas))]
    return arguments if codec.every_frame else [*arguments, *_group(quality, canvas)]


def _constant(codec: Codec, crf: int, bitrate_bps: int | None) -> list[str]:
    """Constant quality, bounded where that was asked for."""
    if codec.name == "mpeg4":
        return ["-q:v", str(max(1, crf))]
    bound = ["-maxrate", str(bitrate_bps), "-bufsize", str(2 * bitrate_bps)] if bitrate_bps else []
    if codec.name == "vp9":
        return ["-crf", str(crf), "-b:v", str(bitrate_bps or 0)]
    if codec.name == "av1":
        return ["-crf", str(crf), *bound[:2]]
    return ["-crf", str(crf), *bound]


def _group(quality: Quality, canvas: Canvas) -> list[str]:
    return ["-g", str(max(1, round_half_up(quality.keyframe_seconds * canvas.rate)))]


def _usual_bitrate(canvas: Canvas) -> int:
    return round(canvas.width * canvas.height * float(canvas.rate) * 0.16)
