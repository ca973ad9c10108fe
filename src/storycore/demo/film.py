"""A small film project, "The Lamp on the Hill": drawn, sounded and written here, the same on every machine."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from storycore.demo.picture import SCENES, draw
from storycore.demo.sound import ambience, music, voice
from storycore.metadata import xmp
from storycore.metadata.evidence import SCHEME
from storycore.units import iso, now

WIDTH, HEIGHT, FRAME_RATE = 1280, 720, 24
MADE_BY_PROGRAM = f"{SCHEME}algorithmicMedia"
GENERATOR = {"model": "storycore-demo-painter", "steps": 24, "cfg_scale": 6.5}

SHOTS: tuple[dict[str, Any], ...] = (
    {
        "id": "shot_01", "scene": "scene_1", "title": "Dusk over the bay", "seconds": 4.0, "camera": "pan",
        "description": "The sun sets behind the hills. A lighthouse waits, dark.",
        "transition": {"type": "dissolve", "duration": 1.0},
    },
    {
        "id": "shot_02", "scene": "scene_1", "title": "The keeper climbs", "seconds": 3.0, "camera": "tilt",
        "description": "Ada, a small robot with one warm eye, looks up at the tower.",
        "dialogue": ("Ada", "Two hundred and twelve steps. Again."),
        "transition": {"type": "cut"},
    },
    {
        "id": "shot_03", "scene": "scene_1", "title": "Storm on the water", "seconds": 3.5, "camera": "handheld",
        "description": "Far out, a boat loses the shore.",
        "dialogue": ("Radio", "Harbour, do you hear me? I can't see the light."),
        "transition": {"type": "fade_black", "duration": 0.5},
    },
    {
        "id": "shot_04", "scene": "scene_2", "title": "The dead lamp", "seconds": 3.0, "camera": "static",
        "description": "Inside the lantern room the lamp stays cold.",
        "dialogue": ("Ada", "Then we use mine."),
        "transition": {"type": "dissolve", "duration": 0.75},
    },
    {
        "id": "shot_05", "scene": "scene_2", "title": "The light turns", "seconds": 4.0, "camera": "zoom",
        "description": "Ada's own light fills the lens and sweeps across the sea.",
        "transition": {"type": "wipe", "duration": 0.5, "direction": "right"},
    },
    {
        "id": "shot_06", "scene": "scene_2", "title": "Morning", "seconds": 3.5, "camera": "dolly",
        "description": "A calm bay, a boat at the pier, a robot asleep in the sun.",
        "dialogue": ("Captain", "Somebody kept it burning."),
        "transition": {"type": "fade", "duration": 1.0},
    },
)  # fmt: skip


def make_film(folder: Path, made: datetime | None = None) -> None:
    """Makes the project in `folder`, which must be empty.

    Guarantee: the same bytes for the same instant, so that packages of it can be compared.

    Args:
        folder: of the project.
        made: when it is made, as the project tells it; now if None.
    """
    instant = iso((made or now()).replace(microsecond=0))
    for place in ("assets/images/promoted", "assets/audio", "qa_output", "workflows"):
        (folder / place).mkdir(parents=True)
    for shot, scene in zip(SHOTS, SCENES, strict=True):
        draw(scene, WIDTH, HEIGHT).save(folder / _picture(shot), compress_level=6)
    music(folder / "assets/audio/music.wav", seconds=sum(shot["seconds"] for shot in SHOTS))
    ambience(folder / "assets/audio/sea.wav", seconds=4.0)
    for shot in SHOTS:
        if "dialogue" in shot:
            voice(folder / _speech(shot), shot["dialogue"][1], pitch_hz=_pitch(shot["dialogue"][0]))
    for sound in sorted((folder / "assets/audio").iterdir()):
        _tell_origin(sound)
    _write(folder / "project.json", _project(instant))
    _write(folder / "qa_output/qa_report.json", _qa_report(instant))
    _write(folder / "workflows/keyframe.json", _workflow())
    (folder / "story.md").write_text(_story(), encoding="utf-8", newline="\n")


def _tell_origin(sound: Path) -> None:
    """Writes into a sound that a program made it, without any AI; nobody else could know."""
    plain = sound.with_name(f"{sound.name}.plain")
    sound.rename(plain)
    with plain.open("rb") as source, sound.open("wb") as target:
        xmp.copy(source, target, xmp.places(source, "audio/wav", xmp.packet(MADE_BY_PROGRAM, {})))
    plain.unlink()


def _picture(shot: dict[str, Any]) -> str:
    return f"assets/images/promoted/panel_{shot['id'][-2:]}_promoted.png"


def _speech(shot: dict[str, Any]) -> str:
    return f"assets/audio/{shot['id']}_dialogue.wav"


def _pitch(character: str) -> float:
    return {"Ada": 262.0, "Radio": 175.0, "Captain": 131.0}[character]


def _project(made: str) -> dict[str, Any]:
    characters = (("ada", "Ada", "keeper", "A small robot with one warm eye"), ("captain", "Captain", "rescued", "Old"))
    return {
        "schema_version": "1.0",
        "project_name": "The Lamp on the Hill",
        "id": "storycore_lamp",
        "created_at": made,
        "updated_at": made,
        "global_resume": "A lighthouse robot gives her own light to bring a boat home.",
        "capabilities": {"grid_generation": True, "promotion_engine": True, "qa_engine": True, "autofix_engine": False},
        "generation_status": {"grid": "done", "promotion": "done"},
        "metadata": {"frame_rate": FRAME_RATE, "resolution": f"{WIDTH}x{HEIGHT}", "aspect_ratio": "16:9"},
        "characters": [
            {"id": key, "name": name, "role": role, "description": text, "appearance": text, "personality": "Patient"}
            for key, name, role, text in characters
        ],
        "scenes": [_scene("scene_1", "The dark lighthouse", "dusk"), _scene("scene_2", "The light", "night")],
        "shots": [_shot(number, shot) for number, shot in enumerate(SHOTS)],
        "audio_phrases": _phrases(),
        "assets": [
            {"id": shot["id"], "name": shot["title"], "type": "image", "path": _picture(shot)} for shot in SHOTS
        ],
    }


def _scene(key: str, title: str, time_of_day: str) -> dict[str, Any]:
    shots = [shot for shot in SHOTS if shot["scene"] == key]
    return {
        "id": key,
        "name": title,
        "title": title,
        "description": shots[0]["description"],
        "location": "Lighthouse",
        "time_of_day": time_of_day,
        "duration": sum(shot["seconds"] for shot in shots),
        "shot_ids": [shot["id"] for shot in shots],
        "characters": ["ada"],
        "key_actions": [shot["title"] for shot in shots],
    }


def _shot(position: int, shot: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "id": shot["id"],
        "scene_id": shot["scene"],
        "title": shot["title"],
        "description": shot["description"],
        "duration": shot["seconds"],
        "position": position,
        "image": _picture(shot),
        "camera_movement": shot["camera"],
        "transitionOut": shot["transition"],
        "prompt": f"{shot['description']} Painted, warm lamplight, film grain.",
        "generation": {**GENERATOR, "seed": 4200 + position, "negative_prompt": "text, watermark"},
        "audioTracks": [_track("sea", "ambient", "assets/audio/sea.wav", shot, 35)],
    }
    if position == 0:
        made["audioTracks"].append(_track("music", "music", "assets/audio/music.wav", shot, 60))
    if "dialogue" in shot:
        made["dialogue"] = [{"character_id": shot["dialogue"][0], "text": shot["dialogue"][1]}]
        made["audioTracks"].append(_track("speech", "dialogue", _speech(shot), shot, 90))
    return made


def _track(name: str, kind: str, path: str, shot: dict[str, Any], volume: int) -> dict[str, Any]:
    return {
        "id": f"{shot['id']}_{name}",
        "name": name,
        "type": kind,
        "url": path,
        "startTime": 0.5 if kind == "dialogue" else 0,
        "duration": sum(each["seconds"] for each in SHOTS) if kind == "music" else shot["seconds"],
        "volume": volume,
        "pan": 0,
        "fadeIn": 0.2,
        "fadeOut": 0.3,
    }


def _phrases() -> list[dict[str, Any]]:
    found, start = [], 0.0
    for shot in SHOTS:
        if "dialogue" in shot:
            end = start + min(2.5, shot["seconds"])
            text = shot["dialogue"][1]
            found.append(
                {
                    "id": f"phrase_{shot['id'][-2:]}",
                    "shotId": shot["id"],
                    "text": text,
                    "startTime": start + 0.5,
                    "endTime": end,
                }
            )
        kind = shot["transition"]["type"]
        start += shot["seconds"] - (shot["transition"].get("duration", 0.0) if kind in ("dissolve", "wipe") else 0.0)
    return found


def _qa_report(made: str) -> dict[str, Any]:
    categories = {"visual_coherence": 4.8, "audio_sync": 5.0, "lighting_consistency": 4.5}
    return {
        "qa_report_id": "qa_lamp_1",
        "project_id": "storycore_lamp",
        "timestamp": made,
        "overall_score": 4.7,
        "passed": True,
        "categories": {name: {"score": score, "max_score": 5.0} for name, score in categories.items()},
        "issues": [
            {
                "issue_id": "li_001",
                "category": "lighting_consistency",
                "severity": "low",
                "title": "The lamp is brighter in shot 5",
                "description": "Exposure rises by half a stop between shot 4 and shot 5.",
            }
        ],
        "thresholds": {"pass_score": 4.0, "min_category_score": 3.0},
    }


def _workflow() -> dict[str, Any]:
    return {
        "3": {
            "class_type": "KSampler",
            "inputs": {"seed": 4200, "steps": GENERATOR["steps"], "cfg": GENERATOR["cfg_scale"], "model": ["4", 0]},
        },
        "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": f"{GENERATOR['model']}.safetensors"}},
    }


def _story() -> str:
    lines = [f"## {shot['title']}\n\n{shot['description']}\n" for shot in SHOTS]
    return "# The Lamp on the Hill\n\n" + "\n".join(lines)


def _write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", encoding="utf-8", newline="\n")
