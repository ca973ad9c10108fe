"""The interface: shots or storyboard in project.json (U1, U2), our own canonical form, and `{"name": …}` alone."""

from collections.abc import Mapping
from typing import Any, Final

from storycore.project import aliases
from storycore.project.draft import INTERFACE_UNITS, Draft, Notes
from storycore.project.fields import Fields
from storycore.project.model import Shape
from storycore.project.shapes.shape import Source, lists_of_shots

SHAPE: Final = Shape.INTERFACE


def matches(raw: Mapping[str, Any]) -> bool:  # noqa: ARG001 - the last resort
    """Always: what no other shape knows is read as the interface would."""
    return True


def read(source: Source) -> Draft:
    """Shots, storyboard and sequences; seconds, volume 0-100, pan ±100, positions in per cent."""
    main = source.main(INTERFACE_UNITS)
    whole = Fields([main], Notes())
    return Draft(
        head=[main],
        shots=lists_of_shots(main),
        scenes=main.objects("scenes"),
        characters=main.objects("characters"),
        audio=[(piece,) for piece in whole.objects(aliases.FILM_AUDIO)],
        phrases=whole.objects(aliases.PHRASES),
    )
