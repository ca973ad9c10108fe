"""What the conditional and range headers of a request for a file ask for.

Pure: texts in, decisions out. A header that is malformed counts as not sent, as the standard allows.

Source: RFC 9110, sections 8.8.3 (entity tags), 13 (conditional requests) and 14 (range requests).
"""

import re
from typing import NamedTuple

_RANGES = re.compile(r"bytes=(.*)", re.IGNORECASE | re.ASCII)
_RANGE = re.compile(r"([0-9]{0,4000})-([0-9]{0,4000})")
_TAG = re.compile(r'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*+")')
_OWS = " \t"


class Range(NamedTuple):
    """Bytes of a file, from `start` (counted from 0) up to and without `stop`."""

    start: int
    stop: int


class Unsatisfiable(NamedTuple):
    """A well-formed range that no byte of the file lies in."""


def read_range(header: str, size_bytes: int) -> Range | Unsatisfiable | None:
    """The one range that a Range header asks for; None if the whole file is to be sent.

    Whole are: units other than bytes, malformed headers, several ranges at once (which may be ignored, and joining
    them costs more than it helps), and any range of an empty file, which no Content-Range could tell.
    """
    ranges = _RANGES.fullmatch(header.strip(_OWS))
    specs = [part for text in (ranges[1].split(",") if ranges else ()) if (part := text.strip(_OWS))]
    spec = _RANGE.fullmatch(specs[0]) if len(specs) == 1 else None
    if spec is None or spec[0] == "-" or not size_bytes:
        return None
    first, last = (int(digits) if digits else None for digits in spec.groups())
    if first is None:
        return Range(max(0, size_bytes - last), size_bytes) if last else Unsatisfiable()
    if last is not None and last < first:
        return None
    if first >= size_bytes:
        return Unsatisfiable()
    return Range(first, size_bytes if last is None else min(last + 1, size_bytes))


def lists_tag(header: str, tag: str, *, weak: bool) -> bool:
    """Whether an If-Match or If-None-Match header holds `tag`, a strong one in quotes; `*` holds every one.

    Args:
        header: as it was sent.
        tag: of the file.
        weak: the comparison of If-None-Match, where `W/"x"` is the same as `"x"`; else that of If-Match.
    """
    text = header.strip(_OWS)
    if text == "*":
        return True
    found, position = False, 0
    while position < len(text):
        if text[position] in ", \t":
            position += 1
            continue
        match = _TAG.match(text, position)
        if match is None:
            return False
        found = found or (match[1] == tag and (weak or not match[0].startswith("W/")))
        position = match.end()
    return found


def same_file(if_range: str | None, tag: str) -> bool:
    """Whether a range may be sent: no If-Range header came, or it names this very file.

    A date never does: a file is known by its checksum only.
    """
    return if_range is None or if_range.strip(_OWS) == tag
