"""A film rendered: its segments taken from the cache, or painted and put there."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from storycore.errors import DependencyFailed, Reason, StoryCoreError
from storycore.observe.progress import Progress
from storycore.rendering import likeness
from storycore.rendering.cache import SegmentCache
from storycore.rendering.codecs import Codec, Quality, encoding
from storycore.rendering.crew import Job, More, Output, Painted, paint
from storycore.rendering.encoder import Ffmpeg
from storycore.rendering.legible import odd_letters
from storycore.rendering.likeness import Likeness, Told
from storycore.rendering.look import Canvas, Caption, Piece, letters, pieces
from storycore.rendering.machine import machine
from storycore.rendering.plan import Timeline
from storycore.rendering.second_unit import Call, Done, Errand, SecondUnit, Wanted
from storycore.rendering.segment import config, encoded
from storycore.rendering.sources import Sources

_LOOK_SECONDS = 0.1


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
        unit: others who may paint too; None for nobody.
    """

    ffmpeg: Ffmpeg
    cache: SegmentCache
    sources: Sources
    folder: Path
    painters: int
    loopback: bool = False
    unit: SecondUnit | None = None


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
    return Rendering(pictures, studio, progress).done(until=until)


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

    name: str
    job: Job
    wanted: list[Wanted] = field(default_factory=list)


class Rendering:
    """Pictures of one film on their way; see `render`.

    Args:
        pictures: what is wanted.
        studio: what it is made with.
        progress: told of frames; can cancel.
    """

    def __init__(self, pictures: Sequence[Picture], studio: Studio, progress: Progress) -> None:
        self._pictures, self._studio, self._progress = pictures, studio, progress
        self._configs: dict[str, str] = {}
        self._painted: set[str] = set()
        self._figures: dict[str, Told] = {}
        self._call: Call | None = None
        self._offered: frozenset[str] = frozenset()
        self._has_asked = studio.unit is None
        self._seen: list[_Task] | None = None

    def offer(self, *, until: float) -> bool:
        """Lets others begin to paint, so that there is time for other work before `done`; False if nobody does.

        Args:
            until: share of the whole work that is done then.

        Raises:
            Cancelled, Unavailable: the work can't go on.
        """
        if self._has_asked:
            return False
        self._progress.begin("reading", unit="shots", until=until)
        self._seen = self._open_tasks([self._segments(picture) for picture in self._pictures])
        self._ask(self._seen)
        return self._call is not None

    def done(self, *, until: float) -> list[Rendered]:
        """The pictures, rendered; see `render`.

        Args:
            until: share of the whole work that is done then.
        """
        self._progress.begin("reading", unit="shots", until=min(0.01, until))
        wanted = [self._segments(picture) for picture in self._pictures]
        while tasks := self._open_tasks(wanted) if self._seen is None else self._seen:
            self._seen = None
            self._ask(tasks)
            self._paint(tasks, until)
            wanted = [self._segments(picture) for picture in self._pictures]  # what could not be shown is a slate now
        self._look_at_letters(wanted)
        return [self._rendered(*pair) for pair in zip(self._pictures, wanted, strict=True)]

    def _segments(self, picture: Picture) -> list[_Segment]:
        studio = self._studio
        return [
            _Segment(piece, key, self._path(key), picture)
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
            name = segment.piece.key(canvas)
            task = tasks.setdefault(name, _Task(name, Job(piece=segment.piece, canvas=canvas, outputs=[])))
            if segment.key not in [one.key for one in task.wanted]:
                picture = segment.picture
                task.wanted.append(Wanted(segment.key, tuple(picture.arguments), picture.figures))
                task.job.outputs.append(self._compared(segment) if there else self._encoded(task.wanted[-1]))
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

    def _encoded(self, wanted: Wanted) -> Output:
        return encoded(wanted, self._studio.cache, loopback=self._studio.loopback)

    def _compared(self, segment: _Segment) -> Output:
        picture = segment.picture
        return Output(
            arguments=likeness.compared(segment.path, picture.canvas, picture.figures), path=None, measures=True
        )

    def _found(self, segment: _Segment) -> bool:
        """Whether a segment is in the cache, whole; it is in the workplace then."""
        return self._taken(segment.key, segment.piece.frames)

    def _taken(self, key: str, frames: int) -> bool:
        path = self._path(key)
        if not self._studio.cache.take(key, path):
            return False
        found = config(path, frames)
        if found is None:
            path.unlink()
            self._studio.cache.forget(key)
            return False
        self._configs[key] = found
        return True

    def _path(self, key: str) -> Path:
        return self._studio.folder / f"{key}.segment"

    def _ask(self, tasks: Sequence[_Task]) -> None:
        """Offers what is to be painted to others, once; what is left after that is painted here."""
        unit = self._studio.unit
        if self._has_asked or unit is None:
            return
        self._has_asked = True
        errands = [
            Errand(name=task.name, piece=task.job.piece, canvas=task.job.canvas, wanted=tuple(task.wanted))
            for task in tasks
            if self._can_be_told(task.job)
        ]
        self._call = unit.offer(errands) if errands else None
        self._offered = frozenset(errand.name for errand in errands) if self._call else frozenset()

    def _can_be_told(self, job: Job) -> bool:
        """Whether others see all that a job needs: pictures that stand in the project file are here alone."""
        looks = [look for look in job.piece.looks if look.path]
        here = any(Path(look.path).is_relative_to(self._studio.folder) for look in looks)
        return not here and all(output.path is not None for output in job.outputs)

    def _paint(self, tasks: Sequence[_Task], until: float) -> None:
        studio, call, self._call = self._studio, self._call, None
        total = sum(task.job.piece.frames for task in tasks)
        self._progress.begin("rendering", total=total, unit="frames", until=until)
        jobs = {number: task.job for number, task in enumerate(tasks)}
        own = {number: job for number, job in jobs.items() if call is None or tasks[number].name not in self._offered}
        more = self._more(call, tasks) if call else None
        pause = threading.Event()
        try:
            while True:
                for painted in paint(
                    own, studio.ffmpeg, painters=studio.painters, folder=studio.folder, progress=self._progress,
                    more=more,
                ):  # fmt: skip
                    self._hear(painted, tasks[painted.number])
                if call is None or call.is_over:
                    return
                self._progress.check()
                pause.wait(_LOOK_SECONDS)  # others have the rest; what they let fall is taken back
                own = {}
        finally:
            for output in (one for job in jobs.values() for one in job.outputs):
                if output.path is not None:
                    output.path.unlink(missing_ok=True)

    def _more(self, call: Call, tasks: Sequence[_Task]) -> More:
        """Hears what others have done, and takes what they have not begun."""
        numbers = {task.name: number for number, task in enumerate(tasks)}

        def more(idle: bool) -> Mapping[int, Job]:
            for done in call.look():
                self._learn(done, [tasks[numbers[name]] for name in done.names if name in numbers])
            taken = call.take_back() if idle else ()
            return {numbers[name]: tasks[numbers[name]].job for name in taken if name in numbers}

        return more

    def _learn(self, done: Done, tasks: Sequence[_Task]) -> None:
        """Takes over what others have painted and measured."""
        self._look_at(done.bent, done.ends)
        for key, told in done.figures.items():
            self._figures[key] = {**self._figures.get(key, {}), **told}
            self._studio.cache.note(key, self._figures[key])
        for key, frames in ((one.key, task.job.piece.frames) for task in tasks for one in task.wanted):
            if self._taken(key, frames):
                self._painted.add(key)
        self._progress.advance(sum(task.job.piece.frames for task in tasks))

    def _hear(self, painted: Painted, task: _Task) -> None:
        self._look_at(painted.bent, painted.ends)
        if painted.error is not None:
            self._give_up(painted.error)
            return
        for wanted, output, told in zip(task.wanted, task.job.outputs, painted.figures, strict=True):
            self._keep(wanted.key, output, task.job.piece.frames, told)

    def _look_at(self, bent: Sequence[str], ends: Mapping[str, str]) -> None:
        for name in bent:
            self._studio.sources.bend(name)
        for name, second in ends.items():
            self._studio.sources.end(name, Fraction(second))

    def _keep(self, key: str, output: Output, frames: int, told: Told) -> None:
        cache = self._studio.cache
        if output.path is not None:
            if config(output.path, frames) is None:
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
