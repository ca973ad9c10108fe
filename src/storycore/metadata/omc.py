"""The film as MovieLabs OMC-JSON: work, scenes, characters, shots and the pictures that show them.

Source: MovieLabs Ontology for Media Creation, OMC-JSON schema v2.8 (2.8.1 of 4 February 2026): core/baseEntity,
CreativeWork, NarrativeScene, Character, Asset, AssetSC, Composition.
"""

from collections.abc import Iterator
from pathlib import PurePosixPath

from storycore.metadata.creative import present
from storycore.metadata.measure import MeasuredFile
from storycore.metadata.standards import iso_duration
from storycore.metadata.technical import Section
from storycore.project.headers import MediaFacts
from storycore.project.model import Character, Media, MediaKind, Project, Scene, Shot

SCHEMA = "https://movielabs.com/omc/json/schema/v2.8"
_SCOPE = "storycore"
_STRUCTURES = {
    MediaKind.IMAGE: "digital.image",
    MediaKind.VIDEO: "digital.movingImage",
    MediaKind.AUDIO: "digital.audio",
}
_SHORT_SECONDS = 40 * 60


def omc(project: Project, files: tuple[MeasuredFile, ...], *, creative: bool) -> list[Section]:
    """The entities, each with an identifier of its own in the scope `storycore`."""
    if not creative:
        return [_work(project)]
    known = {entry.file.path: entry for entry in files}
    shots = [_shot(project, shot, known) for shot in project.shots]
    return [
        _work(project),
        *(_character(project, character) for character in project.characters),
        *(_scene(project, scene, number) for number, scene in enumerate(project.scenes, start=1)),
        *shots,
        *([_cut(project)] if project.shots else []),
    ]


def _entity(project: Project, kind: str, place: str) -> Section:
    return {"schemaVersion": SCHEMA, "entityType": kind, "identifier": _identifier(project, place)}


def _identifier(project: Project, place: str) -> list[Section]:
    return [{"identifierScope": _SCOPE, "identifierValue": f"{project.id}/{place}"}]


def _work(project: Project) -> Section:
    return {
        **_entity(project, "CreativeWork", "work"),
        "name": project.name,
        "creativeWorkType": "creativeWork",
        "creativeWorkCategory": "short" if project.duration <= _SHORT_SECONDS else "movie",
        "creativeWorkTitle": [{"titleName": project.title or project.name, "titleType": "working"}],
        "approximateLength": iso_duration(project.duration),
        **present({"description": project.logline}),
    }


def _character(project: Project, character: Character) -> Section:
    notes = (("appearance", character.appearance), ("personality", character.personality), ("role", character.role))
    background = [{"title": title, "text": text} for title, text in notes if text]
    return {
        **_entity(project, "Character", f"character/{character.id}"),
        "characterName": {"fullName": character.name},
        **present({"description": character.description, "profile": background and {"background": background}}),
    }


def _scene(project: Project, scene: Scene, number: int) -> Section:
    slug = [
        {"title": title, "text": text}
        for title, text in (("location", scene.location), ("time", scene.time_of_day))
        if text
    ]
    return {
        **_entity(project, "NarrativeScene", f"scene/{scene.id}"),
        "narrativeType": "narrativeScene",
        "sceneName": {"fullName": scene.title},
        "sceneNumber": str(number),
        **present({"description": scene.description, "slugline": slug}),
    }


def _shot(project: Project, shot: Shot, known: dict[str, MeasuredFile]) -> Section:
    pictures = [media for media in (shot.clip, shot.image) if media is not None and media.found]
    structure = next((_structure(project, media, known) for media in pictures), None)
    notes = [{"title": title, "text": text} for title, text in _notes(shot)]
    return {
        **_entity(project, "Asset", f"shot/{shot.id}"),
        "name": shot.title,
        "assetFC": {"functionalType": "shot"},
        **present({"description": shot.description, "AssetSC": structure, "annotation": notes}),
    }


def _notes(shot: Shot) -> Iterator[tuple[str, str]]:
    prompt = shot.prompt
    seed = "" if prompt.seed is None else str(prompt.seed)
    told = (("prompt", prompt.text), ("negative prompt", prompt.negative), ("model", prompt.model), ("seed", seed))
    yield from ((title, text) for title, text in told if text)


def _structure(project: Project, media: Media, known: dict[str, MeasuredFile]) -> Section:
    path = PurePosixPath(media.path)
    entry = known.get(media.path)
    facts = entry.facts if entry else None
    folder = str(path.parent)
    details = {
        "fileName": path.name,
        "filePath": "" if folder == "." else folder,
        "fileExtension": path.suffix.lstrip("."),
        "mediaType": facts.media_type if facts else "",
    }
    sized = facts and facts.width and facts.height
    return {
        **_entity(project, "AssetSC", f"file/{media.path}"),
        "structuralType": _STRUCTURES[media.kind],
        "structuralProperties": {
            "fileDetails": present(details),
            **present(
                {
                    "dimensions": _dimensions(facts) if facts and sized else None,
                    "codec": facts and (facts.video_codec or facts.audio_codec),
                }
            ),
        },
    }


def _dimensions(facts: MediaFacts) -> Section:
    return {"width": f"{facts.width}px", "height": f"{facts.height}px"}


def _cut(project: Project) -> Section:
    """The film as the ordered sequence of its shots."""
    return {
        **_entity(project, "Composition", "cut"),
        "name": project.title or project.name,
        "compositionType": "sequence.editorial",
        "includes": {"Asset": [{"identifier": _identifier(project, f"shot/{shot.id}")} for shot in project.shots]},
    }
