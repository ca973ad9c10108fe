"""ogg: Vorbis in Ogg, for games and free players."""

from storycore.exports.formats.options import SoundOptions
from storycore.exports.formats.sound_format import SoundFormat, bitrate
from storycore.rendering.sound_file import SoundEncoding


class OggOptions(SoundOptions):
    """Options of ogg."""


def _encoding(options: OggOptions) -> SoundEncoding:
    return SoundEncoding(
        codec=("-c:a", "libvorbis", "-b:a", bitrate(options)),
        container=("-f", "ogg"),
        rate_hz=options.sample_rate_hz,
        lossy=True,
    )


FORMAT = SoundFormat("ogg", "audio/ogg", OggOptions, _encoding)
