"""What else than this process may paint segments of a film: whoever is handed in from above.

In film making the second unit shoots what the director need not see to, at the same time and to the same plan. Here
it is whatever can be told of a piece of work and answer with its segment in the cache; how it hears of it, and who it
is, is not known here.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from storycore.rendering.look import Canvas, Piece, canvas_from, piece_from, to_plain


class Wanted(NamedTuple):
    """One segment that is to come of the frames of a piece.

    Attributes:
        key: that it is kept under; tells its very bytes.
        arguments: of ffmpeg, up to its name.
        figures: that are to be known of it, as `likeness` names them.
    """

    key: str
    arguments: tuple[str, ...]
    figures: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """One piece to be painted, told so that a machine can do it that knows nothing else of the film.

    Attributes:
        name: the same for whatever looks the same on the same canvas.
        piece: what it shows; the files in it stand in the project's folder.
        canvas: that it is drawn on.
        wanted: at least one.
    """

    name: str
    piece: Piece
    canvas: Canvas
    wanted: tuple[Wanted, ...]

    def plain(self) -> dict[str, Any]:
        """As JSON can carry it."""
        return {
            "name": self.name,
            "piece": to_plain(self.piece),
            "canvas": to_plain(self.canvas),
            "wanted": [[one.key, list(one.arguments), list(one.figures)] for one in self.wanted],
        }


def errand_from(plain: Mapping[str, Any]) -> Errand:
    """The errand that `plain` told of."""
    return Errand(
        name=plain["name"],
        piece=piece_from(plain["piece"]),
        canvas=canvas_from(plain["canvas"]),
        wanted=tuple(Wanted(key, tuple(words), tuple(figures)) for key, words, figures in plain["wanted"]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What came of some errands. Plain values, as JSON can carry them.

    Attributes:
        names: of the errands that nobody does any more; what is not in the cache then was not painted.
        figures: what was measured, by the key of the segment.
        bent: names of the files that held more light than frames can.
        ends: names of the clips whose last frame was seen, each with the second at which it ended.
    """

    names: Collection[str]
    figures: Mapping[str, Mapping[str, float | None]]
    bent: Sequence[str]
    ends: Mapping[str, str]


class Call(Protocol):
    """Errands that were offered."""

    def take_back(self) -> Collection[str]:
        """Names of some neighbouring errands that nobody has begun: they are the caller's now; empty if there are none.

        Guarantee: each is taken once, by the caller or by somebody else.
        """
        ...

    def look(self) -> Sequence[Done]:
        """What others have done since the last look; returns at once, and looks no more often than is of use."""
        ...

    @property
    def is_over(self) -> bool:
        """Whether each errand was either taken back or is done."""
        ...


class SecondUnit(Protocol):
    """Others who may paint."""

    def offer(self, errands: Sequence[Errand]) -> Call | None:
        """Lets others paint what they can; None if nobody is to be asked, for so little for instance.

        Args:
            errands: in the order of the film: neighbours show the same files.
        """
        ...

    def dismiss(self) -> None:
        """Nothing that was offered is wanted any more: nobody begins it, and who does it stops."""
        ...
