"""flac: compressed without any loss; its header holds an MD5 of the sound."""

from typing import Literal

from pydantic import Field

from storycore.exports.formats.options import MasterOptions
from storycore.exports.formats.sound_format import SoundFormat
from storycore.rendering.sound_file import SoundEncoding


class FlacOptions(MasterOptions):
    """Options of flac."""

    bit_depth: Literal[16, 24] = Field(default=24, description="Bits of a sample: 16 or 24.")


def _encoding(options: FlacOptions) -> SoundEncoding:
    sample = ("-sample_fmt", "s16") if options.bit_depth == 16 else ("-sample_fmt", "s32", "-bits_per_raw_sample", "24")
    return SoundEncoding(
        codec=("-c:a", "flac", *sample, "-compression_level", "8"),
        container=("-f", "flac"),
        rate_hz=options.sample_rate_hz,
        bits=options.bit_depth,
    )


FORMAT = SoundFormat("flac", "audio/flac", FlacOptions, _encoding)
