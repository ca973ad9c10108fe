"""End to end builder: `components` names the files that hold the parts (B)."""

from collections.abc import Mapping
from typing import Any, Final

from storycore.project.draft import Draft, Piece, ShotDraft, Units
from storycore.project.model import Shape
from storycore.project.shapes.shape import Source, has_object, lists_of_shots, shots_of_sequences

SHAPE: Final = Shape.COMPONENTS


def matches(raw: Mapping[str, Any]) -> bool:
    """Whether parts stand in files of their own."""
    return has_object(raw, "components")


def read(source: Source) -> Draft:
    """Shots of the sequence plan, people of characters, scenes and lines of the dialogue script."""
    main = source.main(Units())
    parts = {name: _part(source, main, name) for name in ("sequence_plan", "characters", "dialogue_script")}
    story = _part(source, main, "story_structure")
    scenes = parts["dialogue_script"].objects("scenes")
    return Draft(
        head=[main, main.child({"story_structure": story.raw})],
        shots=[*lists_of_shots(main), _shots(parts["sequence_plan"])],
        scenes=[*main.objects("scenes"), *scenes],
        characters=[*main.objects("characters"), *parts["characters"].objects("characters")],
        phrases=[line for scene in scenes for line in scene.objects("dialogue_lines") if _is_timed(line)],
    )


def _part(source: Source, main: Piece, name: str) -> Piece:
    path = main.object("components").raw.get(name)
    if not isinstance(path, str) or not path:
        return Piece(raw={}, file=source.file)
    piece = source.side(path, main.units)
    if piece is None and source.folder.find(path) is None:
        message = f"{path} is not there."
        source.notes.warn(source.file, f"/components/{name}", "side_file_missing", message)
    return piece or Piece(raw={}, file=path)


def _shots(plan: Piece) -> list[ShotDraft]:
    return shots_of_sequences(plan.objects("sequences")) or [ShotDraft(pieces=(one,)) for one in plan.objects("shots")]


def _is_timed(line: Piece) -> bool:
    return isinstance(line.raw.get("timestamp"), (int, float)) and not isinstance(line.raw["timestamp"], bool)
