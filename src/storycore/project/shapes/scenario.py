"""French scenario: meta.titre, personnages, lieux, scenes; nothing has a length yet."""

from collections.abc import Mapping
from typing import Any, Final

from storycore.project.draft import Draft, Units
from storycore.project.model import Shape
from storycore.project.shapes.shape import Source, has_object, shots_of_sequences

SHAPE: Final = Shape.SCENARIO


def matches(raw: Mapping[str, Any]) -> bool:
    """Whether it speaks French."""
    titled = any(has_object(raw, name) and "titre" in raw[name] for name in ("meta", "metadata"))
    return titled or isinstance(raw.get("personnages"), list)


def read(source: Source) -> Draft:
    """Scenes and characters; shots only where a sequence holds some."""
    main = source.main(Units())
    return Draft(
        head=[main],
        shots=[shots_of_sequences(main.objects("sequences"))],
        scenes=main.objects("scenes"),
        characters=[*main.objects("personnages"), *main.objects("characters")],
    )
