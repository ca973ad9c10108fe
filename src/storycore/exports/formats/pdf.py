"""pdf: a storyboard for people, archives and screen readers."""

from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

from storycore.exports.documents import pdf_facts
from storycore.exports.documents.faces import FOLDERS, families
from storycore.exports.documents.letters import Letters
from storycore.exports.documents.pages import Page, grid, page, pixels
from storycore.exports.documents.panels import panels
from storycore.exports.documents.storyboard import storyboard, worded
from storycore.exports.documents.typesetting import Job, LettersRefused, typeset
from storycore.exports.formats.finished import finished
from storycore.exports.formats.format import Film, Made
from storycore.exports.formats.pdf_metrics import metrics
from storycore.exports.formats.pdf_options import PdfOptions
from storycore.exports.formats.shot_pictures import Pictures, fitting, pictures
from storycore.exports.moment import moment_ns
from storycore.metadata.stated import stated
from storycore.observe.progress import Progress
from storycore.project.model import ProjectWarning
from storycore.rendering.cache import SegmentCache
from storycore.storage.local import new_file
from storycore.units import SECOND_NS, human_seconds, timecode

_KINDS = {"storyboard": "Storyboard"}
_TRIES = 3
_EMPTY = ProjectWarning(
    file="project.json", pointer="", reason="nothing_to_show", message="The film has no shots; a cover was made."
)


class _Pdf:
    name = "pdf"
    suffix = ".pdf"
    media_type = "application/pdf"
    options: type[PdfOptions] = PdfOptions

    def write(self, film: Film, target: Path, options: Any, progress: Progress) -> Made:
        """One document."""
        letters = Letters()
        with new_file(target) as file, ExitStack() as stack:
            cache = SegmentCache(film.settings.cache_folder / "segments", film.settings.segment_cache_bytes)
            folder = stack.enter_context(cache.workplace())
            progress.begin("reading", unit="shots", until=0.02)
            told, shown = _storyboard(film, options, letters, stack, progress)
            progress.begin("typesetting", until=0.95)
            data = {**_frame(film, options, letters), **told}
            job = Job(
                template=options.document,
                foreign=False,
                data=data,
                fonts=FOLDERS,
                moment=_moment(film),
                files={f"pictures/{path.name}": path for path in shown.of.values()},
            )
            file.write(_typeset(job, folder, letters, progress).read_bytes())
            file.flush()
            progress.begin("measuring", until=0.99)
            facts = pdf_facts.read(file)
            size_bytes, sha256 = finished(file)
        warnings = (*(shown.warnings if film.project.shots else (_EMPTY,)), *letters.warnings)
        return Made(size_bytes=size_bytes, sha256=sha256, metrics=metrics(facts, options.dpi), warnings=warnings)


def _typeset(job: Job, folder: Path, letters: Letters, progress: Progress) -> Path:
    """A job done; letters that no font has in this place of a text after all are replaced."""
    for _ in range(_TRIES):
        try:
            return typeset(job, folder, progress)
        except LettersRefused as refusal:
            job = replace(job, data=letters.repaired(job.data, refusal.letters), files={})
    try:
        return typeset(job, folder, progress)
    except LettersRefused as refusal:
        raise refusal.fault from None


def _storyboard(
    film: Film, options: PdfOptions, letters: Letters, stack: ExitStack, progress: Progress
) -> tuple[dict[str, Any], Pictures]:
    project = film.project
    found = panels(project)
    on = _page(options)
    aspect = Fraction(project.width, project.height)
    divided = grid(on, options.columns, options.rows, aspect, worded=worded(found, options.fields))
    size = fitting(film, *(pixels(side, options.dpi) for side in (divided.picture_width, divided.picture_height)))
    shown = stack.enter_context(pictures(film, *size, progress, until=0.8))
    names = {index: f"pictures/{path.name}" for index, path in shown.of.items() if index not in shown.slates}
    return storyboard(found, names, divided, options.fields, letters), shown


def _frame(film: Film, options: PdfOptions, letters: Letters) -> dict[str, Any]:
    """What every document says of the film, and how its pages look."""
    project, words = film.project, stated(film.project)
    made = datetime.fromtimestamp(_moment(film), UTC)
    on = _page(options)
    language, _, region = (options.text_language or words.language or "en").partition("-")
    return {
        "kind": _KINDS[options.document],
        "title": letters.printable(project.title),
        "logline": letters.printable(project.logline[:1000]),
        "authors": [letters.printable(name) for name in words.creators],
        "description": letters.printable(project.logline or words.description)[:1000],
        "keywords": [letters.printable(genre) for genre in words.genres],
        "date": [made.year, made.month, made.day],
        "language": [language.lower(), region.upper() if len(region) == 2 else None],
        "fonts": families(options.text_language or words.language),
        "fonts_ja": families("ja"),
        "fonts_ko": families("ko"),
        "page": {name: getattr(on, name) for name in Page.__slots__}
        | {"content_width": on.content_width, "content_height": on.content_height},
        "header": letters.printable(options.header or project.title),
        "footer": letters.printable(options.footer),
        "logo": None,
        "cover": options.cover or not project.shots,
        "facts": _facts(film),
    }


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


def _page(options: PdfOptions) -> Page:
    return page(options.paper, options.orientation or "landscape")


def _moment(film: Film) -> int:
    return max(0, moment_ns(film.listing.files)) // SECOND_NS


FORMAT = _Pdf()
