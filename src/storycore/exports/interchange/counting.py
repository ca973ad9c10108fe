"""Timecode: frames as editing programs count them, with and without dropped numbers. Pure.

Source: SMPTE ST 12-1 §5.2: at 29.97 and 59.94 frames per second two (four) numbers are left out at the start of each
minute but every tenth, so that the count keeps up with the clock.
"""

import re
from dataclasses import dataclass
from fractions import Fraction

MOST_RATE = 60
"""Frames per second that fit the two digits of a timecode, and what editing programs know."""

_TEXT = re.compile(r"(\d\d):(\d\d):(\d\d)[:;](\d\d)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counting:
    """How frames of one rate are numbered.

    Attributes:
        rate: frames per second: a whole number, or one over 1.001.
        drop: whether numbers are dropped.
    """

    rate: Fraction
    drop: bool = False

    @property
    def nominal(self) -> int:
        """Numbers in one second: 24 at 23.976."""
        return -(-self.rate.numerator // self.rate.denominator)

    @property
    def ntsc(self) -> bool:
        """Whether the rate is one over 1.001."""
        return self.rate.denominator == 1001

    def text(self, frame: int, *, separator: str | None = None) -> str:
        """The timecode of a frame; a day later it begins anew.

        Args:
            frame: from 0.
            separator: before the frames; `;` where numbers are dropped if left out.
        """
        nominal, number = self.nominal, frame % self.day
        if self.drop:
            lost = nominal // 15
            tens, rest = divmod(number, self._ten_minutes)
            number += 9 * lost * tens
            if rest >= lost:
                number += lost * ((rest - lost) // (60 * nominal - lost))
        whole, frames = divmod(number, nominal)
        minutes, seconds = divmod(whole, 60)
        hours, minutes = divmod(minutes, 60)
        mark = separator if separator is not None else (";" if self.drop else ":")
        return f"{hours:02d}:{minutes:02d}:{seconds:02d}{mark}{frames:02d}"

    def frame(self, text: str) -> int:
        """The frame of a timecode.

        Raises:
            ValueError: it is none, or its number is one that is dropped or not reached.
        """
        found = _TEXT.fullmatch(text)
        if found is None:
            raise ValueError("a timecode such as 01:00:00:00 is needed")
        hours, minutes, seconds, frames = (int(part) for part in found.groups())
        if hours > 23 or minutes > 59 or seconds > 59 or frames >= self.nominal:
            raise ValueError(f"there is no {text} at {float(self.rate):.5g} frames per second")
        all_minutes = 60 * hours + minutes
        number = (60 * all_minutes + seconds) * self.nominal + frames
        if self.drop:
            lost = self.nominal // 15
            if not seconds and frames < lost and minutes % 10:
                raise ValueError(f"{text} is one of the numbers that drop-frame timecode leaves out")
            number -= lost * (all_minutes - all_minutes // 10)
        return number

    @property
    def day(self) -> int:
        """Frames until the numbers begin anew."""
        return 144 * self._ten_minutes if self.drop else 86_400 * self.nominal

    @property
    def _ten_minutes(self) -> int:
        return 600 * self.nominal - 9 * (self.nominal // 15)


def known(rate: Fraction) -> bool:
    """Whether editing programs count at a rate: whole, or one over 1.001, and no more than 60."""
    whole = rate if rate.denominator == 1 else rate * Fraction(1001, 1000)
    return whole.denominator == 1 and rate <= MOST_RATE


def shown(rate: Fraction) -> int | float:
    """A rate as people write it: 24, 23.976."""
    return rate.numerator if rate.denominator == 1 else round(float(rate), 3)


def drops(rate: Fraction) -> bool:
    """Whether there is drop-frame timecode at a rate: 29.97 and 59.94."""
    return rate in (Fraction(30_000, 1001), Fraction(60_000, 1001))
