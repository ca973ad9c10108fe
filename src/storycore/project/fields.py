"""Values out of the pieces of a project, by the table of names, with a warning for each value that is no good."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from fractions import Fraction
from functools import cache
from typing import Any, NamedTuple

from storycore.project.aliases import Names
from storycore.project.draft import Notes, Piece, check_count, pointer

MOST_SECONDS = 10_000_000
"""No time of a film is longer (115 days)."""

LEAST_SECONDS = Fraction(1, 1_000_000)
"""No time of a film is shorter, except nothing."""

UNSPECIFIED = "unspecified"
"""What writers put where a text is required and there is none."""

_SHARE_DIGITS = 12
_GRID = 2 * 3 * 10**40  # halves of frames of the usual rates, and decimals
_NUMBER = re.compile(r"[+-]?\d{1,30}(?:\.\d{1,30})?(?:[eE][+-]?\d{1,2})?")
_RATIO = re.compile(r"([+-]?\d{1,60})(?:/(\d{1,60}))?")
_LATEST = 253_402_300_799  # 9999-12-31T23:59:59Z
_MILLISECONDS = 10**11  # as seconds that would be the year 5138


class Found(NamedTuple):
    """A value that is there.

    Attributes:
        value: as written; never None.
        piece: where it stands.
        name: under which name, dotted.
        frames: whether the name says that it counts frames.
    """

    value: Any
    piece: Piece
    name: str
    frames: bool

    @property
    def pointer(self) -> str:
        """JSON Pointer of the value in its file."""
        return self.piece.pointer + pointer(*self.name.split("."))


class Fields:
    """The facts in one or several pieces that describe the same thing; the first piece that has a fact gives it."""

    def __init__(self, pieces: Sequence[Piece], notes: Notes) -> None:
        self.pieces = pieces
        self.notes = notes

    def candidates(self, names: Names) -> Iterator[Found]:
        """Each value that is there, best first; null counts as absent."""
        for piece in self.pieces:
            for dotted in names:
                path, name, frames = _parsed(dotted)
                value: Any = piece.raw
                for step in path:
                    value = _step(value, step)
                    if value is None:
                        break
                else:
                    yield Found(value, piece, name, frames)

    def first(self, names: Names) -> Found | None:
        """The best value that is there."""
        return next(self.candidates(names), None)

    def text(self, names: Names, default: str = "", *, quiet: bool = False) -> str:
        """A text without space around it; whole numbers are taken as text. An empty text counts as absent."""
        for found in self.candidates(names):
            if isinstance(found.value, str) or _is_whole(found.value):
                text = str(found.value).strip() if _is_short(found.value) else ""
                if text:
                    return text
            elif not quiet:
                self.warn(found, "wrong_type", "a text is expected here")
        return default

    def stated(self, names: Names) -> str:
        """A text that says something: not the word that writers put where a text is required."""
        text = self.text(names)
        return "" if text == UNSPECIFIED else text

    def number(self, names: Names) -> Fraction | None:
        """An exact number. Where `<name>_exact` stands beside it and agrees, that is taken."""
        for found in self.candidates(names):
            value = self._number(found)
            if value is not None:
                return value
        return None

    def seconds(self, names: Names, *, negative: bool = False) -> Fraction | None:
        """A time in seconds, whatever its file counts in; negative and absurd ones are left out with a warning."""
        for found in self.candidates(names):
            value = self._number(found)
            if value is None:
                continue
            units = found.piece.units
            if units.frames or found.frames:
                value /= units.frame_rate
            if 0 < abs(value) < LEAST_SECONDS:
                value = Fraction(0)
            if abs(value) > MOST_SECONDS or (value < 0 and not negative):
                self.warn(found, "out_of_range", "this is no time of a film")
                continue
            return _on_grid(found, value)
        return None

    def whole(self, names: Names) -> int | None:
        """A whole number that a double can hold exactly."""
        for found in self.candidates(names):
            value = self._number(found)
            if value is not None and value.denominator == 1 and abs(value) < 2**63:
                return value.numerator
        return None

    def share(self, names: Names, full: int, lowest: int, default: Fraction) -> Fraction:
        """A number of a scale that ends at `full`, as `lowest`-1.0; beyond the ends it is clamped with a warning."""
        for found in self.candidates(names):
            value = self._number(found)
            if value is None:
                continue
            value /= full
            if not lowest <= value <= 1:
                self.warn(found, "out_of_range", f"the scale goes from {lowest * full} to {full}")
            return round(min(max(value, Fraction(lowest)), Fraction(1)), _SHARE_DIGITS)
        return default

    def flag(self, names: Names) -> bool:
        """Whether true is written."""
        return any(found.value is True for found in self.candidates(names))

    def mapping(self, names: Names) -> Mapping[str, Any]:
        """An object, {} if there is none."""
        return next((found.value for found in self.candidates(names) if isinstance(found.value, Mapping)), {})

    def objects(self, names: Names) -> list[Piece]:
        """The objects of the first list that holds any.

        Raises:
            InvalidInput: project_too_large.
        """
        for found in self.candidates(names):
            if isinstance(found.value, list):
                pieces = found.piece.objects(*found.name.split("."))
                if len(pieces) < len(found.value):
                    self.warn(found, "wrong_type", "some entries of this list are not objects")
                if pieces:
                    return pieces
        return []

    def texts(self, names: Names, keys: Names = ("name", "nom", "description", "id")) -> tuple[str, ...]:
        """The texts of the first list, each entry a text or an object with a text under one of `keys`.

        Raises:
            InvalidInput: project_too_large.
        """
        for found in self.candidates(names):
            values = found.value if isinstance(found.value, list) else [found.value]
            check_count(values, found.piece.file)
            texts = tuple(text for text in (_text_of(value, keys) for value in values) if text)
            if texts:
                return texts
        return ()

    def instant(self, names: Names) -> datetime | None:
        """An aware instant in UTC, from ISO 8601 (without an offset: UTC) or seconds or milliseconds since 1970."""
        for found in self.candidates(names):
            instant = read_instant(found.value)
            if instant is not None:
                return instant
            if found.value != "":
                self.warn(found, "wrong_type", "this is no instant")
        return None

    def warn(self, found: Found, reason: str, message: str) -> None:
        """Tells what is odd about a value."""
        name = found.name.rsplit(".", maxsplit=1)[-1]
        self.notes.warn(found.piece.file, found.pointer, reason, f"{name}: {message}.")

    def _number(self, found: Found) -> Fraction | None:
        value = read_number(found.value)
        if value is None:
            self.warn(found, "wrong_type", "a number is expected here")
            return None
        if isinstance(found.value, str):
            self.warn(found, "wrong_type", "a number is written as a text")
        return _exact_beside(found, value)


def read_number(value: Any) -> Fraction | None:
    """A finite number, or one that is written as a text; a float is taken at its shortest decimal form."""
    if isinstance(value, bool):
        return None
    if isinstance(value, Fraction):
        return value
    if isinstance(value, int):
        return Fraction(value) if abs(value) < 10**30 else None
    if isinstance(value, (float, str)):
        text = str(value).strip()
        return Fraction(text) if len(text) < 100 and _NUMBER.fullmatch(text) else None
    return None


def read_ratio(value: Any) -> Fraction | None:
    """A number, or a text like `24000/1001`."""
    if isinstance(value, str) and (match := _RATIO.fullmatch(value.strip())):
        below = int(match[2] or 1)
        return Fraction(int(match[1]), below) if below else None
    return read_number(value)


def read_instant(value: Any) -> datetime | None:
    """An aware instant in UTC, or None."""
    try:
        if isinstance(value, str):
            instant = datetime.fromisoformat(value.strip())
            return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC)
        number = read_number(value)
        if number is None or number <= 0:
            return None
        if number >= _MILLISECONDS:
            number /= 1000
        if number > _LATEST:
            return None
        whole, rest = divmod(number, 1)
        return datetime.fromtimestamp(whole, UTC).replace(microsecond=int(rest * 1_000_000))
    except (ValueError, OverflowError, OSError):
        return None


@cache
def _parsed(dotted: str) -> tuple[tuple[str, ...], str, bool]:
    name, _, mark = dotted.partition("#")
    return tuple(name.split(".")), name, mark == "frames"


def _step(value: Any, step: str) -> Any:
    if isinstance(value, Mapping):
        return value.get(step)
    if isinstance(value, list) and step.isdecimal() and int(step) < len(value):
        return value[int(step)]
    return None


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_short(value: Any) -> bool:
    return isinstance(value, str) or abs(value) < 10**30


def _text_of(value: Any, keys: Names) -> str:
    if isinstance(value, Mapping):
        value = next((value[key] for key in keys if value.get(key)), None)
    return str(value).strip() if isinstance(value, str) or (_is_whole(value) and _is_short(value)) else ""


def _exact_beside(found: Found, value: Fraction) -> Fraction:
    *path, last = found.name.split(".")
    beside: Any = found.piece.raw
    for step in path:
        beside = _step(beside, step)
    exact = read_ratio(beside.get(f"{last}_exact")) if isinstance(beside, Mapping) else None
    return exact if exact is not None and float(exact) == float(value) else value


def _on_grid(found: Found, value: Fraction) -> Fraction:
    """The value if its denominator is one that frames and decimals give, so that sums stay small numbers."""
    grid = found.piece.units.frame_rate.numerator * _GRID
    if (value * grid).denominator == 1:
        return value
    return read_number(float(value)) or Fraction(0)
