"""In which order the letters of a line stand when scripts of both directions meet. Pure.

Source: Unicode Standard Annex 9, the bidirectional algorithm, without its control characters, which texts have lost
before they are set.
"""

import unicodedata
from collections.abc import Sequence

_STRONG = ("L", "R", "AL")
_NEUTRAL = ("B", "S", "WS", "ON")
_BRACKETS = {")": "(", "]": "[", "}": "{", "〉": "〈", "》": "《", "」": "「", "』": "『", "】": "【", "）": "（"}


def base_level(text: str) -> int:
    """0 for a text that reads from the left, 1 for one that reads from the right: as its first letter does."""
    first = next((kind for kind in map(unicodedata.bidirectional, text) if kind in _STRONG), "L")
    return 0 if first == "L" else 1


def levels(text: str, base: int) -> list[int]:
    """The level of each character: even ones read from the left, odd ones from the right.

    Args:
        text: one line.
        base: level of the paragraph that the line belongs to.
    """
    kinds = _neutrals(text, _weak([unicodedata.bidirectional(letter) or "L" for letter in text], base), base)
    found = [_level(kind, base) for kind in kinds]
    for place in range(len(text) - 1, -1, -1):  # rule L1: what ends the line stands at its end
        if unicodedata.bidirectional(text[place]) not in ("WS", "B", "S"):
            break
        found[place] = base
    return found


def visual(found: Sequence[int]) -> list[int]:
    """Numbers of the runs that have these levels, from left to right. Rule L2."""
    ordered = list(range(len(found)))
    for level in range(max(found, default=0), 0, -1):
        first = 0
        while first < len(ordered):
            end = first
            while end < len(ordered) and found[ordered[end]] >= level:
                end += 1
            ordered[first:end] = ordered[first:end][::-1]
            first = max(end, first + 1)
    return ordered


def _weak(kinds: list[str], base: int) -> list[str]:
    """Rules W1 to W7: marks, numbers, and the signs beside them."""
    start = "R" if base else "L"
    _marks_and_numbers(kinds, start)
    for place in range(1, len(kinds) - 1):
        around = kinds[place - 1], kinds[place + 1]
        if (kinds[place] in ("ES", "CS") and around == ("EN", "EN")) or (
            kinds[place] == "CS" and around == ("AN", "AN")
        ):
            kinds[place] = around[0]
    _terminators(kinds)
    strong = start
    for place, kind in enumerate(kinds):
        if kind in ("L", "R"):
            strong = kind
        elif kind == "EN" and strong == "L":
            kinds[place] = "L"
        elif kind in ("ES", "CS", "ET", "BN"):
            kinds[place] = "ON"
    return kinds


def _marks_and_numbers(kinds: list[str], start: str) -> None:
    before = strong = start
    for place, kind in enumerate(kinds):
        found = before if kind == "NSM" else kind
        if found in _STRONG:
            strong = found
        elif found == "EN" and strong == "AL":
            found = "AN"
        kinds[place] = before = found
    kinds[:] = ["R" if kind == "AL" else kind for kind in kinds]


def _terminators(kinds: list[str]) -> None:
    """Signs such as % and € count with the European number that they touch."""
    for order in (range(len(kinds)), range(len(kinds) - 1, -1, -1)):
        before = ""
        for place in order:
            if kinds[place] == "ET" and before == "EN":
                kinds[place] = "EN"
            before = kinds[place]


def _neutrals(text: str, kinds: list[str], base: int) -> list[str]:
    """Rules N0 to N2: brackets, then whatever has no direction, follow what stands around them."""
    own = "R" if base else "L"
    for first, last in _pairs(text, kinds):
        inside = {_side(kind) for kind in kinds[first + 1 : last]} - {""}
        if not inside:
            continue
        before = next((side for kind in reversed(kinds[:first]) if (side := _side(kind))), own)
        kinds[first] = kinds[last] = own if own in inside or before not in inside else before
    first = 0
    while first < len(kinds):
        end = first
        while end < len(kinds) and kinds[end] in _NEUTRAL:
            end += 1
        if end > first:
            before = _side(kinds[first - 1]) if first else own
            after = _side(kinds[end]) if end < len(kinds) else own
            kinds[first:end] = [before if before == after else own] * (end - first)
        first = end + 1
    return kinds


def _pairs(text: str, kinds: Sequence[str]) -> list[tuple[int, int]]:
    opened: list[tuple[str, int]] = []
    found = []
    for place, letter in enumerate(text):
        if kinds[place] != "ON":
            continue
        if letter in _BRACKETS.values():
            opened.append((letter, place))
        elif letter in _BRACKETS:
            at = next((n for n in range(len(opened) - 1, -1, -1) if opened[n][0] == _BRACKETS[letter]), None)
            if at is not None:
                found.append((opened[at][1], place))
                del opened[at:]
    return sorted(found)


def _side(kind: str) -> str:
    """L or R for what has a direction; numbers count as R."""
    return "L" if kind == "L" else "R" if kind in ("R", "EN", "AN") else ""


def _level(kind: str, base: int) -> int:
    """Rules I1 and I2."""
    if base:
        return 1 if kind == "R" else 2
    return {"L": 0, "R": 1}.get(kind, 2)
