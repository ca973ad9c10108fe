"""What a project says about itself in so many words, under the names that are in use for it.

Nothing here is derived: a fact that no key states is absent.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from storycore.project.model import Project

_PLACES = (
    (),
    ("metadata",),
    ("project",),
    ("project", "metadata"),
    ("project_metadata",),
    ("meta",),
    ("config",),
    ("project", "narrative"),
)
_LONGEST = 20_000
_MOST = 100
_DATA_MINING = re.compile(r"(?:http://ns\.useplus\.org/ldf/vocab/)?(DMI-[A-Z-]{4,60})")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """Facts in the project's own words; empty where it says nothing.

    Attributes:
        description: what the film is.
        style: its look.
        creators: who made it.
        genres: of the film.
        language: BCP 47 tag.
        rights: notice or licence.
        prompt_writer: who wrote the prompts.
        data_mining: the PLUS vocabulary's URI for what data mining is allowed.
    """

    description: str = ""
    style: str = ""
    creators: tuple[str, ...] = ()
    genres: tuple[str, ...] = ()
    language: str = ""
    rights: str = ""
    prompt_writer: str = ""
    data_mining: str = ""


def stated(project: Project) -> Stated:
    """What `project.json` states, wherever its shape puts it."""
    places = list(_objects(project.original))
    language = _text(places, "language", "lang", "langue")
    mining = _DATA_MINING.fullmatch(_text(places, "data_mining", "dataMining", "plus_data_mining"))
    return Stated(
        description=_text(places, "description", "synopsis", "summary", "global_resume", "logline"),
        style=_text(places, "style", "visual_style", "visualStyle", "art_style", "style_anchor_id")
        or _text([_object(project.original.get("coherence_anchors"))], "style_anchor_id"),
        creators=_texts(places, "creators", "authors", "creator", "author", "director", "auteur"),
        genres=_texts(places, "genres", "genre"),
        language=language if _LANGUAGE.fullmatch(language) else "",
        rights=_text(places, "rights", "copyright", "copyright_notice", "license", "licence"),
        prompt_writer=_text(places, "prompt_writer", "prompt_writer_name", "promptWriter", "ai_prompt_writer_name"),
        data_mining=f"http://ns.useplus.org/ldf/vocab/{mining[1]}" if mining else "",
    )


def _objects(original: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for path in _PLACES:
        place: Any = original
        for name in path:
            place = _object(place).get(name)
        if isinstance(place, Mapping):
            yield place


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(places: list[Mapping[str, Any]], *names: str) -> str:
    found = (place.get(name) for name in names for place in places)
    return next((value.strip()[:_LONGEST] for value in found if isinstance(value, str) and value.strip()), "")


def _texts(places: list[Mapping[str, Any]], *names: str) -> tuple[str, ...]:
    for name in names:
        for place in places:
            value = place.get(name)
            items = value[:_MOST] if isinstance(value, list) else [value]
            found = [_name(item) for item in items]
            if any(found):
                return tuple(dict.fromkeys(filter(None, found)))
    return ()


def _name(item: Any) -> str:
    value = item.get("name") if isinstance(item, Mapping) else item
    return value.strip()[:_LONGEST] if isinstance(value, str) else ""
