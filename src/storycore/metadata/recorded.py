"""A description that was packed, cut to what is asked for: the same document that the project gives.

It is its writer's word. What he said of the media is passed on as he measured it; checksums are those that the caller
gives. Nothing about its form is taken on trust.
"""

import itertools
from collections.abc import Iterator, Mapping
from typing import Any, Final

from storycore.metadata.collect import DOCUMENT_VERSION, Collected, repaired, with_omc
from storycore.metadata.document import clean, object_at, objects_at, text_at
from storycore.metadata.measure import Depth
from storycore.metadata.standards import STORY
from storycore.project.draft import MOST_WARNINGS
from storycore.project.model import ProjectWarning

_SECTIONS: Final = ("technical", "creative", "qa_reports")
_NAMED: Final = frozenset({"path", "role", "size_bytes"})
"""What is known of a file that nobody opened."""

_MEASURED: Final = frozenset({"associatedMedia", "dcterms:format"})
"""What the standards say of measured files."""


def is_description(document: Mapping[str, Any]) -> bool:
    """Whether it is a description of the form that is known here, as far as it is used."""
    standards = object_at(document, "standards")
    return (
        text_at(document, "document_version").partition(".")[0] == DOCUMENT_VERSION.partition(".")[0]
        and bool(text_at(document, "project_id"))
        and all(isinstance(document.get(name), dict) for name in (*_SECTIONS, "standards"))
        and all(isinstance(standards.get(name), dict | list) for name in STORY)
    )


def recorded(  # noqa: PLR0913 - as `collect`
    document: Mapping[str, Any],
    sha256: Mapping[str, str],
    *,
    technical: bool,
    creative: bool,
    qa_reports: bool,
    measure: str,
    omc: bool = False,
) -> Collected:
    """What `collect` gives for the project that was described, as far as its files were.

    Args:
        document: a description, with all its sections, measured with "quick".
        sha256: of the files, 64 hex digits by path; those of others are absent in the answer.
        technical: as `collect`.
        creative: as `collect`.
        qa_reports: as `collect`.
        measure: as `collect`; "full" adds the checksums.
        omc: as `collect`.
    """
    depth = Depth(measure) if technical else Depth.NONE
    wanted = {"technical": technical, "creative": creative, "qa_reports": qa_reports}
    included = tuple(name for name in _SECTIONS if wanted[name])
    digests = sha256 if depth is Depth.FULL else {}
    whole = {name: value for name, value in document.items() if name not in _SECTIONS or name in included}
    inventory = objects_at(object_at(document, "technical"), "inventory")
    if technical:
        whole["technical"] = _technical(whole["technical"], inventory, depth, digests)
    whole["standards"] = _standards(object_at(document, "standards"), digests, depth, creative=creative)
    seconds = object_at(object_at(document, "technical"), "film").get("duration_seconds")
    length = seconds if isinstance(seconds, int | float) else 0.0
    cleaned, changes = with_omc(whole, length) if omc else clean(whole)
    broken = () if depth is Depth.NONE else itertools.islice(_broken(inventory), MOST_WARNINGS)
    return Collected(cleaned, included, (*broken, *map(repaired, changes)))


def _technical(
    section: Mapping[str, Any], inventory: list[Mapping[str, Any]], depth: Depth, sha256: Mapping[str, str]
) -> dict[str, Any]:
    if depth is Depth.NONE:
        named = [{name: value for name, value in entry.items() if name in _NAMED} for entry in inventory]
        left = {name: value for name, value in section.items() if name not in ("formats", "media")}
        return {**left, "measure": depth.value, "inventory": named}
    if depth is Depth.FULL:
        hashed = [_with_digest(entry, sha256.get(text_at(entry, "path"))) for entry in inventory]
        return {**section, "measure": depth.value, "inventory": hashed}
    return dict(section)


def _with_digest(entry: Mapping[str, Any], digest: str | None) -> dict[str, Any]:
    return {**entry, **({} if digest is None else {"sha256": digest})}


def _standards(
    standards: Mapping[str, Any], sha256: Mapping[str, str], depth: Depth, *, creative: bool
) -> dict[str, Any]:
    left = {name: _without_story(name, value) if not creative else value for name, value in standards.items()}
    for name in ("schema_org", "dublin_core"):
        told = object_at(left, name)
        if depth is Depth.NONE:
            left[name] = {key: value for key, value in told.items() if key not in _MEASURED}
        elif sha256 and "associatedMedia" in told:
            media = [
                _with_digest(item, sha256.get(text_at(item, "contentUrl")))
                for item in objects_at(told, "associatedMedia")
            ]
            left[name] = {**told, "associatedMedia": media}
    return left


def _without_story(name: str, value: Any) -> Any:
    """What one standard says without the story. IPTC's is a list of one object in an object."""
    story = STORY.get(name, frozenset())
    if isinstance(value, list):
        return [_without_story(name, item) for item in value]
    if not isinstance(value, Mapping):
        return value
    inside = value.get("photoVideoMetadataIPTC")
    if isinstance(inside, Mapping):
        return {**value, "photoVideoMetadataIPTC": _without_story(name, inside)}
    return {key: item for key, item in value.items() if key not in story}


def _broken(inventory: list[Mapping[str, Any]]) -> Iterator[ProjectWarning]:
    for entry in inventory:
        fault = text_at(entry, "header_fault")
        if fault:
            yield ProjectWarning(
                file=text_at(entry, "path"), pointer="", reason="header_broken",
                message=f"Its headers can't be read: {fault}.",
            )  # fmt: skip
