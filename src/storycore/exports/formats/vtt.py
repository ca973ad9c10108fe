"""vtt: WebVTT captions, for browsers."""

import re
from collections.abc import Sequence

from storycore.exports.formats.caption_format import CaptionFormat
from storycore.exports.formats.format import Film
from storycore.exports.formats.options import TimeOptions, WordOptions
from storycore.metadata.stated import stated
from storycore.rendering.captions import Cue, vtt


class VttOptions(TimeOptions, WordOptions):
    """Options of vtt."""


_TIMES = re.compile(r"^\d{2,}:\d\d:\d\d\.\d{3} --> \d{2,}:\d\d:\d\d\.\d{3}$", re.MULTILINE)


def _text(found: Sequence[Cue], film: Film, options: VttOptions) -> str:
    language = options.caption_language
    return vtt(found, stated(film.project).language if language == "und" else language)


FORMAT = CaptionFormat("vtt", "text/vtt", VttOptions, _text, lambda text: len(_TIMES.findall(text)))
