"""Pictures of numbers, in whole coordinates for SVG. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

WIDTH: Final = 1000
SPARK_WIDTH: Final = 240
SPARK_HEIGHT: Final = 48
WAVE_HEIGHT: Final = 96
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


class Shown(Protocol):
    """A shot, as far as a timeline shows it."""

    @property
    def number(self) -> int:
        """From 1."""

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
    """The shots of a film side by side, each as wide as it is long, over `WIDTH` in all."""
    whole = sum(max(0, shot.duration_frames) for shot in shots)
    if not whole:
        return []
    blocks, at = [], 0
    for index, shot in enumerate(shots):
        x = at * WIDTH / whole
        width = shot.duration_frames * WIDTH / whole
        blocks.append(
            Block(x=round(x, 2), width=round(max(1.0, width - 2), 2), number=shot.number, index=index,
                  is_named=width >= 26)
        )  # fmt: skip
        at += shot.duration_frames
    return blocks


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
