"""wav: uncompressed, for editing and archives; beyond 4 GB it becomes RF64."""

from typing import Literal

from pydantic import Field

from storycore.exports.formats.options import MasterOptions
from storycore.exports.formats.sound_format import SoundFormat
from storycore.rendering.sound_file import SoundEncoding

_CODECS = {16: "pcm_s16le", 24: "pcm_s24le", 32: "pcm_f32le"}


class WavOptions(MasterOptions):
    """Options of wav."""

    bit_depth: Literal[16, 24, 32] = Field(default=24, description="Bits of a sample: 16, 24, or 32 (floating point).")


def _encoding(options: WavOptions) -> SoundEncoding:
    return SoundEncoding(
        codec=("-c:a", _CODECS[options.bit_depth]),
        container=("-rf64", "auto", "-f", "wav"),
        rate_hz=options.sample_rate_hz,
        bits=options.bit_depth,
    )


FORMAT = SoundFormat("wav", "audio/wav", WavOptions, _encoding)
