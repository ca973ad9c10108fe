"""What project.json says beyond the canonical form, carried along in it word for word.

Each key goes where a tool that knows it would look for it: to the top, or into `config` or `metadata`. Those that
would mislead a reader there (it would take the file for another shape, or a fact from the wrong place, or a validator
would refuse it) stand, in the same arrangement, under `metadata.storycore_export.original`.
"""

from collections.abc import Mapping
from typing import Any, Final

from storycore.project import aliases
from storycore.project.assembly import OURS

ORIGINAL = "original"
"""Under `metadata.storycore_export`, what can't stand in its own place."""

DEEPEST = 56
"""Levels of lists and objects in a value that is moved below; deeper ones might not be read again and are left out."""

_PARTS = ("config", "metadata")
_LISTS = frozenset({"worlds", "stories", "storyVersions", "objects", "generation_history"})
_OWN = {
    "": frozenset(
        {
            "schema_version", "project_id", "id", "project_name", "name", "created_at", "updated_at", "modified_at",
            "capabilities", "generation_status", "config", "coherence_anchors", "shots_index", "asset_manifest",
            "status", "shots", "storyboard", "assets", "scenes", "characters", "audioTracks", "audio_phrases",
            "global_resume", "metadata",
        }
    ),
    "config": frozenset(
        {
            "hackathon_mode", "global_seed", "target_aspect_ratio", "target_resolution", "target_duration_seconds",
            "time_budget_seconds",
        }
    ),
    "metadata": frozenset({OURS}),
}  # fmt: skip
_FILM: Final = (
    *aliases.VERSION, *aliases.NAME, *aliases.ID, *aliases.TITLE, *aliases.LOGLINE, *aliases.CREATED, *aliases.UPDATED,
    *aliases.FRAME_RATE, *aliases.RESOLUTION, *aliases.RESOLUTION_WIDTH, *aliases.RESOLUTION_HEIGHT, *aliases.ASPECT,
    *aliases.STATUS, *aliases.PHRASES, *aliases.FILM_AUDIO,
)  # fmt: skip
_MARKS = frozenset(
    {
        "components", "meta", "owner_id", "path", "personnages", "project", "project_metadata", "sequences",
        "settings", "shot_timings", "storycore_version", "story_structure", "timeline", "tracks",
    }
)  # fmt: skip
_MISLEADING = {
    "": _MARKS | {name.split(".")[0] for name in _FILM},
    **{
        part: frozenset(name.split(".")[1] for name in _FILM if name.startswith(f"{part}.")) | {"titre"}
        for part in _PARTS
    },
}

Places = dict[str, dict[str, Any]]


def beyond(original: Mapping[str, Any]) -> Places:
    """What project.json says that the canonical form has no key of its own for: at the top (""), in its parts.

    Of a canonical form that is what it carries, wherever it stands.
    """
    carried = _mapping(_mapping(_mapping(original.get("metadata")).get(OURS)).get(ORIGINAL))
    found = {"": _foreign("", {**carried, **original})}
    for part in _PARTS:
        found[part] = _foreign(part, {**_mapping(carried.get(part)), **_mapping(original.get(part))})
    return found


def in_place(found: Places) -> Places:
    """Those that stand where they stood."""
    return {
        part: {key: value for key, value in held.items() if _fits(part, key, value)} for part, held in found.items()
    }


def apart(found: Places) -> dict[str, Any]:
    """Those that stand under `original`, arranged as they were."""
    moved = {
        part: {key: value for key, value in held.items() if not _fits(part, key, value) and not _is_deep(value)}
        for part, held in found.items()
    }
    return {**moved.pop(""), **{part: held for part, held in moved.items() if held}}


def _foreign(part: str, held: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in held.items() if key not in _OWN[part]}


def _fits(part: str, key: str, value: Any) -> bool:
    return key not in _MISLEADING[part] and (part != "" or key not in _LISTS or isinstance(value, list))


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(DEEPEST):
        level = [
            inner
            for outer in level
            if isinstance(outer, (dict, list))
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
    return any(isinstance(value, (dict, list)) for value in level)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
