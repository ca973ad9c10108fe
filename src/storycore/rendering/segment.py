"""One rendered segment as a file: how it is encoded into the cache, and whether it is whole."""

from pathlib import Path

from storycore.project.headers import HeaderFault
from storycore.rendering import container, likeness
from storycore.rendering.cache import SegmentCache
from storycore.rendering.crew import Output
from storycore.rendering.encoder import url
from storycore.rendering.second_unit import Wanted


def encoded(wanted: Wanted, cache: SegmentCache, *, loopback: bool) -> Output:
    """What an ffmpeg makes of frames to get a segment, under a name of its own beside the kept ones.

    Args:
        wanted: the segment.
        cache: that it will be kept in.
        loopback: whether this ffmpeg can measure what it is encoding.
    """
    path = cache.new(wanted.key)
    measures = bool(wanted.figures) and loopback
    more = likeness.beside(wanted.figures) if measures else []
    return Output(arguments=[*wanted.arguments, url(path), *more], path=path, measures=measures)


def config(path: Path, frames: int) -> str | None:
    """The codec configuration of a segment, or None if it is not whole."""
    try:
        tracks = container.read(path).tracks
    except (HeaderFault, OSError):
        return None
    return tracks[0].config if len(tracks) == 1 and tracks[0].samples == frames else None
