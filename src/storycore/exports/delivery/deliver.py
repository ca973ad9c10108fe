"""Makes a whole delivery: every file of it once, the report of them, the package that holds it, and the checksums."""

import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from storycore.errors import StoryCoreError
from storycore.exports.delivery.checksums import NAME, checksums
from storycore.exports.delivery.jobs import UNMAKEABLE, Agenda, Job, LeftOut, told_of
from storycore.exports.export import Exported, check_key, marked, render_together
from storycore.exports.formats.format import Delivered, Film
from storycore.exports.gates import Judged, judge
from storycore.exports.presets import figures_of
from storycore.observe.progress import Progress
from storycore.storage.local import new_file

_OWN: Final = "delivery"
"""The folder of the package, inside of what StoryCore adds, for the report and the checksums."""
_CHUNK_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveredFile:
    """One file of a delivery.

    Attributes:
        job: what it was made by.
        exported: where it was written, and what was measured in it.
        judged: its gates, and what came of them.
    """

    job: Job
    exported: Exported
    judged: Sequence[Judged]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A delivery that was made.

    Attributes:
        files: in the order in which they were made.
        left_out: optional parts that could not be made.
        digests: path relative to the delivery → SHA-256, of every file but the list itself.
    """

    files: Sequence[DeliveredFile]
    left_out: Sequence[LeftOut]
    digests: Mapping[str, str]


def deliver(film: Film, agenda: Agenda, folder: Path, progress: Progress) -> Delivery:
    """Writes a delivery into a folder.

    The films are rendered together first, so that each frame is drawn once. The report tells of every file that was
    made before it, and the package holds it beside the checksums of what stands outside.

    Guarantee: the film's project is not changed. After an error what was written so far stays in the folder; the
    caller throws it away.

    Args:
        film: what is delivered.
        agenda: as `jobs.agenda` gives it.
        folder: absolute, empty, nobody else's.
        progress: told which part, and how far it is; can cancel.

    Raises:
        StoryCoreError: see `Format.write`; `details.part` names the part.
    """
    for job in agenda.jobs:
        with told_of(job.part):
            check_key(job.work)
    films = [job for job in agenda.jobs if job.is_film]
    filmed = {job.part.name: job.part for job in films}
    with progress.named(f"{len(films)} films"), told_of(*filmed.values()):
        done = render_together([job.work for job in films], progress)
    done *= 0.75  # what is left for the other parts
    run = _Run(film, folder)
    left_out = list(agenda.left_out)
    parts = list(dict.fromkeys(job.part.name for job in agenda.jobs))
    share = (0.99 - done) / max(1, len(agenda.jobs))
    for number, job in enumerate(agenda.jobs):
        name = f"{job.part.title} ({parts.index(job.part.name) + 1} of {len(parts)})"
        with progress.named(name), progress.within(done + number * share, done + (number + 1) * share):
            try:
                with told_of(job.part):
                    run.make(job, progress)
            except StoryCoreError as fault:
                if not job.part.optional or fault.reason not in UNMAKEABLE:
                    raise
                left_out.append(LeftOut(part=job.part, message=fault.message.removeprefix(f"{job.part.title}: ")))
    run.seal()
    return Delivery(files=run.files, left_out=left_out, digests=run.digests)


class _Run:
    """One delivery on its way."""

    def __init__(self, film: Film, folder: Path) -> None:
        self.film, self.folder = film, folder
        self.files: list[DeliveredFile] = []
        self.digests: dict[str, str] = {}
        self._reports: list[Path] = []

    def make(self, job: Job, progress: Progress) -> None:
        """Writes one file, and judges it."""
        work, path = job.work, self.folder.joinpath(*job.path.split("/"))
        started = time.perf_counter()
        film = replace(work.film, delivered=tuple(self._delivered(job)), enclosed=self._enclosed(job))
        made = work.format.write(film, path, work.options, progress)
        made = marked(work, path, made, progress)
        seconds = time.perf_counter() - started
        made = replace(made, warnings=(*made.warnings, *work.warnings))
        exported = Exported(path=path, format=work.format.name, made=made, seconds=seconds)
        judged = judge(job.part.gates, made.metrics, figures_of(work.format))
        self.files.append(DeliveredFile(job=job, exported=exported, judged=judged))
        self.digests[job.path] = made.sha256
        for other in made.beside:  # formats of one folder may share what stands beside them
            name = other.relative_to(self.folder).as_posix()
            self.digests[name] = self.digests.get(name) or _sha256(other)
        if job.is_report:
            self._reports.append(path)

    def seal(self) -> None:
        """Writes the list of checksums, of all that was made."""
        with new_file(self.folder / NAME) as file:
            file.write(checksums(self.digests))

    def _delivered(self, job: Job) -> Iterator[Delivered]:
        """What was made before, as a job may use it: what stands beside files of another folder is none of its own."""
        for it in self.files:
            made = it.exported.made
            yield Delivered(
                name=it.job.path,
                format=it.exported.format,
                made=made if it.job.part.folder == job.part.folder else replace(made, beside=()),
                gates=tuple((gate.message, gate.passed) for gate in it.judged),
            )

    def _enclosed(self, job: Job) -> dict[str, bytes]:
        """What the package holds beside the project: the report, and the checksums of all that was made before it."""
        if not job.is_package:
            return {}
        own = {f"{_OWN}/{path.name}": path.read_bytes() for path in self._reports}
        return {**own, f"{_OWN}/{NAME}": checksums(self.digests)}


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while part := file.read(_CHUNK_BYTES):
            digest.update(part)
    return digest.hexdigest()
