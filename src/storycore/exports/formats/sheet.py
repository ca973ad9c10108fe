"""sheet: a contact sheet: one frame of each shot, with its number and title, on one page."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from storycore.exports.formats import stills
from storycore.exports.formats.figures import STILLS, Figure
from storycore.exports.formats.finished import finished
from storycore.exports.formats.format import Film, Made
from storycore.exports.formats.marking import seal, tag
from storycore.exports.formats.options import PictureOptions, Whole
from storycore.observe.progress import Progress
from storycore.project.headers import read_facts
from storycore.storage.local import new_file

_TILE_WIDTH = 480
_MOST_SHOTS = 400


class SheetOptions(PictureOptions):
    """Options of sheet; width and height are those of one frame."""

    burn_in: Literal["none", "timecode", "shot", "timecode_and_shot"] = Field(
        default="shot", description="What is written into each frame; the shot's number and title unless told."
    )
    columns: Whole | None = Field(default=None, ge=1, le=20, description="Frames side by side.")


class _Sheet:
    name = "sheet"
    suffix = ".sheet.png"
    media_type = "image/png"
    options: type[PictureOptions] = SheetOptions
    figures: Mapping[str, Figure] = {**STILLS, "shots": Figure(words="the number of shots")}

    def write(self, film: Film, target: Path, options: Any, progress: Progress) -> Made:
        """All shots on one page."""
        small = _small(options)
        whole = stills.picture(film, small)
        middles = stills.middles(whole.line)[:_MOST_SHOTS]
        columns = options.columns or math.ceil(math.sqrt(len(middles)))
        rows = -(-len(middles) // columns)
        with (
            new_file(target) as file,
            stills.frames(film, stills.only(whole, middles), small, progress, until=0.8) as drawn,
        ):
            path = Path(file.name)
            progress.begin("writing", until=0.99)
            tiles = f"tile={columns}x{rows}:padding=8:margin=8:color=0x18181a"
            made = ["-vf", f"{stills.RGB},format=rgb24,{tiles}", "-frames:v", "1", "-update", "1", "-c:v", "png"]
            drawn.into([*made, "-fflags", "+bitexact", "-f", "image2"], path, progress)
            tag(film, file, self.media_type)
            sealed = seal(film, file, self.media_type, options, progress, until=0.995)
            headers = read_facts(path)
            size_bytes, sha256 = finished(file)
        return Made(
            size_bytes=size_bytes,
            sha256=sha256,
            metrics={
                "resolution": f"{headers.width}x{headers.height}" if headers else "",
                "color_space": "RGB",
                "shots": len(middles),
                **sealed,
            },
            warnings=drawn.warnings,
        )


def _small(options: SheetOptions) -> SheetOptions:
    if options.width is not None or options.height is not None:
        return options
    return SheetOptions(**{**options.model_dump(exclude_none=True), "width": _TILE_WIDTH})


FORMAT = _Sheet()
