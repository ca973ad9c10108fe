"""One picture of each shot, as small as it is needed, made by the renderer's own processes.

Files of strangers are decoded by painters and ffmpeg, never in this process; what can't be shown becomes a slate there.
"""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from storycore.exports.formats import filming
from storycore.exports.formats.format import Film
from storycore.exports.formats.options import PictureOptions
from storycore.exports.formats.stills import Frames, frames, picture
from storycore.observe.progress import Progress
from storycore.project.model import ProjectWarning
from storycore.rendering.codecs import TAGS
from storycore.rendering.look import Source
from storycore.rendering.plan import Part, Segment, Timeline

_JPEG = (
    f"{TAGS},scale=in_color_matrix=bt709:in_range=tv:out_color_matrix=bt601:out_range=pc"
    ":flags=accurate_rnd+full_chroma_int+bicubic,format=yuv444p"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """One JPEG for each shot that is seen.

    Attributes:
        of: index of the shot → its file.
        slates: indices of the shots whose picture is a slate, since there is none or it can't be read.
        width: of each, in pixels.
        height: of each, in pixels.
        warnings: what could not be shown.
    """

    of: dict[int, Path]
    slates: frozenset[int]
    width: int
    height: int
    warnings: tuple[ProjectWarning, ...]

    def read(self, index: int) -> bytes | None:
        """The picture of a shot, or None if it has none but a slate."""
        return None if index in self.slates or index not in self.of else self.of[index].read_bytes()


@contextlib.contextmanager
def pictures(film: Film, width: int, height: int, progress: Progress, *, until: float) -> Iterator[Pictures]:
    """Pictures of all shots, at most as large as the film's own; they are gone when the block ends.

    Each is the frame in the middle of its shot, with the words that stand on it then, and without its transitions.

    Args:
        film: what is shown.
        width: wanted, in pixels, even.
        height: wanted, in pixels, even.
        progress: told how far it is; can cancel.
        until: share of the whole work that is done then.

    Raises:
        StoryCoreError: see `rendering.film.render`.
    """
    options = PictureOptions(width=min(width, 8192), height=min(height, 8192))
    whole = picture(film, options)
    line = alone(whole.line)
    if not line.segments:
        yield Pictures(of={}, slates=frozenset(), width=width, height=height, warnings=())
        return
    with frames(film, replace(whole, line=line), options, progress, until=until) as drawn:
        yield _written(drawn, line, options)


def alone(line: Timeline) -> Timeline:
    """The middle frame of each shot, as if nothing but that shot were seen; of a shot without a frame, none."""
    middles = [
        Segment(part=Part.BODY, first=span.first + span.frames // 2, frames=1, shot=index)
        for index, span in enumerate(line.spans)
        if span.frames
    ]
    return replace(line, lead=0, segments=tuple(middles))


def _written(drawn: Frames, line: Timeline, options: PictureOptions) -> Pictures:
    folder = drawn.studio.folder / "pictures"
    folder.mkdir()
    made = ["-vf", _JPEG, "-color_range", "pc", "-fps_mode", "passthrough", "-c:v", "mjpeg", "-q:v", "3"]
    drawn.into(
        [*made, "-huffman", "optimal", "-start_number", "0", "-fflags", "+bitexact", "-f", "image2"],
        folder / "%06d.jpg",
        Progress(),
    )
    shots = [segment.shot for segment in line.segments]
    return Pictures(
        of=dict(zip(shots, sorted(folder.iterdir()), strict=True)),
        slates=_slates(drawn, line.segments),
        width=options.width or 0,
        height=options.height or 0,
        warnings=drawn.studio.sources.warnings,
    )


def _slates(drawn: Frames, segments: Sequence[Segment]) -> frozenset[int]:
    wanted = drawn.rendered.picture
    looks = {segment.shot: drawn.studio.sources.look(wanted.line.spans[segment.shot], wanted.canvas)
             for segment in segments}  # fmt: skip
    return frozenset(shot for shot, look in looks.items() if look.source is Source.SLATE)


def fitting(film: Film, width: int, height: int) -> tuple[int, int]:
    """A size of pictures near the wanted one, no larger than the film's own, and of its very shape if possible.

    Of another shape, by a pixel, pictures would have thin black edges.
    """
    own = filming.shape(film, PictureOptions())
    share = min(1.0, own.width / width, own.height / height)
    wanted = max(16, int(height * share) // 2 * 2)
    aspect = Fraction(own.width, own.height)
    heights = [*range(wanted, min(own.height, wanted * 5 // 4) + 1, 2), *range(wanted, wanted * 3 // 4, -2)]
    exact = next((high for high in heights if (aspect * high / 2).denominator == 1), wanted)
    return max(16, round(aspect * exact / 2) * 2), exact
