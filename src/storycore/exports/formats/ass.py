"""ass: Advanced SubStation Alpha captions, with their look."""

import re
from collections.abc import Sequence

from pydantic import Field

from storycore.exports.formats.caption_format import CaptionFormat
from storycore.exports.formats.format import Film
from storycore.exports.formats.options import TimeOptions, Whole, WordOptions
from storycore.rendering.captions import CaptionStyle, Cue, ass


class AssOptions(TimeOptions, WordOptions):
    """Options of ass."""

    width: Whole | None = Field(default=None, ge=16, le=8192, multiple_of=2, description="Of the picture, in pixels.")
    height: Whole | None = Field(default=None, ge=16, le=8192, multiple_of=2, description="Of the picture, in pixels.")


def _text(found: Sequence[Cue], film: Film, options: AssOptions) -> str:
    project = film.project
    return ass(found, CaptionStyle(width=options.width or project.width, height=options.height or project.height))


_EVENT = re.compile(r"^Dialogue: ", re.MULTILINE)

FORMAT = CaptionFormat("ass", "text/x-ssa", AssOptions, _text, lambda text: len(_EVENT.findall(text)))
