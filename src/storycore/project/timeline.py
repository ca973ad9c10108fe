"""When each shot, cut and line of a film is. Pure; all times are exact.

The film is its shots one after the other. Where a transition shows two shots at once, the next shot begins that much
earlier, so the film is as long as the sum of its shots less the sum of its overlaps. A cut in frames is the rounded
exact time, never a sum of rounded ones, so that lengths do not drift.

Source: the specification of project reading, "Cut points are exact".
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import NamedTuple

from storycore.project.model import DialogueLine, Project, Shot, Transition, TransitionKind
from storycore.units import round_half_up

DEFAULT_OVERLAP = Fraction(1, 2)
"""Seconds of a transition that tells no duration."""


class Placed(NamedTuple):
    """Shots in their places.

    Attributes:
        shots: with starts, and transitions no longer than half the shorter neighbour.
        shortened: indices of the shots whose transition was shortened.
        duration: of the whole film, in seconds.
    """

    shots: tuple[Shot, ...]
    shortened: tuple[int, ...]
    duration: Fraction


def place(shots: Sequence[Shot]) -> Placed:
    """Shots with their starts; transitions are cut to half the shorter of the two shots that they join.

    The last shot's transition joins nothing: it may last half that shot, and does not overlap.
    """
    placed: list[Shot] = []
    shortened: list[int] = []
    start = Fraction(0)
    for index, shot in enumerate(shots):
        shorter = min(part.duration for part in shots[index : index + 2])
        transition = shot.transition
        if transition.duration > shorter / 2:
            transition = replace(transition, duration=shorter / 2)
            shortened.append(index)
        placed.append(replace(shot, start=start, transition=transition))
        start += shot.duration - _overlap(transition, last=index == len(shots) - 1)
    return Placed(tuple(placed), tuple(shortened), start)


def overlaps(shots: Sequence[Shot]) -> tuple[Fraction, ...]:
    """Seconds that each shot is seen together with the next one; 0 for the last."""
    return tuple(_overlap(shot.transition, last=index == len(shots) - 1) for index, shot in enumerate(shots))


def cut_points(shots: Sequence[Shot], frame_rate: Fraction) -> tuple[int, ...]:
    """Frame at which each shot begins, and at the end the length of the film in frames.

    Without overlaps these are the cuts; with an overlap the shots before and after share the frames between the
    later one's beginning and the earlier one's end.
    """
    if not shots:
        return (0,)
    end = shots[-1].start + shots[-1].duration
    return tuple(round_half_up(time * frame_rate) for time in (*(shot.start for shot in shots), end))


def subtitles(project: Project) -> tuple[DialogueLine, ...]:
    """Lines with start and end, in order of time: what viewers read.

    Taken from the recorded phrases if there are any; else from the dialogue of the shots: lines with times as they
    are, lines without spread over the rest of their shot, by the length of their text.
    """
    if project.phrases:
        lines: Iterable[DialogueLine] = _ended(project.phrases, project.duration)
    else:
        lines = [line for shot in project.shots for line in _spread(shot)]
    return tuple(
        sorted(
            (line for line in lines if line.text and _start(line) < _end(line)),
            key=lambda line: (_start(line), _end(line)),
        )
    )


def _overlap(transition: Transition, *, last: bool) -> Fraction:
    return transition.duration if transition.kind.overlaps and not last else Fraction(0)


def _spread(shot: Shot) -> list[DialogueLine]:
    until = shot.start + shot.duration
    timed = _ended([line for line in shot.dialogue if line.start is not None], until)
    free = [line for line in shot.dialogue if line.start is None and line.text]
    begin = max((_end(line) for line in timed), default=shot.start)
    if begin >= until:
        begin = shot.start
    weights = [len(line.text) for line in free]
    done, total = 0, sum(weights)
    for line, weight in zip(free, weights, strict=True):
        start = begin + (until - begin) * done / total
        done += weight
        timed.append(replace(line, start=start, end=begin + (until - begin) * done / total))
    return timed


def _ended(lines: Sequence[DialogueLine], until: Fraction) -> list[DialogueLine]:
    """Lines with an end: their own, else the next one's start, else `until`."""
    starts = sorted({_start(line) for line in lines})
    following = dict(zip(starts, [*starts, until][1:], strict=True))
    return [line if line.end is not None else replace(line, end=following[_start(line)]) for line in lines]


def _start(line: DialogueLine) -> Fraction:
    return line.start if line.start is not None else Fraction(0)


def _end(line: DialogueLine) -> Fraction:
    return line.end if line.end is not None else _start(line)


_KINDS = {
    "": TransitionKind.CUT,
    "none": TransitionKind.CUT,
    "cut": TransitionKind.CUT,
    "match_cut": TransitionKind.CUT,
    "smooth_cut": TransitionKind.CUT,
    "jump_cut": TransitionKind.CUT,
    "hard_cut": TransitionKind.CUT,
    "fade": TransitionKind.FADE_BLACK,
    "fade_in": TransitionKind.FADE_BLACK,
    "fade_out": TransitionKind.FADE_BLACK,
    "fade_black": TransitionKind.FADE_BLACK,
    "fade_to_black": TransitionKind.FADE_BLACK,
    "fade_white": TransitionKind.FADE_WHITE,
    "fade_to_white": TransitionKind.FADE_WHITE,
    "dissolve": TransitionKind.DISSOLVE,
    "cross_dissolve": TransitionKind.DISSOLVE,
    "crossfade": TransitionKind.DISSOLVE,
    "cross_fade": TransitionKind.DISSOLVE,
    "wipe": TransitionKind.WIPE_LEFT,
    "slide": TransitionKind.SLIDE_LEFT,
    "zoom": TransitionKind.ZOOM,
    "zoom_in": TransitionKind.ZOOM,
    "zoom_out": TransitionKind.ZOOM,
    "blur": TransitionKind.BLUR,
    **{
        f"{kind}_{way}": TransitionKind(f"{kind}_{way}")
        for kind in ("wipe", "slide")
        for way in ("left", "right", "up", "down")
    },
}
_WAYS = {"top": "up", "bottom": "down"}


def transition_kind(name: str, *, direction: str = "", colour: str = "") -> TransitionKind | None:
    """The transition that a name means in any of the known vocabularies, or None.

    A wipe or slide without a direction goes left, a fade without a colour through black.
    """
    word = "_".join(name.strip().lower().replace("-", " ").replace("_", " ").split())
    way = direction.strip().lower()
    way = _WAYS.get(way, way)
    if word == "fade" and colour.strip().lower() in ("white", "#fff", "#ffffff"):
        return TransitionKind.FADE_WHITE
    if word in ("wipe", "slide"):
        return _KINDS.get(f"{word}_{way}", _KINDS[word])
    return _KINDS.get(word)
