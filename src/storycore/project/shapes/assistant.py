"""Assistant: scenes, characters, and sequences with the shots inside (A)."""

from collections.abc import Mapping
from typing import Any, Final

from storycore.project.draft import INTERFACE_UNITS, Draft
from storycore.project.model import Shape
from storycore.project.shapes.shape import Source, has_list, shots_of_sequences

SHAPE: Final = Shape.ASSISTANT


def matches(raw: Mapping[str, Any]) -> bool:
    """Whether shots stand in sequences only."""
    sequences = raw.get("sequences")
    inside = isinstance(sequences, list) and any(
        isinstance(one, Mapping) and has_list(one, "shots") for one in sequences
    )
    return inside and not has_list(raw, "shots", "storyboard")


def read(source: Source) -> Draft:
    """Shots of all sequences one after the other, each in its sequence's scene."""
    main = source.main(INTERFACE_UNITS)
    return Draft(
        head=[main],
        shots=[shots_of_sequences(main.objects("sequences"))],
        scenes=main.objects("scenes"),
        characters=main.objects("characters"),
    )
