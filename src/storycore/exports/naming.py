"""How the files of a delivery are called. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from storycore.errors import InvalidInput, Reason
from storycore.exports.packing.names import title_name
from storycore.project.model import Project
from storycore.project.paths import fold

_MOST_BYTES = 80
_PLACE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """What one file is called after.

    Attributes:
        pattern: as in `FormatOptions.naming`; `""` for the usual one.
        format: name of the format.
        suffix: of its files.
        shot: place of its shot; None for the whole film.
    """

    pattern: str
    format: str
    suffix: str
    shot: int | None = None


def file_name(project: Project, naming: Naming) -> str:
    """The name of one file; whatever titles hold, every system takes it."""
    words = {"project": project.name, "title": project.title or project.name, "format": naming.format}
    pattern = naming.pattern or ("{project}" if naming.shot is None else "{project}_{number}")
    words = {name: _short(text) for name, text in words.items()}
    words |= {"number": "", "shot": "", "scene": ""} if naming.shot is None else _of_shot(project, naming.shot)
    return title_name(_PLACE.sub(lambda found: words[found[1]], pattern)) + naming.suffix


def refuse_twins(names: Sequence[str]) -> None:
    """Refuses names that some system could not tell apart.

    Raises:
        InvalidInput: out_of_range: says which two.
    """
    known: dict[str, str] = {}
    for name in names:
        other = known.setdefault(fold((name,))[0], name)
        if other is not name:
            raise InvalidInput(
                f"conversion_options.naming: two files would be called {name!r}; "
                "put {number} into it, or {format} if there are several.",
                reason=Reason.OUT_OF_RANGE,
                details={"pointer": "/conversion_options/naming", "name": name},
            )


def _of_shot(project: Project, place: int) -> dict[str, str]:
    shot = project.shots[place]
    titles = {scene.id: scene.title for scene in project.scenes}
    named = next((scene.id for scene in project.scenes if shot.id in scene.shot_ids), "")
    scene = shot.scene_id or named
    digits = max(2, len(str(len(project.shots))))
    told = _short(titles.get(scene) or scene)
    return {"number": f"{shot.number:0{digits}d}", "shot": _short(shot.title), "scene": told}


def _short(text: str) -> str:
    """As much of a title as leaves room for what tells files apart."""
    return text.strip().encode(errors="replace")[:_MOST_BYTES].decode(errors="ignore")
