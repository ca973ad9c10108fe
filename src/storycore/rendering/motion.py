"""Camera moves over a still: where the camera looks, frame by frame. Pure.

A move is told by where it begins and ends; between them it eases in and out, at sub-pixel steps.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from storycore.project.model import Shot

_ZOOM_PER_SECOND = 0.045
"""So that short shots move as calmly as long ones."""

_BACKWARDS = {
    "zoom": {"out", "back", "away", "wider"},
    "dolly": {"out", "back", "away", "pull", "pulls", "pulling"},
    "pan": {"left", "leftward", "leftwards"},
    "tracking": {"left", "leftward", "leftwards"},
    "tilt": {"down", "downward", "downwards"},
    "crane": {"down", "downward", "downwards"},
}
"""Words that turn a move round. Without one, zooms and dollies go in, pans right, tilts and cranes up."""

_WORD = re.compile(r"[a-z]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One camera move over a whole shot.

    Attributes:
        zoom: magnification at the beginning and at the end, 1.0 or more.
        x: place of the view between the left (-1.0) and the right (1.0) edge, at the beginning and at the end.
        y: the same between the top (-1.0) and the bottom (1.0) edge.
        sway: how far a hand shakes, as a share of the way to the edges; 0.0 for none.
    """

    zoom: tuple[float, float] = (1.0, 1.0)
    x: tuple[float, float] = (0.0, 0.0)
    y: tuple[float, float] = (0.0, 0.0)
    sway: float = 0.0

    @property
    def still(self) -> bool:
        """Whether nothing moves."""
        return self == Move(zoom=(self.zoom[0], self.zoom[0]), x=(self.x[0],) * 2, y=(self.y[0],) * 2)

    @property
    def closest(self) -> float:
        """The greatest magnification."""
        return max(self.zoom)


STILL = Move()
"""No move at all."""


@dataclass(frozen=True, slots=True)
class View:
    """Where the camera looks at one instant.

    Attributes:
        zoom: magnification, 1.0 shows all.
        x: place between the left (-1.0) and the right (1.0) edge.
        y: place between the top (-1.0) and the bottom (1.0) edge.
    """

    zoom: float
    x: float
    y: float


def move_of(shot: Shot) -> Move:
    """The move that a shot's camera words mean; words that name none leave the camera still."""
    amount = min(0.15, _ZOOM_PER_SECOND * float(shot.duration))
    name, *direction = shot.camera.split() or [""]
    kind = "burns" if "ken burns" in shot.camera else name
    drawn = _MOVES.get(kind)
    move = drawn(amount, shot.number) if drawn else STILL
    words = direction or _WORD.findall(f"{shot.prompt.modules.get('camera', '')}".lower())
    return _turned(move) if _BACKWARDS.get(kind, set()) & set(words) else move


def view(move: Move, frame: int, frames: int, rate: Fraction) -> View:
    """Where the camera looks in one frame of a shot of so many frames; it rests before the first and after the last."""
    way = ease(min(1.0, max(0.0, frame / (frames - 1)))) if frames > 1 else 0.0
    zoom, x, y = (begin + (end - begin) * way for begin, end in (move.zoom, move.x, move.y))
    if move.sway:
        seconds = frame / float(rate)
        x += move.sway * (math.sin(2.1 * seconds) + 0.5 * math.sin(4.7 * seconds + 1.3)) / 1.5
        y += move.sway * (math.sin(2.6 * seconds + 0.7) + 0.5 * math.sin(5.3 * seconds)) / 1.5
    return View(zoom, x, y)


def ease(way: float, curve: str = "ease-in-out") -> float:
    """How far a movement has come when a share of its time has passed, both 0.0-1.0."""
    name = curve.lower().replace("_", "-").replace(" ", "-")
    if name in ("ease-in", "easein"):
        return way * way
    if name in ("ease-out", "easeout"):
        return way * (2 - way)
    if name in ("ease-in-out", "easeinout", "ease", "smooth", "smoothstep"):
        return 0.5 - 0.5 * math.cos(math.pi * way)
    return way


def _turned(move: Move) -> Move:
    return Move(zoom=move.zoom[::-1], x=move.x[::-1], y=move.y[::-1], sway=move.sway)


_MOVES: dict[str, Callable[[float, int], Move]] = {
    "zoom": lambda amount, _number: Move(zoom=(1.0, 1.0 + amount)),
    "dolly": lambda amount, _number: Move(zoom=(1.0, 1.0 + 1.3 * amount), y=(0.0, -0.15)),
    "pan": lambda amount, _number: Move(zoom=(1.02 + amount,) * 2, x=(-0.9, 0.9)),
    "tracking": lambda amount, _number: Move(zoom=(1.04 + amount,) * 2, x=(-1.0, 1.0)),
    "tilt": lambda amount, _number: Move(zoom=(1.02 + amount,) * 2, y=(0.9, -0.9)),
    "crane": lambda amount, _number: Move(zoom=(1.04 + amount, 1.04 + 0.7 * amount), y=(1.0, -1.0)),
    "handheld": lambda _amount, _number: Move(zoom=(1.06, 1.06), sway=0.5),
    "burns": lambda amount, number: Move(
        zoom=(1.0, 1.0 + amount) if number % 2 else (1.0 + amount, 1.0),
        x=(0.0, (-0.5, 0.5, 0.3)[number % 3]),
        y=(0.0, (0.3, -0.4)[number % 2]),
    ),
}
"""What each kind of move does, of an amount and a shot's number: ken burns goes in and out by turns."""
