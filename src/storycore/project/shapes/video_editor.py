"""Video editor: tracks with clips on one timeline, in seconds; volume 0-1, pan ±1, positions in per cent."""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any, Final

from storycore.project.draft import Draft, Notes, Piece, ShotDraft, Units
from storycore.project.fields import read_number
from storycore.project.model import Shape
from storycore.project.shapes.shape import Source

SHAPE: Final = Shape.VIDEO_EDITOR
_UNITS = Units(position=100)
_RATE = Fraction(30)


def matches(raw: Mapping[str, Any]) -> bool:
    """Whether there are tracks, and no shots."""
    return isinstance(raw.get("tracks"), list) and "shots" not in raw and "storyboard" not in raw


def read(source: Source) -> Draft:
    """The clips of the first video track that holds any are the shots; sounds and texts lie beside them."""
    main = source.main(_UNITS, _RATE)
    clips = {piece.raw.get("id"): piece for piece in main.objects("clips") if isinstance(piece.raw.get("id"), str)}
    media = {
        piece.raw.get("id"): piece
        for name in ("media", "media_items")
        for piece in main.objects(name)
        if isinstance(piece.raw.get("id"), str)
    }
    tracks = [(_kind(track), track, _clips(track, clips)) for track in main.objects("tracks")]
    pictures = [(track, held) for kind, track, held in tracks if kind in ("video", "image", "overlay") and held]
    film = pictures[0][1] if pictures else []
    for track, _ in pictures[1:]:
        message = "Only the first video track is the film; what lies over it was left out."
        source.notes.warn(track.file, track.pointer, "layer_left_out", message)
    _tell_gaps(film, source.notes)
    texts = [clip for kind, _, held in tracks if kind == "text" for clip in held]
    return Draft(
        head=[main],
        shots=[[_shot(clip, media, own) for clip, own in zip(film, _texts(texts, film), strict=True)]],
        audio=[(clip, *_media(clip, media), track) for kind, track, held in tracks if kind == "audio" for clip in held],
        phrases=main.objects("subtitles"),
        default_rate=_RATE,
    )


def _shot(clip: Piece, media: Mapping[Any, Piece], texts: tuple[Piece, ...]) -> ShotDraft:
    bare = {key: value for key, value in clip.raw.items() if key not in ("startTime", "start_time")}
    return ShotDraft(pieces=(replace(clip, raw=bare),), media=_media(clip, media), text=texts)


def _media(clip: Piece, media: Mapping[Any, Piece]) -> tuple[Piece, ...]:
    name = clip.raw.get("mediaId", clip.raw.get("media_id"))
    found = media.get(name) if isinstance(name, str) else None
    if found is None:
        return ()
    return (replace(found, raw={key: found.raw[key] for key in ("path", "url") if key in found.raw}),)


def _clips(track: Piece, known: Mapping[Any, Piece]) -> list[Piece]:
    """Clips of a track, inside it or named by id, in order of time."""
    named = track.raw.get("clips")
    found = track.objects("clips")
    for name in named if isinstance(named, list) else ():
        if isinstance(name, str) and name in known:
            found.append(known[name])
    return sorted((clip for clip in found if clip.raw.get("hidden") is not True), key=_start)


def _kind(track: Piece) -> str:
    return str(track.raw.get("type", track.raw.get("track_type", ""))).rsplit(".", maxsplit=1)[-1].lower()


def _start(clip: Piece) -> Fraction:
    values = (read_number(clip.raw.get(name)) for name in ("startTime", "start_time"))
    return next((value for value in values if value is not None), Fraction(0))


def _length(clip: Piece) -> Fraction:
    return read_number(clip.raw.get("duration")) or Fraction(0)


def _texts(texts: list[Piece], film: list[Piece]) -> list[tuple[Piece, ...]]:
    """For each shot the texts that begin during it, in the order written."""
    timed = sorted((_start(text), place) for place, text in enumerate(texts))
    starts = [_start(clip) for clip in film]
    edges = [*(bisect_left(timed, (start, -1)) for start in starts), len(timed)]
    return [
        tuple(_from_start(texts[place], start) for place in sorted(place for _, place in timed[first:last]))
        for start, first, last in zip(starts, edges, edges[1:], strict=False)
    ]


def _from_start(text: Piece, start: Fraction) -> Piece:
    """A text whose time counts from the start of its shot."""
    bare = {key: value for key, value in text.raw.items() if key != "startTime"}
    return replace(text, raw={**bare, "start_time": _start(text) - start})


def _tell_gaps(film: list[Piece], notes: Notes) -> None:
    end = Fraction(0)
    for clip in film:
        if _start(clip) > end:
            message = "There is a gap before this clip; the film goes on without it."
            notes.warn(clip.file, clip.pointer, "timeline_gap", message)
        end = max(end, _start(clip) + _length(clip))
