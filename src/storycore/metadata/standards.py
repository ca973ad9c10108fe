"""The film in the words of other people's standards: schema.org, IPTC Video Metadata Hub, Dublin Core.

Only facts that the project states or that were measured; nothing is filled in to please a form.

Source: schema.org (Movie, Clip, MediaObject, digitalSourceType); IPTC Video Metadata Hub 1.7 and its JSON Schema of
16 October 2025; DCMI Metadata Terms; PLUS Data Mining vocabulary.
"""

from collections.abc import Iterable
from fractions import Fraction

from storycore.metadata.creative import present, spoken
from storycore.metadata.disclosure import Disclosure
from storycore.metadata.evidence import COMPOSITE, GENERATED, SCHEME
from storycore.metadata.measure import MeasuredFile
from storycore.metadata.stated import Stated
from storycore.metadata.technical import Section
from storycore.project.model import Character, MediaKind, Project, Shot
from storycore.units import iso, timecode

_SCHEMA_ORG_SOURCES = {
    GENERATED: "https://schema.org/TrainedAlgorithmicMediaDigitalSource",
    COMPOSITE: "https://schema.org/CompositeWithTrainedAlgorithmicMediaDigitalSource",
}
_OBJECTS = {MediaKind.IMAGE: "ImageObject", MediaKind.VIDEO: "VideoObject", MediaKind.AUDIO: "AudioObject"}


STORY = {
    "schema_org": frozenset(
        {"abstract", "description", "creator", "genre", "inLanguage", "copyrightNotice", "character", "hasPart"}
    ),
    "iptc_video_metadata_hub": frozenset(
        {"headline", "description", "dopesheet", "transcript", "language", "creators", "copyrightNotice",
         "aIPromptInformation", "aIPromptWriterName"}
    ),
    "dublin_core": frozenset(
        {"dcterms:abstract", "dcterms:description", "dcterms:creator", "dcterms:language", "dcterms:rights",
         "dcterms:tableOfContents"}
    ),
}  # fmt: skip
"""What is said only with `creative`, by standard."""


def iso_duration(duration: Fraction) -> str:
    """ISO 8601 duration, to the millisecond: `PT1H2M3.5S`."""
    thousandths = round(duration * 1000)
    minutes, rest = divmod(thousandths, 60_000)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{rest / 1000:.3f}".rstrip("0").rstrip(".") + "S" if rest or not thousandths else ""
    return "PT" + (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "") + seconds


def schema_org(project: Project, words: Stated, found: Disclosure, *, creative: bool) -> Section:
    """The film as schema.org JSON-LD: a Movie with its shots as Clips."""
    movie: Section = {
        "@context": "https://schema.org",
        "@type": "Movie",
        "identifier": project.id,
        "name": project.title or project.name,
        "duration": iso_duration(project.duration),
        **present(
            {
                "dateCreated": project.created and iso(project.created),
                "dateModified": project.updated and iso(project.updated),
                "digitalSourceType": _SCHEMA_ORG_SOURCES.get(found.source_type or ""),
            }
        ),
    }
    if creative:
        movie |= present(
            {
                "abstract": project.logline,
                "description": words.description or project.logline,
                "creator": [{"@type": "Person", "name": name} for name in words.creators],
                "genre": list(words.genres),
                "inLanguage": words.language,
                "copyrightNotice": words.rights,
                "character": [_person(character) for character in project.characters],
                "hasPart": [_clip(shot) for shot in project.shots],
            }
        )
    return movie


def associated_media(files: Iterable[MeasuredFile]) -> list[Section]:
    """The project's media as schema.org MediaObjects."""
    return [_object(entry) for entry in files if entry.facts is not None]


def iptc(project: Project, words: Stated, found: Disclosure, *, creative: bool) -> list[Section]:
    """The film in IPTC Video Metadata Hub 1.7, with the fields for AI.

    The keys are those of its JSON Schema; texts in languages carry the stated language, else `x-default`.
    """
    language = words.language or "x-default"
    fields: Section = {
        "identifier": project.id,
        "title": {language: project.title or project.name},
        "frameSize": {"widthPixels": project.width, "heightPixels": project.height},
        "videoFrameRate": float(project.frame_rate),
        **present(
            {
                "dateCreated": project.created and iso(project.created),
                "digitalSourceType": found.source_type and {"cvId": SCHEME, "cvTermId": found.source_type},
                "aISystemUsed": "; ".join(found.models),
                "dataMining": words.data_mining,
            }
        ),
    }
    if creative:
        fields |= present(
            {
                "headline": project.logline and {language: project.logline},
                "description": words.description and {language: words.description},
                "dopesheet": {language: _dopesheet(project)} if project.shots else None,
                "transcript": _transcript(project, language),
                "language": words.language,
                "creators": [{"name": {language: name}} for name in words.creators],
                "copyrightNotice": words.rights and {language: words.rights},
                "aIPromptInformation": _prompts(project, found),
                "aIPromptWriterName": words.prompt_writer,
            }
        )
    return [{"photoVideoMetadataIPTC": fields}]


def dublin_core(project: Project, words: Stated, found: Disclosure, types: list[str], *, creative: bool) -> Section:
    """The film in DCMI Metadata Terms, as JSON-LD."""
    record: Section = {
        "@context": {"dcterms": "http://purl.org/dc/terms/"},
        "dcterms:type": "http://purl.org/dc/dcmitype/MovingImage",
        "dcterms:identifier": project.id,
        "dcterms:title": project.title or project.name,
        "dcterms:extent": iso_duration(project.duration),
        "dcterms:provenance": found.statement,
        **present(
            {
                "dcterms:created": project.created and iso(project.created),
                "dcterms:modified": project.updated and iso(project.updated),
                "dcterms:format": types,
            }
        ),
    }
    if creative:
        record |= present(
            {
                "dcterms:abstract": project.logline,
                "dcterms:description": words.description,
                "dcterms:creator": list(words.creators),
                "dcterms:language": words.language,
                "dcterms:rights": words.rights,
                "dcterms:tableOfContents": [scene.title for scene in project.scenes if scene.title],
            }
        )
    return record


def ai_disclosure(found: Disclosure) -> Section:
    """Which media were made with generative AI, counted and in sentences."""
    return {
        "statement": found.statement,
        "digital_source_type": found.source_type,
        "shots_generated": list(found.generated),
        "shots_not_said": list(found.unsaid),
        "shots_without_picture": list(found.without_picture),
        "seconds_generated": float(found.seconds_generated),
        "seconds_with_picture": float(found.seconds),
        "sound_files_generated": found.sounds_generated,
        "sound_files_not_said": found.sounds_unsaid,
        "models": list(found.models),
        "shots_with_prompt": found.prompts,
    }


def _person(character: Character) -> Section:
    return {"@type": "Person", **present({"name": character.name, "description": character.description})}


def _clip(shot: Shot) -> Section:
    return {
        "@type": "Clip",
        "identifier": shot.id,
        "position": shot.number,
        "name": shot.title,
        "startOffset": float(shot.start),
        "endOffset": float(shot.start + shot.duration),
        **present({"description": shot.description}),
    }


def _object(entry: MeasuredFile) -> Section:
    facts = entry.facts
    if facts is None:
        return {}
    return {
        "@type": _OBJECTS[facts.kind],
        "contentUrl": entry.file.path,
        "encodingFormat": facts.media_type,
        "contentSize": f"{entry.file.size_bytes} B",
        **present(
            {
                "width": facts.width and _pixels(facts.width),
                "height": facts.height and _pixels(facts.height),
                "duration": None if facts.duration is None else iso_duration(facts.duration),
                "sha256": entry.measured.sha256,
            }
        ),
    }


def _pixels(count: int) -> Section:
    return {"@type": "QuantitativeValue", "value": count, "unitText": "px"}


def _dopesheet(project: Project) -> str:
    rate = project.frame_rate
    return "\n".join(
        f"{shot.number}. {timecode(shot.start, rate)} {shot.title}"
        + (f": {shot.description}" if shot.description else "")
        for shot in project.shots
    )


def _transcript(project: Project, language: str) -> Section | None:
    lines = [line for shot in project.shots for line in spoken(shot.dialogue)]
    return {language: "\n".join(lines)} if lines else None


def _prompts(project: Project, found: Disclosure) -> str:
    """The prompts of the generated shots, each once, with what they exclude."""
    made = set(found.generated)
    told: dict[str, None] = {}
    for shot in project.shots:
        if shot.id in made and shot.prompt.text:
            negative = f" [excludes: {shot.prompt.negative}]" if shot.prompt.negative else ""
            told[f"{shot.title}: {shot.prompt.text}{negative}"] = None
    return "\n".join(told)
