"""Films with sound in one file: what mp4, mov, webm, mkv and avi do alike."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from storycore.exports.formats import filming
from storycore.exports.formats.figures import figure
from storycore.exports.formats.format import Film, FormatOptions, Made
from storycore.exports.formats.options import SoundOptions, VideoOptions
from storycore.observe.progress import Progress
from storycore.rendering.codecs import CODECS
from storycore.rendering.film import Picture, Studio, render
from storycore.rendering.joining import Sound, Wrapping, join
from storycore.rendering.measure import FilmFacts, measure_film
from storycore.storage.local import new_file
from storycore.units import MEBIBYTE

_SAMPLE_RATE = 48000


class FilmOptions(VideoOptions, SoundOptions):
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
        sounds: how each `audio_codec` is asked of ffmpeg, without its bit rate.
        counts_frames: as in `Wrapping`.
    """

    name: str
    suffix: str
    media_type: str
    options: type[FormatOptions]
    muxer: str
    arguments: Sequence[str] = ()
    sounds: Mapping[str, Sequence[str]]
    counts_frames: bool = False

    def picture(self, film: Film, options: FilmOptions) -> Picture:
        """The picture that `write` will need; several formats can be rendered at once beforehand."""
        return filming.picture(
            film, options, CODECS[options.video_codec], pixel_format=getattr(options, "pixel_format", None)
        )

    def write(self, film: Film, target: Path, options: FilmOptions, progress: Progress) -> Made:
        """The film with its sound."""
        wanted = self.picture(film, options)
        with new_file(target) as file, filming.studio(film) as studio:
            rendered = render([wanted], studio, progress, until=0.85)[0]
            sound = self._sound(wanted, options, studio)
            wrapping = Wrapping(
                container=self.muxer,
                arguments=self.arguments,
                sound=sound,
                chapters=filming.chapters(film, wanted.line),
                tags=_tags(film, options),
                counts_frames=self.counts_frames,
            )
            progress.begin("joining", until=0.95)
            join(studio.ffmpeg, rendered, wrapping, Path(file.name), progress)
            progress.begin("measuring", until=0.99)
            facts = measure_film(studio.ffmpeg, Path(file.name), progress)
            size_bytes, sha256 = digest(file)
            warnings = studio.sources.warnings
        return Made(
            size_bytes=size_bytes,
            sha256=sha256,
            metrics={**film_figures(facts, wanted, size_bytes)},
            warnings=(*filming.shape(film, options).warnings, *warnings),
        )

    def _sound(self, wanted: Picture, options: FilmOptions, studio: Studio) -> Sound | None:
        if options.audio_codec == "none":
            return None
        samples = wanted.line.samples(_SAMPLE_RATE)
        path = studio.folder / "mix.f32"
        with path.open("wb") as file:
            file.truncate(samples * options.channels * 4)
        return Sound(path=path, rate_hz=_SAMPLE_RATE, channels=options.channels, arguments=self._encoded(options))

    def _encoded(self, options: FilmOptions) -> list[str]:
        arguments = [*self.sounds[options.audio_codec]]
        if options.audio_bitrate_bps is not None and options.audio_codec in ("aac", "opus", "mp3"):
            arguments += ["-b:a", str(options.audio_bitrate_bps)]
        if options.sample_rate_hz != _SAMPLE_RATE:
            arguments += ["-af", "aresample=resampler=soxr", "-ar", str(options.sample_rate_hz)]
        return arguments


def digest(file: BinaryIO) -> tuple[int, str]:
    """Size and SHA-256 of a file, read from its beginning."""
    file.seek(0)
    told, size_bytes = hashlib.sha256(), 0
    while block := file.read(MEBIBYTE):
        told.update(block)
        size_bytes += len(block)
    return size_bytes, told.hexdigest()


def film_figures(facts: FilmFacts, wanted: Picture, size_bytes: int) -> dict[str, Any]:
    """What was measured in a film, under the names that callers know."""
    fps = facts.fps
    rate: int | float = int(fps) if fps.denominator == 1 else round(float(fps), 3)
    packets, boxes = "packets, ffmpeg framecrc", "boxes of the file"
    line = wanted.line
    told = {
        "resolution": f"{facts.width}x{facts.height}",
        "fps": rate,
        "bitrate": f"{round(size_bytes * 8 / facts.duration / 1000) if facts.duration else 0}kbps",
        "codec": facts.codec,
        "width": figure(facts.width, "px", "stream header", target=wanted.canvas.width),
        "height": figure(facts.height, "px", "stream header", target=wanted.canvas.height),
        "frames": figure(facts.frames, "frames", packets, target=line.frames),
        "duration": figure(round(float(facts.duration), 6), "s", packets, target=round(float(line.duration), 6),
                           verdict=_duration_verdict(facts, wanted)),
        "frame_steps": figure(len(facts.steps), "different", packets),
        "video_bitrate": figure(facts.bitrate_bps, "bps", packets),
        "keyframe_interval": figure(facts.longest_group, "frames", packets),
        "pixel_format": figure(facts.pixel_format, "", "stream header", target=wanted.canvas.pixel_format),
        "colour": figure(facts.colour, "", "stream header"),
    }  # fmt: skip
    if facts.profile:
        told["profile"] = figure(facts.profile, "", "stream header")
    if facts.faststart is not None:
        told["faststart"] = figure(facts.faststart, "", boxes)
        told["edit_lists"] = figure(facts.edits, "entries", boxes)
    return told


def _duration_verdict(facts: FilmFacts, wanted: Picture) -> str:
    off = facts.duration - wanted.line.duration
    return (
        "within target" if abs(off) <= facts.tick else f"{abs(float(off)):.3f} s too {'long' if off > 0 else 'short'}"
    )


def _tags(film: Film, options: VideoOptions) -> list[tuple[str, str]]:
    project = film.project
    tags = [("title", options.title or project.title)]
    if project.logline:
        tags.append(("comment", project.logline))
    created = project.created or project.updated
    if created is not None:
        tags.append(("creation_time", created.strftime("%Y-%m-%dT%H:%M:%S.000000Z")))
    return tags
