"""json: the project in the canonical form, which every known reader of project.json accepts."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from storycore import json_text
from storycore.exports.formats.figures import Figure
from storycore.exports.formats.format import Film, FormatOptions, Made
from storycore.observe.progress import Progress
from storycore.project.canonical import canonical
from storycore.storage.local import new_file

_MAX_DEPTH = 1000  # a project was read within the limits already; the canonical form adds a few levels


class _Json:
    name = "json"
    suffix = ".json"
    media_type = "application/json"
    options = FormatOptions
    figures: Mapping[str, Figure] = {
        "shots": Figure(words="the number of shots"),
        "keys": Figure(words="the number of parts"),
    }

    def write(self, film: Film, target: Path, options: Any, progress: Progress) -> Made:  # noqa: ARG002 - none needed
        """The canonical project."""
        data = json_text.write(canonical(film.project)).encode()
        progress.begin("writing", total=len(data), unit="bytes", until=0.99)
        with new_file(target) as file:
            file.write(data)
            progress.advance(len(data))
            file.seek(0)
            finished = file.read()
            found = json_text.read_strict(finished, max_depth=_MAX_DEPTH)
        return Made(
            size_bytes=len(finished),
            sha256=hashlib.sha256(finished).hexdigest(),
            metrics={"shots": len(found["shots"]), "keys": len(found)},
        )


FORMAT = _Json()
