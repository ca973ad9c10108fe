"""m4a: AAC in MP4, for phones and browsers; its index stands first."""

from pydantic import field_validator

from storycore.exports.formats.options import SoundOptions, rate_of_aac
from storycore.exports.formats.sound_format import SoundFormat, bitrate
from storycore.rendering.sound_file import SoundEncoding


class M4aOptions(SoundOptions):
    """Options of m4a."""

    _rate = field_validator("audio_bitrate_bps")(rate_of_aac)


def _encoding(options: M4aOptions) -> SoundEncoding:
    return SoundEncoding(
        codec=("-c:a", "aac", "-b:a", bitrate(options)),
        container=("-movflags", "+faststart", "-f", "ipod"),
        rate_hz=options.sample_rate_hz,
        lossy=True,
    )


FORMAT = SoundFormat("m4a", "audio/mp4", M4aOptions, _encoding)
