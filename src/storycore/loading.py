"""The one module that imports by name: operations, formats and commands that are loaded when they are asked for."""

import importlib
from typing import Any


def load(target: str) -> Any:
    """The object named `module:attribute`, imported now.

    Raises:
        ImportError: the module or something that it needs is not installed.
        AttributeError: the module has no such name.
    """
    module, _, attribute = target.partition(":")
    return getattr(importlib.import_module(module), attribute)


def installed(group: str) -> dict[str, str]:
    """What other installed packages offer under an entry-point group: name → `module:attribute`. Loads nothing."""
    from importlib.metadata import entry_points

    return {point.name: point.value for point in entry_points(group=group)}
