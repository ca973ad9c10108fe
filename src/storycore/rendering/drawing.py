"""Pieces drawn frame by frame. Runs in the painter."""

import contextlib
import hashlib
import math
from collections import OrderedDict
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Protocol

from storycore.errors import Conflict, Reason
from storycore.project.content import open_regular
from storycore.rendering import clip, title
from storycore.rendering.encoder import Ffmpeg
from storycore.rendering.frame import Frame, Samples
from storycore.rendering.layout import LAYOUTS
from storycore.rendering.look import Canvas, Look, Piece, Source
from storycore.rendering.motion import STILL, ease
from storycore.rendering.still import Still, celled, decode
from storycore.rendering.transition import blend
from storycore.rendering.wide import decode_wide, is_wide
from storycore.rendering.words import Words
from storycore.units import timecode

_KEPT_STILLS = 2
_MARK_Y = 0.78  # below the titles of slates, above captions


class _Reel(Protocol):
    """Frames of one shot, one after the other; they may be the same object, and must not be drawn on."""

    def next(self) -> Frame: ...


class Gallery:
    """Opens what looks show; keeps the last stills, since neighbours show them again.

    Args:
        ffmpeg: that decodes clips.
    """

    def __init__(self, ffmpeg: Ffmpeg) -> None:
        self._ffmpeg = ffmpeg
        self._stills: OrderedDict[tuple[object, ...], Still] = OrderedDict()
        self._clips: dict[str, clip.ClipFacts] = {}
        self._bent: set[str] = set()
        self._ends: dict[str, Fraction] = {}

    @property
    def bent(self) -> list[str]:
        """Names of the files that hold more light than frames can, which was bent down."""
        return sorted(self._bent)

    @property
    def ends(self) -> dict[str, str]:
        """Names of the clips whose last frame was seen, each with the second at which it ended."""
        return {name: str(second) for name, second in self._ends.items()}

    @contextlib.contextmanager
    def reel(self, look: Look, offset: int, canvas: Canvas) -> Iterator[_Reel]:
        """Frames of a look, from one of its frames on.

        Raises:
            InvalidInput: media_invalid.
            Conflict: source_changed.
        """
        if look.source is not Source.CLIP:
            yield _StillReel(self._still(look, canvas), look.frames, offset, canvas.rate)
            return
        path = Path(look.path)
        if look.path not in self._clips:
            self._clips[look.path] = clip.look(self._ffmpeg, path, look.name)
        if self._clips[look.path].hdr:
            self._bent.add(look.name)
        begin = look.begin + Fraction(offset) / canvas.rate
        held = max(0, -math.floor(begin * canvas.rate))
        wanted = clip.ClipWanted(
            facts=self._clips[look.path],
            begin=begin + held / canvas.rate,
            rate=canvas.rate,
            size=canvas.size,
            fit=canvas.fit,
        )
        layout = LAYOUTS[canvas.pixel_format]
        with clip.opened(self._ffmpeg, path, look.name, wanted, layout) as reel:
            yield _HeldReel(reel, held) if held else reel
            if reel.seen is not None:
                self._ends[look.name] = wanted.begin + reel.seen / canvas.rate

    def _still(self, look: Look, canvas: Canvas) -> Still:
        name = (look.source, look.sha256, look.cell, look.move, look.title, look.lines, canvas)
        if name not in self._stills:
            self._stills[name] = self._made(look, canvas)
            while len(self._stills) > _KEPT_STILLS:
                self._stills.popitem(last=False)
        self._stills.move_to_end(name)
        return self._stills[name]

    def _made(self, look: Look, canvas: Canvas) -> Still:
        layout = LAYOUTS[canvas.pixel_format]
        if look.source is Source.SLATE:
            return Still(
                title.slate(look.title, look.lines, canvas.size, canvas.language), layout, canvas.size, STILL, "crop"
            )
        with open_regular(Path(look.path)) as file:
            data = file.read()
        if hashlib.sha256(data).hexdigest() != look.sha256:
            raise Conflict(f"{look.name} changed while the film was rendered.", reason=Reason.SOURCE_CHANGED)
        picture, bent = self._decoded(data, look)
        if bent:
            self._bent.add(look.name)
        return Still(celled(picture, look.name, look.cell), layout, canvas.size, look.move, canvas.fit)

    def _decoded(self, data: bytes, look: Look) -> tuple[Samples, bool]:
        if is_wide(data):
            return decode_wide(self._ffmpeg, Path(look.path), look.name, data[:16])
        return decode(data, look.name)


class _StillReel:
    def __init__(self, still: Still, frames: int, offset: int, rate: Fraction) -> None:
        self._still, self._frames, self._at, self._rate = still, frames, offset, rate

    def next(self) -> Frame:
        frame = self._still.frame(self._at, self._frames, self._rate)
        self._at += 1
        return frame


class _HeldReel:
    """A clip before whose first frame more frames are wanted: that one stands for them."""

    def __init__(self, reel: _Reel, held: int) -> None:
        self._reel, self._held = reel, held
        self._first: Frame | None = None

    def next(self) -> Frame:
        if self._held:
            self._first = self._first or self._reel.next().copy()
            self._held -= 1
            return self._first
        if self._first is not None:
            first, self._first = self._first, None
            return first
        return self._reel.next()


class _Captioned:
    """A reel with the words of its shot."""

    def __init__(self, reel: _Reel, look: Look, offset: int, canvas: Canvas) -> None:
        layout = LAYOUTS[canvas.pixel_format]
        drawn = [
            (one.first, one.end, title.overlay(one.words, layout, canvas.size, canvas.language))
            for one in look.captions
        ]
        self._drawn = [(first, end, over) for first, end, over in drawn if over is not None]
        self._reel, self._at = reel, offset

    def next(self) -> Frame:
        frame = self._reel.next()
        shown = [over for first, end, over in self._drawn if first <= self._at < end]
        self._at += 1
        if shown:
            frame = frame.copy()
            for over in shown:
                over.draw(frame)
        return frame


def frames(piece: Piece, canvas: Canvas, gallery: Gallery) -> Iterator[Frame]:
    """The frames of a piece, in order; they must not be drawn on.

    Raises:
        InvalidInput: media_invalid.
        Conflict: source_changed.
    """
    stamp = _Stamp(piece, canvas)
    with contextlib.ExitStack() as stack:
        reels = [
            _Captioned(stack.enter_context(gallery.reel(look, offset, canvas)), look, offset, canvas)
            for look, offset in zip(piece.looks, piece.offsets, strict=True)
        ]
        for number in range(piece.frames):
            drawn = [reel.next() for reel in reels]
            frame = drawn[0]
            if piece.way_frames:
                way = ease((piece.way_first + number + 1) / (piece.way_frames + 1), piece.easing)
                frame = blend(piece.kind, frame, drawn[1] if len(drawn) > 1 else None, way)
            yield stamp.on(frame, number)


def _label(canvas: Canvas) -> Words:
    """Small words in the upper right corner, clear of captions, and below what is burned in at the top."""
    size = 0.034 * min(canvas.size) / canvas.height
    y = 0.125 if "timecode" in canvas.burn_in else 0.0
    return Words(text=canvas.label, x=1.0, y=y, size=size, ground="#000000", margin=0.035)


class _Stamp:
    """What is burned in: captions, timecode, shot, label, watermark."""

    def __init__(self, piece: Piece, canvas: Canvas) -> None:
        self._piece, self._canvas = piece, canvas
        self._layout = LAYOUTS[canvas.pixel_format]
        faint = Words(text=canvas.watermark, y=_MARK_Y, size=0.07, weight=700, opacity=0.3)
        drawn = [
            (one.first, one.end, title.overlay(one.words, self._layout, canvas.size, canvas.language))
            for one in piece.burned
        ]
        self._burned = [(first, end, over) for first, end, over in drawn if over is not None]
        marks = [_label(canvas)] * bool(canvas.label) + [faint] * bool(canvas.watermark)
        overlays = [title.overlay(words, self._layout, canvas.size, canvas.language) for words in marks]
        self._marks = [over for over in overlays if over is not None]

    def on(self, frame: Frame, number: int) -> Frame:
        shown = [over for first, end, over in self._burned if first <= number < end]
        if not self._marks and self._canvas.burn_in == "none" and not shown:
            return frame
        frame = frame.copy()
        for over in shown:
            over.draw(frame)
        for over in self._marks:
            over.draw(frame)
        if self._canvas.burn_in != "none":
            self._burn(frame, number)
        return frame

    def _burn(self, frame: Frame, number: int) -> None:
        at = Fraction(self._piece.stamp + number) / self._canvas.rate
        times = [timecode(at, self._canvas.rate)] if "timecode" in self._canvas.burn_in else []
        text = " · ".join([*times, *filter(None, [self._piece.looks[0].label])])
        alone = self._canvas.burn_in == "shot"  # on contact sheets, where frames are small
        words = Words(text=text, y=0.93 if alone else 0.06, size=0.06 if alone else 0.034, ground="#000000")
        level = 0 if times else None  # timecode stands at the left, whatever the title's script
        over = title.overlay(words, self._layout, self._canvas.size, self._canvas.language, level=level)
        if over is not None:
            over.draw(frame)
