"""A storyboard as the data that its template reads. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from storycore.exports.documents.letters import Letters
from storycore.exports.documents.pages import Grid
from storycore.exports.documents.panels import Panel

_STRIP = 8
"""Pictures on the cover at most."""

_LABELS = {
    "dialogue": "Dialogue",
    "action": "Action",
    "camera": "Camera",
    "notes": "Notes",
    "transition": "Transition",
    "prompt": "Prompt",
}


def storyboard(
    panels: Sequence[Panel],
    pictures: Mapping[int, str],
    grid: Grid,
    fields: Sequence[str],
    letters: Letters,
) -> dict[str, Any]:
    """What is on the pages.

    Args:
        panels: of the film.
        pictures: index of the panel → what the template knows its picture by.
        grid: how pages are divided.
        fields: what is told of a shot, in this order.
        letters: that can be printed.
    """
    told = [_panel(panel, pictures.get(index), grid, fields, letters) for index, panel in enumerate(panels)]
    return {
        "grid": {name: getattr(grid, name) for name in Grid.__slots__},
        "panels": told,
        "scenes": sum(bool(panel["scene"]) for panel in told),
        "strip": _spread([index for index, panel in enumerate(panels) if index in pictures and panel.picture], _STRIP),
    }


def worded(panels: Sequence[Panel], fields: Sequence[str]) -> bool:
    """Whether any panel has more to read than its number, title and duration."""
    return any(_lines(panel, name) for panel in panels for name in fields if name in _LABELS)


def _panel(panel: Panel, picture: str | None, grid: Grid, fields: Sequence[str], letters: Letters) -> dict[str, Any]:
    def words(text: str) -> str:
        return letters.printable(text, longest_word=grid.longest_word)

    found = {name: lines for name in fields if name in _LABELS and (lines := _lines(panel, name))}
    return {
        "id": words(panel.id),
        "number": str(panel.number) if "number" in fields else "",
        "title": words(panel.title),
        "scene": words(panel.scene),
        "duration": panel.duration if "duration" in fields else "",
        "seconds": float(panel.seconds),
        "picture": picture,
        "alt": letters.printable(panel.alt),
        "absent": "Its picture is missing" if panel.missing else "No picture yet",
        "fields": [
            {
                "name": name,
                "label": _LABELS[name],
                "lines": [{"who": words(who), "text": words(text)} for who, text in lines],
            }
            for name, lines in found.items()
        ],
    }


def _lines(panel: Panel, name: str) -> list[tuple[str, str]]:
    if name == "dialogue":
        return [(line.who, line.text) for line in panel.dialogue]
    text = getattr(panel, name)
    return [("", text)] if text else []


def _spread(indices: Sequence[int], most: int) -> list[int]:
    """At most so many of some, evenly from all of them."""
    if len(indices) <= most:
        return list(indices)
    return [indices[(2 * number + 1) * len(indices) // (2 * most)] for number in range(most)]
