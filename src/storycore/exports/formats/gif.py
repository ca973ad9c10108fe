"""gif: the film without sound, in colours chosen for it, for pages and messages."""

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from storycore.exports.formats import stills
from storycore.exports.formats.figures import MARKS, PICTURE, Figure, Kind
from storycore.exports.formats.film_metrics import same
from storycore.exports.formats.finished import finished
from storycore.exports.formats.format import Film, Made
from storycore.exports.formats.marking import seal, tag
from storycore.exports.formats.options import FrameRate, PictureOptions
from storycore.exports.formats.sound_metrics import metric
from storycore.observe.progress import Progress
from storycore.project.headers import read_facts
from storycore.rendering.film import Picture
from storycore.rendering.measure import measure_film
from storycore.storage.local import new_file

_USUAL_WIDTH = 480
_COLOURS = 256
_TICK_SECONDS = Fraction(1, 100)  # GIF counts hundredths


class GifOptions(PictureOptions):
    """Options of gif."""

    fps: FrameRate | None = Field(default=None, description="Frames per second; 12.5 if left out.")
    loop: Literal["forever", "once"] = Field(default="forever", description="How often it is shown.")


class _Gif:
    name = "gif"
    suffix = ".gif"
    media_type = "image/gif"
    options: type[PictureOptions] = GifOptions
    figures: Mapping[str, Figure] = {
        **{name: PICTURE[name] for name in ("resolution", "fps", "codec", "frames", "duration")},
        **MARKS,
        "media_type": Figure(words="the media type", kind=Kind.TEXT),
    }

    def picture(self, film: Film, options: GifOptions) -> Picture:
        """The frames that `write` will need."""
        return stills.picture(film, _small(options))

    def write(self, film: Film, target: Path, options: Any, progress: Progress) -> Made:
        """The film as moving picture."""
        wanted = self.picture(film, options)
        with (
            new_file(target) as file,
            stills.frames(film, wanted, _small(options), progress, until=0.8) as drawn,
        ):
            path, palette = Path(file.name), drawn.studio.folder / "palette.png"
            progress.begin("choosing colours", until=0.85)
            colours = f"{stills.RGB},format=rgb24,palettegen=max_colors={_COLOURS}:reserve_transparent=0"
            drawn.into(["-vf", colours, "-frames:v", "1", "-update", "1", "-f", "image2"], palette, progress)
            progress.begin("writing", until=0.95)
            graph = f"movie={palette.name}[p];[in]{stills.RGB},format=rgb24[f];[f][p]paletteuse=dither=sierra2_4a"
            loop = "0" if options.loop == "forever" else "-1"
            drawn.into(["-vf", graph, "-loop", loop, "-fflags", "+bitexact", "-f", "gif"], path, progress)
            tag(film, file, self.media_type)
            sealed = seal(film, file, self.media_type, options, progress, until=0.97)
            progress.begin("measuring", until=0.99)
            facts = measure_film(drawn.studio.ffmpeg, path, progress)
            headers = read_facts(path)
            size_bytes, sha256 = finished(file)
        shown = f"{facts.width}x{facts.height}"
        return Made(
            size_bytes=size_bytes,
            sha256=sha256,
            metrics={
                "resolution": shown,
                "fps": round(float(facts.frames / facts.duration), 3),
                "codec": "gif",
                "frames": metric(facts.frames, "frames", "packets, ffmpeg framecrc", target=wanted.line.frames,
                                 verdict=same(facts.frames, wanted.line.frames)),
                "duration": metric(round(float(facts.duration), 3), "s", "packets, ffmpeg framecrc",
                                   target=round(float(wanted.line.duration), 3),
                                   verdict=same(abs(facts.duration - wanted.line.duration) <= _TICK_SECONDS, True)),
                "media_type": metric(headers.media_type if headers else "", "", "header"),
                **sealed,
            },
            warnings=drawn.warnings,
        )  # fmt: skip


def _small(options: GifOptions) -> GifOptions:
    """As small and slow as such files usually are, where nothing was said."""
    changes: dict[str, Any] = {}
    if options.width is None and options.height is None:
        changes["width"] = _USUAL_WIDTH
    if options.fps is None:
        changes["fps"] = "12.5"
    return GifOptions(**{**options.model_dump(exclude_none=True), **changes})


FORMAT = _Gif()
