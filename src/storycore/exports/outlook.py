"""What an export of films would be, before any of it is made: how long, how large, and how much of it is there already.

Nothing is rendered. Sources are read, since their content decides what is found again.
"""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from storycore.exports.formats.format import Film
from storycore.exports.formats.options import PictureOptions, TimeOptions
from storycore.exports.naming import refuse_twins
from storycore.exports.packing.contents import Contents
from storycore.exports.size_guess import Guess, guess_film, guess_sound
from storycore.exports.works import Wanted, Work, works_of
from storycore.project.model import ProjectWarning


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What one file would be.

    Attributes:
        format: its name.
        name: of the file.
        size: width and height of the picture; None where there is none, or it is not known beforehand.
        rate: frames per second; None as before.
        frames: how many; None as before.
        duration: seconds; None for what has no length.
        segments: that its picture is made of.
        found: how many of them were rendered before.
        to_render: frames that are still to be rendered.
        guess: of its size; None where nothing is known.
        warnings: where the project can't be followed.
        contents: the files of the project that it holds; None for what is no package.
    """

    format: str
    name: str
    size: tuple[int, int] | None = None
    rate: Fraction | None = None
    frames: int | None = None
    duration: Fraction | None = None
    segments: int = 0
    found: int = 0
    to_render: int = 0
    guess: Guess | None = None
    warnings: tuple[ProjectWarning, ...] = ()
    contents: Contents | None = None


def look_ahead(film: Film, formats: Sequence[Wanted]) -> list[Outlook]:
    """What an export would make, file by file.

    Args:
        film: what would be written.
        formats: as `exports.export.wanted` gives them.

    Raises:
        InvalidInput: as `exports.export.export` would.
        DependencyFailed: encoder_missing.
    """
    works = [work for item in formats for work in works_of(film, item, None)]
    refuse_twins([work.name for work in works])
    return look_at(works)


def look_at(works: Sequence[Work]) -> list[Outlook]:
    """What files would be that are to be made.

    Raises:
        InvalidInput, DependencyFailed: as `look_ahead`.
    """
    with tempfile.TemporaryDirectory(prefix="storycore-") as folder:
        return [_outlook(work, Path(folder)) for work in works]


def _outlook(work: Work, folder: Path) -> Outlook:
    pictures, options = list(_pictures(work)), work.options
    if not pictures or not isinstance(options, PictureOptions):
        return _of_sound(work)
    from storycore.exports.formats.filming import shape
    from storycore.rendering import encoder
    from storycore.rendering.cache import SegmentCache
    from storycore.rendering.film import keyed
    from storycore.rendering.sources import Sources

    settings = work.film.settings
    ffmpeg = encoder.find(settings)
    cache = SegmentCache(settings.cache_folder / "segments", settings.segment_cache_bytes)
    sources = Sources(work.film.project, cache, folder, ffmpeg.mark)
    segments = [(piece.frames, key) for picture in pictures for piece, key in keyed(picture, sources, ffmpeg)]
    held = {key: cache.held(key) for _, key in segments}
    open_frames = {key: frames for frames, key in segments if held[key] is None}
    top, line = pictures[0], _line(work, pictures[0])
    guessed = guess_film(pictures, segments, held, options)
    return Outlook(
        format=work.format.name,
        name=work.name,
        size=top.canvas.size,
        rate=line.rate,
        frames=line.frames,
        duration=line.duration,
        segments=len(segments),
        found=sum(held[key] is not None for _, key in segments),
        to_render=sum(open_frames.values()),
        guess=guessed,
        warnings=(*work.warnings, *shape(work.film, options).warnings, *sources.warnings),
    )


def _pictures(work: Work) -> Iterator[Any]:
    if hasattr(work.format, "pictures"):
        yield from work.format.pictures(work.film, work.options)
    elif hasattr(work.format, "picture"):
        yield work.format.picture(work.film, work.options)


def _line(work: Work, top: Any) -> Any:
    """The whole film in frames: of its picture, or, where there is one for each clip, what those are cut to."""
    return work.format.line(work.film, work.options) if hasattr(work.format, "line") else top.line


def _of_sound(work: Work) -> Outlook:
    """Of what has no picture that is known beforehand."""
    if not isinstance(work.options, TimeOptions):
        held = work.format.contents(work.film, work.options) if hasattr(work.format, "contents") else None
        return Outlook(format=work.format.name, name=work.name, warnings=work.warnings, contents=held)
    from storycore.exports.formats.mixdown import film_line

    duration = film_line(work.film, work.options).duration
    guessed = guess_sound(work.options, work.format.name, duration)
    return Outlook(format=work.format.name, name=work.name, duration=duration, guess=guessed, warnings=work.warnings)
