"""All shapes, in the order in which they are tried; the first that recognises a file reads it."""

from collections.abc import Mapping
from typing import Any

from storycore.project.shapes import (
    assistant,
    backend,
    components,
    desktop,
    interface,
    pipeline,
    scenario,
    sequence_editor,
    template,
    timeline_file,
    video_editor,
    wizard,
)
from storycore.project.shapes.shape import KnownShape

SHAPES: tuple[KnownShape, ...] = (
    sequence_editor,
    template,
    components,
    scenario,
    timeline_file,
    wizard,
    video_editor,
    backend,
    assistant,
    pipeline,
    desktop,
    interface,
)


def recognise(raw: Mapping[str, Any]) -> KnownShape:
    """The shape of a project file, by its keys; never by its schema_version."""
    return next(shape for shape in SHAPES if shape.matches(raw))
