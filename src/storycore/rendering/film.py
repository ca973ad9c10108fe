"""A film rendered: its segments taken from the cache, or painted and put there."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from storycore.errors import DependencyFailed, Reason, StoryCoreError
from storycore.observe.progress import Progress
from storycore.project.headers import HeaderFault
from storycore.rendering import container, likeness
from storycore.rendering.cache import SegmentCache
from storycore.rendering.codecs import Codec, Quality, encoding
from storycore.rendering.crew import Job, Output, paint
from storycore.rendering.encoder import Ffmpeg, url
from storycore.rendering.legible import odd_letters
from storycore.rendering.likeness import Likeness, Told
from storycore.rendering.look import Canvas, Caption, Piece, letters, pieces
from storycore.rendering.machine import machine
from storycore.rendering.plan import Timeline
from storycore.rendering.sources import Sources


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
        figures: that are to be known of it, as `likeness` names them.
        notice: words that the slate before the film bears, "" for none.
        titled: whether that slate names the film.
    """

    line: Timeline
    canvas: Canvas
    codec: Codec
    quality: Quality
    encoder: str
    burned: tuple[Caption, ...] = ()
    figures: tuple[str, ...] = ()
    notice: str = ""
    titled: bool = True

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
        likeness: how like the frames that were drawn it is; None if that is not to be known.
    """

    picture: Picture
    segments: tuple[Path, ...]
    frames: tuple[int, ...]
    painted: int
    likeness: Likeness | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Studio:
    """What rendering needs.

    Attributes:
        ffmpeg: that decodes and encodes.
        cache: of segments.
        sources: of the project.
        folder: workplace.
        painters: processes at a time.
        loopback: whether this ffmpeg can decode what it is encoding.
    """

    ffmpeg: Ffmpeg
    cache: SegmentCache
    sources: Sources
    folder: Path
    painters: int
    loopback: bool = False


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


def keyed(picture: Picture, sources: Sources, ffmpeg: Ffmpeg) -> list[tuple[Piece, str]]:
    """What the segments of a picture show, each with the key under which it is found again.

    Args:
        picture: what is wanted.
        sources: of the project; they are read, and what is odd about them is noted there.
        ffmpeg: that would encode.
    """
    line = picture.line
    looks = [sources.look(span, picture.canvas) for span in line.spans]
    lead = sources.lead(line.lead, notice=picture.notice, titled=picture.titled) if line.lead else None
    more = (*picture.arguments, ffmpeg.mark, machine())
    found = pieces(line, looks, lead, picture.canvas, picture.burned)
    return [(piece, piece.key(picture.canvas, *more)) for piece in found]


_KEPT = "no file was made, and the next try goes on with the parts that were finished"
"""What is left of a rendering that was stopped."""


@dataclass(frozen=True, slots=True)
class _Segment:
    piece: Piece
    key: str
    path: Path
    picture: Picture


@dataclass(frozen=True, slots=True)
class _Task:
    """A job, and which segments come of its outputs."""

    job: Job
    keys: list[str]


class _Rendering:
    """One call of `render`."""

    def __init__(self, pictures: Sequence[Picture], studio: Studio, progress: Progress, until: float) -> None:
        self._pictures, self._studio, self._progress, self._until = pictures, studio, progress, until
        self._configs: dict[str, str] = {}
        self._painted: set[str] = set()
        self._figures: dict[str, Told] = {}

    def done(self) -> list[Rendered]:
        self._progress.begin("reading", unit="shots", until=min(0.01, self._until))
        wanted = [self._segments(picture) for picture in self._pictures]
        while tasks := self._open_tasks(wanted):
            self._paint(tasks)
            wanted = [self._segments(picture) for picture in self._pictures]  # what could not be shown is a slate now
        self._look_at_letters(wanted)
        return [self._rendered(*pair) for pair in zip(self._pictures, wanted, strict=True)]

    def _segments(self, picture: Picture) -> list[_Segment]:
        studio = self._studio
        return [
            _Segment(piece, key, studio.folder / f"{key}.segment", picture)
            for piece, key in keyed(picture, studio.sources, studio.ffmpeg)
        ]

    def _look_at_letters(self, wanted: Sequence[Sequence[_Segment]]) -> None:
        """Warns of letters that could not be written as they should be."""
        for picture, segments in zip(self._pictures, wanted, strict=True):
            for reason, message in odd_letters(letters([segment.piece for segment in segments], picture.canvas)):
                self._studio.sources.tell(reason, message)

    def _open_tasks(self, wanted: Sequence[Sequence[_Segment]]) -> list[_Task]:
        """What is not there yet; equal pieces share one task."""
        tasks: dict[str, _Task] = {}
        for segment in (one for segments in wanted for one in segments):
            there = segment.key in self._configs or self._found(segment)
            if there and self._known(segment):
                continue
            canvas = segment.picture.canvas
            task = tasks.setdefault(
                segment.piece.key(canvas), _Task(Job(piece=segment.piece, canvas=canvas, outputs=[]), [])
            )
            if segment.key not in task.keys:
                task.keys.append(segment.key)
                task.job.outputs.append(self._compared(segment) if there else self._encoded(segment))
        return list(tasks.values())

    def _known(self, segment: _Segment) -> bool:
        """Whether all that is to be known of a segment was measured."""
        figures = segment.picture.figures
        if not figures:
            return True
        if segment.key not in self._figures:
            told = self._studio.cache.noted(segment.key)
            self._figures[segment.key] = told if isinstance(told, dict) else {}
        return all(name in self._figures[segment.key] for name in figures)

    def _encoded(self, segment: _Segment) -> Output:
        picture, path = segment.picture, self._studio.cache.new(segment.key)
        measures = bool(picture.figures) and self._studio.loopback
        more = likeness.beside(picture.figures) if measures else []
        return Output(arguments=[*picture.arguments, url(path), *more], path=path, measures=measures)

    def _compared(self, segment: _Segment) -> Output:
        picture = segment.picture
        return Output(
            arguments=likeness.compared(segment.path, picture.canvas, picture.figures), path=None, measures=True
        )

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

    def _paint(self, tasks: Sequence[_Task]) -> None:
        studio = self._studio
        total = sum(task.job.piece.frames for task in tasks)
        self._progress.begin("rendering", total=total, unit="frames", until=self._until)
        jobs = {number: task.job for number, task in enumerate(tasks)}
        try:
            for number, error, figures, bent, ends in paint(
                jobs, studio.ffmpeg, painters=studio.painters, folder=studio.folder, progress=self._progress
            ):
                for name in bent:
                    studio.sources.bend(name)
                for name, second in ends.items():
                    studio.sources.end(name, Fraction(second))
                if error is not None:
                    self._give_up(error)
                    continue
                for key, output, told in zip(tasks[number].keys, jobs[number].outputs, figures, strict=True):
                    self._keep(key, output, jobs[number].piece.frames, told)
        finally:
            for output in (one for job in jobs.values() for one in job.outputs):
                if output.path is not None:
                    output.path.unlink(missing_ok=True)

    def _keep(self, key: str, output: Output, frames: int, told: Told) -> None:
        cache = self._studio.cache
        if output.path is not None:
            if _config(output.path, frames) is None:
                raise DependencyFailed("A segment was not encoded whole.", reason=Reason.ENCODER_FAILED)
            cache.keep(key, output.path)
            self._progress.kept = _KEPT
            self._painted.add(key)
        if output.measures:
            if not told:
                raise DependencyFailed("A segment could not be measured.", reason=Reason.ENCODER_FAILED)
            self._figures[key] = {**self._figures.get(key, {}), **told}
            cache.note(key, self._figures[key])

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
            likeness=self._likeness(picture, segments) if picture.figures else None,
        )

    def _likeness(self, picture: Picture, segments: Sequence[_Segment]) -> Likeness:
        return likeness.together(
            [(one.piece.frames, {name: self._figures[one.key][name] for name in picture.figures}) for one in segments]
        )


def _config(path: Path, frames: int) -> str | None:
    """The codec configuration of a segment, or None if it is not whole."""
    try:
        tracks = container.read(path).tracks
    except (HeaderFault, OSError):
        return None
    return tracks[0].config if len(tracks) == 1 and tracks[0].samples == frames else None
