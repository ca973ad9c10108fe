"""Section `creative`: the story and how each shot was asked for."""

from collections.abc import Iterable, Mapping
from fractions import Fraction

from storycore.metadata.stated import Stated
from storycore.metadata.technical import Section
from storycore.project.model import AudioTrack, Character, DialogueLine, Media, Project, Prompt, Scene, Shot, TextLayer
from storycore.units import iso, round_half_up, timecode


def creative_section(project: Project, words: Stated, generated: frozenset[str]) -> Section:
    """Title, story, scenes, characters, shots with timecodes and prompts, models and seeds."""
    prompts = [shot.prompt for shot in project.shots]
    return {
        "title": project.title,
        "logline": project.logline,
        "description": words.description or project.logline,
        "style": words.style,
        "duration_seconds": float(project.duration),
        **present(
            {
                "created_at": project.created and iso(project.created),
                "updated_at": project.updated and iso(project.updated),
                "creators": list(words.creators),
                "genres": list(words.genres),
                "language": words.language,
                "rights": words.rights,
                "prompt_writer": words.prompt_writer,
            }
        ),
        "models": list(dict.fromkeys(prompt.model for prompt in prompts if prompt.model)),
        "seeds": list(dict.fromkeys(prompt.seed for prompt in prompts if prompt.seed is not None)),
        "scenes": [_scene(scene) for scene in project.scenes],
        "characters": [_character(character) for character in project.characters],
        "shots": [_shot(shot, project.frame_rate, shot.id in generated) for shot in project.shots],
        "audio": [_track(track) for track in project.audio],
    }


def present(values: Mapping[str, object]) -> Section:
    """Without what is not said: None, empty text and empty lists."""
    return {name: value for name, value in values.items() if value is not None and value not in ("", [], {})}


def _scene(scene: Scene) -> Section:
    return present(
        {
            "id": scene.id,
            "title": scene.title,
            "description": scene.description,
            "location": scene.location,
            "time_of_day": scene.time_of_day,
            "duration_seconds": None if scene.duration is None else float(scene.duration),
            "shots": list(scene.shot_ids),
            "characters": list(scene.characters),
            "actions": list(scene.actions),
        }
    )


def _character(character: Character) -> Section:
    return present(
        {
            "id": character.id,
            "name": character.name,
            "role": character.role,
            "description": character.description,
            "appearance": character.appearance,
            "personality": character.personality,
            "reference_image": _media(character.reference_image),
        }
    )


def _shot(shot: Shot, rate: Fraction, generated: bool) -> Section:
    return {
        "id": shot.id,
        "number": shot.number,
        "title": shot.title,
        "start": timecode(shot.start, rate),
        "end": timecode(shot.start + shot.duration, rate),
        "start_seconds": float(shot.start),
        "duration_seconds": float(shot.duration),
        "duration_frames": round_half_up((shot.start + shot.duration) * rate) - round_half_up(shot.start * rate),
        "camera": shot.camera,
        "transition": _transition(shot),
        "generated": generated,
        **present(
            {
                "description": shot.description,
                "scene_id": shot.scene_id,
                "image": _media(shot.image),
                "clip": _media(shot.clip),
                "prompt": _prompt(shot.prompt),
                "dialogue": [_line(line) for line in shot.dialogue],
                "text": [_layer(layer) for layer in shot.text],
                "audio": [_track(track) for track in shot.audio],
            }
        ),
    }


def _transition(shot: Shot) -> Section:
    transition = shot.transition
    return {
        "kind": transition.kind.value,
        "duration_seconds": float(transition.duration),
        **present({"original": transition.original if transition.original != transition.kind.value else ""}),
    }


def _prompt(prompt: Prompt) -> Section:
    return present(
        {
            "text": prompt.text,
            "negative": prompt.negative,
            "seed": prompt.seed,
            "model": prompt.model,
            "modules": dict(prompt.modules),
        }
    )


def _media(media: Media | None) -> Section | None:
    if media is None:
        return None
    return {"path": media.path, "kind": media.kind.value, "source": media.source, "found": media.found}


def _line(line: DialogueLine) -> Section:
    return present(
        {
            "text": line.text,
            "character": line.character,
            "emotion": line.emotion,
            "start_seconds": _seconds(line.start),
            "end_seconds": _seconds(line.end),
        }
    )


def _layer(layer: TextLayer) -> Section:
    return present(
        {
            "text": layer.text,
            "start_seconds": float(layer.start),
            "duration_seconds": _seconds(layer.duration),
        }
    )


def _track(track: AudioTrack) -> Section:
    return present(
        {
            "id": track.id,
            "name": track.name,
            "kind": track.kind.value,
            "media": _media(track.media),
            "start_seconds": float(track.start),
            "duration_seconds": _seconds(track.duration),
            "volume": track.volume,
            "pan": track.pan,
            "muted": track.muted or None,
        }
    )


def _seconds(time: Fraction | None) -> float | None:
    return None if time is None else float(time)


def spoken(lines: Iterable[DialogueLine]) -> list[str]:
    """Dialogue as a transcript writes it: `NAME: words`."""
    return [f"{line.character}: {line.text}" if line.character else line.text for line in lines]
