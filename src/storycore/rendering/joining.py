"""Segments, sound, captions and chapters made one file. Pictures are copied, never encoded a second time.

Each frame gets its time from its number: what segments say of time themselves drifts, since files with B-frames begin
late. Source: FFmpeg bitstream filters documentation, `setts`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from storycore.observe.progress import Progress
from storycore.rendering.codecs import timescale
from storycore.rendering.encoder import Ffmpeg, run, url
from storycore.rendering.film import Rendered
from storycore.rendering.words import clean
from storycore.units import round_half_up


@dataclass(frozen=True, slots=True, kw_only=True)
class Captions:
    """Captions that can be switched on.

    Attributes:
        path: of a file in SRT.
        codec: `mov_text`, `webvtt` or `srt`.
        language: three letters of ISO 639-2.
    """

    path: Path
    codec: str
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """A scene of the film.

    Attributes:
        begin: seconds of the result.
        end: seconds of the result.
        title: for people.
    """

    begin: Fraction
    end: Fraction
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrapping:
    """What is put around a picture.

    Attributes:
        container: ffmpeg's name of it.
        arguments: of the container: `-movflags +faststart`.
        sound: file of the encoded sound, which is copied; None for none.
        captions: that can be switched on; None for none.
        chapters: may be empty.
        tags: arguments that say what the film is.
        counts_frames: whether the container counts frames instead of telling times (AVI).
    """

    container: str
    arguments: Sequence[str] = ()
    sound: Path | None = None
    captions: Captions | None = None
    chapters: Sequence[Chapter] = ()
    tags: Sequence[str] = ()
    counts_frames: bool = False


def join(ffmpeg: Ffmpeg, rendered: Rendered, wrapping: Wrapping, target: Path, progress: Progress) -> None:
    """Writes one file of a rendered picture and what is put around it.

    Args:
        ffmpeg: that copies.
        rendered: the picture.
        wrapping: all else.
        target: absolute; replaced if it is there.
        progress: can cancel.

    Raises:
        Unavailable: disk_full.
        DependencyFailed: encoder_failed.
        Cancelled.
    """
    folder = rendered.segments[0].parent
    inputs, outputs = picture_arguments(rendered, wrapping.container, counts_frames=wrapping.counts_frames)
    number = 1
    if wrapping.sound is not None:
        inputs += ["-i", url(wrapping.sound)]
        outputs += ["-map", f"{number}:a:0", "-c:a", "copy"]
        number += 1
    if wrapping.captions is not None:
        inputs += ["-f", "srt", "-i", url(wrapping.captions.path)]
        outputs += ["-map", f"{number}:s:0", "-c:s", wrapping.captions.codec]
        outputs += ["-metadata:s:s:0", f"language={wrapping.captions.language}"]
        number += 1
    if wrapping.chapters:
        chapters = folder / f"{target.name}.ffmetadata"
        chapters.write_text(_chapters(wrapping.chapters), encoding="utf-8")
        inputs += ["-f", "ffmetadata", "-i", url(chapters)]
        outputs += ["-map_chapters", str(number), "-map_metadata", str(number)]
    else:
        outputs += ["-map_metadata", "-1"]
    outputs += wrapping.tags
    scale, _ = timescale(rendered.picture.canvas.rate)
    outputs += ["-video_track_timescale", str(scale), "-fflags", "+bitexact", *wrapping.arguments]
    run(ffmpeg, [*inputs, *outputs, "-f", wrapping.container, url(target)], progress=progress, folder=folder)


_UNDECODED = ("-codec_whitelist", "none")
_BOXED = ("mp4", "mov")


def picture_arguments(
    rendered: Rendered, container: str, *, counts_frames: bool = False
) -> tuple[list[str], list[str]]:
    """Arguments that read a rendered picture as the first input, and that copy it with its times.

    No decoder is opened where boxes tell all of it: else ffmpeg would decode the beginning of every segment, which is
    most of what joining costs, and learn nothing that changes the file.

    Args:
        rendered: the picture.
        container: ffmpeg's name of what it goes into.
        counts_frames: as in `Wrapping`.
    """
    inputs = ["-f", "concat", "-safe", "0", "-protocol_whitelist", "file,pipe"]
    if container in _BOXED and rendered.picture.codec.boxes_tell:
        inputs += _UNDECODED
    inputs += ["-i", url(frames_listing(rendered))]
    return inputs, ["-map", "0:v:0", "-c:v", "copy", "-bsf:v", _times(rendered, counts_frames=counts_frames)]


def frames_listing(rendered: Rendered) -> Path:
    """A list of the segments that ffmpeg's concat demuxer reads, beside them."""
    path = rendered.segments[0].parent / "segments.ffconcat"
    path.write_text(_listing(rendered), encoding="utf-8")
    return path


def _listing(rendered: Rendered) -> str:
    """The segments with their lengths, of which each is the difference of two exact times."""
    rate, done, lines = rendered.picture.canvas.rate, 0, ["ffconcat version 1.0"]
    for path, frames in zip(rendered.segments, rendered.frames, strict=True):
        begin, done = done, done + frames
        length = _microseconds(done, rate) - _microseconds(begin, rate)
        lines += [f"file '{path.name}'", f"duration {length // 10**6}.{length % 10**6:06d}"]
    return "\n".join(lines) + "\n"


def _microseconds(frames: int, rate: Fraction) -> int:
    return round_half_up(Fraction(frames) / rate * 10**6)


def _times(rendered: Rendered, *, counts_frames: bool) -> str:
    picture = rendered.picture
    _, step = timescale(picture.canvas.rate)
    if counts_frames:
        rate = picture.canvas.rate
        return f"setts=pts=N:dts=N:duration=1:time_base={rate.denominator}/{rate.numerator}"
    return f"setts=pts=round(PTS/{step})*{step}:dts=(N-{picture.codec.b_frames})*{step}:duration={step}"


def _chapters(chapters: Sequence[Chapter]) -> str:
    lines = [";FFMETADATA1"]
    for chapter in chapters:
        begin, end = (round_half_up(time * 1000) for time in (chapter.begin, chapter.end))
        lines += ["[CHAPTER]", "TIMEBASE=1/1000", f"START={begin}", f"END={end}", f"title={_escaped(chapter.title)}"]
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return "".join(f"\\{letter}" if letter in "=;#\\" else letter for letter in clean(text).replace("\n", " "))
