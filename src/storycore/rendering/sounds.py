"""Which sounds a film has, and where each stands, to the sample. Pure.

The film's frames lead: a shot's sounds count from the sample at which its first frame is shown, so that picture and
sound never drift. Sounds of clips, and sounds that last exactly as long as their shot, follow the picture through its
transitions; speech never does, and a sound that its author let run beyond the cut runs on.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction

from storycore.project.model import AudioTrack, Project, ProjectWarning, Shot, TrackKind, Transition, TransitionKind
from storycore.rendering.plan import Timeline
from storycore.units import round_half_up

SAMPLE_RATE = 48_000
"""Samples per second of every mix."""


class Stem(StrEnum):
    """The parts of a mix, as they are delivered."""

    DIALOGUE = "dialogue"
    SFX = "sfx"
    AMBIENCE = "ambience"
    MUSIC = "music"


_STEMS = {
    TrackKind.DIALOGUE: Stem.DIALOGUE,
    TrackKind.VOICEOVER: Stem.DIALOGUE,
    TrackKind.SFX: Stem.SFX,
    TrackKind.AMBIENT: Stem.AMBIENCE,
    TrackKind.MUSIC: Stem.MUSIC,
}


_OPEN = 1 << 62  # samples: until the file or the film ends
_NO_CLICK = SAMPLE_RATE // 200  # samples in which a sound ends that goes on beyond the film
_NEAR = SAMPLE_RATE // 100  # samples between two times that are meant to be the same


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """One stretch of one file, in its place.

    Attributes:
        path: POSIX path relative to the project.
        stem: which part of the mix it belongs to.
        start: sample of the film at which it begins.
        length: samples for which it is heard at most; the file may end earlier.
        offset: seconds into the file at which it begins.
        gain: factor of the amplitude.
        pan: -1.0 left - 1.0 right.
        fade_in: samples, linear.
        fade_out: samples before its end, linear.
        cross_in: samples at the start that the picture takes to come, of equal power.
        cross_out: samples at the end that the picture takes to go, of equal power.
        begun: samples of it that lie before `start` and are not heard; fades at its start count from there.
        of_clip: whether it is the sound of a moving picture, which may well have none.
    """

    path: str
    stem: Stem
    start: int
    length: int
    offset: Fraction = Fraction(0)
    gain: float = 1.0
    pan: float = 0.0
    fade_in: int = 0
    fade_out: int = 0
    cross_in: int = 0
    cross_out: int = 0
    begun: int = 0
    of_clip: bool = False


def place_sounds(project: Project, timeline: Timeline) -> tuple[Sound, ...]:
    """Every sound that is heard, in order of time; those whose media can't be used are left out.

    Args:
        project: whose sounds.
        timeline: the film in frames; what lies outside of what it shows is cut, and its lead is silent.
    """
    solo = any(track.solo for track in _tracks(project))
    found: list[Sound] = []
    for span, edges in zip(timeline.spans, _edges(timeline), strict=True):
        if not solo:
            found.extend(_of_clip(span.shot, edges))
        found.extend(_of_track(track, edges) for track in span.shot.audio if _is_heard(track, solo=solo))
    film = _Edges(_at(timeline, 0), _at(timeline, timeline.end))
    found.extend(_of_track(track, film) for track in project.audio if _is_heard(track, solo=solo))
    shown = _at(timeline, timeline.first), _at(timeline, timeline.end)
    inside = (_cut(sound, *shown) for sound in found)
    return tuple(sorted((sound for sound in inside if sound.length > 0), key=lambda sound: (sound.start, sound.path)))


def odd_sounds(project: Project) -> Iterator[ProjectWarning]:
    """What is odd about the sounds of a film, beside media that are missing."""
    solos = [track for track in _tracks(project) if track.solo and not track.muted]
    if solos:
        yield _warning("sound_solo", f"Only {len(solos)} solo tracks are heard; clips and all others are silent.")
    held = sum(bool(track.media and track.media.found and track.media.source == "data") for track in _tracks(project))
    if held:
        yield _warning("media_unreadable", f"{held} sounds stand inside project.json; only files are heard.")


def _warning(reason: str, message: str) -> ProjectWarning:
    return ProjectWarning(file="", pointer="", reason=reason, message=message)


def _tracks(project: Project) -> list[AudioTrack]:
    return [*(track for shot in project.shots for track in shot.audio), *project.audio]


def _is_heard(track: AudioTrack, *, solo: bool) -> bool:
    media = track.media
    usable = media is not None and media.found and media.source != "data"
    return usable and not track.muted and track.volume > 0 and (track.solo or not solo)


@dataclass(frozen=True, slots=True)
class _Edges:
    """From which sample to which a shot is seen, and for how many of them it comes and goes."""

    start: int
    end: int
    coming: int = 0
    going: int = 0


def _at(timeline: Timeline, frame: int) -> int:
    """The sample of the result at which a frame of the film begins."""
    return timeline.sample_at(timeline.lead + frame - timeline.first, SAMPLE_RATE)


def _edges(timeline: Timeline) -> Iterator[_Edges]:
    coming = 0
    for index, span in enumerate(timeline.spans):
        last = index == len(timeline.spans) - 1
        end = _at(timeline, span.end)
        shared = 0 if last else end - _at(timeline, timeline.spans[index + 1].first)
        going = shared if shared > 0 else _fade(span.shot.transition, last=last)
        yield _Edges(_at(timeline, span.first), end, coming, going)
        coming = going


def _fade(transition: Transition, *, last: bool) -> int:
    """Samples of a fade through a colour on either side of the cut; at the film's end all of it lies before."""
    if last and transition.kind is not TransitionKind.CUT:
        return _samples(transition.duration)
    fades = transition.kind in (TransitionKind.FADE_BLACK, TransitionKind.FADE_WHITE)
    return _samples(transition.duration / 2) if fades else 0


def _samples(seconds: Fraction) -> int:
    return round_half_up(seconds * SAMPLE_RATE)


def _of_clip(shot: Shot, edges: _Edges) -> Iterator[Sound]:
    clip = shot.clip
    if clip is None or not clip.found or clip.source == "data":
        return
    length = edges.end - edges.start
    if shot.clip_out is not None:
        length = min(length, _samples(max(Fraction(0), shot.clip_out - shot.clip_in)))
    yield Sound(
        path=clip.path,
        stem=Stem.SFX,
        start=edges.start,
        length=length,
        offset=shot.clip_in,
        cross_in=edges.coming,
        cross_out=edges.going,
        of_clip=True,
    )


def _of_track(track: AudioTrack, edges: _Edges) -> Sound:
    start = edges.start + _samples(track.start)
    length = _OPEN if track.duration is None else _samples(track.duration)
    follows = _STEMS[track.kind] is not Stem.DIALOGUE
    begins = follows and abs(start - edges.start) <= _NEAR
    ends = follows and abs(start + length - edges.end) <= _NEAR
    return Sound(
        path=track.media.path if track.media else "",
        stem=_STEMS[track.kind],
        start=start,
        length=length,
        offset=max(Fraction(0), track.offset),
        gain=track.volume,
        pan=track.pan,
        fade_in=_samples(track.fade_in),
        fade_out=_samples(track.fade_out),
        cross_in=edges.coming if begins else 0,
        cross_out=edges.going if ends else 0,
    )


def _cut(sound: Sound, first: int, end: int) -> Sound:
    """What of a sound lies between two samples. One that the end cuts off fades out before it."""
    begun = max(0, first - sound.start)
    stop = min(end, sound.start + sound.length)
    whole = stop == sound.start + sound.length
    return replace(
        sound,
        start=sound.start + begun,
        length=stop - sound.start - begun,
        offset=sound.offset + Fraction(begun, SAMPLE_RATE),
        begun=begun,
        cross_out=sound.cross_out if whole else 0,
        fade_out=sound.fade_out if whole else max(sound.fade_out, _NO_CLICK),
    )
