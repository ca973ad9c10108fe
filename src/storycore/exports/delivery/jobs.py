"""From a template and a film to the files that a delivery will hold, in the order in which they are made."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from storycore.errors import Cancelled, InvalidInput, NotFound, Reason, StoryCoreError
from storycore.exports.delivery.checksums import NAME
from storycore.exports.delivery.template import Part, Template
from storycore.exports.export import refuse_unknown, refused, unheeded
from storycore.exports.formats.format import Beside, Film
from storycore.exports.works import Wanted, Work, works_of
from storycore.project.model import ProjectWarning
from storycore.project.paths import fold

UNMAKEABLE: Final = frozenset({
    Reason.NOTHING_TO_EXPORT, Reason.ENCODER_MISSING, Reason.LIBRARY_MISSING, Reason.UNKNOWN_VALUE,
})  # fmt: skip
"""Why an optional part is left out: the film, or this machine, has not what it needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One file of a delivery.

    Attributes:
        part: that it belongs to.
        work: what is made.
        beside: the folder that it puts beside it, if it does.
    """

    part: Part
    work: Work
    beside: Beside | None

    @property
    def path(self) -> str:
        """Where it will stand, relative to the delivery, `/` between names."""
        return self.place_of(self.work.name)

    def place_of(self, name: str) -> str:
        """Where something of that name will stand beside it."""
        return f"{self.part.folder}/{name}" if self.part.folder else name

    @property
    def is_film(self) -> bool:
        """Whether it has a picture that can be rendered together with those of others."""
        return hasattr(self.work.format, "picture")

    @property
    def is_report(self) -> bool:
        """Whether it tells of the files that were made before it."""
        return getattr(self.work.options, "document", "") == "report"

    @property
    def is_package(self) -> bool:
        """Whether it is the package, which holds the report."""
        return self.work.format.name == "zip"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A part, or one format of it, that can't be made of this film.

    Attributes:
        part: which one.
        message: why, for people.
    """

    part: Part
    message: str

    @property
    def warning(self) -> ProjectWarning:
        """The same as a warning."""
        return ProjectWarning(
            file="", pointer="", reason="part_left_out", message=f"{self.part.title} was left out: {self.message}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Agenda:
    """What a delivery will hold.

    Attributes:
        template: that says so.
        jobs: in the order in which they are made: the report last but for the package.
        left_out: optional parts that can't be made.
    """

    template: Template
    jobs: Sequence[Job]
    left_out: Sequence[LeftOut]


def wanted_of(template: Template, options: Mapping[str, Any]) -> list[tuple[Part, list[Wanted]]]:
    """The formats of each part.

    Args:
        template: which parts there are.
        options: of the caller; each must be known to one part at least, and heeded by its codec, and each part gets
            those that it knows and heeds.

    Raises:
        InvalidInput: unknown_field, wrong_type or out_of_range for an option; names the part.
    """
    known = {name for part in template.parts for item in part.wanted() for name in item.format.options.model_fields}
    refuse_unknown(options, known)
    found = []
    for part in template.parts:
        with told_of(part):
            found.append((part, part.wanted(options)))
            _refuse_absolute_links(found[-1][1])
    _refuse_unheeded(options, found)
    return found


def _refuse_unheeded(options: Iterable[str], found: Sequence[tuple[Part, Sequence[Wanted]]]) -> None:
    """Refuses options that no part heeds which knows them."""
    for name in options:
        knowing = [
            (part, items) for part, items in found if any(name in it.format.options.model_fields for it in items)
        ]
        why_not = [unheeded([name], items).get(name) for _, items in knowing]
        if why_not[0] is not None and all(why_not):
            with told_of(knowing[0][0]):
                raise refused(name, why_not[0])


def _refuse_absolute_links(items: Sequence[Wanted]) -> None:
    if any(getattr(item.options, "links", "relative") != "relative" for item in items):
        raise InvalidInput(
            "conversion_options.links: a delivery gets its name when it stands, and then goes elsewhere; only relative "
            "links lead anywhere then.",
            reason=Reason.OUT_OF_RANGE,
            details={"pointer": "/conversion_options/links"},
        )


def agenda(film: Film, template: Template, options: Mapping[str, Any]) -> Agenda:
    """What a delivery of a film will hold.

    Args:
        film: what is delivered.
        template: by which.
        options: as in `wanted_of`.

    Raises:
        NotFound: nothing_to_export: a part that is not optional can't be made; names it.
        InvalidInput: as `wanted_of`; unknown_value: a language that is not there; two files of one name.
        DependencyFailed: encoder_missing, for a part that is not optional.
    """
    jobs: list[Job] = []
    left_out: list[LeftOut] = []
    for part, items in wanted_of(template, options):
        for item in items:
            try:
                with told_of(part):
                    jobs += _jobs(film, part, item)
            except StoryCoreError as fault:
                if not part.optional or fault.reason not in UNMAKEABLE:
                    raise
                left_out.append(LeftOut(part=part, message=fault.message.removeprefix(f"{part.title}: ")))
    _refuse_twins(jobs)
    order = sorted(jobs, key=lambda job: (job.is_package, job.is_report))
    return Agenda(template=template, jobs=order, left_out=left_out)


@contextlib.contextmanager
def told_of(*parts: Part) -> Iterator[None]:
    """What is wrong in the block is told with the part that it is wrong with, or with those that it is."""
    try:
        yield
    except StoryCoreError as fault:
        if "part" not in fault.details and not isinstance(fault, Cancelled):  # who stops it knows why
            fault.message = f"{', '.join(part.title for part in parts)}: {fault.message}"
            fault.args = (fault.message,)
            fault.details["part"] = ", ".join(part.name for part in parts)
        raise


def _refuse_twins(jobs: Sequence[Job]) -> None:
    """Refuses files that some system could not tell apart, from each other or from a folder.

    Raises:
        InvalidInput: template_invalid: says which, and of which part.
    """
    folders = {_key(place) for job in jobs for place in (job.part.folder, *_above(job.part.folder)) if place}
    taken = {_key(NAME): "the list of checksums"}
    for job in jobs:
        name, other = job.path, "a folder" if _key(job.path) in folders else taken.get(_key(job.path))
        top = job.part.folder.partition("/")[0]
        if other is None and _key(top) == _key(NAME):
            name, other = top, taken[_key(NAME)]
        if other is not None:
            raise InvalidInput(
                f"{job.part.title}: {name} would also be the name of {other}.",
                reason=Reason.TEMPLATE_INVALID,
                remediation="Give the part another folder, or another naming in its options.",
                details={"part": job.part.name, "pointer": "/template"},
            )
        taken[_key(job.path)] = job.part.title
    _refuse_mixed_clips(jobs, {**dict.fromkeys(folders, "files of another part"), **taken})


def _refuse_mixed_clips(jobs: Sequence[Job], taken: Mapping[str, str]) -> None:
    """Refuses folders beside files in which something else would stand too: a timeline's clips of another size.

    Args:
        jobs: of the delivery.
        taken: key of a place → what stands there, of all files and folders of parts.

    Raises:
        InvalidInput: template_invalid: says which folder, and of which part.
    """
    known: dict[str, Job] = {}
    for job in jobs:
        if job.beside is None:
            continue
        place = job.place_of(job.beside.name)
        first = known.setdefault(_key(place), job)
        is_shared = (first.part.folder, first.beside) == (job.part.folder, job.beside)
        other = taken.get(_key(place)) or ("" if is_shared else f"other clips, those of {first.part.title}")
        if other:
            raise InvalidInput(
                f"{job.part.title}: its clips would stand in {place}, and so would {other}.",
                reason=Reason.TEMPLATE_INVALID,
                remediation="Give the part another folder; or, if they may have the same clips, the same options.",
                details={"part": job.part.name, "pointer": "/template"},
            )


def _above(folder: str) -> Iterator[str]:
    while "/" in folder:
        folder = folder.rpartition("/")[0]
        yield folder


def _key(path: str) -> str:
    return fold((path,))[0]


def _jobs(film: Film, part: Part, item: Wanted) -> list[Job]:
    if item.options.strict and not film.project.shots:
        raise NotFound("The project has no shots.", reason=Reason.NOTHING_TO_EXPORT)
    jobs = []
    for work in works_of(film, item, None):
        if hasattr(work.format, "nothing") and (why := work.format.nothing(work.film, work.options)):
            raise NotFound(why, reason=Reason.NOTHING_TO_EXPORT, remediation=_OPTIONAL)
        jobs.append(job := Job(part=part, work=work, beside=work.beside))
        if job.is_film:
            work.format.picture(work.film, work.options)  # type: ignore[attr-defined]  # is_film asked for it
    return jobs


_OPTIONAL: Final = "Add what is missing to the film, or make the part optional in the template."
