"""What each segment shows, as plain values: all that a painter needs, and all that its picture depends on. Pure.

A piece that is equal to another one, sources included, looks the same; so its values make the key under which the
rendered segment is found again.
"""

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from typing import Any

from storycore.project.model import Shot, TextLayer, TransitionKind
from storycore.rendering.motion import STILL, Move
from storycore.rendering.plan import Part, Segment, Span, Timeline
from storycore.rendering.words import Words
from storycore.units import round_half_up

_LONGEST_LABEL = 60  # characters of a title
RENDERER = 5
"""Raised when the same values begin to give another picture."""


class Source(StrEnum):
    """Where the picture of a shot comes from."""

    STILL = "still"
    CLIP = "clip"
    SLATE = "slate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Canvas:
    """What all segments of one rendering have in common.

    Attributes:
        pixel_format: name of the layout of frames.
        width: even.
        height: even.
        rate: frames per second.
        fit: letterbox, crop or blur.
        burn_in: none, timecode, shot or timecode_and_shot.
        watermark: words over the whole picture, "" for none.
        label: small words in the upper right corner, "" for none.
        language: BCP 47 tag of the words, "" if nothing is known.
    """

    pixel_format: str
    width: int
    height: int
    rate: Fraction
    fit: str = "letterbox"
    burn_in: str = "none"
    watermark: str = ""
    label: str = ""
    language: str = ""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.width, self.height


@dataclass(frozen=True, slots=True, kw_only=True)
class Caption:
    """Words that stand for a part of a shot.

    Attributes:
        words: what and where.
        first: frame of the shot from which they stand.
        end: frame of the shot before which they stand.
    """

    words: Words
    first: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a shot looks like.

    Attributes:
        source: where its picture comes from.
        frames: length of the whole shot.
        label: number and title, where they are burned in.
        path: absolute path of its file; not part of the key.
        name: of the file, for messages; not part of the key.
        sha256: of its file.
        cell: of a grid: row, column, rows, columns.
        begin: seconds into a clip.
        move: of the camera over a still.
        title: of a slate.
        lines: of a slate.
        captions: words on the picture.
    """

    source: Source
    frames: int
    label: str = ""
    path: str = field(default="", metadata={"key": False})
    name: str = field(default="", metadata={"key": False})
    sha256: str = ""
    cell: tuple[int, int, int, int] | None = None
    begin: Fraction = Fraction(0)
    move: Move = STILL
    title: str = ""
    lines: tuple[str, ...] = ()
    captions: tuple[Caption, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """What one segment shows.

    Attributes:
        frames: how many.
        looks: of the shots in it: one, or two for a transition between them.
        offsets: frame of each shot at which it begins here.
        kind: how one gives way to the other; CUT if nothing does.
        easing: curve of that.
        way_first: frames of the transition that have passed before this piece.
        way_frames: length of the whole transition.
        stamp: frame of the result at which it begins; 0 unless timecode is burned in.
        burned: captions over everything, in frames of this piece.
    """

    frames: int
    looks: tuple[Look, ...]
    offsets: tuple[int, ...]
    kind: TransitionKind = TransitionKind.CUT
    easing: str = "linear"
    way_first: int = 0
    way_frames: int = 0
    stamp: int = 0
    burned: tuple[Caption, ...] = ()

    def key(self, canvas: Canvas, *more: str) -> str:
        """64 hex digits that are the same for what looks the same.

        Args:
            canvas: that it is drawn on.
            more: whatever else decides about the bytes: encoder, versions.
        """
        told = [RENDERER, _told(self), _told(canvas), more]
        return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()


def pieces(
    line: Timeline, looks: Sequence[Look], lead: Look | None, canvas: Canvas, burned: Sequence[Caption] = ()
) -> list[Piece]:
    """What the segments of a timeline show.

    Args:
        line: the film in frames.
        looks: one for each shot.
        lead: of the slate before the film.
        canvas: that they are drawn on.
        burned: captions over everything, in frames of the result.
    """
    found = []
    if "shot" not in canvas.burn_in:  # a new title then changes no picture
        looks = [dataclasses.replace(look, label="") for look in looks]
    for segment in line.segments:
        at = line.frame_of(segment)  # not counted up: a poster or a sheet shows some frames alone
        piece = _piece(segment, line.spans, looks, lead)
        if over := _during(burned, at, segment.frames):
            piece = dataclasses.replace(piece, burned=over)
        found.append(dataclasses.replace(piece, stamp=at) if "timecode" in canvas.burn_in else piece)
    return found


def letters(found: Sequence[Piece], canvas: Canvas) -> str:
    """All that is written on some pieces, for a look at its letters."""
    looks = [look for piece in found for look in piece.looks]
    words = [one.words.text for piece in found for one in piece.burned]
    words += [one.words.text for look in looks for one in look.captions]
    words += [text for look in looks for text in (look.title, look.label, *look.lines)]
    return "\n".join(dict.fromkeys([*words, canvas.watermark, canvas.label]))


def captions(layers: Sequence[TextLayer], rate: Fraction, frames: int) -> tuple[Caption, ...]:
    """The text layers of a shot, in its frames."""
    found = []
    for layer in layers:
        first = max(0, round_half_up(layer.start * rate))
        end = frames if layer.duration is None else round_half_up((layer.start + layer.duration) * rate)
        if layer.text.strip() and first < min(end, frames):
            found.append(Caption(words=_words(layer), first=first, end=min(end, frames)))
    return tuple(found)


def to_plain(value: Any) -> dict[str, Any]:
    """A canvas or a piece as JSON can carry it."""
    plain: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(value), default=str))
    return plain


def canvas_from(plain: Mapping[str, Any]) -> Canvas:
    """The canvas that `to_plain` told of."""
    return Canvas(**{**plain, "rate": Fraction(plain["rate"])})


def piece_from(plain: Mapping[str, Any]) -> Piece:
    """The piece that `to_plain` told of."""
    return Piece(
        **{
            **plain,
            "looks": tuple(_look_from(look) for look in plain["looks"]),
            "offsets": tuple(plain["offsets"]),
            "kind": TransitionKind(plain["kind"]),
            "burned": _captions_from(plain["burned"]),
        }
    )


def _captions_from(plain: Sequence[Mapping[str, Any]]) -> tuple[Caption, ...]:
    return tuple(Caption(words=Words(**one["words"]), first=one["first"], end=one["end"]) for one in plain)


def _look_from(plain: Mapping[str, Any]) -> Look:
    move: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in plain["move"].items()
    }
    return Look(
        **{
            **plain,
            "source": Source(plain["source"]),
            "cell": None if plain["cell"] is None else tuple(plain["cell"]),
            "begin": Fraction(plain["begin"]),
            "move": Move(**move),
            "lines": tuple(plain["lines"]),
            "captions": _captions_from(plain["captions"]),
        }
    )


def _during(burned: Sequence[Caption], first: int, frames: int) -> tuple[Caption, ...]:
    return tuple(
        Caption(words=one.words, first=max(0, one.first - first), end=min(frames, one.end - first))
        for one in burned
        if one.first < first + frames and one.end > first
    )


def _piece(segment: Segment, spans: Sequence[Span], looks: Sequence[Look], lead: Look | None) -> Piece:
    if segment.part is Part.LEAD:
        if lead is None:
            raise ValueError("a lead without a look")
        return Piece(frames=segment.frames, looks=(lead,), offsets=(segment.first,))
    span = spans[segment.shot]
    own, offset = looks[segment.shot], segment.first - span.first
    if segment.part is Part.BODY:
        return Piece(frames=segment.frames, looks=(own,), offsets=(_offset(own, offset),))
    second = None if segment.following is None else segment.following
    both = (own,) if second is None else (own, looks[second])
    offsets = (offset,) if second is None else (offset, segment.first - spans[second].first)
    return Piece(
        frames=segment.frames,
        looks=both,
        offsets=offsets,
        kind=span.shot.transition.kind,
        easing=span.shot.transition.easing,
        way_first=segment.first - segment.transition_first,
        way_frames=segment.transition_frames,
    )


def _offset(look: Look, offset: int) -> int:
    """Which frame of a shot it is does not matter where nothing moves or stands for a part only."""
    return 0 if look.source is not Source.CLIP and look.move.still and not look.captions else offset


def _words(layer: TextLayer) -> Words:
    style = layer.style
    weight = 700 if style.get("bold") or style.get("fontWeight") == "bold" else 500
    size = style.get("fontSize")
    height = float(size) / 1080 if isinstance(size, (int, float)) and not isinstance(size, bool) else 0.06
    return Words(
        text=layer.text,
        x=layer.x,
        y=layer.y,
        size=min(0.5, max(0.01, height)),
        colour=_text(style, "color", "white"),
        ground=_text(style, "backgroundColor", ""),
        weight=weight,
    )


def _text(style: Mapping[str, Any], name: str, otherwise: str) -> str:
    found = style.get(name)
    return found if isinstance(found, str) and found.strip().lower() not in ("", "transparent", "none") else otherwise


def label(shot: Shot) -> str:
    """A shot as burn-ins name it: one line, which leaves the picture to be seen."""
    title = " ".join(shot.title.split())
    short = title if len(title) <= _LONGEST_LABEL else f"{title[: _LONGEST_LABEL - 1]}…"
    return f"{shot.number:02d} {short}"


def _told(value: Any) -> Any:
    """A value with everything in it that counts for the key."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        kept = [item for item in dataclasses.fields(value) if item.metadata.get("key", True)]
        return {item.name: _told(getattr(value, item.name)) for item in kept}
    return [_told(item) for item in value] if isinstance(value, tuple) else value
