"""Desktop application: shots in project.json and, by sequence, in sequences/sequence_NNN.json (E)."""

from collections.abc import Mapping
from typing import Any, Final

from storycore.project.draft import INTERFACE_UNITS, Draft
from storycore.project.model import Shape
from storycore.project.shapes.shape import Source, has_object, lists_of_shots

SHAPE: Final = Shape.DESKTOP


def matches(raw: Mapping[str, Any]) -> bool:
    """Whether the desktop application wrote it."""
    return "storycore_version" in raw or ("modified_at" in raw and has_object(raw, "settings"))


def read(source: Source) -> Draft:
    """As the interface counts; the sequence files are side files of all shapes."""
    main = source.main(INTERFACE_UNITS)
    return Draft(
        head=[main],
        shots=lists_of_shots(main),
        scenes=main.objects("scenes"),
        characters=main.objects("characters"),
        phrases=main.objects("audio_phrases"),
    )
