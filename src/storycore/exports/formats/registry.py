"""Which formats there are, as plain data: listing them loads none."""

from collections.abc import Mapping
from typing import cast

from storycore.errors import InvalidInput, Reason
from storycore.exports.formats.format import Format
from storycore.loading import installed, load

_HERE = "storycore.exports.formats"

FORMATS: Mapping[str, str] = {
    "zip": f"{_HERE}.zip:FORMAT",
    "json": f"{_HERE}.json:FORMAT",
    **{
        name: f"{_HERE}.{name}:FORMAT"
        for name in ("mp4", "mov", "webm", "mkv", "avi", "hls", "gif", "frames", "poster", "sheet")
    },
    "wav": f"{_HERE}.wav:FORMAT",
    "mp3": f"{_HERE}.mp3:FORMAT",
    "flac": f"{_HERE}.flac:FORMAT",
    "m4a": f"{_HERE}.m4a:FORMAT",
    "ogg": f"{_HERE}.ogg:FORMAT",
    "opus": f"{_HERE}.opus:FORMAT",
    "stems": f"{_HERE}.stems:FORMAT",
    "srt": f"{_HERE}.srt:FORMAT",
    "vtt": f"{_HERE}.vtt:FORMAT",
    "ass": f"{_HERE}.ass:FORMAT",
    "pdf": f"{_HERE}.pdf:FORMAT",
    "html": f"{_HERE}.html:FORMAT",
    "csv": f"{_HERE}.csv:FORMAT",
    **{name: f"{_HERE}.{name}:FORMAT" for name in ("otio", "otioz", "xml", "fcpxml", "edl")},
}
"""Name → where the format is."""

GROUP = "storycore.formats"
"""Entry points of other packages that bring formats: name → `module:object`."""


def names() -> list[str]:
    """Every format there is, ours first."""
    return [*FORMATS, *(name for name in sorted(installed(GROUP)) if name.lower() not in FORMATS)]


def find(name: str) -> Format:
    """The format of a name, in any case.

    Raises:
        InvalidInput: unsupported_format; `details` lists those there are.
    """
    wanted = name.strip().lower()
    target = FORMATS.get(wanted) or {key.lower(): value for key, value in installed(GROUP).items()}.get(wanted)
    if target is None:
        raise InvalidInput(
            f"Unsupported target format: {name[:40]!r}",
            reason=Reason.UNSUPPORTED_FORMAT,
            remediation=f"Choose one of: {', '.join(names())}.",
            details={"supported_formats": names()},
        )
    return cast("Format", load(target))
