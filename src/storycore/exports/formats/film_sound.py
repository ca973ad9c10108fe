"""The sound of films: encoded once in a file of its own, measured, kept to be used again, and copied into the film."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from storycore.exports.formats.format import Film
from storycore.exports.formats.mixdown import goal, mixed
from storycore.exports.formats.options import MasterOptions, SoundOptions
from storycore.exports.formats.sound_format import bitrate
from storycore.exports.formats.sound_metrics import measured_sound
from storycore.observe.progress import Progress
from storycore.project.content import open_regular
from storycore.project.model import ProjectWarning
from storycore.project.paths import inside
from storycore.rendering.film import Studio, machine
from storycore.rendering.master import Goal
from storycore.rendering.measure_sound import measure_sound
from storycore.rendering.plan import Timeline
from storycore.rendering.sound_file import SoundEncoding, write_sound
from storycore.rendering.sounds import SAMPLE_RATE, place_sounds

_MIXER = 1
"""Raised when the same sounds begin to give another mix."""

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
        StoryCoreError: see `rendering.mix.write_mix` and `rendering.sound_file.write_sound`.
    """
    aim = goal(options)
    key = _key(film, line, encoding, aim, options.channels, studio)
    path = studio.folder / f"{key}.sound"
    told = studio.cache.noted(key)
    if isinstance(told, list) and studio.cache.take(key, path):
        progress.begin("measuring sound", until=0.9)
        warnings = tuple(ProjectWarning(**one) for one in told)
        facts = measure_sound(studio.ffmpeg, path, progress)
    else:
        written = studio.cache.new(key)
        try:
            with mixed(
                film, line, ffmpeg=studio.ffmpeg, channels=options.channels, progress=progress, until=0.82
            ) as mix:
                made = write_sound(mix, written, encoding, aim, ffmpeg=studio.ffmpeg, progress=progress, until=0.9)
            warnings, facts = mix.warnings, made.facts
            studio.cache.note(key, [asdict(warning) for warning in warnings])
            studio.cache.keep(key, written)
        finally:
            written.unlink(missing_ok=True)
        studio.cache.take(key, path)
    return FilmSound(path=path, metrics=measured_sound(facts, aim, line.duration), warnings=warnings)


def _key(  # noqa: PLR0913, PLR0917 - all that decides about the bytes
    film: Film, line: Timeline, encoding: SoundEncoding, aim: Goal, channels: int, studio: Studio
) -> str:
    sounds = place_sounds(film.project, line)
    files = {sound.path: _sha256(inside(film.project.folder, sound.path)) for sound in sounds}
    told: Sequence[Any] = (
        *(_MIXER, repr(sounds), sorted(files.items()), line.samples(SAMPLE_RATE), channels),
        *(repr(encoding), repr(aim), studio.ffmpeg.mark, machine()),
    )
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def _sha256(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        with open_regular(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


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
