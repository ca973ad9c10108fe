"""Texts of many lines as bytes, made in little more memory than they take."""

from collections.abc import Iterator
from itertools import islice
from typing import Final

_TOGETHER: Final = 512


def listed(head: str, lines: Iterator[str], tail: str) -> bytes:
    """UTF-8 of `head`, the lines with commas between them, and `tail`.

    Lines are taken some hundred at a time, so that the texts of all of them never stand beside their bytes.
    """
    parts = []
    while some := ",\n".join(islice(lines, _TOGETHER)):
        parts.append(some.encode())
    return b"".join((head.encode(), b",\n".join(parts), tail.encode()))
