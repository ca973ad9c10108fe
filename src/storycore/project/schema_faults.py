"""Parts of a project that are of another kind than any shape knows: reading would pass over them in silence."""

from collections.abc import Mapping
from itertools import islice
from typing import Any, Final

from storycore.project.draft import MOST_ITEMS, Notes, pointer

_LISTS: Final = ("shots", "storyboard", "sequences", "scenes", "characters", "assets")
_OBJECTS: Final = ("metadata", "config", "capabilities", "generation_status", "asset_manifest", "shots_index")
_OBJECTS_TOO: Final = frozenset({"storyboard", "assets"})
"""What is a list in one shape and an object in another."""
_IDS_TOO: Final = frozenset({"sequences", "assets"})
"""Lists that hold ids or paths in some shapes."""


def tell(file: str, raw: Mapping[str, Any], notes: Notes, *, shots_by_id: bool) -> None:
    """Warns of each known key of a project file that is no list or no object, and of entries that are none.

    Args:
        file: name of the project file.
        raw: what it says.
        notes: are told.
        shots_by_id: whether the shape lists ids of shots, too.
    """
    for name in _LISTS:
        tell_list(file, raw, name, notes, ids=name in _IDS_TOO or (shots_by_id and name == "shots"))
    for name in _OBJECTS:
        if not isinstance(raw.get(name), (dict, type(None))):
            notes.warn(file, pointer(name), "wrong_type", f"{name}: an object is expected here.")


def tell_list(file: str, raw: Mapping[str, Any], name: str, notes: Notes, *, ids: bool = False) -> None:
    """Warns if there is something under `name` that is no list of objects; with `ids`, texts are fine as well."""
    value = raw.get(name)
    if value is None or (name in _OBJECTS_TOO and isinstance(value, dict)):
        return
    if not isinstance(value, list):
        notes.warn(file, pointer(name), "wrong_type", f"{name}: a list is expected here.")
        return
    for place, item in enumerate(islice(value, MOST_ITEMS)):
        if not isinstance(item, dict) and not (ids and isinstance(item, str)):
            notes.warn(
                file, pointer(name, place), "wrong_type", f"{name}: an object is expected here; this was left out."
            )
