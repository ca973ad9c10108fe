"""What every PDF says of its film, and how its pages look."""

from datetime import UTC, datetime
from typing import Any

from storycore.exports.documents.faces import families
from storycore.exports.documents.letters import Letters
from storycore.exports.documents.pages import Page, page
from storycore.exports.formats.format import Film
from storycore.exports.formats.pdf_files import Logo
from storycore.exports.formats.pdf_options import PdfOptions
from storycore.exports.moment import moment_ns
from storycore.metadata.stated import stated
from storycore.units import SECOND_NS, human_seconds, timecode

_KINDS = {"storyboard": "Storyboard", "shot_list": "Shot list", "report": "Production report"}


def frame(film: Film, options: PdfOptions, letters: Letters, *, logo: Logo | None) -> dict[str, Any]:
    """Data that every template reads, beside its own.

    Args:
        film: what it is about.
        options: what was asked for.
        letters: that can be printed.
        logo: that stands beside them, if any.
    """
    project, words = film.project, stated(film.project)
    made = datetime.fromtimestamp(moment(film), UTC)
    on = paper(options)
    language = options.text_language or words.language or "en"
    tags = language.split("-")
    region = next((tag.upper() for tag in tags[1:] if len(tag) == 2 and tag.isalpha()), None)
    return {
        "kind": _KINDS[options.document],
        "title": letters.printable(_short(project.title, 500)),
        "logline": letters.printable(project.logline),
        "authors": [letters.printable(name) for name in words.creators],
        "description": letters.printable(_short(project.logline or words.description, 1000)),
        "keywords": [letters.printable(genre) for genre in words.genres],
        "date": [made.year, made.month, made.day],
        "language": [tags[0].lower(), region],
        "fonts": families(language),
        "fonts_ja": families("ja"),
        "fonts_ko": families("ko"),
        "page": {name: getattr(on, name) for name in Page.__slots__}
        | {"content_width": on.content_width, "content_height": on.content_height},
        "header": letters.printable(options.header or _short(project.title, 200)),
        "footer": letters.printable(options.footer),
        "logo": None if logo is None else {"path": logo.path.name, "aspect": logo.aspect},
        "cover": options.cover or options.document != "storyboard" or not project.shots,
        "facts": _facts(film),
    }


def paper(options: PdfOptions) -> Page:
    """The pages that were asked for."""
    return page(options.paper, options.orientation or ("portrait" if options.document == "report" else "landscape"))


def moment(film: Film) -> int:
    """When a document says that it was made, in seconds since 1970: as its youngest source.

    Raises:
        InvalidInput: setting_invalid.
    """
    return min(max(0, moment_ns(film.listing.files) // SECOND_NS), _LAST_SECOND)


_LAST_SECOND = 253_402_300_799  # the end of the year 9999, after which PDF has no dates


def _short(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _facts(film: Film) -> list[tuple[str, str]]:
    project = film.project
    rate = float(project.frame_rate)
    missing = len(project.missing)
    found = [
        ("Shots", str(len(project.shots))),
        ("Length", f"{timecode(project.duration, project.frame_rate)} · {human_seconds(float(project.duration))}"),
        ("Picture", f"{project.width} × {project.height} at {rate:.5g} frames per second"),
    ]
    return [*found, ("Missing", f"{missing} {'file' if missing == 1 else 'files'}")] if missing else found
