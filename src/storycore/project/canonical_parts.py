"""The parts of the canonical form: shots, sounds, scenes, characters, reports."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from storycore.project.fields import UNSPECIFIED, read_number
from storycore.project.lookup import is_data
from storycore.project.model import (
    AudioTrack,
    Character,
    DialogueLine,
    Media,
    QAReport,
    Scene,
    Shot,
    TextLayer,
    Transition,
    TransitionKind,
)
from storycore.project.story import GUESSED
from storycore.units import iso


def shot_entry(shot: Shot) -> dict[str, Any]:
    """One shot; times in seconds, volumes to 100, positions in per cent."""
    entry: dict[str, Any] = {
        "id": shot.id,
        "shot_id": shot.id,
        "title": shot.title,
        "description": shot.description,
        "position": shot.number - 1,
        "shot_number": shot.number,
        "camera_movement": shot.camera,
        "dialogue": [_line(line, shot.start) for line in shot.dialogue],
        "audioTracks": [track_entry(track) for track in shot.audio],
        "textLayers": [_layer(layer) for layer in shot.text],
        "metadata": {},
    }
    _put(entry, "duration", shot.duration)
    _put(entry, "clip_in", shot.clip_in or None)
    _put(entry, "clip_out", shot.clip_out)
    texts = {"scene_id": shot.scene_id, "prompt": shot.prompt.text, "negative_prompt": shot.prompt.negative}
    entry.update({name: text for name, text in texts.items() if text})
    if shot.prompt.seed is not None:
        entry["seed"] = shot.prompt.seed
    if shot.prompt.model:
        entry["generation"] = {"model": shot.prompt.model}
    if shot.prompt.modules:
        entry["prompt_modules"] = dict(shot.prompt.modules)
    if shot.transition.original:
        entry["transitionOut"] = _transition(shot.transition)
    return {**entry, **_shot_media(shot)}


def _shot_media(shot: Shot) -> dict[str, Any]:
    entry: dict[str, Any] = {}
    if shot.image is not None:
        entry.update(image=_path(shot.image, shot.original), image_source=shot.image.source)
        if shot.image.panel is not None:
            entry["image_cell"] = list(shot.image.panel)
    if shot.clip is not None:
        entry.update(video=_path(shot.clip, shot.original), video_source=shot.clip.source)
    return entry


def _path(media: Media, original: Mapping[str, Any]) -> str:
    """The path; of a `data:` URI the whole of it where it was kept."""
    if media.source != "data":
        return media.path
    kept = (value.strip() for value in original.values() if is_data(value))
    return next((uri for uri in kept if uri[: len(media.path)].lower() == media.path), f"{media.path},")


def _transition(transition: Transition) -> dict[str, Any]:
    word, _, way = transition.kind.value.partition("_")
    entry: dict[str, Any] = {"type": word, "easing": transition.easing, "original": transition.original}
    if transition.kind in (TransitionKind.FADE_BLACK, TransitionKind.FADE_WHITE):
        entry["color"] = way
    elif way:
        entry["direction"] = way
    _put(entry, "duration", transition.duration)
    return entry


def _line(line: DialogueLine, start: Fraction) -> dict[str, Any]:
    """A line; its times count from the start of the shot, as the interface counts."""
    entry = {"text": line.text}
    entry.update({name: text for name, text in _spoken(line) if text})
    _put(entry, "startTime", None if line.start is None else line.start - start)
    _put(entry, "endTime", None if line.end is None else line.end - start)
    return entry


def _spoken(line: DialogueLine) -> tuple[tuple[str, str], ...]:
    return ("character_name", line.character), ("emotion", line.emotion), ("language", line.language)


def phrase_entries(lines: Sequence[DialogueLine], shots: Sequence[Shot]) -> list[dict[str, Any]]:
    """Recorded phrases, on the time of the film, each with the last shot that has begun by then."""
    starts = [shot.start for shot in shots]
    before = (bisect_right(starts, line.start or 0) for line in lines)
    ids = [shots[place - 1].id if place else "" for place in before]
    return [_phrase(line, number, shot) for number, (line, shot) in enumerate(zip(lines, ids, strict=True), start=1)]


def _phrase(line: DialogueLine, number: int, shot_id: str) -> dict[str, Any]:
    entry = {**_line(line, Fraction(0)), "id": f"phrase_{number:03d}", "shotId": shot_id}
    return {**entry, "metadata": {"character": line.character, "emotion": line.emotion}}


def track_entry(track: AudioTrack) -> dict[str, Any]:
    """One sound, as the interface counts."""
    entry: dict[str, Any] = {
        "id": track.id,
        "name": track.name,
        "type": track.kind.value,
        "muted": track.muted,
        "solo": track.solo,
    }
    if track.language:
        entry["language"] = track.language
    if track.media is not None:
        entry["url"] = _path(track.media, {})
    _put(entry, "startTime", track.start)
    _put(entry, "duration", track.duration)
    _put(entry, "offset", track.offset)
    _put(entry, "volume", _hundredfold(track.volume))
    _put(entry, "pan", _hundredfold(track.pan))
    _put(entry, "fadeIn", track.fade_in)
    _put(entry, "fadeOut", track.fade_out)
    return entry


def _layer(layer: TextLayer) -> dict[str, Any]:
    position: dict[str, Any] = {}
    _put(position, "x", _hundredfold(layer.x))
    _put(position, "y", _hundredfold(layer.y))
    entry = {**layer.style, "content": layer.text, "position": position}
    _put(entry, "startTime", layer.start)
    _put(entry, "duration", layer.duration)
    return entry


def scene_entries(scenes: Sequence[Scene], shots: Sequence[Shot]) -> list[dict[str, Any]]:
    """Scenes, each with every value that a validator wants."""
    lengths = {shot.id: shot.duration for shot in shots}
    return [_scene(scene, number, lengths) for number, scene in enumerate(scenes, start=1)]


def _scene(scene: Scene, number: int, lengths: Mapping[str, Fraction]) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "id": scene.id,
        "scene_id": scene.id,
        "number": number,
        "title": scene.title,
        "name": scene.title,
        "description": scene.description or UNSPECIFIED,
        "location": scene.location or UNSPECIFIED,
        "time_of_day": scene.time_of_day or UNSPECIFIED,
        "shot_ids": list(scene.shot_ids),
        "characters": list(scene.characters),
        "key_actions": list(scene.actions),
    }
    if scene.duration is None:
        entry[GUESSED] = True
        length = sum((lengths.get(shot_id, Fraction(0)) for shot_id in dict.fromkeys(scene.shot_ids)), Fraction(0))
        _put(entry, "duration", length or Fraction(1))
    else:
        _put(entry, "duration", scene.duration)
    return entry


def character_entry(character: Character) -> dict[str, Any]:
    """One character, with every value that a validator wants."""
    image = character.reference_image
    return {
        "id": character.id,
        "character_id": character.id,
        "name": character.name,
        "role": character.role or UNSPECIFIED,
        "description": character.description or UNSPECIFIED,
        "appearance": character.appearance or UNSPECIFIED,
        "personality": character.personality or UNSPECIFIED,
        "reference_image_path": _path(image, character.original) if image else "",
    }


def report_entry(report: QAReport) -> dict[str, Any]:
    """One QA report, in the form that reports are read from."""
    name = {5: "overall_score", 100: "overallScore"}.get(int(report.scale), "overall_quality")
    return {
        "qa_report_id": report.id,
        "file": report.file,
        "timestamp": iso(report.instant) if report.instant else None,
        name: report.original_score,
        "passed": report.passed,
        "categories": {key: {"score": share, "max_score": 1} for key, share in report.categories.items()},
        "issues": [
            {
                "id": issue.id,
                "severity": issue.severity,
                "category": issue.category,
                "title": issue.title,
                "description": issue.description,
            }
            for issue in report.issues
        ],
    }


def _put(entry: dict[str, Any], name: str, value: Fraction | None) -> None:
    """Writes a number, and its ratio beside it if JSON can't write it exactly; nothing for None."""
    if value is None:
        return
    entry[name] = value.numerator if value.denominator == 1 else float(value)
    if read_number(entry[name]) != value:
        entry[f"{name}_exact"] = str(value)


def _hundredfold(share: float) -> Fraction:
    return Fraction(str(share)) * 100
