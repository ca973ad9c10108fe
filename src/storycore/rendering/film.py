"""A film rendered: its segments taken from the cache, or painted and put there."""

import hashlib
import importlib.metadata
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache as once
from pathlib import Path

from storycore.errors import DependencyFailed, Reason, StoryCoreError
from storycore.observe.progress import Progress
from storycore.project.headers import HeaderFault
from storycore.rendering import container, fonts, lettering, words
from storycore.rendering.cache import SegmentCache
from storycore.rendering.codecs import Codec, Quality, encoding
from storycore.rendering.crew import Job, Output, paint
from storycore.rendering.encoder import Ffmpeg
from storycore.rendering.look import Canvas, Caption, Piece, letters, pieces
from storycore.rendering.plan import Timeline
from storycore.rendering.sources import Sources

_LIBRARIES = ("numpy", "opencv-python-headless", "pillow", *fonts.PACKAGES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One way to render a film's picture.

    Attributes:
        line: the film in frames.
        canvas: what is drawn on.
        codec: how it is encoded.
        quality: how well.
        encoder: of ffmpeg, one that works here.
        burned: captions over everything, in frames of the result.
    """

    line: Timeline
    canvas: Canvas
    codec: Codec
    quality: Quality
    encoder: str
    burned: tuple[Caption, ...] = ()

    @property
    def arguments(self) -> list[str]:
        """Of ffmpeg, for one segment, up to its name."""
        return encoding(self.codec, self.quality, self.canvas, self.encoder)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """Segments of a picture, all there.

    Attributes:
        picture: what was wanted.
        segments: files in order; they go when the workplace goes.
        frames: of each.
        painted: how many were painted now; the others were found.
    """

    picture: Picture
    segments: tuple[Path, ...]
    frames: tuple[int, ...]
    painted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Studio:
    """What rendering needs.

    Attributes:
        ffmpeg: that decodes and encodes.
        cache: of segments.
        sources: of the project.
        folder: workplace.
        painters: processes at a time.
    """

    ffmpeg: Ffmpeg
    cache: SegmentCache
    sources: Sources
    folder: Path
    painters: int


def render(pictures: Sequence[Picture], studio: Studio, progress: Progress, *, until: float) -> list[Rendered]:
    """Renders pictures of one film; what several of them show alike is drawn once and encoded for each.

    Guarantee: segments that were finished stay in the cache, whatever happens later.

    Args:
        pictures: what is wanted.
        studio: what it is made with.
        progress: told of frames; can cancel.
        until: share of the whole work that is done then.

    Raises:
        Cancelled, DependencyFailed, Unavailable, Conflict: source_changed.
    """
    return _Rendering(pictures, studio, progress, until).done()


@dataclass(frozen=True, slots=True)
class _Segment:
    piece: Piece
    key: str
    path: Path


class _Rendering:
    """One call of `render`."""

    def __init__(self, pictures: Sequence[Picture], studio: Studio, progress: Progress, until: float) -> None:
        self._pictures, self._studio, self._progress, self._until = pictures, studio, progress, until
        self._configs: dict[str, str] = {}
        self._painted: set[str] = set()

    def done(self) -> list[Rendered]:
        self._progress.begin("reading", unit="shots", until=min(0.01, self._until))
        wanted = [self._segments(picture) for picture in self._pictures]
        while jobs := self._open_jobs(wanted):
            self._paint(jobs)
            wanted = [self._segments(picture) for picture in self._pictures]  # what could not be shown is a slate now
        self._look_at_letters(wanted)
        return [self._rendered(*pair) for pair in zip(self._pictures, wanted, strict=True)]

    def _segments(self, picture: Picture) -> list[_Segment]:
        sources, line = self._studio.sources, picture.line
        looks = [sources.look(span, picture.canvas) for span in line.spans]
        lead = sources.lead(line.lead) if line.lead else None
        more = (*picture.arguments, self._studio.ffmpeg.mark, machine())
        found = []
        for piece in pieces(line, looks, lead, picture.canvas, picture.burned):
            key = piece.key(picture.canvas, *more)
            found.append(_Segment(piece, key, self._studio.folder / f"{key}.segment"))
        return found

    def _look_at_letters(self, wanted: Sequence[Sequence[_Segment]]) -> None:
        """Warns of letters that could not be written as they should be."""
        for picture, segments in zip(self._pictures, wanted, strict=True):
            text = words.clean(letters([segment.piece for segment in segments], picture.canvas), longest=None)
            if unknown := fonts.missing(text):
                shown = " ".join(f"{letter} (U+{ord(letter):04X})" for letter in unknown[:8])
                message = f"No font at hand has {shown}{' and others' * (len(unknown) > 8)}; boxes stand for them."
                self._studio.sources.tell("letters_missing", message)
            if lettering.unshaped(text):
                message = "Letters stand apart that should join, since libfribidi is not installed here."
                self._studio.sources.tell("letters_unshaped", message)

    def _open_jobs(self, wanted: Sequence[Sequence[_Segment]]) -> list[tuple[Job, list[str]]]:
        """What is not there yet, with the keys of its outputs; equal pieces share one job."""
        jobs: dict[str, tuple[Job, list[str]]] = {}
        for picture, segments in zip(self._pictures, wanted, strict=True):
            for segment in segments:
                if segment.key in self._configs or self._found(segment):
                    continue
                job, keys = jobs.setdefault(
                    segment.piece.key(picture.canvas), (Job(piece=segment.piece, canvas=picture.canvas, outputs=[]), [])
                )
                if segment.key not in keys:
                    keys.append(segment.key)
                    path = self._studio.cache.new(segment.key)
                    job.outputs.append(Output(arguments=picture.arguments, path=path))
        return list(jobs.values())

    def _found(self, segment: _Segment) -> bool:
        """Whether a segment is in the cache, whole; it is in the workplace then."""
        if not self._studio.cache.take(segment.key, segment.path):
            return False
        config = _config(segment.path, segment.piece.frames)
        if config is None:
            segment.path.unlink()
            self._studio.cache.forget(segment.key)
            return False
        self._configs[segment.key] = config
        return True

    def _paint(self, jobs: Sequence[tuple[Job, list[str]]]) -> None:
        studio = self._studio
        total = sum(job.piece.frames for job, _ in jobs)
        self._progress.begin("rendering", total=total, unit="frames", until=self._until)
        numbered = {number: job for number, (job, _) in enumerate(jobs)}
        try:
            for number, error in paint(
                numbered, studio.ffmpeg, painters=studio.painters, folder=studio.folder, progress=self._progress
            ):
                job, keys = jobs[number]
                if error is not None:
                    self._give_up(error)
                    continue
                for key, output in zip(keys, job.outputs, strict=True):
                    self._keep(key, output.path, job.piece.frames)
        finally:
            for job, _ in jobs:
                for output in job.outputs:
                    output.path.unlink(missing_ok=True)

    def _keep(self, key: str, path: Path, frames: int) -> None:
        if _config(path, frames) is None:
            raise DependencyFailed("A segment was not encoded whole.", reason=Reason.ENCODER_FAILED)
        self._studio.cache.keep(key, path)
        self._painted.add(key)

    def _give_up(self, error: StoryCoreError) -> None:
        """Takes a slate for what can't be decoded; anything else ends the rendering."""
        name = error.details.get("media")
        if error.reason is not Reason.MEDIA_INVALID or not isinstance(name, str):
            raise error
        self._studio.sources.give_up(name, error.message)

    def _rendered(self, picture: Picture, segments: Sequence[_Segment]) -> Rendered:
        if len({self._configs[segment.key] for segment in segments}) > 1:
            for segment in segments:
                self._studio.cache.forget(segment.key)
            raise DependencyFailed(
                "Segments of one film were encoded in different ways.",
                reason=Reason.ENCODER_FAILED,
                remediation="Try again; they will be rendered anew.",
            )
        return Rendered(
            picture=picture,
            segments=tuple(segment.path for segment in segments),
            frames=tuple(segment.piece.frames for segment in segments),
            painted=len({segment.key for segment in segments} & self._painted),
        )


def _config(path: Path, frames: int) -> str | None:
    """The codec configuration of a segment, or None if it is not whole."""
    try:
        tracks = container.read(path).tracks
    except (HeaderFault, OSError):
        return None
    return tracks[0].config if len(tracks) == 1 and tracks[0].samples == frames else None


@once
def machine() -> str:
    """What else decides about the bytes of a segment: libraries, fonts, and the processor's family."""
    versions = [f"{name} {importlib.metadata.version(name)}" for name in _LIBRARIES]
    return ", ".join([*versions, lettering.versions(), platform.machine(), _processor()])


def _processor() -> str:
    """Which instructions there are: libraries choose their routines by them."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor()
    flags = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    return hashlib.sha256(flags.encode()).hexdigest()[:16]
