"""The sound of a film, as every format with sound needs it."""

import contextlib
import tempfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from storycore.exports.formats.format import Film
from storycore.exports.formats.options import MasterOptions
from storycore.metadata.stated import stated
from storycore.observe.progress import Progress
from storycore.project.model import Project
from storycore.rendering import tags
from storycore.rendering.encoder import Ffmpeg
from storycore.rendering.master import Goal
from storycore.rendering.mix import Mix, write_mix
from storycore.rendering.plan import Timeline, timeline

_EMPTY_SECONDS = Fraction(3)  # of silence, where there is no film


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
    film.settings.cache_folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=film.settings.cache_folder, prefix="mix-") as folder:
        yield write_mix(
            film.project, line, Path(folder), ffmpeg=ffmpeg, channels=channels, progress=progress, until=until
        )


def film_line(film: Film, time_range: tuple[Fraction, Fraction] | None) -> Timeline:
    """The film in frames, as formats without a picture need it."""
    project = film.project
    lead = Fraction(0) if project.shots else _EMPTY_SECONDS
    return timeline(project.shots, project.frame_rate, lead_seconds=lead, time_range=time_range)


def goal(options: MasterOptions) -> Goal:
    """What the options ask a mix to be brought to."""
    return Goal(loudness_lufs=options.loudness_lufs, ceiling_dbtp=options.true_peak_dbtp, dynamic=options.dynamic)


def sound_tags(project: Project) -> list[str]:
    """Arguments for what the project says about itself; what it does not say is left out."""
    words = stated(project)
    told = {
        "title": project.title or project.name,
        "artist": ", ".join(words.creators),
        "comment": words.description or project.logline,
        "copyright": words.rights,
    }
    return tags.arguments(told, language=words.language)
