"""The painter of pages: a process that draws pages of one PDF as pictures, and ends. The only door to PDFium.

It runs apart because a PDF is a program of its own kind: a page of it can need any amount of memory and time, and
what reads it is written in C++. It is told what to do in JSON on its stdin, and answers so on its stdout.

Started as `python -m storycore.exports.documents.page_painter`.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pypdfium2

_QUALITY = 88
_MOST_POINTS = 1_000_000.0
"""Longest side of a page that is believed: 350 metres."""


def main() -> None:
    """Draws what was asked for."""
    order = json.loads(sys.stdin.read())
    try:
        told = _drawn(order)
    except pypdfium2.PdfiumError as fault:
        told = {"error": str(fault)}
    sys.stdout.write(json.dumps(told))


def _drawn(order: Mapping[str, Any]) -> dict[str, Any]:
    """How many pages there are, and which of those asked for could not be drawn."""
    folder, undrawn = Path(order["folder"]), []
    document = pypdfium2.PdfDocument(order["path"])
    count = len(document)
    for number in range(order["first"], min(order["last"], count) + 1):
        try:
            _draw(document, number, folder, order["sides"])
        except (pypdfium2.PdfiumError, ValueError):  # a page that is broken says nothing of the others
            undrawn.append(number)
    return {"pages": count, "undrawn": undrawn}


def _draw(document: pypdfium2.PdfDocument, number: int, folder: Path, sides: Mapping[str, int]) -> None:
    """Draws a page once, as large as the largest picture of it, which the others are made of."""
    page = document[number - 1]
    longest = max(page.get_size())
    if not 0 < longest <= _MOST_POINTS:  # also not a number
        raise ValueError("a page of that size is not believed")
    scale = max(sides.values()) / longest
    picture = page.render(scale=scale, may_draw_forms=False).to_pil().convert("RGB")
    for name, side in sorted(sides.items(), key=lambda it: -it[1]):
        picture.thumbnail((side, side))
        picture.save(folder / f"{number}-{name}.jpg", "JPEG", quality=_QUALITY, subsampling=0)


if __name__ == "__main__":
    main()
