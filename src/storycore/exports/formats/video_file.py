"""Films with sound in one file: what mp4, mov, webm, mkv and avi do alike."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from storycore.exports.formats import filming
from storycore.exports.formats.caption_format import caption_warnings
from storycore.exports.formats.codec_options import hardware_warnings, impossible, unheeded
from storycore.exports.formats.figures import BOXES, MARKS, MIX, PICTURE, Figure
from storycore.exports.formats.film_metrics import (
    film_figures,
    likeness_figures,
    rate_warnings,
    stretch_figures,
    timecode_figures,
)
from storycore.exports.formats.finished import finished
from storycore.exports.formats.format import Film, FormatOptions, Made
from storycore.exports.formats.marking import seal
from storycore.exports.formats.mixdown import film_sound, goal, sound_tags
from storycore.exports.formats.options import CaptionOptions, SoundOptions, VideoOptions
from storycore.exports.formats.sound_metrics import loudness_warnings, measured_sound
from storycore.exports.formats.start_timecode import start_timecode
from storycore.exports.formats.told import created_at
from storycore.observe.progress import Progress
from storycore.project.model import ProjectWarning
from storycore.rendering.captions import cues, srt
from storycore.rendering.codecs import CODECS
from storycore.rendering.film import Picture, Rendered, Rendering, Studio
from storycore.rendering.joining import Captions, Wrapping, join
from storycore.rendering.measure import measure_film, measure_stretches
from storycore.rendering.measure_sound import SoundFacts, sound_in
from storycore.rendering.sound_file import SoundEncoding
from storycore.rendering.tags import clean, three_letters
from storycore.storage.local import new_file


class FilmOptions(VideoOptions, SoundOptions, CaptionOptions):
    """Of a film with sound; formats name their codecs."""

    video_codec: str
    audio_codec: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoFile:
    """A format of films. Fulfils `Format`.

    Attributes:
        name: as callers ask for it.
        suffix: of its files.
        media_type: of its files.
        options: the model of its options.
        muxer: ffmpeg's name of the container.
        arguments: of the container.
        sounds: how each `audio_codec` is encoded.
        captions: codec of captions that can be switched on, "" if the container can't hold them.
        counts_frames: as in `Wrapping`.
        boxed: whether its files are made of boxes (ISO/IEC 14496-12).
    """

    name: str
    suffix: str
    media_type: str
    options: type[FormatOptions]
    muxer: str
    arguments: Sequence[str] = ()
    sounds: Mapping[str, Callable[[Any], SoundEncoding]]
    captions: str = ""
    counts_frames: bool = False
    boxed: bool = False

    @property
    def figures(self) -> Mapping[str, Figure]:
        """What can be asked of its files."""
        return {**PICTURE, **(BOXES if self.boxed else {}), **MIX, **MARKS}

    def unheeded(self, options: FilmOptions) -> Mapping[str, str]:
        """Options that change nothing with the codecs that were chosen, and why."""
        return unheeded(options)

    def impossible(self, options: FilmOptions) -> Mapping[str, str]:
        """Options whose value the codecs do not have, and why."""
        return impossible(options)

    def picture(self, film: Film, options: FilmOptions) -> Picture:
        """The picture that `write` will need; several formats can be rendered at once beforehand."""
        codec = CODECS[options.video_codec]
        found = filming.picture(film, options, codec, pixel_format=getattr(options, "pixel_format", None))
        start_timecode(options, found.line.rate)  # refused before anything is drawn
        if options.captions == "burn":
            found = replace(found, burned=filming.burned(cues(film.project, found.line), found.canvas))
        return found

    def write(self, film: Film, target: Path, options: FilmOptions, progress: Progress) -> Made:
        """The film with its sound."""
        wanted = self.picture(film, options)
        with new_file(target) as file, ExitStack() as stack:
            studio = stack.enter_context(filming.studio(film, measured=bool(wanted.figures)))
            path = Path(file.name)
            rendering = Rendering([wanted], studio, progress)
            if rendering.offer(until=0.01):  # the sound is mixed while others paint
                sound = self._sound(film, wanted, options, studio, progress, until=0.15)
                rendered = rendering.done(until=0.9)[0]
            else:
                rendered = rendering.done(until=0.75)[0]
                sound = self._sound(film, wanted, options, studio, progress, until=0.9)
            captions = _Captions(film, wanted, options, studio)
            wrapping = Wrapping(
                container=self.muxer,
                arguments=[*self._muxing(options), *_counted(options, wanted)],
                sound=None if sound is None else sound.path,
                captions=captions.soft(self.captions),
                chapters=filming.chapters(film, wanted.line),
                tags=_tags(film, options),
                counts_frames=self.counts_frames,
            )
            progress.begin("joining", until=0.95)
            join(studio.ffmpeg, rendered, wrapping, path, progress)
            sealed = seal(film, file, self.media_type, options, progress, until=0.97)
            progress.begin("measuring", until=0.99)
            figures = measured_picture(path, rendered, options, studio, progress)
            if sound is not None:
                heard = sound_in(studio.ffmpeg, path, sound.path, sound.facts, progress)
                figures |= measured_sound(heard, goal(options), wanted.line.duration)
            size_bytes, sha256 = finished(file)
            seen = (*filming.shape(film, options).warnings, *studio.sources.warnings)
            warnings = (
                *seen,
                *captions.warnings,
                *rate_warnings(figures),
                *loudness_warnings(figures),
                *hardware_warnings(wanted, options),
            )
            beside = captions.beside(target, stack)
        return Made(
            size_bytes=size_bytes,
            sha256=sha256,
            metrics={**figures, **sealed},
            warnings=warnings if sound is None else (*warnings, *sound.warnings),
            beside=beside,
        )

    def _muxing(self, options: FilmOptions) -> Sequence[str]:
        if getattr(options, "edit_lists", True):
            return self.arguments
        flags = "+negative_cts_offsets"  # else the picture would begin late, by as much as its B-frames run ahead
        return [*(f"{it}{flags}" if it.startswith("+faststart") else it for it in self.arguments), "-use_editlist", "0"]

    def _sound(  # noqa: PLR0913 - all that sound is made of
        self, film: Film, wanted: Picture, options: FilmOptions, studio: Studio, progress: Progress, *, until: float
    ) -> "_Sound | None":
        if options.audio_codec == "none":
            return None
        line, path = wanted.line, studio.folder / "sound"
        sound = film_sound(
            film,
            line,
            path,
            self.sounds[options.audio_codec](options),
            options,
            ffmpeg=studio.ffmpeg,
            tagged=False,
            progress=progress,
            until=until,
        )
        return _Sound(path=path, facts=sound.facts, warnings=sound.warnings)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sound:
    path: Path
    facts: SoundFacts
    warnings: tuple[ProjectWarning, ...]


class _Captions:
    """The captions of one film, in the way that was asked for."""

    def __init__(self, film: Film, wanted: Picture, options: FilmOptions, studio: Studio) -> None:
        self._options, self._studio = options, studio
        self._project, self._line = film.project, wanted.line
        asked = options.caption_language
        self._language = wanted.canvas.language if asked == "und" else asked
        self._cues = cues(film.project, wanted.line) if options.captions != "none" else ()

    @property
    def warnings(self) -> tuple[ProjectWarning, ...]:
        """What will not be read, if captions were asked for."""
        return () if self._options.captions == "none" else caption_warnings(self._project, self._line, self._cues)

    def soft(self, codec: str) -> Captions | None:
        """A track that can be switched on."""
        if self._options.captions != "soft" or not self._cues:
            return None
        path = self._studio.folder / "captions.srt"
        path.write_text(srt(self._cues), encoding="utf-8")
        return Captions(path=path, codec=codec, language=three_letters(self._language))

    def beside(self, target: Path, stack: ExitStack) -> tuple[Path, ...]:
        """A file beside the film, which appears when the stack is closed."""
        if self._options.captions != "sidecar" or not self._cues:
            return ()
        path = target.with_suffix(".srt")
        stack.enter_context(new_file(path)).write(srt(self._cues).encode())
        return (path,)


def measured_picture(
    path: Path, rendered: Rendered, options: VideoOptions, studio: Studio, progress: Progress
) -> dict[str, Any]:
    """Figures of the finished picture, as many as are wanted."""
    figures: dict[str, Any] = {}
    if options.measure != "none":
        facts = measure_film(studio.ffmpeg, path, progress)
        figures |= film_figures(facts, rendered.picture, path.stat().st_size)
        figures |= timecode_figures(facts, start_timecode(options, rendered.picture.line.rate))
    if rendered.likeness is not None:
        figures |= likeness_figures(rendered.likeness)
    if options.measure == "full":
        figures |= stretch_figures(measure_stretches(studio.ffmpeg, path, progress))
    return figures


def _counted(options: FilmOptions, wanted: Picture) -> list[str]:
    """Arguments that write a track of timecode, if there is to be one."""
    first = start_timecode(options, wanted.line.rate)
    return ["-timecode", first] if first else []


def _tags(film: Film, options: FilmOptions) -> list[str]:
    """Arguments for what the film says about itself; the last of two that name the same counts."""
    tags = sound_tags(film.project, options)
    if options.title:
        tags += ["-metadata", f"title={clean(options.title)}"]
    created = created_at(film.project)
    if created is not None:
        tags += ["-metadata", f"creation_time={created:%Y-%m-%dT%H:%M:%S.000000Z}"]
    return tags
