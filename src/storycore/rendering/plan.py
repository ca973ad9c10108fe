"""When each picture of a film is, in whole frames. Pure.

The film's exact times, rounded once each, are its frames: nothing is added up after rounding, so nothing drifts.
What is seen together, a transition, is a segment of its own between the bodies of its shots, so that a changed shot
changes three segments and no more.

Source: the specification of project reading, "Cut points are exact".
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction

from storycore.project.model import Shot, Transition, TransitionKind
from storycore.project.timeline import overlaps
from storycore.units import round_half_up

LONGEST_BODY_SECONDS = 10
"""A longer body is rendered in parts, so that one long shot too is rendered in parallel and found again."""


class Part(StrEnum):
    """What a segment shows."""

    LEAD = "lead"
    """The slate before the film, or instead of it."""
    BODY = "body"
    """One shot alone."""
    TRANSITION = "transition"
    """A shot giving way to the next one, or to a colour at the film's end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A shot in frames of the film.

    Attributes:
        shot: as in the project.
        first: frame of the film at which it is first seen.
        frames: how many frames it is seen, those of its transitions included.
    """

    shot: Shot
    first: int
    frames: int

    @property
    def end(self) -> int:
        """The frame after its last one."""
        return self.first + self.frames


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A run of frames that is rendered in one piece.

    Attributes:
        part: what it shows.
        first: frame of the film at which it begins; of the lead, from 0.
        frames: how many, at least 1.
        shot: index of the shot, of the outgoing one for a transition; -1 for the lead.
        following: index of the incoming shot of a transition, None at the film's end and for bodies.
        transition_first: frame of the film at which the whole transition begins; `first`, unless it was cut.
        transition_frames: length of the whole transition; `frames`, unless it was cut.
    """

    part: Part
    first: int
    frames: int
    shot: int
    following: int | None = None
    transition_first: int = 0
    transition_frames: int = 0

    @property
    def end(self) -> int:
        """The frame after its last one."""
        return self.first + self.frames


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """A film in frames: a lead of `lead` frames, then the film's frames from `first` to before `end`.

    Attributes:
        rate: frames per second, exact.
        lead: frames of slate before the film.
        first: first frame of the film that is shown; 0 unless only a range is.
        end: frame after the last one that is shown.
        spans: all shots, in frames of the whole film.
        segments: what is shown, in order, without gap or overlap.
    """

    rate: Fraction
    lead: int
    first: int
    end: int
    spans: tuple[Span, ...]
    segments: tuple[Segment, ...]

    @property
    def frames(self) -> int:
        """How long the result is, in frames."""
        return self.lead + self.end - self.first

    @property
    def duration(self) -> Fraction:
        """How long the result is, in seconds."""
        return self.frames / self.rate

    def samples(self, rate_hz: int) -> int:
        """How long the result is, in samples of sound."""
        return self.sample_at(self.frames, rate_hz)

    def sample_at(self, frame: int, rate_hz: int) -> int:
        """The sample at which a frame of the result (lead included) begins."""
        return round_half_up(Fraction(frame) / self.rate * rate_hz)

    def frame_of(self, segment: Segment) -> int:
        """The frame of the result (lead included) at which a segment, or a part of one, begins."""
        return segment.first if segment.part is Part.LEAD else self.lead + segment.first - self.first

    def place(self, film_seconds: Fraction) -> Fraction:
        """Where in the result, in seconds, a time of the whole film is; negative if it was cut off."""
        return film_seconds + Fraction(self.lead - self.first) / self.rate


def timeline(
    shots: Sequence[Shot],
    rate: Fraction,
    *,
    lead_seconds: Fraction = Fraction(0),
    time_range: tuple[Fraction, Fraction] | None = None,
) -> Timeline:
    """A film in frames.

    Args:
        shots: placed, as a project has them.
        rate: frames per second, positive.
        lead_seconds: of slate before the film.
        time_range: seconds of the film from which, and before which, frames are shown; all if left out.
    """
    spans = tuple(_spans(shots, rate))
    end = max((span.end for span in spans), default=0)
    first, last = 0, end
    if time_range is not None:
        first, last = (min(end, max(0, round_half_up(time * rate))) for time in time_range)
    lead = round_half_up(lead_seconds * rate)
    slate = [Segment(part=Part.LEAD, first=0, frames=lead, shot=-1)] if lead else []
    shown = [cut for segment in _segments(shots, spans, rate) if (cut := _within(segment, first, last))]
    parts = [part for segment in (*slate, *shown) for part in _parts(segment, rate)]
    return Timeline(rate=rate, lead=lead, first=first, end=max(first, last), spans=spans, segments=tuple(parts))


def alone(line: Timeline, shot: int, *, handles: int = 0) -> Timeline:
    """One shot of a film, whole and without its transitions; its body is cut as in the film, to be found again.

    Args:
        line: the whole film.
        shot: place of the shot.
        handles: frames before and after the shot that are shown too.
    """
    span = line.spans[shot]
    cut = replace(span, shot=replace(span.shot, transition=Transition(kind=TransitionKind.CUT, duration=Fraction(0))))
    body = [replace(part, shot=0) for part in line.segments if part.part is Part.BODY and part.shot == shot]
    whole = (span.first - handles, span.end + handles)
    edges = [(whole[0], body[0].first), (body[-1].end, whole[1])] if body else [whole]
    around = [Segment(part=Part.BODY, first=first, frames=end - first, shot=0) for first, end in edges if end > first]
    lead = [part for part in line.segments if part.part is Part.LEAD]
    shown = (*lead, *sorted((*body, *around), key=lambda part: part.first))
    return replace(line, first=whole[0], end=whole[1], spans=(cut,), segments=shown)


def _spans(shots: Sequence[Shot], rate: Fraction) -> Iterator[Span]:
    for shot in shots:
        first = round_half_up(shot.start * rate)
        yield Span(shot=shot, first=first, frames=round_half_up((shot.start + shot.duration) * rate) - first)


def _segments(shots: Sequence[Shot], spans: Sequence[Span], rate: Fraction) -> Iterator[Segment]:
    """Bodies and transitions of the whole film; those without a frame are left out."""
    done = 0
    shared = overlaps(shots)
    for index, (shot, span) in enumerate(zip(shots, spans, strict=True)):
        end = shot.start + shot.duration
        if shared[index]:
            begin, until = spans[index + 1].first, span.end
        else:
            begin, until = _fade(shot.transition, end, rate, last=index == len(shots) - 1)
            begin, until = max(begin, done), max(until, done)
        if begin > done:
            yield Segment(part=Part.BODY, first=done, frames=begin - done, shot=index)
        if until > begin:
            following = index + 1 if index + 1 < len(shots) else None
            yield Segment(
                part=Part.TRANSITION, first=begin, frames=until - begin, shot=index, following=following,
                transition_first=begin, transition_frames=until - begin,
            )  # fmt: skip
        done = max(done, begin, until)


def _fade(transition: Transition, end: Fraction, rate: Fraction, *, last: bool) -> tuple[int, int]:
    """First frame and end of a fade through a colour, which lies half on each side of the cut; of a cut, the cut."""
    cut = round_half_up(end * rate)
    if transition.kind not in (TransitionKind.FADE_BLACK, TransitionKind.FADE_WHITE) and not last:
        return cut, cut
    if transition.kind is TransitionKind.CUT:
        return cut, cut
    if last:
        return round_half_up((end - transition.duration) * rate), cut
    half = transition.duration / 2
    return round_half_up((end - half) * rate), round_half_up((end + half) * rate)


def _within(segment: Segment, first: int, end: int) -> Segment | None:
    begin, until = max(segment.first, first), min(segment.end, end)
    return replace(segment, first=begin, frames=until - begin) if until > begin else None


def _parts(segment: Segment, rate: Fraction) -> Iterator[Segment]:
    """A long body in parts of whole seconds."""
    longest = round_half_up(LONGEST_BODY_SECONDS * rate)
    if segment.part is not Part.BODY or segment.frames <= longest + longest // 2:
        yield segment
        return
    count = -(-segment.frames // longest)
    for number in range(count):
        first = segment.first + number * longest
        yield replace(segment, first=first, frames=min(longest, segment.end - first))
