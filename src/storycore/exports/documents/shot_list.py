"""A shot list as the data that its template reads. Pure."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from storycore.exports.documents.letters import Letters
from storycore.exports.documents.pages import Page
from storycore.exports.documents.panels import Panel

PICTURE_POINTS = 62.0
"""Width of a picture in the list."""

_GROWING = ("camera", "transition", "dialogue", "action", "notes", "prompt")
"""Columns that share what the others leave, by how much is said in them."""
_SHARES = (4, 14)
_FIXED = PICTURE_POINTS + 130
_LETTER_POINTS = 4.9


def shot_list(
    panels: Sequence[Panel], pictures: Mapping[int, str], page: Page, fields: Sequence[str], letters: Letters
) -> dict[str, Any]:
    """What is in the table: a row for each shot, a column for each field that any shot has something to say in.

    Args:
        panels: of the film.
        pictures: index of the panel → what the template knows its picture by.
        page: that it is printed on.
        fields: what is told of a shot, in this order.
        letters: that can be printed.
    """
    told = [name for name in fields if name in _GROWING and any(getattr(panel, name) for panel in panels)]
    shares = {name: _share(panels, name) for name in ("title", *told)}
    unit = (page.content_width - _FIXED) / sum(shares.values())
    longest = {name: max(4, int(share * unit / _LETTER_POINTS)) for name, share in shares.items()}
    return {
        "columns": [{"name": name, "label": name.capitalize(), "share": shares[name]} for name in told],
        "title_share": shares["title"],
        "numbered": "number" in fields,
        "timed": "duration" in fields,
        "picture_room": PICTURE_POINTS,
        "rows": [
            {
                "number": str(panel.number),
                "title": letters.printable(panel.title, longest_word=longest["title"]),
                "scene": letters.printable(panel.scene),
                "start": panel.start,
                "duration": panel.duration,
                "picture": pictures.get(index),
                "alt": letters.printable(panel.alt),
                "absent": "missing" if panel.missing else "none yet",
                "cells": [letters.printable(_text(panel, name), longest_word=longest[name]) for name in told],
            }
            for index, panel in enumerate(panels)
        ],
    }


def _share(panels: Sequence[Panel], name: str) -> int:
    """Width of a column: what is said four times as much needs twice the width."""
    longest = max((len(_text(panel, name)) for panel in panels), default=0)
    return min(_SHARES[1], max(_SHARES[0], round(math.sqrt(longest))))


def _text(panel: Panel, name: str) -> str:
    return "\n".join(map(str, panel.dialogue)) if name == "dialogue" else str(getattr(panel, name))
