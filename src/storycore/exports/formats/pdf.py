"""pdf: a storyboard, a shot list or a production report, for people, archives and screen readers."""

import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from storycore.exports.documents import pdf_facts
from storycore.exports.documents.faces import FOLDERS
from storycore.exports.documents.letters import Letters
from storycore.exports.documents.pages import grid, pixels
from storycore.exports.documents.panels import panels
from storycore.exports.documents.report import report
from storycore.exports.documents.shot_list import PICTURE_POINTS, shot_list
from storycore.exports.documents.storyboard import storyboard, worded
from storycore.exports.documents.typesetting import Job, LettersRefused, typeset
from storycore.exports.formats.deliverables import deliverables
from storycore.exports.formats.figures import Figure
from storycore.exports.formats.finished import finished
from storycore.exports.formats.format import Film, Made
from storycore.exports.formats.pdf_files import logo, template
from storycore.exports.formats.pdf_frame import frame, moment, paper
from storycore.exports.formats.pdf_metrics import FIGURES, metrics
from storycore.exports.formats.pdf_options import PdfOptions
from storycore.exports.formats.shot_pictures import Pictures, fitting, pictures
from storycore.observe.progress import Progress
from storycore.project.model import ProjectWarning
from storycore.rendering.cache import SegmentCache
from storycore.storage.local import new_file

_TRIES = 3
_EMPTY = ProjectWarning(
    file="project.json", pointer="", reason="nothing_to_show", message="The film has no shots; a cover was made."
)


class _Pdf:
    name = "pdf"
    suffix = ".pdf"
    media_type = "application/pdf"
    options: type[PdfOptions] = PdfOptions
    figures: Mapping[str, Figure] = FIGURES

    def write(self, film: Film, target: Path, options: Any, progress: Progress) -> Made:
        """One document."""
        own = template(film, options)
        with new_file(target) as file, ExitStack() as stack:
            work = _Work(film=film, options=options, letters=Letters(), stack=stack, progress=progress)
            cache = SegmentCache(film.settings.cache_folder / "segments", film.settings.segment_cache_bytes)
            folder, brought = (stack.enter_context(cache.workplace()) for _ in range(2))
            progress.begin("reading", unit="shots", until=0.02)
            mark = logo(film, options, brought, progress)
            told, files, warnings = _TELLERS[options.document](work)
            job = Job(
                template=own if own is not None else options.document,
                foreign=own is not None,
                data={**frame(film, options, work.letters, logo=mark), **told},
                fonts=FOLDERS,
                moment=moment(film),
                files={**files, **({mark.path.name: mark.path} if mark else {})},
            )
            progress.begin("typesetting", until=0.95)
            with _typeset(job, folder, work.letters, progress).open("rb") as made:
                shutil.copyfileobj(made, file)
            file.flush()
            progress.begin("measuring", until=0.99)
            facts = pdf_facts.read(file)
            size_bytes, sha256 = finished(file)
        empty = () if film.project.shots else (_EMPTY,)
        return Made(
            size_bytes=size_bytes,
            sha256=sha256,
            metrics=metrics(facts, options.dpi),
            warnings=(*empty, *warnings, *work.letters.warnings),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """One document on its way; what `stack` holds is gone when it stands."""

    film: Film
    options: PdfOptions
    letters: Letters
    stack: ExitStack
    progress: Progress

    def pictures(self, width: float, height: float) -> Pictures:
        """Pictures of all shots for a size on paper, in points."""
        wanted = (pixels(side, self.options.dpi) for side in (width, height))
        size = fitting(self.film, *wanted)
        return self.stack.enter_context(pictures(self.film, *size, self.progress, until=0.8))


_Told = tuple[dict[str, Any], dict[str, Path], tuple[ProjectWarning, ...]]


def _storyboard(work: _Work) -> _Told:
    project, options = work.film.project, work.options
    found = panels(project)
    aspect = Fraction(project.width, project.height)
    fields = options.fields
    divided = grid(paper(options), options.columns, options.rows, aspect, worded=worded(found, fields))
    shown = work.pictures(divided.picture_width, divided.picture_height)
    return storyboard(found, _names(shown), divided, fields, work.letters), _files(shown), shown.warnings


def _shot_list(work: _Work) -> _Told:
    project = work.film.project
    high = min(PICTURE_POINTS * project.height / project.width, PICTURE_POINTS * 1.5)
    wide = min(PICTURE_POINTS, high * project.width / project.height)
    shown = work.pictures(wide, high)
    told = shot_list(panels(project), _names(shown), paper(work.options), work.options.fields, work.letters)
    told["picture_width"] = wide
    return told, _files(shown), shown.warnings


def _report(work: _Work) -> _Told:
    return report(work.film.project, deliverables(work.film), work.letters), {}, ()


_TELLERS = {"storyboard": _storyboard, "shot_list": _shot_list, "report": _report}


def _names(shown: Pictures) -> dict[int, str]:
    """Index of the shot → what templates know its picture by; slates are for films, pages say it in words."""
    return {index: f"pictures/{path.stem}.svg" for index, path in shown.of.items() if index not in shown.slates}


def _files(shown: Pictures) -> dict[str, Path]:
    """The pictures that pages show, each with a drawing that shows it.

    The typesetter decodes a JPEG to know its size, and keeps it so; out of a drawing it copies the JPEG as it is. With
    100 pictures of 1080p that is 60 MiB instead of 600.
    """
    found: dict[str, Path] = {}
    size = f'width="{shown.width}" height="{shown.height}"'
    for index, path in shown.of.items():
        if index not in shown.slates:
            drawing = path.with_suffix(".svg")
            image = f'<image {size} href="{path.name}"/>'
            drawing.write_text(f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{image}</svg>', encoding="ascii")
            found |= {f"pictures/{it.name}": it for it in (drawing, path)}
    return found


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


FORMAT = _Pdf()
