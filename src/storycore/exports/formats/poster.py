"""poster: one frame of the film as a picture."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from storycore.errors import InvalidInput, Reason
from storycore.exports.formats import filming, stills
from storycore.exports.formats.figures import STILLS, Figure
from storycore.exports.formats.finished import finished
from storycore.exports.formats.format import Film, Made
from storycore.exports.formats.marking import seal, tag
from storycore.exports.formats.options import Number, PictureOptions
from storycore.observe.progress import Progress
from storycore.project.headers import read_facts
from storycore.storage.local import new_file
from storycore.units import round_half_up, seconds


class PosterOptions(PictureOptions):
    """Options of poster."""

    at_seconds: Annotated[Number, Field(ge=0)] | None = Field(
        default=None,
        description="Which moment of the film, not behind its end; the middle of a shot if left out.",
    )


class _Poster:
    name = "poster"
    suffix = ".png"
    media_type = "image/png"
    options: type[PictureOptions] = PosterOptions
    figures: Mapping[str, Figure] = STILLS

    def check(self, film: Film, options: Any) -> None:
        """Refuses a moment that is not in the film.

        Raises:
            InvalidInput: out_of_range.
        """
        line = filming.shape(film, options).line
        if options.at_seconds is None or seconds(options.at_seconds) <= line.duration:
            return
        raise InvalidInput(
            f"conversion_options.at_seconds: {options.at_seconds:g} s lies behind the end; it lasts "
            f"{float(line.duration):g} s.",
            reason=Reason.OUT_OF_RANGE,
            remediation="Name a moment of the film, or leave at_seconds out for the middle of a shot.",
            details={"duration_seconds": float(line.duration), "pointer": "/conversion_options/at_seconds"},
        )

    def write(self, film: Film, target: Path, options: Any, progress: Progress) -> Made:
        """One frame."""
        whole = stills.picture(film, options)
        wanted = stills.only(whole, [_chosen(whole.line.frames, whole.line.rate, options, stills.middles(whole.line))])
        with new_file(target) as file, stills.frames(film, wanted, options, progress, until=0.8) as drawn:
            path = Path(file.name)
            progress.begin("writing", until=0.99)
            made = ["-vf", f"{stills.RGB},format=rgb24", "-frames:v", "1", "-update", "1", "-c:v", "png"]
            drawn.into([*made, "-fflags", "+bitexact", "-f", "image2"], path, progress)
            tag(film, file, self.media_type)
            sealed = seal(film, file, self.media_type, options, progress, until=0.995, line=wanted.line)
            headers = read_facts(path)
            size_bytes, sha256 = finished(file)
        shown = f"{headers.width}x{headers.height}" if headers else ""
        return Made(
            size_bytes=size_bytes,
            sha256=sha256,
            metrics={"resolution": shown, "color_space": "RGB", **sealed},
            warnings=drawn.warnings,
        )


def _chosen(frames: int, rate: Any, options: PosterOptions, middles: list[int]) -> int:
    if options.at_seconds is None:
        return next((number for number in middles if number >= frames // 3), middles[-1])
    return min(frames - 1, round_half_up(seconds(options.at_seconds) * rate))


FORMAT = _Poster()
