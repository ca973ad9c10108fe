"""Errands of somebody else's film, done here: their segments end in the cache that is shared."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from storycore.observe import logging
from storycore.observe.progress import Progress
from storycore.rendering.cache import SegmentCache
from storycore.rendering.crew import Job, Painted, paint
from storycore.rendering.encoder import Ffmpeg
from storycore.rendering.machine import machine
from storycore.rendering.second_unit import Done, Errand
from storycore.rendering.segment import config, encoded

log = logging.get(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What errands are done with.

    Attributes:
        ffmpeg: that decodes and encodes.
        cache: that whoever asked sees too.
        folder: workplace.
        painters: processes at a time.
        loopback: whether this ffmpeg can decode what it is encoding.
    """

    ffmpeg: Ffmpeg
    cache: SegmentCache
    folder: Path
    painters: int
    loopback: bool


def run_errands(
    first: Sequence[Errand], more: Callable[[bool], Sequence[Errand]], place: Place, progress: Progress
) -> Iterator[Done]:
    """Paints errands, and tells of each as nobody does it any more.

    One that can't be done here, since this machine would make other bytes or a file can't be read, is not painted; it
    is told all the same, and whoever asked for it sees that its segment is not there.

    Guarantee: may be begun anew; segments that are there already are not painted again.

    Args:
        first: the first ones.
        more: gives further ones, as `storycore.rendering.crew.More` gives jobs.
        place: what they are done with.
        progress: counts frames; can cancel.

    Raises:
        Cancelled, DependencyFailed, Unavailable.
    """
    yield from _Running(place, more).run(first, progress)


class _Running:
    """One call of `run_errands`."""

    def __init__(self, place: Place, more: Callable[[bool], Sequence[Errand]]) -> None:
        self._place, self._more = place, more
        self._errands: list[Errand] = []
        self._jobs: dict[int, Job] = {}
        self._settled: list[Done] = []

    def run(self, first: Sequence[Errand], progress: Progress) -> Iterator[Done]:
        place = self._place
        try:
            jobs = self._taken(first)
            for painted in paint(
                jobs, place.ffmpeg, painters=place.painters, folder=place.folder, progress=progress, more=self._further
            ):
                yield from self._settle()
                yield self._kept(painted)
            yield from self._settle()
        finally:
            for output in (one for job in self._jobs.values() for one in job.outputs):
                if output.path is not None:
                    output.path.unlink(missing_ok=True)

    def _further(self, idle: bool) -> dict[int, Job]:
        return self._taken(self._more(idle))

    def _settle(self) -> list[Done]:
        settled, self._settled = self._settled, []
        return settled

    def _taken(self, errands: Sequence[Errand]) -> dict[int, Job]:
        """Jobs for what is to be painted here; the others are settled."""
        place, jobs = self._place, {}
        for errand in errands:
            if all(self._is_there(one.key, errand.piece.frames) for one in errand.wanted) or not self._is_ours(errand):
                self._settled.append(_done(errand))
                continue
            outputs = [encoded(one, place.cache, loopback=place.loopback) for one in errand.wanted]
            jobs[len(self._errands)] = Job(piece=errand.piece, canvas=errand.canvas, outputs=outputs)
            self._errands.append(errand)
        self._jobs |= jobs
        return jobs

    def _is_there(self, key: str, frames: int) -> bool:
        path = self._place.folder / f"{key}.segment"
        try:
            return self._place.cache.take(key, path) and config(path, frames) is not None
        finally:
            path.unlink(missing_ok=True)

    def _is_ours(self, errand: Errand) -> bool:
        """Whether this machine makes the very bytes that are asked for."""
        rest = (self._place.ffmpeg.mark, machine())
        made = [errand.piece.key(errand.canvas, *one.arguments, *rest) == one.key for one in errand.wanted]
        if not all(made):
            log.warning("segment_not_ours", key=errand.wanted[0].key)
        return all(made)

    def _kept(self, painted: Painted) -> Done:
        errand, job = self._errands[painted.number], self._jobs[painted.number]
        if painted.error is not None:
            log.warning("segment_not_painted", reason=painted.error.reason.value)
            return _done(errand)
        figures = {}
        for wanted, output, told in zip(errand.wanted, job.outputs, painted.figures, strict=True):
            if output.path is not None and config(output.path, errand.piece.frames) is not None:
                self._place.cache.keep(wanted.key, output.path)
                if output.measures and told:
                    figures[wanted.key] = dict(told)
        return Done(names=(errand.name,), figures=figures, bent=painted.bent, ends=painted.ends)


def _done(errand: Errand) -> Done:
    return Done(names=(errand.name,), figures={}, bent=(), ends={})
