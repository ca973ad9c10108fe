"""storycore.export.deliver: a whole delivery of a film by one template."""

import hashlib
import os
import time
from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field
from typing_extensions import override

from storycore.app import App
from storycore.errors import Conflict, InvalidInput, Reason
from storycore.observe.progress import Progress
from storycore.operations.conversion import FormatOutput, GateEntry
from storycore.operations.format_fields import FormatOptions
from storycore.operations.project_folder import check_project, exports_of, read
from storycore.operations.request import (
    Facts,
    Made,
    OutputPath,
    ProjectPath,
    Request,
    Result,
    Spelling,
    WarningEntry,
    warning_entries,
)
from storycore.project.paths import EXPORTS
from storycore.units import stamp

if TYPE_CHECKING:
    from storycore.exports.delivery.deliver import DeliveredFile, Delivery
    from storycore.exports.delivery.template import Template
    from storycore.project.model import Project

TemplateName = Annotated[str, Field(max_length=41, pattern=r"^[A-Za-z0-9-]+$")]
"""Name of a delivery template."""


class DeliveredEntry(FormatOutput):
    """One file of a delivery; every figure was read back from it."""

    part: str = Field(description="Name of the part that it belongs to.")
    path: str = Field(description="Where it stands in the delivery, / between names.")


class FileOfDelivery(Result):
    """One file that stands in a delivery."""

    path: str = Field(description="Where it stands in the delivery, / between names.")
    size_bytes: int = Field(description="Its size.")
    checksum: str = Field(description="sha256: and 64 hex digits.")
    media_type: str = Field(description="IANA media type.")


class PartEntry(Result):
    """One part of a delivery."""

    name: str = Field(description="Name of the part in the template.")
    title: str = Field(description="The same for people.")
    state: Literal["made", "failed_gates", "left_out"] = Field(
        description="made; failed_gates: it was made, and is not what the template asks for; left_out."
    )
    files: int = Field(description="How many files it has, those beside its own among them.")
    size_bytes: int = Field(description="Their size.")
    messages: list[str] = Field(default=[], description="Why it was left out, or what is not as asked.")


class DeliverResult(Result):
    """Where the delivery is, what it holds, and whether all of it is as the template asks."""

    delivery_path: str = Field(description="Absolute path of its folder.")
    template: str = Field(description="The template that it was made by.")
    passed: bool = Field(description="Whether every file passed its quality gates.")
    parts: list[PartEntry] = Field(description="The parts of the template, in order.")
    outputs: list[DeliveredEntry] = Field(description="The files, in the order in which they were made.")
    checksums_path: str = Field(description="Absolute path of the list of checksums, which `sha256sum -c` reads.")
    files: list[FileOfDelivery] = Field(description="Everything that stands in it, the list of checksums among it.")
    files_included: int = Field(description="How many files that are.")
    total_size_bytes: int = Field(description="Their size.")
    delivery_time_ms: float = Field(description="How long it took.")
    metadata: dict[str, Any] = Field(description="As sent.")
    warnings: list[WarningEntry] = Field(description="What is odd about the project, and what was left out.")

    @property
    @override
    def verdict(self) -> bool:
        """Whether every file passed its quality gates."""
        return self.passed

    @override
    def artifacts(self) -> list[Made]:
        place = Path(self.delivery_path)
        return [Made(str(place / it.path), it.size_bytes, it.checksum, it.media_type) for it in self.files]


class DeliverRequest(Request[DeliverResult]):
    """Make a whole delivery of a film by one template."""

    project_path: ProjectPath = Field(description="Folder of the project.")
    template: Annotated[TemplateName, Spelling(("-t", "--template"))] = Field(
        description="festival, social, editor, archive, or one of your own; `export presets` lists them."
    )
    output_path: OutputPath | None = Field(
        default=None,
        description="New folder for the delivery; exports/<template>_<time> of the project if left out.",
    )
    conversion_options: Annotated[Facts, FormatOptions, Spelling(("-O", "--option"))] = Field(
        default={}, description="Options that go before those of the template, for every part that knows them."
    )
    metadata: Facts = Field(default={}, description="Facts of your own; they come back in the result.")


def check_delivery(app: App, request: DeliverRequest) -> None:
    """Refuses what can be refused before any work.

    Raises:
        InvalidInput, AccessDenied, NotFound: as `check_project`; the template; an option that no part knows.
        Conflict: output_exists.
    """
    from storycore.exports.delivery.jobs import wanted_of
    from storycore.exports.delivery.template import find

    check_project(app, request)  # callers expect a wrong folder to be told before a wrong template
    folder = app.places.project(request.project_path)
    wanted_of(find(request.template, folder), request.conversion_options)
    _target(app, folder, request, Progress())


def deliver(app: App, request: DeliverRequest, progress: Progress) -> DeliverResult:
    """Makes a whole delivery of a film by one template.

    Guarantee: all or nothing; it is written to a hidden folder beside its place, and gets its name when all of it
    stands; nothing that stands there already is touched; the project is not changed. Shots that were rendered once
    are found again, whatever became of an earlier try.

    Raises:
        StoryCoreError: see `exports.delivery.jobs.agenda` and `exports.delivery.deliver.deliver`.
    """
    from storycore.exports.delivery.checksums import NAME
    from storycore.exports.delivery.deliver import deliver as make
    from storycore.exports.delivery.jobs import agenda
    from storycore.exports.delivery.template import find
    from storycore.exports.formats.format import Film
    from storycore.operations.second_unit import unit_of
    from storycore.storage.local import new_folder

    started = time.perf_counter()
    folder, project, listing = read(app, request.project_path)
    template = find(request.template, folder)
    unit = unit_of(app, progress)
    film = Film(project=project, listing=listing, settings=app.settings, marked=True, unit=unit)
    target = _target(app, folder, request, progress)
    planned = agenda(film, template, request.conversion_options)
    with new_folder(target) as place:
        made = make(film, planned, place, progress)
        files = _files(place, made)
    progress.finish()
    outputs = [_entry(it, place, target, project) for it in made.files]
    warnings = [warning for it in made.files for warning in it.exported.made.warnings]
    return DeliverResult(
        delivery_path=str(target),
        template=template.name,
        passed=all(gate.passed for output in outputs for gate in output.quality_gates),
        parts=_parts(template, outputs, made, {str(target / it.path): it.size_bytes for it in files}),
        outputs=outputs,
        checksums_path=str(target / NAME),
        files=files,
        files_included=len(files),
        total_size_bytes=sum(file.size_bytes for file in files),
        delivery_time_ms=(time.perf_counter() - started) * 1000,
        metadata=request.metadata,
        warnings=warning_entries(dict.fromkeys((*(it.warning for it in made.left_out), *project.warnings, *warnings))),
    )


def _entry(it: "DeliveredFile", place: Path, target: Path, project: "Project") -> DeliveredEntry:
    """One file, as it stands in `target`; it was written to `place`."""
    from storycore.exports.formats.registry import find

    made = it.exported.made
    return DeliveredEntry(
        part=it.job.part.name,
        path=it.job.path,
        output_path=str(target / it.exported.path.relative_to(place)),
        source_format="storycore_project" if project.original else "unknown",
        target_format=it.exported.format,
        conversion_time_ms=it.exported.seconds * 1000,
        output_size_bytes=made.size_bytes,
        media_type=find(it.exported.format).media_type,
        checksum=f"sha256:{made.sha256}",
        quality_metrics=dict(made.metrics),
        quality_gates=[GateEntry(figure=gate.figure, passed=gate.passed, message=gate.message) for gate in it.judged],
        beside=[str(target / path.relative_to(place)) for path in made.beside],
    )


def _files(place: Path, made: "Delivery") -> list[FileOfDelivery]:
    """What stands in a delivery, sorted by path."""
    from storycore.exports.delivery.checksums import NAME
    from storycore.exports.formats.registry import find
    from storycore.project.media_types import expected

    types = {it.job.path: find(it.exported.format).media_type for it in made.files}
    digests = {**made.digests, NAME: hashlib.sha256((place / NAME).read_bytes()).hexdigest()}
    return [
        FileOfDelivery(
            path=path,
            size_bytes=place.joinpath(*path.split("/")).stat().st_size,
            checksum=f"sha256:{digests[path]}",
            media_type=types.get(path) or ("application/c2pa" if path.endswith(".c2pa") else expected(path)),
        )
        for path in sorted(digests)
    ]


def _parts(
    template: "Template", outputs: Sequence[DeliveredEntry], made: "Delivery", sizes: Mapping[str, int]
) -> list[PartEntry]:
    """What became of each part; `sizes` are those of all files, by absolute path."""
    found = []
    for part in template.parts:
        files = [output for output in outputs if output.part == part.name]
        paths = {path for output in files for path in (output.output_path, *output.beside)}
        failed = [gate.message for output in files for gate in output.quality_gates if not gate.passed]
        left_out = [it.message for it in made.left_out if it.part is part]
        found.append(
            PartEntry(
                name=part.name,
                title=part.title,
                state="failed_gates" if failed else "made" if files else "left_out",
                files=len(paths),
                size_bytes=sum(sizes[path] for path in paths),
                messages=list(dict.fromkeys((*failed, *left_out))),
            )
        )
    return found


def _target(app: App, folder: Path, request: DeliverRequest, progress: Progress) -> Path:
    """Where the delivery will be: what the caller named, or else a folder of its own in the project's exports/.

    Raises:
        Conflict: output_exists.
        InvalidInput: path_invalid: exports/ itself; it is for deliveries, and is none.
    """
    if request.output_path is None:
        return _free(exports_of(folder), f"{request.template.lower()}_{stamp(progress.accepted_at)}")
    target = app.places.output(request.output_path, folder)
    if target == folder / EXPORTS:
        raise InvalidInput(
            f"A delivery is a folder in {EXPORTS}/, not {EXPORTS}/ itself.",
            reason=Reason.PATH_INVALID,
            remediation=f"Name a new folder in {EXPORTS}/, or leave output_path out.",
            details={"pointer": "/output_path"},
        )
    if os.path.lexists(target):
        raise Conflict(
            f"There is already something there: {target.name}",
            reason=Reason.OUTPUT_EXISTS,
            remediation="Name a folder that is not there yet; nothing is written over.",
        )
    return target


def _free(exports: Path, name: str) -> Path:
    """A place that nobody has, nor anybody's delivery on its way."""
    return next(
        path
        for number in count(1)
        if not (path := exports / (name if number == 1 else f"{name}_{number}")).exists()
        and not any(exports.glob(f".{path.name}.*.part"))
    )
