"""The film as MovieLabs OMC-JSON: work, scenes, characters, shots and the pictures that show them.

Source: MovieLabs Ontology for Media Creation, OMC-JSON schema v2.8 (2.8.1 of 4 February 2026): core/baseEntity,
CreativeWork, NarrativeScene, Character, Asset, AssetSC, Composition.
"""

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any

from storycore.metadata.creative import present
from storycore.metadata.document import object_at, objects_at, text_at
from storycore.metadata.technical import Section
from storycore.project.model import MediaKind

SCHEMA = "https://movielabs.com/omc/json/schema/v2.8"
_SCOPE = "storycore"
_STRUCTURES: dict[str, str] = {
    MediaKind.IMAGE: "digital.image",
    MediaKind.VIDEO: "digital.movingImage",
    MediaKind.AUDIO: "digital.audio",
}
_SHORT_SECONDS = 40 * 60


def omc(document: Mapping[str, Any], seconds: float) -> list[Section]:
    """The entities, each with an identifier of its own in the scope `storycore`.

    They say again what the document says, so that a document that was packed gives the same as the project that it
    describes: without its creative section the work alone, without its technical one no dimensions and codecs.

    Args:
        document: in the one model, with its standards; may be a stranger's.
        seconds: length of the film.
    """
    if "creative" not in document:
        return [_work(document, seconds)]
    story = object_at(document, "creative")
    inventory = objects_at(object_at(document, "technical"), "inventory")
    known = {text_at(entry, "path"): entry for entry in inventory if "kind" in entry}
    shots = objects_at(story, "shots")
    return [
        _work(document, seconds),
        *(_character(document, character) for character in objects_at(story, "characters")),
        *(_scene(document, scene, number) for number, scene in enumerate(objects_at(story, "scenes"), start=1)),
        *(_shot(document, shot, known) for shot in shots),
        *([_cut(document, shots)] if shots else []),
    ]


def _entity(document: Mapping[str, Any], kind: str, place: str) -> Section:
    return {"schemaVersion": SCHEMA, "entityType": kind, "identifier": _identifier(document, place)}


def _identifier(document: Mapping[str, Any], place: str) -> list[Section]:
    return [{"identifierScope": _SCOPE, "identifierValue": f"{text_at(document, 'project_id')}/{place}"}]


def _movie(document: Mapping[str, Any]) -> Mapping[str, Any]:
    return object_at(object_at(document, "standards"), "schema_org")


def _work(document: Mapping[str, Any], seconds: float) -> Section:
    movie = _movie(document)
    return {
        **_entity(document, "CreativeWork", "work"),
        "name": text_at(document, "project_name"),
        "creativeWorkType": "creativeWork",
        "creativeWorkCategory": "short" if seconds <= _SHORT_SECONDS else "movie",
        "creativeWorkTitle": [{"titleName": text_at(movie, "name"), "titleType": "working"}],
        "approximateLength": text_at(movie, "duration"),
        **present({"description": text_at(object_at(document, "creative"), "logline")}),
    }


def _character(document: Mapping[str, Any], character: Mapping[str, Any]) -> Section:
    background = _notes(character, {"appearance": "appearance", "personality": "personality", "role": "role"})
    return {
        **_entity(document, "Character", f"character/{text_at(character, 'id')}"),
        "characterName": {"fullName": text_at(character, "name")},
        **present(
            {
                "description": text_at(character, "description"),
                "profile": background and {"background": background},
            }
        ),
    }


def _scene(document: Mapping[str, Any], scene: Mapping[str, Any], number: int) -> Section:
    slug = _notes(scene, {"location": "location", "time": "time_of_day"})
    return {
        **_entity(document, "NarrativeScene", f"scene/{text_at(scene, 'id')}"),
        "narrativeType": "narrativeScene",
        "sceneName": {"fullName": text_at(scene, "title")},
        "sceneNumber": str(number),
        **present({"description": text_at(scene, "description"), "slugline": slug}),
    }


def _shot(document: Mapping[str, Any], shot: Mapping[str, Any], known: Mapping[str, Mapping[str, Any]]) -> Section:
    pictures = [media for media in (object_at(shot, "clip"), object_at(shot, "image")) if media.get("found") is True]
    structure = next((_structure(document, media, known) for media in pictures), None)
    prompt = dict(object_at(shot, "prompt"))
    prompt["seed"] = "" if prompt.get("seed") is None else str(prompt["seed"])
    notes = _notes(prompt, {"prompt": "text", "negative prompt": "negative", "model": "model", "seed": "seed"})
    return {
        **_entity(document, "Asset", f"shot/{text_at(shot, 'id')}"),
        "name": text_at(shot, "title"),
        "assetFC": {"functionalType": "shot"},
        **present({"description": text_at(shot, "description"), "AssetSC": structure, "annotation": notes}),
    }


def _notes(place: Mapping[str, Any], names: Mapping[str, str]) -> list[Section]:
    """Title and text of what is said."""
    told = ((title, text_at(place, name)) for title, name in names.items())
    return [{"title": title, "text": text} for title, text in told if text]


def _structure(
    document: Mapping[str, Any], media: Mapping[str, Any], known: Mapping[str, Mapping[str, Any]]
) -> Section:
    where = text_at(media, "path")
    path, facts = PurePosixPath(where), known.get(where, {})
    folder = str(path.parent)
    details = {
        "fileName": path.name,
        "filePath": "" if folder == "." else folder,
        "fileExtension": path.suffix.lstrip("."),
        "mediaType": text_at(facts, "media_type"),
    }
    sized = facts.get("width") and facts.get("height")
    return {
        **_entity(document, "AssetSC", f"file/{where}"),
        "structuralType": _STRUCTURES.get(text_at(media, "kind"), "digital"),
        "structuralProperties": {
            "fileDetails": present(details),
            **present(
                {
                    "dimensions": {"width": f"{facts['width']}px", "height": f"{facts['height']}px"} if sized else None,
                    "codec": text_at(facts, "video_codec") or text_at(facts, "audio_codec"),
                }
            ),
        },
    }


def _cut(document: Mapping[str, Any], shots: Iterable[Mapping[str, Any]]) -> Section:
    """The film as the ordered sequence of its shots."""
    places = [f"shot/{text_at(shot, 'id')}" for shot in shots]
    return {
        **_entity(document, "Composition", "cut"),
        "name": text_at(_movie(document), "name"),
        "compositionType": "sequence.editorial",
        "includes": {"Asset": [{"identifier": _identifier(document, place)} for place in places]},
    }
