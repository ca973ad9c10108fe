"""csv: the shot list as a table, for spreadsheets and other programs.

Source: RFC 4180: CRLF, commas, quotes doubled. It begins with a byte order mark, since spreadsheets take a table
without one for a table in a code page of their own, and break every accent; programs that know UTF-8 know the mark.
"""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from storycore.exports.documents.letters import clean
from storycore.exports.documents.panels import Panel, panels
from storycore.exports.formats.figures import Figure, Kind
from storycore.exports.formats.finished import finished
from storycore.exports.formats.format import Film, FormatOptions, Made
from storycore.observe.progress import Progress
from storycore.storage.local import new_file

COLUMNS = (
    "number", "shot_id", "scene", "title", "start", "end", "duration", "duration_seconds", "duration_frames",
    "dialogue", "action", "camera", "notes", "transition", "prompt", "picture", "picture_missing",
)  # fmt: skip
"""Names of the columns, which are the first row."""

_FORMULA = re.compile(r"^\s*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]")
"""How a cell begins that a spreadsheet would reckon, or send somewhere. Source: OWASP, "CSV Injection"."""


class _Csv:
    name = "csv"
    suffix = ".csv"
    media_type = "text/csv"
    options = FormatOptions
    figures: Mapping[str, Figure] = {
        "shots": Figure(words="the number of shots"),
        "columns": Figure(words="the number of columns"),
        "encoding": Figure(words="the encoding", kind=Kind.TEXT),
    }

    def write(self, film: Film, target: Path, options: Any, progress: Progress) -> Made:  # noqa: ARG002 - none needed
        """One row for each shot; words that begin like a formula get an apostrophe before them."""
        found = panels(film.project)
        progress.begin("writing", total=len(found), unit="shots", until=0.99)
        with new_file(target) as file:
            text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=True)
            table = csv.writer(text, quoting=csv.QUOTE_MINIMAL, lineterminator="\r\n")
            table.writerow(COLUMNS)
            for panel in found:
                table.writerow([inert(cell) if isinstance(cell, str) else cell for cell in _row(panel)])
                progress.advance()
            text.flush()
            text.detach()
            size_bytes, sha256 = finished(file)
            file.seek(0)
            rows = list(csv.reader(io.StringIO(file.read().decode("utf-8-sig"), newline=""), strict=True))
        return Made(
            size_bytes=size_bytes,
            sha256=sha256,
            metrics={"shots": len(rows) - 1, "columns": len(rows[0]), "encoding": "UTF-8 with byte order mark"},
        )


def inert(text: str) -> str:
    """A cell that is only words wherever it is opened; control and direction characters are left out."""
    kept = clean(text)
    return f"'{kept}" if _FORMULA.match(kept) else kept


def _row(panel: Panel) -> Sequence[str | int | float]:
    return (
        panel.number,
        panel.id,
        panel.scene_title,
        panel.title,
        panel.start,
        panel.end,
        panel.duration,
        round(float(panel.seconds), 6),
        panel.frames,
        "\n".join(map(str, panel.dialogue)),
        panel.action,
        panel.camera,
        panel.notes,
        panel.transition,
        panel.prompt,
        panel.picture,
        "yes" if panel.missing else "no",
    )


FORMAT = _Csv()
