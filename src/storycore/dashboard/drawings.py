"""Pictures of numbers, in whole coordinates for SVG. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

WIDTH: Final = 1000
SPARK_WIDTH: Final = 240
SPARK_HEIGHT: Final = 48
WAVE_HEIGHT: Final = 96
LANES: Final = {
    "Dialogue": ("dialogue", "voiceover"), "Effects": ("sfx",), "Ambience": ("ambient",), "Music": ("music",),
}  # fmt: skip
"""What sounds are for, as the mix divides them."""

MOST_BARS: Final = 1000
"""So many sounds of a lane are shown."""

MOST_ROWS: Final = 4
"""So many that sound together are shown apart; further ones lie over the last."""

ROW_HEIGHT: Final = 10
_WAVE = "#b8741a"  # at least 3:1 on both grounds, since a picture does not know which one it lies on

ICONS: Final[Mapping[str, str]] = {
    "film": "M44 18h40v36H44zM58 28v16l14-8z",
    "sound": "M46 32v8M54 26v20M62 18v36M70 24v24M78 30v12M86 33v6",
    "picture": "M44 18h40v36H44zM44 48l12-14 9 10 6-6 13 12M70 28h6",
    "package": "M46 26h36v28H46zM42 18h44v8H42zM60 34h8",
    "captions": "M44 20h40v26H66l-8 8v-8H44zM50 30h28M50 37h18",
    "credentials": "M64 16l18 6v14c0 10-8 16-18 20-10-4-18-10-18-20V22zM56 36l6 6 11-12",
    "table": "M44 20h40v32H44zM44 30h40M44 41h40M58 20v32",
    "text": "M50 14h20l10 10v34H50zM70 14v10h10M56 34h18M56 42h18M56 50h10",
}
"""What files of a kind are drawn as where they have no picture: one path in a frame of 128 by 72."""


SIGNS: Final[Mapping[str, str]] = {
    **{name: ICONS[name] for name in ("film", "picture")},
    "message": "M42 20h44v32H42zM42 22l22 17 22-17",
    "key": "M46 36a8 8 0 1 0 16 0a8 8 0 1 0-16 0M62 36h22v8M76 36v6",
    "steps": "M44 24l4 4 7-8M62 25h24M44 42l4 4 7-8M62 43h24",
    "server": "M42 18h44v14H42zM42 40h44v14H42zM50 25h2M50 47h2M60 25h18M60 47h18",
    "line": "M42 54h44M42 18v36M46 46l10-10 9 6 17-18",
}
"""What will stand in a list that is empty yet, drawn like the icons of files."""


class Shown(Protocol):
    """A shot, as far as a timeline shows it."""

    @property
    def number(self) -> int:
        """From 1."""

    @property
    def start_frames(self) -> int:
        """Frames of the film before it."""

    @property
    def duration_frames(self) -> int:
        """How many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A shot on the timeline.

    Attributes:
        x: of its left side.
        width: at least 1.
        number: of the shot.
        index: from 0.
        is_named: whether there is room for its number.
    """

    x: float
    width: float
    number: int
    index: int
    is_named: bool


def timeline(shots: Sequence[Shown]) -> list[Block]:
    """The shots of a film in their places, over `WIDTH` in all.

    One that is seen together with the next, in a dissolve for example, is shown to where that begins.
    """
    whole = max((shot.start_frames + shot.duration_frames for shot in shots), default=0)
    if whole <= 0:
        return []
    blocks = []
    for index, shot in enumerate(shots):
        end = shots[index + 1].start_frames if index + 1 < len(shots) else whole
        x = shot.start_frames * WIDTH / whole
        width = (end - shot.start_frames) * WIDTH / whole
        blocks.append(
            Block(x=round(x, 2), width=round(max(1.0, width - 2), 2), number=shot.number, index=index,
                  is_named=width >= 26)
        )  # fmt: skip
    return blocks


class Heard(Protocol):
    """A sound, as far as a timeline shows it."""

    @property
    def kind(self) -> str:
        """What it is for."""

    @property
    def start_seconds(self) -> float:
        """From the start of the film."""

    @property
    def end_seconds(self) -> float | None:
        """Where it ends; None if that is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A sound on its lane.

    Attributes:
        x: of its left side.
        y: of its top.
        width: at least 1.
        index: of the sound, from 0.
        is_open: whether nobody knows where it ends; it is drawn to the end of the film.
    """

    x: float
    y: int
    width: float
    index: int
    is_open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """Sounds of one purpose, those that sound together one below the other.

    Attributes:
        word: what they are.
        height: of all of it.
        bars: in order of time.
    """

    word: str
    height: int
    bars: Sequence[Bar]


def lanes(sounds: Sequence[Heard], seconds: float) -> list[Lane]:
    """The sounds of a film below its shots, each as wide as it is long, over `WIDTH` in all; only lanes that have some.

    Args:
        sounds: in order of time.
        seconds: of the whole film.
    """
    found = []
    for word, kinds in LANES.items():
        here = [(index, sound) for index, sound in enumerate(sounds) if sound.kind in kinds][:MOST_BARS]
        if here and seconds > 0:
            found.append(_lane(word, here, seconds))
    return found


def _lane(word: str, sounds: Sequence[tuple[int, Heard]], seconds: float) -> Lane:
    free: list[float] = []  # where each row is free again
    bars = []
    for index, sound in sounds:
        start = min(max(0.0, sound.start_seconds), seconds)
        end = seconds if sound.end_seconds is None else min(max(start, sound.end_seconds), seconds)
        row = next((row for row, until in enumerate(free) if until <= start), len(free))
        if row == len(free) and row < MOST_ROWS:
            free.append(end)
        row = min(row, MOST_ROWS - 1)
        free[row] = max(free[row], end)
        x, width = start * WIDTH / seconds, (end - start) * WIDTH / seconds
        bars.append(
            Bar(
                x=round(min(x, WIDTH - 1), 2), y=row * (ROW_HEIGHT + 2), width=round(max(1.0, width - 1), 2),
                index=index, is_open=sound.end_seconds is None,
            )
        )  # fmt: skip
    return Lane(word=word, height=len(free) * (ROW_HEIGHT + 2) - 2, bars=bars)


def no_page() -> str:
    """An SVG in place of a page that can't be drawn."""
    told = '<text x="160" y="95" fill="#807a70" font-family="sans-serif" font-size="14" text-anchor="middle">'
    top = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 180" width="320" height="180">'
    return f"{top}{told}this page can't be drawn</text></svg>"


def spark(values: Sequence[float | None]) -> str:
    """Points of a line through values, of which None are taken for 0; as tall as the largest."""
    most = max((value or 0 for value in values), default=0)
    if not values or not most:
        return f"0,{SPARK_HEIGHT - 1} {SPARK_WIDTH},{SPARK_HEIGHT - 1}"
    step = SPARK_WIDTH / max(1, len(values) - 1)
    room = SPARK_HEIGHT - 4
    return " ".join(
        f"{index * step:.1f},{SPARK_HEIGHT - 2 - (value or 0) / most * room:.1f}" for index, value in enumerate(values)
    )


def wave(levels: Sequence[float] | None) -> str:
    """An SVG of the peaks of a sound, each 0.0-1.0 of full scale, above and below its middle; words if there are none.

    A peak at full scale touches both edges.
    """
    top = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {WAVE_HEIGHT}"'
    if not levels:
        told = f'<text x="{WIDTH // 2}" y="56" fill="#807a70" font-family="sans-serif" font-size="24"'
        return f'{top}>{told} text-anchor="middle">no waveform</text></svg>'
    step, middle = WIDTH / len(levels), WAVE_HEIGHT / 2
    bars = "".join(
        f"M{(index + 0.5) * step:.1f} {middle - tall:.1f}V{middle + tall:.1f}"
        for index, level in enumerate(levels)
        for tall in (max(0.5, min(1.0, level) * middle),)
    )
    line = f'<path d="{bars}" stroke="{_WAVE}" stroke-width="{max(0.5, step * 0.7):.2f}"/>'
    return f'{top} preserveAspectRatio="none">{line}</svg>'
