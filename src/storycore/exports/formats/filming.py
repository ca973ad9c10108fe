"""From a project and options to pictures that can be rendered: what every format with pictures does alike."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from storycore.errors import DependencyFailed, InvalidInput, Reason
from storycore.exports.formats.format import Film
from storycore.exports.formats.options import PictureOptions, VideoOptions
from storycore.metadata.stated import stated
from storycore.project.model import ProjectWarning
from storycore.rendering import encoder
from storycore.rendering.ability import encoder_for, loops_back, measures
from storycore.rendering.captions import Cue
from storycore.rendering.codecs import Codec, Quality, canvas_format
from storycore.rendering.depot import segment_cache
from storycore.rendering.encoder import Ffmpeg
from storycore.rendering.film import Picture, Studio
from storycore.rendering.joining import Chapter
from storycore.rendering.likeness import PSNR, SSIM, VMAF
from storycore.rendering.look import Canvas, Caption
from storycore.rendering.plan import Timeline, alone, timeline
from storycore.rendering.sources import Sources
from storycore.rendering.words import Words
from storycore.units import round_half_up

SLATE_SECONDS = Fraction(2)
"""How long the slate stands: before the film, or instead of one."""

_MOST_NAMED = 3  # shots in one warning
_RATES = (Fraction(1), Fraction(240))
_USUAL_RATE = Fraction(24)
_SIDES = (16, 8192)
_LEAST_VMAF_SIDE = 90  # libvmaf gives nothing, or ends in a fault, where its smallest scale has too few rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A film's picture, before it is known how it is encoded.

    Attributes:
        line: the film in frames.
        width: even.
        height: even.
        language: of the film's words, as the project states it.
        warnings: where the project could not be followed.
    """

    line: Timeline
    width: int
    height: int
    language: str
    warnings: tuple[ProjectWarning, ...]


@contextlib.contextmanager
def studio(film: Film, *, measured: bool = False) -> Iterator[Studio]:
    """What a film is rendered with; what it leaves behind is in the segment cache.

    Args:
        film: what is rendered.
        measured: whether pictures are compared with the frames that were drawn.

    Raises:
        DependencyFailed: encoder_missing.
    """
    ffmpeg = encoder.find(film.settings)
    cache = segment_cache(film.settings)
    try:
        with cache.workplace() as folder:
            yield Studio(
                ffmpeg=ffmpeg,
                cache=cache,
                sources=Sources(film.project, cache, folder, ffmpeg.mark),
                folder=folder,
                painters=film.settings.render_workers,
                loopback=measured and loops_back(ffmpeg, film.settings.cache_folder / "encoders"),
                unit=film.unit,
            )
    finally:
        if film.unit is not None:
            film.unit.dismiss()
    cache.tidy()


def shape(film: Film, options: PictureOptions) -> Shape:
    """The film's picture: what the options say, else the project.

    Raises:
        InvalidInput: out_of_range: the range lies behind the film's end.
    """
    project, warnings = film.project, []
    rate = options.fps or project.frame_rate
    if not _RATES[0] <= rate <= _RATES[1]:
        warnings.append(_warning("frame_rate", f"{rate} frames a second can't be made; 24 were taken."))
        rate = _USUAL_RATE
    width, height = _size(film, options)
    empty = not project.shots
    line = timeline(
        project.shots,
        rate,
        lead_seconds=SLATE_SECONDS if options.slate or options.ai_label == "slate" or empty else Fraction(0),
        time_range=None if empty else options.seconds(),
    )
    if film.shot is not None:
        line = alone(line, film.shot)
    if line.end == line.first and not line.lead:
        _refuse_range(film, options, rate)
        warnings += _unseen(line)
        line = timeline((), rate, lead_seconds=SLATE_SECONDS)
        warnings.append(_warning("nothing_to_show", "No shot lasts a frame; a slate with the film's title was made."))
    elif empty:
        warnings.append(_warning("nothing_to_show", "The film has no shots; a slate with its title was made."))
    elif film.shot is None and options.seconds() is None:
        warnings += _unseen(line)
    return Shape(line=line, width=width, height=height, language=stated(project).language, warnings=tuple(warnings))


def picture(film: Film, options: VideoOptions, codec: Codec, *, pixel_format: str | None = None) -> Picture:
    """The film's picture as it is to be encoded.

    Raises:
        DependencyFailed: encoder_missing: no encoder works, or what is to be measured can't be.
        InvalidInput: out_of_range.
    """
    found = shape(film, options)
    _require_sides(codec, found)
    quality = Quality(
        crf=options.crf,
        bitrate_bps=options.bitrate_bps,
        effort=options.effort,
        keyframe_seconds=Fraction(str(options.keyframe_seconds)),
        pixel_format=pixel_format,
    )
    ffmpeg = encoder.find(film.settings)
    name = encoder_for(codec, quality, ffmpeg, film.settings.cache_folder / "encoders", hardware=options.hardware)
    return Picture(
        line=found.line,
        canvas=canvas(found, options, canvas_format(codec, quality)),
        codec=codec,
        quality=quality,
        encoder=name,
        figures=_figures(found, options, ffmpeg, film.settings.cache_folder / "encoders"),
        notice=notice(options),
        titled=options.slate or not film.project.shots,
    )


def _require_sides(codec: Codec, found: Shape) -> None:
    """Refuses a size that the codec does not have; sizes of the project are not known any sooner."""
    least, most = codec.sides
    if least <= min(found.width, found.height) and max(found.width, found.height) <= most:
        return
    raise InvalidInput(
        f"{codec.title} takes pictures of {least} to {most} pixels a side, not {found.width}×{found.height}.",
        reason=Reason.OUT_OF_RANGE,
        remediation="Choose another width and height, or another codec.",
    )


def notice(options: PictureOptions) -> str:
    """What the slate before the film says of how it was made, "" for nothing."""
    return _words(options) if options.ai_label == "slate" else ""


def _words(options: PictureOptions) -> str:
    return options.ai_words or "Made with generative AI"


def _figures(found: Shape, options: VideoOptions, ffmpeg: Ffmpeg, folder: Path) -> tuple[str, ...]:
    """What is to be known of how like the frames the picture is."""
    plain = (SSIM, PSNR) if options.measure == "full" else ()
    wanted = (*plain, VMAF) if options.vmaf else plain
    if options.vmaf and min(found.width, found.height) < _LEAST_VMAF_SIDE:
        raise InvalidInput(
            f"conversion_options.vmaf: a picture of {found.width}×{found.height} is too small for VMAF.",
            reason=Reason.OUT_OF_RANGE,
            remediation=f"Both sides must have {_LEAST_VMAF_SIDE} pixels at least; or leave vmaf out.",
        )
    if wanted and not measures(wanted, ffmpeg, folder):
        raise DependencyFailed(
            f"This ffmpeg can't measure {'VMAF' if options.vmaf else 'SSIM and PSNR'}.",
            reason=Reason.ENCODER_MISSING,
            remediation="Leave that out of conversion_options, or name another ffmpeg with STORYCORE_FFMPEG.",
            details={"figures": list(wanted)},
        )
    return wanted


def canvas(found: Shape, options: PictureOptions, pixel_format: str) -> Canvas:
    """What frames are drawn on."""
    return Canvas(
        pixel_format=pixel_format,
        width=found.width,
        height=found.height,
        rate=found.line.rate,
        fit=options.fit,
        burn_in=options.burn_in,
        watermark=options.watermark,
        label=_words(options) if options.ai_label == "corner" else "",
        language=found.language,
    )


def burned(found: Sequence[Cue], shown: Canvas) -> tuple[Caption, ...]:
    """Captions as words over the picture, in its lower part, of a size that fits its shape."""
    size = 0.052 * min(1.0, shown.width * 9 / 16 / shown.height)
    return tuple(
        Caption(
            words=Words(text="\n".join(cue.lines), y=0.89, size=size, weight=600),
            first=round_half_up(cue.start_ms * shown.rate / 1000),
            end=round_half_up(cue.end_ms * shown.rate / 1000),
        )
        for cue in found
    )


def chapters(film: Film, line: Timeline) -> Sequence[Chapter]:
    """One chapter for each run of shots of one scene; none if the film has a single one."""
    titles = {scene.id: scene.title for scene in film.project.scenes}
    scene_of = {shot_id: scene.id for scene in film.project.scenes for shot_id in scene.shot_ids}
    found: list[Chapter] = []
    last = None
    for span in line.spans:
        scene = span.shot.scene_id or scene_of.get(span.shot.id, "")
        if scene == last or not scene:
            continue
        begin = max(Fraction(0), line.place(Fraction(span.first) / line.rate))
        if begin < line.duration and span.end > line.first:
            if found:
                found[-1] = Chapter(begin=found[-1].begin, end=begin, title=found[-1].title)
            found.append(Chapter(begin=begin, end=line.duration, title=titles.get(scene) or scene))
            last = scene
    return found if len(found) > 1 else []


def _size(film: Film, options: PictureOptions) -> tuple[int, int]:
    project = film.project
    width, height = options.width or project.width, options.height or project.height
    if options.width and not options.height:
        height = round(options.width * project.height / max(1, project.width))
    if options.height and not options.width:
        width = round(options.height * project.width / max(1, project.height))
    return _side(width), _side(height)


def _side(pixels: int) -> int:
    return min(_SIDES[1], max(_SIDES[0], pixels // 2 * 2))


def _unseen(line: Timeline) -> list[ProjectWarning]:
    """That shots are too short to have a frame of their own."""
    seen = {index for part in line.segments for index in (part.shot, part.following)}
    lost = [span.shot for index, span in enumerate(line.spans) if index not in seen]
    if not lost:
        return []
    named = ", ".join(shot.title for shot in lost[:_MOST_NAMED]) + (" …" if len(lost) > _MOST_NAMED else "")
    what = "a shot is" if len(lost) == 1 else f"{len(lost)} shots are"
    lasts = f"{float(1 / line.rate):.3g} s"
    return [_warning("shot_too_short", f"{what.capitalize()} shorter than a frame ({lasts}) and not seen: {named}.")]


def _refuse_range(film: Film, options: PictureOptions, rate: Fraction) -> None:
    if options.time_range is not None:
        seconds = float(film.project.duration)
        why = f"nothing of the film is there; it lasts {seconds:g} s"
        if options.time_range[0] < seconds:
            why = f"no frame begins in it; one lasts {float(1 / rate):.3g} s"
        raise InvalidInput(
            f"conversion_options.time_range: {why}.",
            reason=Reason.OUT_OF_RANGE,
            details={"duration_seconds": seconds},
        )


def _warning(reason: str, message: str) -> ProjectWarning:
    return ProjectWarning(file="project.json", pointer="", reason=reason, message=message)
