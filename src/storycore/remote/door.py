"""The door to a running server: the same requests, results and errors, over HTTP.

Long work is followed to its end; when it is cancelled here, it is cancelled there. A call that breaks off is made
again with the same Idempotency-Key, so that nothing is done twice. Paths in a request are the server's, but for
`output_path`: what was made is fetched to that place on this machine, and checked.
"""

import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeVar

from storycore.errors import Cancelled, Conflict, DependencyFailed, NotFound, Reason
from storycore.observe.progress import Progress
from storycore.operations.artifact import ArtifactDownloadResult, ArtifactEntry, ArtifactListRequest
from storycore.operations.catalog import Operation
from storycore.operations.request import Request, Result, path_fields
from storycore.operations.run import operation_of
from storycore.operations.task import (
    EventEntry,
    TaskCancelRequest,
    TaskEventsRequest,
    TaskStatusRequest,
    TaskStatusResult,
)
from storycore.project.paths import Places
from storycore.remote.connection import Connection
from storycore.remote.folders import places
from storycore.remote.placing import place_for, put_at, refuse_media, stands_beside
from storycore.storage.local import new_file, new_folder
from storycore.storage.place import names_store

R = TypeVar("R", bound=Result)

"""How the names of files end that belong to another of the same name."""

_TRIES: Final = 4
_FIRST_LOOK_SECONDS: Final = 0.02
_LOOK_SECONDS: Final = 0.4
_PATIENCE_SECONDS: Final = 60.0
_CHUNK_BYTES: Final = 256 * 1024


class Remote:
    """One server, as the library's door.

    Args:
        connection: calls to it.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def run(self, request: Request[R], progress: Progress) -> R:
        """The result of a request; long work is waited for, and what it made is fetched if the request says where to.

        Raises:
            StoryCoreError: as the server told it; server_unreachable; output_exists and what else `download` raises.
        """
        operation = operation_of(type(request))
        values = self._values(request)
        if operation.method == "GET":
            data = self.connection.ask(operation.name, values)
        elif operation.long:
            data = self._work(operation, values, progress)
        else:
            data = self.connection.send(operation.name, values, repeatable=not operation.secret)
        progress.finish()
        return _read(request.result_type(), data)

    def stream(self, request: Request[R], sink: BinaryIO, progress: Progress) -> None:
        """Writes the product to `sink` as the server makes it.

        Raises:
            StoryCoreError: as the server told it; server_unreachable, also when it breaks off half-way.
        """
        name, body = operation_of(type(request)).name, self._values(request)
        with self.connection.stream(name, body=body, accept="application/zip") as answer:
            for chunk in answer.iter_raw(_CHUNK_BYTES):
                progress.check()
                sink.write(chunk)

    def events(self, request: TaskEventsRequest, stop: Callable[[], bool]) -> Iterator[EventEntry]:
        """What happens to a task, to its end, over as many connections as it takes.

        Raises:
            StoryCoreError: as the server told it; server_unreachable.
        """
        after, tries = request.after, 0
        while not stop():
            try:
                for event in self._events(request.task_id, after):
                    if event is None:
                        return
                    after, tries = event.id, 0
                    yield event
                threading.Event().wait(_LOOK_SECONDS)  # the stream has ended, and the task has not
            except DependencyFailed:
                tries += 1
                if tries >= _TRIES:
                    raise
                threading.Event().wait(_LOOK_SECONDS * 2**tries)

    def download(self, entry: ArtifactEntry, target: Path, progress: Progress) -> Path:
        """Fetches an artifact to a new file, and makes sure that it is the one that was made.

        Guarantee: atomic; a file that stands there already is not replaced.

        Args:
            entry: what is known of it.
            target: name for the file, or a folder that it is put in under its own name.
            progress: told how far it is; can cancel.

        Returns:
            The file, absolute.

        Raises:
            StoryCoreError: as the server told it; output_exists; source_changed: other bytes came than were promised.
        """
        path = (target / Path(entry.name).name if target.is_dir() else target).absolute()
        progress.begin("fetching", total=entry.size_bytes, unit="bytes", until=0.999)
        digest = hashlib.sha256()
        query = {"artifact_id": entry.artifact_id}
        with (
            new_file(path) as file,
            self.connection.stream("storycore.artifact.download", query=query, accept="*/*") as answer,
        ):
            for chunk in answer.iter_raw(_CHUNK_BYTES):
                progress.advance(len(chunk))
                digest.update(chunk)
                file.write(chunk)
            if digest.hexdigest() != entry.checksum.removeprefix("sha256:"):
                raise Conflict("What came is not the file that was made.", reason=Reason.SOURCE_CHANGED)
        return path

    def entry(self, artifact_id: str) -> ArtifactDownloadResult:
        """What is known of an artifact.

        Raises:
            NotFound: artifact_not_found.
        """
        for item in self._artifacts(None):
            if item.artifact_id == artifact_id:
                return ArtifactDownloadResult(**item.model_dump())
        raise NotFound("There is no such artifact.", reason=Reason.ARTIFACT_NOT_FOUND)

    def _artifacts(self, task_id: str | None) -> Iterator[ArtifactEntry]:
        """What a task made, or all tasks, from the newest on."""
        cursor = None
        while True:
            page = self.run(ArtifactListRequest(task_id=task_id, limit=200, cursor=cursor), Progress())
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def _work(self, operation: Operation, values: dict[str, Any], progress: Progress) -> dict[str, Any]:
        """The result of long work, and in it the places here that its files were fetched to."""
        target = values.pop("output_path", None)
        if isinstance(target, str) and names_store(target):  # the server writes there by itself
            values, target = {**values, "output_path": target}, None
        if target is not None:
            if self.connection.is_near and "project_path" in values:  # the project is on this machine too
                Places(roots=None).output(target, Path(values["project_path"]).resolve())
            _refuse_taken(Path(target), folder=operation.folder)
        data: dict[str, Any] = self.connection.send(operation.name, values, wait=0)
        task_id = None
        if data.keys() & {"task_id"}:
            task_id = _read(TaskStatusResult, data).task_id
            data = self._follow(task_id, progress)
        # Else it is the result already: a first answer was lost, and the task has ended since.
        if target is None:
            return data
        made = sorted(self._artifacts(task_id), key=lambda entry: entry.artifact_id)
        if task_id is None:
            made = _named(data, made)
        if operation.folder:
            return self._fetched_folder(data, made, Path(target).absolute(), progress)
        place = place_for(Path(target), [entry.name for entry in made if not stands_beside(entry)])
        refuse_media(place, made)
        fetched = {entry.path: str(self._fetched(entry, put_at(place, entry), progress)) for entry in made}
        moved: dict[str, Any] = _replaced(data, fetched)
        return moved

    def _fetched_folder(
        self, data: dict[str, Any], made: Sequence[ArtifactEntry], target: Path, progress: Progress
    ) -> dict[str, Any]:
        """A result whose files stand in a new folder here, as they do in that of the server; all of them or none."""
        try:
            inside = places(data, [entry.path for entry in made])
        except (ValueError, KeyError, TypeError):
            raise _not_understood() from None
        with new_folder(target) as folder:
            for entry in made:
                self._fetched(entry, folder / inside[entry.path], progress)
        names = {path: str(target / place) for path, place in inside.items()}
        moved: dict[str, Any] = _replaced(data, {**names, data["delivery_path"]: str(target)})
        return moved

    def _fetched(self, entry: ArtifactEntry, place: Path, progress: Progress) -> Path:
        """As `download`; who meets a server that goes away learns that the work need not be done again."""
        try:
            return self.download(entry, place, progress)
        except DependencyFailed as fault:
            raise DependencyFailed(
                fault.message,
                reason=fault.reason,
                remediation=f"The work is done. To fetch it: storycore artifact download {entry.artifact_id} "
                f"--server {self.connection.address}",
            ) from fault

    def _events(self, task_id: str, after: int) -> Iterator[EventEntry | None]:
        """Events of one connection; None at the end of the task."""
        query = {"task_id": task_id, "after": str(after)}
        with self.connection.stream("storycore.task.events", query=query, accept="text/event-stream") as answer:
            fields: dict[str, str] = {}
            for line in answer.iter_lines():
                if line:
                    name, _, value = line.partition(": ")
                    fields[name] = value
                    continue
                if fields.get("event") == "end":
                    yield None
                if "data" in fields and "id" in fields:
                    yield _event(fields)
                fields = {}

    def _values(self, request: Request[Any]) -> dict[str, Any]:
        """Fields as they are sent; on this machine paths are the same, so relative ones are made whole."""
        values: dict[str, Any] = request.model_dump(mode="json", exclude_defaults=True)
        if self.connection.is_near:
            for name in path_fields(type(request)):
                if isinstance(values.get(name), str) and name != "output_path" and not names_store(values[name]):
                    values[name] = str(Path(values[name]).absolute())
        return values

    def _follow(self, task_id: str, progress: Progress) -> dict[str, Any]:
        """The result of a task at its end; told to stop here, it is stopped there.

        A server that goes away, to be started again for instance, is waited for: the task goes on when it is back.
        """
        pause, seen = _FIRST_LOOK_SECONDS, time.monotonic()
        while True:
            try:
                status = self.run(TaskStatusRequest(task_id=task_id), Progress())
            except DependencyFailed as fault:
                self._bear(fault, task_id, time.monotonic() - seen, progress)
            else:
                seen = time.monotonic()
                ended = status.fault()
                if ended:
                    raise ended
                if status.result is not None:
                    return status.result
                self._tell(task_id, status, progress)
            threading.Event().wait(pause)
            pause = min(2 * pause, _LOOK_SECONDS)

    def _tell(self, task_id: str, status: TaskStatusResult, progress: Progress) -> None:
        try:
            progress.reach(status.step, status.progress)
        except Cancelled:
            self._cancel(task_id)
            raise

    def _bear(self, fault: DependencyFailed, task_id: str, silent_seconds: float, progress: Progress) -> None:
        """Raises if the server has been away for too long, or nobody waits any more; the task is not lost by that."""
        try:
            progress.check()
        except Cancelled:
            raise Cancelled(
                f"Stopped waiting; {self.connection.address} does not answer, and its task goes on when it does.",
                remediation=f"To stop it then: storycore task cancel {task_id} --server {self.connection.address}",
            ) from None
        if silent_seconds > _PATIENCE_SECONDS:
            raise DependencyFailed(
                fault.message,
                reason=Reason.SERVER_UNREACHABLE,
                remediation=f"The task is not lost: storycore task watch {task_id} --server {self.connection.address}",
            ) from fault

    def _cancel(self, task_id: str) -> None:
        """Stops a task and waits until it has ended; one that has ended meanwhile is left as it is."""
        try:
            self.run(TaskCancelRequest(task_id=task_id), Progress())
        except Conflict:
            return
        while self.run(TaskStatusRequest(task_id=task_id), Progress()).status in ("pending", "running"):
            threading.Event().wait(_LOOK_SECONDS)


def _read(kind: type[R], data: Mapping[str, Any]) -> R:
    try:
        return kind(**data)
    except ValueError:
        raise _not_understood() from None


def _event(fields: Mapping[str, str]) -> EventEntry:
    try:
        data = json.loads(fields["data"])
        instant = data.pop("created_at", "")
        return EventEntry(id=int(fields["id"]), event=fields["event"], data=data, created_at=instant)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise _not_understood() from None


def _not_understood() -> DependencyFailed:
    return DependencyFailed(
        "The server answers in a way that this version does not understand.",
        reason=Reason.SERVER_UNREACHABLE,
        remediation="Use the same version of StoryCore on both sides.",
    )


def _named(data: Mapping[str, Any], entries: Sequence[ArtifactEntry]) -> list[ArtifactEntry]:
    """Those whose paths stand in a result; of several with one path the newest, as the older ones are gone."""
    ordered = sorted(entries, key=lambda entry: entry.created_at)
    found = {entry.path: entry for entry in ordered}
    return [entry for path, entry in found.items() if _replaced(data, {path: ""}) != data]


def _refuse_taken(target: Path, *, folder: bool) -> None:
    """What stands where the result should go is told before the work, not after it; files go into folders."""
    if os.path.lexists(target) and (folder or not target.is_dir()):
        what = "something there" if folder else "a file"
        raise Conflict(f"There is already {what}: {target.name}", reason=Reason.OUTPUT_EXISTS)


def _replaced(value: Any, names: Mapping[str, str]) -> Any:
    """The same value with other texts for those that `names` knows."""
    if isinstance(value, str):
        return names.get(value, value)
    if isinstance(value, Mapping):
        return {name: _replaced(child, names) for name, child in value.items()}
    return [_replaced(child, names) for child in value] if isinstance(value, list) else value
