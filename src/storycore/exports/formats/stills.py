"""Frames of a film as files: what gif, frames, poster and contact sheet do alike.

Frames are rendered without loss and with all of their colour, like any picture, so they are found again too; ffmpeg
then makes pictures of them.
"""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from storycore.exports.formats import filming
from storycore.exports.formats.format import Film
from storycore.exports.formats.options import PictureOptions
from storycore.observe.progress import Progress
from storycore.project.model import ProjectWarning
from storycore.rendering import encoder
from storycore.rendering.ability import encoder_for
from storycore.rendering.codecs import CODECS, TAGS, Quality
from storycore.rendering.encoder import url
from storycore.rendering.film import Picture, Rendered, Studio, render
from storycore.rendering.joining import frames_listing
from storycore.rendering.plan import Timeline

_QUALITY = Quality(pixel_format="yuv444p")


@dataclass(frozen=True, slots=True, kw_only=True)
class Frames:
    """Rendered frames.

    Attributes:
        studio: where they are.
        rendered: their segments.
        warnings: where the project could not be followed.
    """

    studio: Studio
    rendered: Rendered
    warnings: tuple[ProjectWarning, ...]

    def into(self, arguments: Sequence[str], target: Path, progress: Progress) -> None:
        """Hands the frames to ffmpeg, with arguments up to the output's name.

        Raises:
            Unavailable, DependencyFailed, Cancelled.
        """
        listing = frames_listing(self.rendered)
        source = ["-f", "concat", "-safe", "0", "-protocol_whitelist", "file,pipe", "-i", url(listing)]
        encoder.run(
            self.studio.ffmpeg,
            [*source, "-map", "0:v", "-threads", "1", *arguments, url(target)],
            progress=progress,
            folder=self.studio.folder,
        )


RGB = f"{TAGS},scale=in_color_matrix=bt709:in_range=tv:out_range=pc:flags=accurate_rnd+full_chroma_int+bicubic"
"""Filter that makes RGB of frames."""


def picture(film: Film, options: PictureOptions) -> Picture:
    """The film's frames without loss.

    Raises:
        DependencyFailed: encoder_missing.
        InvalidInput: out_of_range.
    """
    found = filming.shape(film, options)
    codec, ffmpeg = CODECS["ffv1"], encoder.find(film.settings)
    name = encoder_for(codec, _QUALITY, ffmpeg, film.settings.cache_folder / "encoders")
    canvas = filming.canvas(found, options, "yuv444p")
    return Picture(
        line=found.line, canvas=canvas, codec=codec, quality=_QUALITY, encoder=name,
        notice=filming.notice(options), titled=options.slate or not film.project.shots,
    )  # fmt: skip


def only(wanted: Picture, frames: Sequence[int]) -> Picture:
    """Some frames alone, each as a segment of its own.

    Args:
        wanted: the whole film.
        frames: numbers of frames of the result, growing.
    """
    starts, at = [], 0
    for segment in wanted.line.segments:
        starts.append((at, segment))
        at += segment.frames
    cut = []
    for number in frames:
        begin, segment = next(item for item in reversed(starts) if item[0] <= number)
        cut.append(replace(segment, first=segment.first + number - begin, frames=1))
    line: Timeline = replace(wanted.line, segments=tuple(cut))
    return replace(wanted, line=line)


@contextlib.contextmanager
def frames(
    film: Film, wanted: Picture, options: PictureOptions, progress: Progress, *, until: float
) -> Iterator[Frames]:
    """Rendered frames, there while the block runs.

    Raises:
        StoryCoreError: see `rendering.film.render`.
    """
    with filming.studio(film) as studio:
        rendered = render([wanted], studio, progress, until=until)[0]
        warnings = (*filming.shape(film, options).warnings, *studio.sources.warnings)
        yield Frames(studio=studio, rendered=rendered, warnings=warnings)


def middles(line: Timeline) -> list[int]:
    """A frame in the middle of each shot's body, where nothing else is seen; of the slate if there are no shots."""
    found: dict[int, tuple[int, int]] = {}
    at = 0
    for segment in line.segments:
        if segment.following is None and (segment.shot >= 0 or not line.spans):
            longest = found.get(segment.shot, (0, 0))[1]
            if segment.frames > longest:
                found[segment.shot] = (at + segment.frames // 2, segment.frames)
        at += segment.frames
    return sorted(number for number, _ in found.values()) or [0]
