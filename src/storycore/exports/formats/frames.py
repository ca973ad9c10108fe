"""frames: every frame of the film as a PNG of its own, in one ZIP."""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field

from storycore.exports.formats import stills
from storycore.exports.formats.figures import PICTURE, STILLS, Figure
from storycore.exports.formats.finished import finished
from storycore.exports.formats.format import Film, Made
from storycore.exports.formats.options import PictureOptions
from storycore.exports.formats.sound_metrics import metric
from storycore.observe.progress import Progress
from storycore.project.headers import read_facts
from storycore.rendering.film import Picture
from storycore.storage.local import new_file

_BEGINNING = (1980, 1, 1, 0, 0, 0)


class FramesOptions(PictureOptions):
    """Options of frames."""

    picture_naming: str = Field(
        default="frame_{number:06d}", max_length=60, pattern=r"^[A-Za-z0-9_.-]*\{number:0[1-9]d\}[A-Za-z0-9_-]*$",
        description="Names of the pictures; the number counts from 0.",
    )  # fmt: skip


class _Frames:
    name = "frames"
    suffix = ".frames.zip"
    media_type = "application/zip"
    options: type[PictureOptions] = FramesOptions
    figures: Mapping[str, Figure] = {**STILLS, "frames": PICTURE["frames"]}

    def picture(self, film: Film, options: FramesOptions) -> Picture:
        """The frames that `write` will need."""
        return stills.picture(film, options)

    def write(self, film: Film, target: Path, options: Any, progress: Progress) -> Made:
        """All frames, stored as they are: PNG can't be packed smaller."""
        wanted = self.picture(film, options)
        with new_file(target) as file, stills.frames(film, wanted, options, progress, until=0.6) as drawn:
            folder = drawn.studio.folder / "pictures"
            folder.mkdir()
            progress.begin("writing", until=0.8)
            made = [
                "-vf",
                f"{stills.RGB},format=rgb24",
                "-fps_mode",
                "passthrough",
                "-c:v",
                "png",
                "-start_number",
                "0",
            ]
            drawn.into([*made, "-fflags", "+bitexact", "-f", "image2"], folder / "%09d.png", progress)
            pictures = sorted(folder.iterdir())
            progress.begin("packing", total=len(pictures), unit="frames", until=0.99)
            with zipfile.ZipFile(file, "w") as package:
                for number, path in enumerate(pictures):
                    entry = zipfile.ZipInfo(f"{options.picture_naming.format(number=number)}.png", _BEGINNING)
                    package.writestr(entry, path.read_bytes())
                    progress.advance()
            headers = read_facts(pictures[0])
            with zipfile.ZipFile(file) as package:
                count = len(package.namelist())
            size_bytes, sha256 = finished(file)
        return Made(
            size_bytes=size_bytes,
            sha256=sha256,
            metrics={
                "resolution": f"{headers.width}x{headers.height}" if headers else "",
                "color_space": "RGB",
                "frames": metric(count, "frames", "names in the ZIP", target=wanted.line.frames,
                                 verdict="within target" if count == wanted.line.frames else "off target"),
            },
            warnings=drawn.warnings,
        )  # fmt: skip


FORMAT = _Frames()
