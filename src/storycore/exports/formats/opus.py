"""opus: Opus in Ogg, the smallest for its quality; always at 48 kHz."""

from typing import Literal

from pydantic import Field, field_validator

from storycore.exports.formats.options import SoundOptions, rate_of_opus
from storycore.exports.formats.sound_format import SoundFormat, bitrate
from storycore.rendering.sound_file import SoundEncoding


class OpusOptions(SoundOptions):
    """Options of opus."""

    sample_rate_hz: Literal[48000] = Field(default=48000, description="Samples per second: Opus knows 48000 only.")

    _rate = field_validator("audio_bitrate_bps")(rate_of_opus)


def _encoding(options: OpusOptions) -> SoundEncoding:
    return SoundEncoding(codec=("-c:a", "libopus", "-b:a", bitrate(options)), container=("-f", "opus"), lossy=True)


FORMAT = SoundFormat("opus", "audio/ogg", OpusOptions, _encoding)
