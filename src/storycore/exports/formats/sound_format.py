"""What the formats of sound alone have in common."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from storycore.exports.formats.figures import SOUND
from storycore.exports.formats.finished import finished
from storycore.exports.formats.format import Film, Made
from storycore.exports.formats.marking import seal
from storycore.exports.formats.mixdown import film_line, film_sound, goal
from storycore.exports.formats.options import MasterOptions, SoundOptions
from storycore.exports.formats.sound_metrics import loudness_warnings, sound_metrics
from storycore.observe.progress import Progress
from storycore.project.model import ProjectWarning
from storycore.rendering import encoder
from storycore.rendering.sound_file import SoundEncoding
from storycore.storage.local import new_file

_USUAL_BPS = {1: 96_000, 2: 192_000, 6: 448_000, 8: 512_000}


class SoundFormat:
    """A format of one sound file: the film's mix, mastered.

    Args:
        name: lower case.
        suffix: with the dot.
        media_type: IANA media type.
        options: the model of its options.
        encoding: how a file with given options is encoded.
    """

    def __init__(
        self,
        name: str,
        media_type: str,
        options: type[MasterOptions],
        encoding: Callable[[Any], SoundEncoding],
    ) -> None:
        self.name, self.suffix, self.media_type = name, f".{name}", media_type
        self.options: Any = options
        self.figures = SOUND
        self._encoding = encoding

    def write(self, film: Film, target: Path, options: Any, progress: Progress) -> Made:
        """The film's sound."""
        ffmpeg = encoder.find(film.settings)
        line = film_line(film, options)
        with new_file(target) as file:
            sound = film_sound(
                film,
                line,
                Path(file.name),
                self._encoding(options),
                options,
                ffmpeg=ffmpeg,
                tagged=True,
                progress=progress,
                until=0.99,
            )
            sealed = seal(film, file, self.media_type, options, progress, until=0.995)
            size_bytes, sha256 = finished(file)
        figures = sound_metrics(sound.facts, goal(options), line.duration)
        warnings = (*sound.warnings, *loudness_warnings(figures))
        return Made(
            size_bytes=size_bytes,
            sha256=sha256,
            metrics={**figures, **sealed},
            warnings=warnings if film.project.shots else (*warnings, NO_FILM),
        )


NO_FILM = ProjectWarning(
    file="project.json", pointer="", reason="nothing_to_show", message="The film has no shots; silence was made."
)


def bitrate(options: SoundOptions) -> str:
    """Bits per second that were asked for, or the usual ones for so many channels."""
    return str(options.audio_bitrate_bps or _USUAL_BPS[options.channels])
