"""What was looked at, how it is, and what to do."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How a finding is meant."""

    FINE = "fine"
    ODD = "odd"
    """Works, but somebody may want to know."""
    BROKEN = "broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        name: what.
        state: how it is.
        words: what was seen.
        remedy: what to do; empty if nothing needs to be done.
    """

    name: str
    state: State
    words: str
    remedy: str = ""


def fine(name: str, words: str) -> Finding:
    """All is well with it."""
    return Finding(name=name, state=State.FINE, words=words)


def odd(name: str, words: str, remedy: str) -> Finding:
    """It works, but somebody may want to know."""
    return Finding(name=name, state=State.ODD, words=words, remedy=remedy)


def broken(name: str, words: str, remedy: str) -> Finding:
    """It stands in the way."""
    return Finding(name=name, state=State.BROKEN, words=words, remedy=remedy)
