"""OpenTimelineIO: the edit as `.otio`. The only door to the library.

Source: OpenTimelineIO, "Timeline Structure" and "File Bundles": a transition tells how far it reaches to each side of
the cut; media in a bundle stand in `media/` beside `content.otio`.
"""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from storycore.errors import DependencyFailed, Reason
from storycore.exports.interchange.counting import Counting, shown
from storycore.exports.interchange.edit import Crossing, Edit, Found, Item, Mark, Sound
from storycore.exports.interchange.naming import link
from storycore.project.model import TransitionKind

CONTENT, VERSION = "content.otio", ("version.txt", "1.0.0")
"""Names in a bundle, and what its version file says."""

_OURS = "storycore"
_MOST = 2**63 - 1


def library() -> Any:
    """OpenTimelineIO, loaded when it is needed.

    Raises:
        DependencyFailed: library_missing: nobody builds it for this system, as for Macs with Intel's processors.
    """
    try:
        import opentimelineio
    except ImportError:
        raise DependencyFailed(
            "OpenTimelineIO is not installed here.",
            reason=Reason.LIBRARY_MISSING,
            remediation="Choose xml, fcpxml or edl; or build and install the package opentimelineio.",
        ) from None
    return opentimelineio


def write(edit: Edit) -> str:
    """The edit as the text of a file."""
    otio = library()
    rate = float(edit.counting.rate)
    facts = {
        **edit.facts,
        "width": edit.width,
        "height": edit.height,
        "rate": str(edit.counting.rate),
        "drop_frame": edit.counting.drop,
    }
    timeline = otio.schema.Timeline(
        name=edit.title, global_start_time=_time(edit.start, rate), metadata={_OURS: _plain(facts)}
    )
    track = otio.schema.Track(name="V1", kind=otio.schema.TrackKind.Video)
    for place, item in enumerate(edit.items):
        track.append(_clip(edit, item, rate))
        crossing = edit.crossing_after(place)
        if crossing is not None:
            track.append(_transition(crossing, rate))
    timeline.tracks.append(track)
    for number, sound in enumerate(edit.sounds, start=1):
        heard = otio.schema.Track(name=f"A{number} {sound.title}", kind=otio.schema.TrackKind.Audio)
        heard.append(_sound(edit, sound, rate))
        timeline.tracks.append(heard)
    for mark in edit.marks:
        timeline.tracks.markers.append(_marker(mark, mark.frame, otio.schema.MarkerColor.CYAN, rate))
    text: str = timeline.to_json_string(indent=2)
    return f"{text}\n"


def stands_in(kind: TransitionKind) -> bool:
    """Whether a transition of this kind is written as a dissolve; its own name stands beside it."""
    return kind is not TransitionKind.DISSOLVE


def read(text: str) -> Found:
    """What a file holds, as the library reads it."""
    otio = library()
    timeline = otio.core.deserialize_json_from_string(text)
    facts = timeline.metadata.get(_OURS, {})
    pictures = timeline.video_tracks()
    start = timeline.global_start_time
    clips = [clip for track in pictures for clip in track if isinstance(clip, otio.schema.Clip)]
    counting = Counting(rate=_rate(start.rate), drop=bool(facts.get("drop_frame")))
    markers = sum(len(one.markers) for one in (timeline.tracks, *clips))
    heard = [clip for track in timeline.audio_tracks() for clip in track]
    size = (int(facts["width"]), int(facts["height"])) if "width" in facts and "height" in facts else None
    return Found(
        clips=len(clips),
        transitions=sum(isinstance(one, otio.schema.Transition) for track in pictures for one in track),
        markers=markers,
        sounds=len(heard),
        start=counting.text(round(start.value)),
        rate=shown(counting.rate),
        frames=sum(round(clip.duration().value) for clip in clips),
        size=size,
        links=[clip.media_reference.target_url for clip in (*clips, *heard)],
    )


def _rate(rate: float) -> Fraction:
    return Fraction(rate).limit_denominator(1001)


def _time(frames: int, rate: float) -> Any:
    return library().opentime.RationalTime(frames, rate)


def _range(first: int, frames: int, rate: float) -> Any:
    return library().opentime.TimeRange(_time(first, rate), _time(frames, rate))


def _clip(edit: Edit, item: Item, rate: float) -> Any:
    otio = library()
    medium = item.medium
    reference = otio.schema.ExternalReference(
        target_url=link(edit.base, medium.path),
        available_range=_range(medium.start, medium.frames, rate),
        metadata={_OURS: {"reel": medium.reel}},
    )
    reference.name = f"{medium.name}.mov"
    clip = otio.schema.Clip(
        name=item.title,
        media_reference=reference,
        source_range=_range(medium.start + item.into, item.frames, rate),
        metadata={_OURS: _plain(item.facts), "cmx_3600": {"reel": medium.reel}},
    )
    if item.facts:
        mark = Mark(frame=item.first, frames=1, name=item.title, note=item.note)
        clip.markers.append(_marker(mark, medium.start + item.into, otio.schema.MarkerColor.GREEN, rate))
    return clip


def _sound(edit: Edit, sound: Sound, rate: float) -> Any:
    otio = library()
    whole = _range(edit.start, edit.frames, rate)
    reference = otio.schema.ExternalReference(target_url=link(edit.base, sound.path), available_range=whole)
    reference.name = f"{sound.name}.wav"
    return otio.schema.Clip(
        name=sound.title,
        media_reference=reference,
        source_range=whole,
        metadata={_OURS: {"channels": sound.channels, "rate_hz": sound.rate_hz, "bits": sound.bits}},
    )


def _transition(crossing: Crossing, rate: float) -> Any:
    otio = library()
    return otio.schema.Transition(
        name=crossing.kind.value,
        transition_type=otio.schema.TransitionTypes.SMPTE_Dissolve,
        in_offset=_time(crossing.before, rate),
        out_offset=_time(crossing.behind, rate),
        metadata={_OURS: {"kind": crossing.kind.value}},
    )


def _marker(mark: Mark, frame: int, colour: str, rate: float) -> Any:
    otio = library()
    made = otio.schema.Marker(name=mark.name, marked_range=_range(frame, mark.frames, rate), color=colour)
    made.comment = mark.note
    return made


def _plain(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts as the library can hold them: whole numbers of 64 bits, larger ones as text."""
    return {
        name: str(value) if isinstance(value, int) and abs(value) > _MOST else value for name, value in facts.items()
    }
