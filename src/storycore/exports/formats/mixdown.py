"""The sound of a film, as formats need it: mixed, mastered, encoded, measured, and kept to be used again."""

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from storycore.exports.formats.filming import shape
from storycore.exports.formats.format import Film
from storycore.exports.formats.options import MasterOptions, PictureOptions, TimeOptions, VoiceOptions
from storycore.exports.formats.told import told_words
from storycore.observe.progress import Progress
from storycore.project.model import Project, ProjectWarning
from storycore.rendering import tags
from storycore.rendering.cache import SegmentCache
from storycore.rendering.encoder import Ffmpeg
from storycore.rendering.master import Goal
from storycore.rendering.measure_sound import SoundFacts, measure_sound
from storycore.rendering.mix import Mix, write_mix
from storycore.rendering.plan import Timeline
from storycore.rendering.sound_cache import sound_key
from storycore.rendering.sound_file import SoundEncoding, write_sound
from storycore.rendering.sounds import SAMPLE_RATE, odd_sounds, place_sounds


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmSound:
    """A film's sound in one file.

    Attributes:
        facts: read back from the file.
        warnings: what could not be heard.
    """

    facts: SoundFacts
    warnings: tuple[ProjectWarning, ...]


def film_sound(  # noqa: PLR0913 - what, where, how, by what, and who is told
    film: Film,
    line: Timeline,
    path: Path,
    encoding: SoundEncoding,
    options: MasterOptions,
    *,
    ffmpeg: Ffmpeg,
    tagged: bool,
    progress: Progress,
    until: float,
) -> FilmSound:
    """Writes the sound of a film into a file, over what stands there; one that was made before is used again.

    Args:
        film: whose sound.
        line: the film in frames.
        path: absolute.
        encoding: how.
        options: what it is brought to.
        ffmpeg: decodes, encodes and measures.
        tagged: whether it says title, artist, … itself.
        progress: told how far it is; can cancel.
        until: share of the whole work that is done then.

    Raises:
        StoryCoreError: see `rendering.mix.write_mix`.
    """
    cache, told = _cache(film), sound_tags(film.project, options) if tagged else []
    key = sound_key(
        film.project.folder,
        place_sounds(film.project, line),
        samples=line.samples(SAMPLE_RATE),
        channels=options.channels,
        encoding=encoding,
        goal=goal(options),
        tags=told,
        ffmpeg=ffmpeg,
    )
    if key is not None and _found(cache, key, path):
        progress.begin("measuring sound", until=until)
        return FilmSound(facts=measure_sound(ffmpeg, path, progress), warnings=tuple(odd_sounds(film.project)))
    with mixed(film, line, ffmpeg=ffmpeg, channels=options.channels, progress=progress, until=until / 2) as mix:
        written = write_sound(
            mix, path, encoding, goal(options), ffmpeg=ffmpeg, tags=told, progress=progress, until=until
        )
    if key is not None and not mix.unheard:
        part = cache.new(key)
        shutil.copyfile(path, part)
        cache.keep(key, part)
    return FilmSound(facts=written.facts, warnings=mix.warnings)


def _cache(film: Film) -> SegmentCache:
    return SegmentCache(film.settings.cache_folder / "segments", film.settings.segment_cache_bytes)


def _found(cache: SegmentCache, key: str, path: Path) -> bool:
    """Whether a kept sound is there; `path` holds a copy of it then."""
    with cache.workplace() as folder:
        kept = folder / "kept"
        if not cache.take(key, kept):
            return False
        shutil.copyfile(kept, path)
        return True


@contextlib.contextmanager
def mixed(  # noqa: PLR0913 - what, how, by what, and who is told
    film: Film, line: Timeline, *, ffmpeg: Ffmpeg, channels: int, progress: Progress, until: float
) -> Iterator[Mix]:
    """The mix of a film, which is there while the block runs.

    Args:
        film: whose sound.
        line: the film in frames.
        ffmpeg: decodes and measures.
        channels: 1, 2, 6 or 8.
        progress: told how far it is; can cancel.
        until: share of the whole work that is done when it is mixed.

    Raises:
        StoryCoreError: see `rendering.mix.write_mix`.
    """
    with _cache(film).workplace() as folder:
        yield write_mix(film.project, line, folder, ffmpeg=ffmpeg, channels=channels, progress=progress, until=until)


def film_line(film: Film, options: TimeOptions) -> Timeline:
    """The film in frames, as formats without a picture need it; the same as for a picture at the project's rate.

    Raises:
        InvalidInput: out_of_range: the range lies behind the film's end.
    """
    return shape(film, PictureOptions(time_range=options.time_range)).line


def goal(options: MasterOptions) -> Goal:
    """What the options ask a mix to be brought to."""
    return Goal(loudness_lufs=options.loudness_lufs, ceiling_dbtp=options.true_peak_dbtp, dynamic=options.dynamic)


def sound_tags(project: Project, options: VoiceOptions) -> list[str]:
    """Arguments for what the project says about itself; what it does not say is left out."""
    told = told_words(project)
    found = {name: told[name] for name in ("title", "artist", "description", "copyright", "date") if name in told}
    if "description" in found:
        found["comment"] = found["description"]  # which is where players of some containers look for it
    return tags.arguments(found, language=options.dub_language or told.get("language", ""))
