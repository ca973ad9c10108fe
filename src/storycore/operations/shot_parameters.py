"""What a shot of a project fills into a workflow: the placeholders that the workflow declares and a shot knows."""

import base64
import binascii
import contextlib
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storycore.app import App
from storycore.errors import InvalidInput, Reason

if TYPE_CHECKING:
    from storycore.project.model import Project, Shot

REFERENCE = "reference_image"
_PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z_][\w.-]{0,63})\s*\}\}")
_MOST_IMAGE_BYTES = 64 * 1024 * 1024


def declared(definition: Mapping[str, Any]) -> set[str]:
    """The placeholders that a workflow declares, in either format."""
    return set(_PLACEHOLDER.findall(json.dumps(definition, ensure_ascii=False)))


def of_shot(project: "Project", shot: "Shot", definition: Mapping[str, Any]) -> dict[str, Any]:
    """What a shot knows of what a workflow asks for."""
    picture = reference_of(project, shot)
    known: dict[str, Any] = {
        "prompt": shot.prompt.text, "negative_prompt": shot.prompt.negative, "shot_id": shot.id,
        "title": shot.title, "description": shot.description, "camera": shot.camera,
        "duration_seconds": float(shot.duration), "frames": round(shot.duration * project.frame_rate),
        "frame_rate": float(project.frame_rate), "width": project.width, "height": project.height,
        **({REFERENCE: str(picture)} if picture else {}),
    }  # fmt: skip
    wanted = declared(definition)
    return {name: value for name, value in known.items() if name in wanted}


def reference_of(project: "Project", shot: "Shot") -> Path | None:
    """The picture that a shot shows, if it is a file of the project."""
    image = shot.image
    if image is None or not image.found or image.path.startswith("data:"):
        return None
    return project.folder / image.path


def image_parameter(definition: Mapping[str, Any]) -> str:
    """The parameter that a reference image goes to: its placeholder, or the one LoadImage node of the workflow.

    Raises:
        InvalidInput: workflow_invalid: there is neither.
    """
    if REFERENCE in declared(definition):
        return REFERENCE
    loaders = [node for node, kind in _nodes(definition) if kind == "LoadImage"]
    if len(loaders) != 1:
        raise InvalidInput(
            f"It is not clear where the reference image goes: the workflow has {len(loaders)} LoadImage nodes.",
            reason=Reason.WORKFLOW_INVALID,
            remediation="Write {{reference_image}} into the input that it goes to.",
        )
    return f"{loaders[0]}.image"


@contextlib.contextmanager
def sent_image(app: App, text: str) -> Iterator[Path]:
    """A picture that came as base64 or as a `data:` URI, as a file while the block runs.

    Raises:
        InvalidInput: media_invalid.
    """
    from storycore.project.content import media_type

    body = text.partition(",")[2] if text[:5].lower() == "data:" else text
    try:
        data = base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        data = b""
    kind = media_type(data[:4096]) or ""
    if not kind.startswith("image/") or len(data) > _MOST_IMAGE_BYTES:
        raise InvalidInput("reference_image is no picture, in base64 or by its path.", reason=Reason.MEDIA_INVALID)
    folder = app.settings.cache_folder / "sent"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{hashlib.sha256(data).hexdigest()[:32]}.{kind.removeprefix('image/')[:8]}"
    path.write_bytes(data)
    try:
        yield path
    finally:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


def _nodes(definition: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Node id and class of every node on the outer canvas, in either format."""
    graph = definition.get("prompt", definition)
    listed = graph.get("nodes")
    if isinstance(listed, list):
        yield from ((str(node.get("id")), str(node.get("type"))) for node in listed if isinstance(node, dict))
        return
    for node, facts in graph.items():
        if isinstance(facts, dict):
            yield str(node), str(facts.get("class_type"))
