"""What an export or a delivery was asked for, by the request that its task was accepted with."""

import contextlib
from collections.abc import Mapping
from typing import Any

from storycore.errors import StoryCoreError


def formats_of(request: Mapping[str, Any]) -> list[str]:
    """The formats that an export was asked for; a project's own presets are not looked up, and give none."""
    wanted = request.get("target_format") or []
    if not wanted and request.get("preset"):
        from storycore.exports.presets import find

        with contextlib.suppress(StoryCoreError):
            wanted = list(find(request["preset"]).formats)
    parts = [wanted] if isinstance(wanted, str) else wanted
    return [name.strip().lower() for part in parts for name in part.split(",")]


def parts_of(request: Mapping[str, Any]) -> list[str]:
    """The parts that a delivery was asked for; a project's own templates are not looked up, and give none."""
    from storycore.exports.delivery.template import find

    with contextlib.suppress(StoryCoreError):
        return [part.name for part in find(request["template"]).parts]
    return []
