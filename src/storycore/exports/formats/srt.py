"""srt: SubRip captions, which nearly every player and platform reads."""

import re

from storycore.exports.formats.caption_format import CaptionFormat
from storycore.exports.formats.options import TimeOptions, WordOptions
from storycore.rendering.captions import srt


class SrtOptions(TimeOptions, WordOptions):
    """Options of srt."""


_TIMES = re.compile(r"^\d{2,}:\d\d:\d\d,\d{3} --> \d{2,}:\d\d:\d\d,\d{3}$", re.MULTILINE)

FORMAT = CaptionFormat(
    "srt",
    "application/x-subrip",
    SrtOptions,
    lambda found, _film, _options: srt(found),
    lambda text: len(_TIMES.findall(text)),
)
