"""Files that people bring to a PDF: a template of their own, and a logo."""

from pathlib import Path
from typing import NamedTuple

from storycore.errors import InvalidInput, NotFound, Reason
from storycore.exports.formats.format import Film
from storycore.exports.formats.pdf_options import PdfOptions
from storycore.observe.progress import Progress
from storycore.project.content import open_regular
from storycore.project.headers import read_facts
from storycore.project.paths import inside, is_portable
from storycore.rendering import encoder
from storycore.rendering.encoder import DECODING, Limits, source, url
from storycore.settings import user_folder
from storycore.units import MEBIBYTE

_SUFFIX = ".typ"
_MOST_BYTES = MEBIBYTE
_LOGO = "logo.png"
_LOGO_PIXELS = 480
"""Height that a logo is reduced to: 14 mm at 870 dots to the inch."""
_LIMITS = Limits(memory_bytes=DECODING.memory_bytes, cpu_seconds=60, file_bytes=64 * MEBIBYTE)


def template(film: Film, options: PdfOptions) -> str | None:
    """The text of the user's template, or None for ours.

    Raises:
        NotFound: file_not_found.
        InvalidInput: template_invalid: too large, or no UTF-8.
    """
    if not options.template:
        return None
    path = inside(film.project.folder, options.template) or _of_user(options.template)
    if path is None or path.suffix != _SUFFIX:
        raise NotFound(
            f"There is no template {options.template[:100]!r}.",
            reason=Reason.FILE_NOT_FOUND,
            remediation=f"Name a {_SUFFIX} file of the project, or one in templates/ of the user's config folder.",
            details={"pointer": "/conversion_options/template"},
        )
    try:
        with open_regular(path) as file:
            data = file.read(_MOST_BYTES + 1)
        if len(data) > _MOST_BYTES:
            raise ValueError(f"it is larger than {_MOST_BYTES} bytes")  # noqa: TRY301 - told like what is not UTF-8
        return data.decode("utf-8-sig")
    except (OSError, ValueError) as fault:
        raise InvalidInput(
            f"The template {path.name} can't be read: {str(fault)[:200]}",
            reason=Reason.TEMPLATE_INVALID,
            details={"pointer": "/conversion_options/template"},
        ) from None


class Logo(NamedTuple):
    """A logo, reduced.

    Attributes:
        path: of a PNG.
        aspect: width by height.
    """

    path: Path
    aspect: float


def logo(film: Film, options: PdfOptions, folder: Path, progress: Progress) -> Logo | None:
    """The logo as a small PNG in a folder, or None without one. It is decoded by a child, as every foreign picture.

    Raises:
        NotFound: file_not_found.
        InvalidInput: media_invalid.
        DependencyFailed, Cancelled.
    """
    if not options.logo:
        return None
    path = inside(film.project.folder, options.logo)
    if path is None:
        raise NotFound(
            f"There is no logo {options.logo[:100]!r} in the project.",
            reason=Reason.FILE_NOT_FOUND,
            details={"pointer": "/conversion_options/logo"},
        )
    small = folder / _LOGO
    box = f"w='min({4 * _LOGO_PIXELS},iw)':h='min({_LOGO_PIXELS},ih)'"
    size = f"scale={box}:force_original_aspect_ratio=decrease:flags=area,format=rgba"
    arguments = ["-map", "0:v:0", "-frames:v", "1", "-vf", size, "-c:v", "png", "-fflags", "+bitexact", "-f", "image2"]
    encoder.run(
        encoder.find(film.settings),
        [*source(path), *arguments, "-update", "1", url(small)],
        progress=progress,
        limits=_LIMITS,
        foreign=path.name,
    )
    facts = read_facts(small) if small.is_file() else None
    if facts is None or not facts.width or not facts.height:
        raise InvalidInput(f"{path.name} holds no picture.", reason=Reason.MEDIA_INVALID)
    return Logo(small, facts.width / facts.height)


def _of_user(name: str) -> Path | None:
    """A template in the user's own folder."""
    if not is_portable(name):
        return None
    path = user_folder() / "templates" / (name if name.endswith(_SUFFIX) else name + _SUFFIX)
    return path if path.is_file() else None
