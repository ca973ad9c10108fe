"""What a deliverable is made of, and what may be claimed of it: the media that are seen or heard in it.

A medium counts as generated when the project records it, see `disclosure`, or when the file itself says so, see
`evidence`. What is known of nothing is not claimed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from storycore.metadata.disclosure import disclose, in_generated_folder, is_recorded, shown_media
from storycore.metadata.evidence import COMPOSITE, GENERATED, NOTHING, Evidence, look
from storycore.project.content import HEAD_BYTES, media_type, open_regular
from storycore.project.model import Media, Project
from storycore.project.paths import inside

Stated = Literal["recorded", "all", "some", "none"]
"""What a user says of it: that it is as the records have it, or that all, some or none of it was generated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One file that is seen or heard.

    Attributes:
        path: absolute.
        title: its name without folders.
        media_type: by its first bytes.
        is_generated: whether generative AI made it, or a part of it, as far as that is known.
        evidence: what it says itself.
        models: names of the models that made it, as far as they are known.
    """

    path: Path
    title: str
    media_type: str
    is_generated: bool
    evidence: Evidence
    models: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Origins:
    """What a deliverable is made of.

    Attributes:
        source_type: IPTC digital source type that may be claimed of the whole; "" for no claim.
        assets: what is generated, or carries marks of its own, each file once, in film order.
        unsaid: how many files there are of which nothing is known.
    """

    source_type: str
    assets: tuple[Asset, ...]
    unsaid: int


def origins(project: Project, *, pictures: bool, sounds: bool, stated: Stated = "recorded") -> Origins:
    """What is known of the media of a project.

    Args:
        project: as read, with the shots that are delivered.
        pictures: whether its pictures are seen.
        sounds: whether its sounds, those of clips among them, are heard.
        stated: what the user says.
    """
    kept = _sensed(project, pictures=pictures, sounds=sounds)
    found = list(_assets(kept))
    known = {path for path, asset in found if asset.evidence.is_generated}
    told = disclose(kept, known).source_type or ""
    if told and any(asset.evidence.is_partly_generated for _, asset in found):
        told = COMPOSITE
    return Origins(
        source_type={"recorded": told, "all": GENERATED, "some": COMPOSITE, "none": ""}[stated],
        assets=tuple(_stated(asset, stated) for _, asset in found if asset.is_generated or asset.evidence != NOTHING),
        unsaid=sum(not asset.is_generated and asset.evidence == NOTHING for _, asset in found),
    )


def _stated(asset: Asset, stated: Stated) -> Asset:
    """An asset as the user sees it: what only the project records can be overruled, the file's own word can't."""
    return replace(asset, is_generated=asset.evidence.is_generated) if stated == "none" else asset


def _sensed(project: Project, *, pictures: bool, sounds: bool) -> Project:
    """The project without what is neither seen nor heard."""
    shots = tuple(
        replace(
            shot,
            image=shot.image if pictures else None,
            clip=shot.clip,
            audio=shot.audio if sounds else (),
        )
        for shot in project.shots
    )
    return replace(project, shots=shots, audio=project.audio if sounds else ())


def _assets(project: Project) -> Iterator[tuple[str, Asset]]:
    """The files that are there, each once, with their paths in the project."""
    met: set[str] = set()
    for media, recorded, model in _media(project):
        if media.found and media.path not in met and (asset := _asset(project, media, model, recorded=recorded)):
            met.add(media.path)
            yield media.path, asset


def _media(project: Project) -> Iterator[tuple[Media, bool, str]]:
    for shot in project.shots:
        media = shown_media(shot)
        if media is not None:
            yield media, is_recorded(shot, media), shot.prompt.model
    for track in (*project.audio, *(track for shot in project.shots for track in shot.audio)):
        if track.media is not None:
            yield track.media, in_generated_folder(track.media), ""


def _asset(project: Project, media: Media, model: str, *, recorded: bool) -> Asset | None:
    if media.source == "data":
        return None  # written into the project, and so without a file that could be an ingredient
    path = inside(project.folder, media.path)
    if path is None:
        return None
    try:
        with open_regular(path) as file:
            kind = media_type(file.read(HEAD_BYTES)) or "application/octet-stream"
    except OSError:
        return None
    evidence = look(path)
    generated = recorded or evidence.is_generated
    models = evidence.models or ((model,) if generated and model else ())
    return Asset(
        path=path,
        title=path.name,
        media_type=kind,
        is_generated=generated,
        evidence=evidence,
        models=models,
    )
