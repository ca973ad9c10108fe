"""ogg: Vorbis in Ogg, for games and free players."""

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from storycore.exports.formats.options import SoundOptions
from storycore.exports.formats.sound_format import SoundFormat, bitrate
from storycore.rendering.sound_file import SoundEncoding

_POSSIBLE_BPS = {1: (32_000, 240_000), 2: (45_000, 500_000), 6: (84_000, 640_000), 8: (256_000, 640_000)}
"""What libvorbis can be told for so many channels, at 44.1 and 48 kHz; beyond 50 kHz it takes no bit rate at all."""


class OggOptions(SoundOptions):
    """Options of ogg."""

    sample_rate_hz: Literal[44100, 48000] = Field(default=48000, description="Samples per second.")

    @field_validator("audio_bitrate_bps")
    @classmethod
    def _one_that_vorbis_has(cls, value: int | None, info: ValidationInfo) -> int | None:
        least, most = _POSSIBLE_BPS[info.data.get("channels", 2)]
        if value is not None and not least <= value <= most:
            raise ValueError(f"Vorbis takes {least} to {most} bits per second for so many channels")
        return value


def _encoding(options: OggOptions) -> SoundEncoding:
    return SoundEncoding(
        codec=("-c:a", "libvorbis", "-b:a", bitrate(options)),
        container=("-f", "ogg"),
        rate_hz=options.sample_rate_hz,
        lossy=True,
    )


FORMAT = SoundFormat("ogg", "audio/ogg", OggOptions, _encoding)
