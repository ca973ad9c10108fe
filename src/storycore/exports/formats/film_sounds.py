"""The sound of films: how each codec is asked for, in a file of its own that is then copied into the film."""

from storycore.exports.formats.options import DeepSoundOptions, SoundOptions
from storycore.exports.formats.sound_format import bitrate
from storycore.rendering.sound_file import SoundEncoding

_LAME_DELAY = 576 + 529  # samples of the encoder and of every decoder. Source: LAME's technical FAQ
_WAVE = ("-rf64", "auto", "-f", "wav")


_AAC_DELAY = 1024  # samples of every AAC-LC encoder of FFmpeg


def aac(options: SoundOptions) -> SoundEncoding:
    """AAC-LC."""
    codec = ("-c:a", "aac", "-b:a", bitrate(options))
    timed = getattr(options, "edit_lists", True)
    container = ("-f", "mp4") if timed else ("-use_editlist", "0", "-movflags", "+negative_cts_offsets", "-f", "mp4")
    return SoundEncoding(
        codec=codec,
        container=container,
        rate_hz=options.sample_rate_hz,
        lossy=True,
        late=0 if timed else _AAC_DELAY,
        late_counts=not timed,
    )


def opus(options: SoundOptions) -> SoundEncoding:
    """Opus."""
    codec = ("-c:a", "libopus", "-b:a", bitrate(options))
    return SoundEncoding(codec=codec, container=("-f", "opus"), lossy=True)


def flac(options: DeepSoundOptions) -> SoundEncoding:
    """FLAC of as many bits as were asked for."""
    deep = ("-sample_fmt", "s32", "-bits_per_raw_sample", "24")
    sample = ("-sample_fmt", "s16") if options.bit_depth == 16 else deep
    codec = ("-c:a", "flac", *sample, "-compression_level", "8")
    bits = 16 if options.bit_depth == 16 else 0
    return SoundEncoding(codec=codec, container=("-f", "flac"), rate_hz=options.sample_rate_hz, bits=bits)


def pcm(options: DeepSoundOptions) -> SoundEncoding:
    """Uncompressed, of as many bits as were asked for."""
    if options.bit_depth == 16:
        return pcm16(options)
    return SoundEncoding(codec=("-c:a", "pcm_s24le"), container=_WAVE, rate_hz=options.sample_rate_hz)


def pcm16(options: SoundOptions) -> SoundEncoding:
    """Uncompressed, 16 bits."""
    return SoundEncoding(codec=("-c:a", "pcm_s16le"), container=_WAVE, rate_hz=options.sample_rate_hz, bits=16)


def mp3(options: SoundOptions) -> SoundEncoding:
    """MP3 for AVI, which can't tell that an encoder begins late."""
    codec = ("-c:a", "libmp3lame", "-b:a", bitrate(options))
    return SoundEncoding(
        codec=codec, container=("-f", "mp3"), rate_hz=options.sample_rate_hz, lossy=True, late=_LAME_DELAY
    )
