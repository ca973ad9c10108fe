"""Texts of many lines as bytes, made in little more memory than they take."""

from collections.abc import Iterator
from itertools import islice
from typing import Final

_TOGETHER: Final = 512


def listed(head: str, lines: Iterator[str], tail: str) -> bytes:
    """UTF-8 of `head`, the lines with commas between them, and `tail`.

    Lines are taken some hundred at a time, so that the texts of all of them never stand beside their bytes.
    """
    parts, before = [], head
    while some := ",\n".join(islice(lines, _TOGETHER)):
        parts.append((before + some).encode())
        before = ",\n"
    return b"".join((*parts, tail.encode())) if parts else (head + tail).encode()
