"""Template: everything stands under `project`, there are no shots yet."""

from collections.abc import Mapping
from typing import Any, Final

from storycore.project.draft import Draft, Units
from storycore.project.model import Shape
from storycore.project.shapes.shape import Source, has_object

SHAPE: Final = Shape.TEMPLATE


def matches(raw: Mapping[str, Any]) -> bool:
    """Whether there is a `project` and nothing that a film is made of."""
    return has_object(raw, "project") and not any(name in raw for name in ("shots", "storyboard", "sequences"))


def read(source: Source) -> Draft:
    """Names, format and people of the story."""
    main = source.main(Units())
    return Draft(head=[main], characters=main.object("project", "narrative").objects("characters"))
