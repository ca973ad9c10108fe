"""Pictures of numbers, in whole coordinates for SVG. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

WIDTH: Final = 1000
SPARK_WIDTH: Final = 240
SPARK_HEIGHT: Final = 48


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
