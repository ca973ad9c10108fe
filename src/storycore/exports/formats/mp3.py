"""mp3: for podcasts and players of any age; without gaps, and as long as the film to the sample."""

from typing import Literal

from pydantic import Field

from storycore.exports.formats.options import SoundOptions, Whole
from storycore.exports.formats.sound_format import SoundFormat, bitrate
from storycore.rendering.sound_file import SoundEncoding


class Mp3Options(SoundOptions):
    """Options of mp3."""

    sample_rate_hz: Literal[44100, 48000] = Field(default=48000, description="Samples per second.")
    channels: Literal[1, 2] = Field(default=2, description="1 or 2.")
    audio_bitrate_bps: Whole | None = Field(
        default=None, ge=32_000, le=320_000, description="Bits per second; the nearest that MP3 has is taken."
    )


def _encoding(options: Mp3Options) -> SoundEncoding:
    return SoundEncoding(
        codec=("-c:a", "libmp3lame", "-b:a", bitrate(options)),
        container=("-id3v2_version", "3", "-write_id3v1", "1", "-f", "mp3"),
        rate_hz=options.sample_rate_hz,
        lossy=True,
    )


FORMAT = SoundFormat("mp3", "audio/mpeg", Mp3Options, _encoding)
