"""Command line pipeline: asset_manifest, shots_index and config; the shots stand in storyboard.json (P)."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Final

from storycore.project.draft import Draft, Units
from storycore.project.model import Shape
from storycore.project.shapes.shape import Source, has_object, lists_of_shots

SHAPE: Final = Shape.PIPELINE
_SECONDS = Fraction(3)


def matches(raw: Mapping[str, Any]) -> bool:
    """Whether the pipeline wrote it: its keys, and no shots inside."""
    return has_object(raw, "asset_manifest", "shots_index", "config") and "shots" not in raw and "storyboard" not in raw


def read(source: Source) -> Draft:
    """The facts of project.json; storyboard.json and video_plan.json are side files of all shapes."""
    main = source.main(Units())
    return Draft(
        head=[main],
        shots=lists_of_shots(main),
        scenes=main.objects("scenes"),
        characters=main.objects("characters"),
        default_seconds=_SECONDS,
    )
