"""The sound of films: encoded once in a file of its own, measured, kept to be used again, and copied into the film."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from storycore.exports.formats.format import Film
from storycore.exports.formats.mixdown import goal, write_film_sound
from storycore.exports.formats.options import MasterOptions, SoundOptions
from storycore.exports.formats.sound_format import bitrate
from storycore.exports.formats.sound_metrics import measured_sound
from storycore.observe.progress import Progress
from storycore.project.model import ProjectWarning
from storycore.rendering.film import Studio
from storycore.rendering.plan import Timeline
from storycore.rendering.sound_file import SoundEncoding

_WAVE = ("-rf64", "auto", "-f", "wav")


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmSound:
    """The encoded sound of a film.

    Attributes:
        path: of its file, which goes when the workplace goes.
        metrics: what was measured in it.
        warnings: sounds that could not be heard.
    """

    path: Path
    metrics: Mapping[str, Any]
    warnings: tuple[ProjectWarning, ...]


def film_sound(  # noqa: PLR0913, PLR0917 - what, when, how, with what, and who is told
    film: Film, line: Timeline, encoding: SoundEncoding, options: MasterOptions, studio: Studio, progress: Progress
) -> FilmSound:
    """The sound of a film, found again if nothing about it changed.

    Raises:
        StoryCoreError: see `mixdown.write_film_sound`.
    """
    path = studio.folder / "sound"
    sound = write_film_sound(
        film, line, path, encoding, options, ffmpeg=studio.ffmpeg, tagged=False, progress=progress, until=0.9
    )
    metrics = measured_sound(sound.facts, goal(options), line.duration)
    return FilmSound(path=path, metrics=metrics, warnings=sound.warnings)


def aac(options: SoundOptions) -> SoundEncoding:
    """AAC-LC."""
    codec = ("-c:a", "aac", "-b:a", bitrate(options))
    return SoundEncoding(codec=codec, container=("-f", "mp4"), rate_hz=options.sample_rate_hz, lossy=True)


def opus(options: SoundOptions) -> SoundEncoding:
    """Opus."""
    codec = ("-c:a", "libopus", "-b:a", bitrate(options))
    return SoundEncoding(codec=codec, container=("-f", "opus"), lossy=True)


def flac(options: SoundOptions) -> SoundEncoding:
    """FLAC of 24 bits."""
    codec = ("-c:a", "flac", "-sample_fmt", "s32", "-bits_per_raw_sample", "24", "-compression_level", "8")
    return SoundEncoding(codec=codec, container=("-f", "flac"), rate_hz=options.sample_rate_hz)


def pcm24(options: SoundOptions) -> SoundEncoding:
    """Uncompressed, 24 bits."""
    return SoundEncoding(codec=("-c:a", "pcm_s24le"), container=_WAVE, rate_hz=options.sample_rate_hz)


def pcm16(options: SoundOptions) -> SoundEncoding:
    """Uncompressed, 16 bits."""
    return SoundEncoding(codec=("-c:a", "pcm_s16le"), container=_WAVE, rate_hz=options.sample_rate_hz, bits=16)


def mp3(options: SoundOptions) -> SoundEncoding:
    """MP3."""
    codec = ("-c:a", "libmp3lame", "-b:a", bitrate(options))
    return SoundEncoding(codec=codec, container=("-f", "mp3"), rate_hz=options.sample_rate_hz, lossy=True)
