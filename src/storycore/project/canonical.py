"""The canonical form: one project.json that every known tool of the field opens.

Promise: a project that is read, written in this form as project.json into an empty folder and read again is the same
`Project`, except for

- `folder`, `shape`, `schema_version` (always "1.0"), `warnings`, `missing` and `side_files`, which tell of the files
  that it was read from;
- `original`, of which the keys that this form has no key of its own for are carried along (`canonical_original`), and
  `original` of shots, scenes and characters;
- `Media.found`, since the media are not there, and the bytes of sounds that stood in `data:` URIs.

Everything is deterministic: no clock, no path of this machine, no fact that is not in the project. Where a validator
wants a value that the project does not know, the word "unspecified", an empty text, or a length with `duration_guessed`
beside it stands there, and is read as nothing again. A number that JSON can't write exactly has its ratio beside it,
as `<name>_exact`; it counts only while it agrees with the number.

Source: the rules of six validators, joined; `project.schema.json` beside this module.
"""

import json
from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

from storycore.project.assembly import OURS, known_word
from storycore.project.canonical_original import ORIGINAL, Places, apart, beyond, in_place
from storycore.project.canonical_parts import (
    character_entry,
    phrase_entries,
    report_entry,
    scene_entries,
    shot_entry,
    track_entry,
)
from storycore.project.fields import UNSPECIFIED
from storycore.project.lookup import is_data
from storycore.project.model import Media, Project, Shot
from storycore.project.panels import panel_number
from storycore.units import iso, round_half_up

VERSION = "1.0"

_CAPABILITIES = {
    "grid": "grid_generation",
    "promote": "promotion_engine",
    "qa": "qa_engine",
    "auto_fix": "autofix_engine",
}
_STATUS = {"grid": "grid", "promote": "promotion"}
_ANCHORS = (
    "style_anchor_id",
    "palette_id",
    "lighting_direction",
    "lighting_temperature",
    "perspective_type",
    "horizon_line",
)
_MANIFEST = {"panel": "panels", "promoted": "promoted_panels", "refined": "refined_panels"}


@cache
def _schema_text() -> str:
    return Path(__file__).with_name("project.schema.json").read_text(encoding="utf-8")


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the canonical form."""
    found: dict[str, Any] = json.loads(_schema_text())
    return found


def canonical(project: Project) -> dict[str, Any]:
    """The project in canonical form; `json_text.write` makes the same bytes of it every time."""
    shots = [shot_entry(shot) for shot in project.shots]
    more = beyond(project.original)
    carried = in_place(more)
    updated = iso(project.updated) if project.updated else ""
    return {
        **carried[""],
        "schema_version": VERSION,
        "project_id": project.id,
        "id": project.id,
        "project_name": project.name,
        "name": project.name,
        "created_at": iso(project.created) if project.created else "",
        "updated_at": updated,
        "modified_at": updated,
        "capabilities": _capabilities(project),
        "generation_status": _status_words(project),
        "config": {**carried["config"], **_config(project)},
        "coherence_anchors": _anchors(project.original.get("coherence_anchors")),
        "shots_index": {shot.id: _index_entry(shot) for shot in project.shots},
        "asset_manifest": _manifest(project),
        "status": _status(project),
        "shots": shots,
        "storyboard": shots,
        "assets": _assets(project),
        "scenes": scene_entries(project.scenes, project.shots),
        "characters": [character_entry(character) for character in project.characters],
        "audioTracks": [track_entry(track) for track in project.audio],
        "audio_phrases": phrase_entries(project.phrases, project.shots),
        "global_resume": project.logline,
        "metadata": {**carried["metadata"], OURS: _provenance(project, more)},
    }


def _provenance(project: Project, more: Places) -> dict[str, Any]:
    return {
        "source_shape": project.shape.value,
        "source_schema_version": project.schema_version,
        "title": project.title,
        "logline": project.logline,
        "frame_rate": str(project.frame_rate),
        "resolution": f"{project.width}x{project.height}",
        "capabilities": sorted(project.capabilities),
        "generation_status": dict(project.generation_status),
        "qa_reports": [report_entry(report) for report in project.qa_reports],
        "warnings": [
            {"file": warning.file, "pointer": warning.pointer, "reason": warning.reason} for warning in project.warnings
        ],
        ORIGINAL: apart(more),
    }


def _capabilities(project: Project) -> dict[str, bool]:
    """What is written, and each of the four that are asked for under both of its names."""
    found = dict(project.capabilities)
    for short, long in _CAPABILITIES.items():
        value = found.get(short, found.get(long, False))
        found.setdefault(short, value)
        found.setdefault(long, value)
    return found


def _status_words(project: Project) -> dict[str, str]:
    found = {name: known_word(word) for name, word in project.generation_status.items()}
    for short, long in _STATUS.items():
        value = found.get(short, found.get(long, "pending"))
        found.setdefault(short, value)
        found.setdefault(long, value)
    return found


def _config(project: Project) -> dict[str, Any]:
    written = _mapping(project.original.get("config"))
    aspect = Fraction(project.width, project.height)
    config: dict[str, Any] = {
        "hackathon_mode": written.get("hackathon_mode") is True,
        "global_seed": _whole(written.get("global_seed")) or 0,
        "target_aspect_ratio": f"{aspect.numerator}:{aspect.denominator}",
        "target_resolution": f"{project.width}x{project.height}",
        "target_duration_seconds": round_half_up(project.duration),
    }
    budget = _whole(written.get("time_budget_seconds"))
    return config if budget is None else {**config, "time_budget_seconds": budget}


def _anchors(written: Any) -> dict[str, Any]:
    known = _mapping(written)
    sheets = known.get("character_sheet_ids")
    anchors: dict[str, Any] = {name: value if isinstance(value := known.get(name), str) else "" for name in _ANCHORS}
    texts = [sheet for sheet in sheets if isinstance(sheet, str)] if isinstance(sheets, list) else []
    return {**anchors, "character_sheet_ids": texts}


def _index_entry(shot: Shot) -> dict[str, str]:
    version = shot.original.get("version")
    return {
        "active_version": version if isinstance(version, str) else "v1",
        "status": "placeholder" if shot.image is None and shot.clip is None else "generated",
    }


def _manifest(project: Project) -> dict[str, Any]:
    """Panels that the shots show, as the pipeline lists them."""
    manifest: dict[str, Any] = {name: [] for name in _MANIFEST.values()}
    panels: dict[str, str] = {}
    for shot in project.shots:
        image = shot.image
        if image is None or image.source not in _MANIFEST:
            continue
        number = panel_number(image.path)
        number = shot.number if number is None else number
        name = f"panel_{number:02d}"
        panels.setdefault(name, shot.id)
        manifest[_MANIFEST[image.source]].append(
            {"asset_id": f"{name}_{image.source}", "path": image.path, "panel_index": number}
        )
    return {**manifest, "panel_to_shot_map": panels}


def _status(project: Project) -> dict[str, Any]:
    written = project.original.get("status")
    known = _mapping(written)
    phase = known.get("current_phase", written)
    newest = project.qa_reports[0] if project.qa_reports else None
    verdict = newest.passed if newest else known.get("qa_passed")
    status = {"current_phase": phase if isinstance(phase, str) else UNSPECIFIED, "qa_passed": verdict is True}
    return {**status, "last_qa_report_id": newest.id} if newest else status


def _assets(project: Project) -> list[dict[str, Any]]:
    """Every file that is named, once."""
    media = [one for shot in project.shots for one in (shot.clip, shot.image, *(track.media for track in shot.audio))]
    media += [track.media for track in project.audio]
    media += [character.reference_image for character in project.characters]
    found: dict[str, Media] = {one.path: one for one in reversed(media) if one and not is_data(one.path)}
    return [
        {
            "id": path,
            "name": PurePosixPath(path).name,
            "filename": PurePosixPath(path).name,
            "type": found[path].kind.value,
            "path": path,
            "url": path,
        }
        for path in sorted(found)
    ]


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63 else None
