"""hls: the film in several sizes for browsers, which choose by their line; a ZIP to be unpacked on a server.

Inside: `master.m3u8`, one folder for each size and one for the sound, in pieces of fragmented MP4 that begin at the
same frames in every size.
"""

import contextlib
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from storycore.errors import DependencyFailed, Reason
from storycore.exports.formats import film_sounds as sounds
from storycore.exports.formats import filming
from storycore.exports.formats.caption_format import caption_warnings
from storycore.exports.formats.codec_options import hardware_warnings, impossible, unheeded
from storycore.exports.formats.figures import BOXES, MIX, PICTURE, Figure, Kind
from storycore.exports.formats.film_metrics import rate_warnings
from storycore.exports.formats.finished import finished
from storycore.exports.formats.format import Film, Made
from storycore.exports.formats.mixdown import film_sound, goal
from storycore.exports.formats.options import Number, SoundOptions, VideoOptions, Whole, WordOptions
from storycore.exports.formats.sound_metrics import loudness_warnings, measured_sound, metric
from storycore.exports.formats.video_file import measured_picture
from storycore.observe.progress import Progress
from storycore.project.model import ProjectWarning
from storycore.rendering.captions import cues, vtt
from storycore.rendering.codecs import CODECS
from storycore.rendering.film import Picture, Rendered, Rendering, Studio
from storycore.rendering.measure import measure_film
from storycore.rendering.measure_sound import sound_in
from storycore.rendering.playlists import Rendition, Variant, master, rungs, whole
from storycore.rendering.streaming import Stream, cut_picture, cut_sound
from storycore.storage.local import new_file

_INSTANT = (1980, 1, 1, 0, 0, 0)
_SOUND_CODEC = "mp4a.40.2"  # AAC-LC

_STEADY = replace(
    CODECS["h264"],
    b_frames=0,
    arguments=("-profile:v", "high", "-bf", "0", "-x264-params", "open-gop=0:stitchable=1:scenecut=0"),
)
"""Keyframes at the same frames in every size, and frames in the order of their times, so that no player must guess."""


def _sides(value: list[int]) -> list[int]:
    if any(side % 2 for side in value):
        raise ValueError("sides of pictures must be even")
    return value


class HlsOptions(VideoOptions, SoundOptions, WordOptions):
    """Options of hls."""

    sizes: Annotated[list[Annotated[Whole, Field(ge=144, le=4320)]], AfterValidator(_sides)] | None = Field(
        default=None,
        max_length=8,
        description="Shorter sides of the smaller pictures, even; up to three usual ones if left out.",
    )
    piece_seconds: Number = Field(
        default=6.0, ge=1, le=20, description="Least length of a piece; it ends at a keyframe."
    )
    audio_codec: Literal["aac", "none"] = Field(default="aac", description="Codec of the sound; none for no sound.")
    captions: Literal["none", "soft", "burn"] = Field(
        default="none", description="soft: can be switched on; burn: in the picture."
    )


class _Hls:
    name = "hls"
    suffix = ".hls.zip"
    media_type = "application/zip"
    options: type[HlsOptions] = HlsOptions
    figures: Mapping[str, Figure] = {
        **PICTURE,
        **BOXES,
        **MIX,
        "sizes": Figure(words="the number of sizes", kind=Kind.STRETCHES),
        "pieces": Figure(words="the number of pieces"),
        "longest_piece": Figure(words="the length of the longest piece"),
    }

    def unheeded(self, options: HlsOptions) -> Mapping[str, str]:
        """Options that change nothing with the codecs that were chosen, and why."""
        return unheeded(options)

    def impossible(self, options: HlsOptions) -> Mapping[str, str]:
        """Options whose value the codecs do not have, and why."""
        return impossible(options)

    def pictures(self, film: Film, options: HlsOptions) -> list[Picture]:
        """The pictures that `write` will need, the largest first."""
        return _pictures(film, options)

    def write(self, film: Film, target: Path, options: Any, progress: Progress) -> Made:
        """The stream."""
        wanted = _pictures(film, options)
        with new_file(target) as file, filming.studio(film, measured=bool(wanted[0].figures)) as studio:
            rendering = Rendering(wanted, studio, progress)
            made = _Stream(film, options, wanted[0], studio, progress)
            if rendering.offer(until=0.01):  # the sound is mixed while others paint
                made.add_sound(until=0.15)
                rendered = rendering.done(until=0.9)
            else:
                rendered = rendering.done(until=0.8)
                made.add_sound(until=0.9)
            progress.begin("cutting", total=len(rendered), unit="sizes", until=0.95)
            for one in rendered:
                made.add_picture(one, cut_picture(studio.ffmpeg, one, made.seconds, made.place(one), progress))
                progress.advance()
            made.add_captions()
            progress.begin("measuring", until=0.99)
            figures = made.figures()
            with zipfile.ZipFile(file, "w") as archive:
                made.pack(archive)
            size_bytes, sha256 = finished(file)
            warnings = (
                *(*filming.shape(film, options).warnings, *studio.sources.warnings),
                *(
                    *made.warnings,
                    *rate_warnings(figures),
                    *loudness_warnings(figures),
                    *hardware_warnings(wanted[0], options),
                ),
            )
        return Made(size_bytes=size_bytes, sha256=sha256, metrics=figures, warnings=warnings)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rung:
    rendered: Rendered
    stream: Stream


class _Stream:
    """The parts of one stream, as they come."""

    def __init__(self, film: Film, options: HlsOptions, top: Picture, studio: Studio, progress: Progress) -> None:
        self._film, self._options, self._top, self._studio, self._progress = film, options, top, studio, progress
        self._rungs: list[_Rung] = []
        self._sound: Stream | None = None
        self._renditions: list[Rendition] = []
        self._texts: dict[str, str] = {}
        self._metrics: Mapping[str, Any] = {}
        self.seconds = Fraction(str(options.piece_seconds))
        self.warnings: list[ProjectWarning] = []

    def place(self, rendered: Rendered) -> Path:
        """The folder of one size, called after its shorter side."""
        return self._studio.folder / "stream" / f"{min(rendered.picture.canvas.size)}p"

    def add_picture(self, rendered: Rendered, stream: Stream) -> None:
        """Adds one size.

        Raises:
            DependencyFailed: encoder_failed: its pieces do not begin where those of the others do.
        """
        lengths = [piece.duration for piece in stream.pieces]
        if self._rungs and lengths != [piece.duration for piece in self._rungs[0].stream.pieces]:
            raise DependencyFailed("Pieces of two sizes are not aligned.", reason=Reason.ENCODER_FAILED)
        self._rungs.append(_Rung(rendered=rendered, stream=stream))

    def add_sound(self, *, until: float) -> None:
        """Adds the sound, once for all sizes."""
        options, studio = self._options, self._studio
        if options.audio_codec == "none":
            return
        path = studio.folder / "sound"
        sound = film_sound(
            self._film, self._top.line, path, sounds.aac(options), options,
            ffmpeg=studio.ffmpeg, tagged=False, progress=self._progress, until=until,
        )  # fmt: skip
        self.warnings += sound.warnings
        self._sound = cut_sound(studio.ffmpeg, path, self.seconds, studio.folder / "stream/sound", self._progress)
        with self._joined(self._sound) as joined:
            heard = sound_in(studio.ffmpeg, joined, path, sound.facts, self._progress)
        self._metrics = measured_sound(heard, goal(options), self._top.line.duration)
        language = options.dub_language or self._top.canvas.language
        self._renditions.append(
            Rendition(kind="AUDIO", uri="sound/index.m3u8", language=language, channels=options.channels)
        )

    def add_captions(self) -> None:
        """Adds captions that can be switched on."""
        if self._options.captions == "none":
            return
        found = cues(self._film.project, self._top.line)
        self.warnings += caption_warnings(self._film.project, self._top.line, found)
        if found and self._options.captions == "soft":
            asked = self._options.caption_language
            language = self._top.canvas.language if asked == "und" else asked
            self._texts["captions/captions.vtt"] = vtt(found, language)
            self._texts["captions/index.m3u8"] = whole("captions.vtt", self._top.line.duration)
            self._renditions.append(Rendition(kind="SUBTITLES", uri="captions/index.m3u8", language=language))

    def figures(self) -> dict[str, Any]:
        """What is read back: of the largest size all, of each what matters for a line."""
        sizes = [self._size(rung, variant) for rung, variant in zip(self._rungs, self._variants(), strict=True)]
        pieces = self._rungs[0].stream.pieces
        longest = max(piece.duration for piece in pieces)
        return {
            **self._largest(),
            "sizes": metric(sizes, "", "packets and pieces of each size"),
            "pieces": metric(len(pieces), "pieces", "playlist"),
            "longest_piece": metric(round(float(longest), 3), "s", "playlist"),
            **self._metrics,
        }

    def pack(self, archive: zipfile.ZipFile) -> None:
        """Writes all of it into a ZIP, the master playlist first."""
        _put(archive, "master.m3u8", master(self._variants(), self._renditions).encode())
        for name, text in sorted(self._texts.items()):
            _put(archive, name, text.encode())
        streams = [rung.stream for rung in self._rungs] + ([self._sound] if self._sound else [])
        for stream in streams:
            for path in stream.files:
                _put(archive, f"{stream.folder.name}/{path.name}", path.read_bytes())

    def _largest(self) -> dict[str, Any]:
        """All figures of the largest size."""
        rung = self._rungs[0]
        with self._joined(rung.stream) as path:
            return measured_picture(path, rung.rendered, self._options, self._studio, self._progress)

    def _size(self, rung: _Rung, variant: Variant) -> dict[str, Any]:
        """What matters of one size for a line."""
        with self._joined(rung.stream) as path:
            facts = measure_film(self._studio.ffmpeg, path, self._progress)
        return {
            "resolution": f"{facts.width}x{facts.height}",
            "frames": facts.frames,
            "keyframe_interval": facts.longest_group,
            "average_bps": variant.average_bps,
            "peak_bps": variant.peak_bps,
            "codecs": variant.codecs,
        }

    @contextlib.contextmanager
    def _joined(self, stream: Stream) -> Iterator[Path]:
        """One size, or the sound, in one file, as a player puts it together."""
        path = stream.joined(self._studio.folder / "joined.mp4")
        try:
            yield path
        finally:
            path.unlink()

    def _variants(self) -> Sequence[Variant]:
        sound = self._sound
        heard = (0, 0) if sound is None else (sound.peak_bps, sound.average_bps)
        return [
            Variant(
                uri=f"{rung.stream.folder.name}/index.m3u8",
                width=rung.rendered.picture.canvas.width,
                height=rung.rendered.picture.canvas.height,
                rate=rung.rendered.picture.canvas.rate,
                codecs=rung.stream.codec() + ("" if sound is None else f",{_SOUND_CODEC}"),
                peak_bps=rung.stream.peak_bps + heard[0],
                average_bps=rung.stream.average_bps + heard[1],
            )
            for rung in self._rungs
        ]


def _pictures(film: Film, options: HlsOptions) -> list[Picture]:
    """One for each size, the largest first."""
    top = filming.picture(film, options, _STEADY)
    found: list[Picture] = []
    for width, height in rungs(top.canvas.size, options.sizes):
        canvas = replace(top.canvas, width=width, height=height)
        share = width * height / (top.canvas.width * top.canvas.height)
        bound = None if options.bitrate_bps is None else max(10_000, round(options.bitrate_bps * share))
        burned = filming.burned(cues(film.project, top.line), canvas) if options.captions == "burn" else ()
        found.append(
            replace(
                top,
                canvas=canvas,
                quality=replace(top.quality, bitrate_bps=bound),
                burned=burned,
                figures=() if found else top.figures,
            )
        )
    return found


def _put(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    entry = zipfile.ZipInfo(name, _INSTANT)
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, data)


FORMAT = _Hls()
