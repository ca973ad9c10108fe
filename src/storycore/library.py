"""The library: one typed door. `sc.run(PackageRequest(...))` answers with a `PackageResult`."""

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Self, TypeVar

from storycore.app import App
from storycore.errors import Reason, StoryCoreError, Unavailable
from storycore.observe.progress import Listener, Progress
from storycore.operations import run as operations
from storycore.operations.request import Request, Result
from storycore.settings import Settings

if TYPE_CHECKING:
    from storycore.comfyui.backends import Monitor
    from storycore.keys.key import Key
    from storycore.observe.metrics import Metrics
    from storycore.operations.again import Asked
    from storycore.operations.artifact import ArtifactDownloadResult
    from storycore.operations.backup import KeptCopy
    from storycore.operations.event import NewestEvents
    from storycore.operations.finding import Finding
    from storycore.operations.history import History, Standing
    from storycore.operations.page_picture import Size
    from storycore.operations.task import EventEntry, TaskEventsRequest, TaskStatusResult
    from storycore.operations.upkeep import Upkeep
    from storycore.remote.door import Remote
    from storycore.tasks.engine import Engine
    from storycore.tasks.records import Outbox
    from storycore.webhooks.courier import Courier

R = TypeVar("R", bound=Result)

DRAIN_SECONDS = 20
"""How long running tasks may take to stop when the door is closed."""


class StoryCore:
    """StoryCore in this process.

    Example:
        ```python
        with StoryCore() as sc:
            result = sc.run(PackageRequest(project_path="film"), progress=print)
            print(result.export_path, result.checksum)
        ```

    Args:
        settings: read from all places if None.
        default_root: the folder that paths are confined to if the settings name no roots; None leaves them free.
        server: URL of a running server that does the work instead of this process; the setting `server` if None.
        key: API key for it; the setting if None.

    Attributes:
        draining: whether it was told to take no more work.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        default_root: Path | None = None,
        server: str | None = None,
        key: str | None = None,
    ) -> None:
        chosen = settings or Settings.read()
        self._app = App(chosen, default_root=default_root, outbox=_outbox)
        address = chosen.server if server is None else server
        self._remote = (
            _remote(address, chosen.server_key if key is None else key)
            if address and default_root is None  # a server does its own work, whatever is set around it
            else None
        )
        self._work: set[Progress] = set()
        self._engine: Engine | None = None
        self._monitor: Monitor | None = None
        self._upkeep: Upkeep | None = None
        self._courier: Courier | None = None
        self._metrics: Metrics | None = None
        self._closed = False
        self.draining = False

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self._app.settings

    @property
    def roots(self) -> tuple[Path, ...]:
        """The folders that paths are confined to; none if they are free."""
        return self._app.places.roots or ()

    def run(self, request: Request[R], *, progress: Listener | Progress | None = None) -> R:
        """The result of a request.

        Args:
            request: its type decides which operation runs and what comes back.
            progress: called with each `Report` of long work; or a `Progress`, which can also cancel it.

        Raises:
            StoryCoreError: one tree, see `storycore.errors`.
        """
        with self._running(progress) as work:
            return self._remote.run(request, work) if self._remote else operations.run(self._app, request, work)

    def stream(self, request: Request[R], to: BinaryIO, *, progress: Listener | Progress | None = None) -> R | None:
        """Like `run`, but writes the product to `to` as it is made; nothing is stored here.

        Returns:
            The result; None if a server made the product, since it then tells no more than the bytes.

        Raises:
            StoryCoreError: one tree; `to` may then have received a part, which fails verification.
        """
        with self._running(progress) as work:
            if self._remote:
                self._remote.stream(request, to, work)
                return None
            return operations.stream(self._app, request, to, work)

    def download(
        self, artifact_id: str, target: Path, *, progress: Listener | Progress | None = None
    ) -> "ArtifactDownloadResult":
        """Fetches an artifact to a new file, and makes sure that it is the one that was made.

        Guarantee: atomic; a file that stands there already is not replaced.

        Args:
            artifact_id: which one.
            target: name for the file, or a folder that it is put in under its own name.
            progress: told how far it is; can cancel.

        Returns:
            What is known of it; `path` is where it was fetched to.

        Raises:
            NotFound: artifact_not_found: there is none, or its file was moved or changed.
            Conflict: output_exists; source_changed: other bytes came than were promised.
        """
        from storycore.operations.artifact import fetch

        with self._running(progress) as work:
            if self._remote is None:
                return fetch(self._app, artifact_id, target, work)
            entry = self._remote.entry(artifact_id)
            path = self._remote.download(entry, target, work)
            return entry.model_copy(update={"path": str(path)})

    def work(self) -> None:
        """From now on, until `close`, this process does submitted tasks and sends what waits for webhooks.

        Those of others on the same database too.

        Raises:
            InvalidInput, Unavailable: the database can't be used.
        """
        from storycore.comfyui.backends import Monitor
        from storycore.operations.admission import MOST_GENERATING, Admission
        from storycore.operations.counting import Counting, CountingWebhooks
        from storycore.operations.second_unit import helping
        from storycore.operations.upkeep import Upkeep
        from storycore.tasks.worker import Worker

        tasks, settings = self._app.tasks, self._app.settings
        others = helping(self._app)
        self._courier = self._app.send(CountingWebhooks(self.metrics()))
        worker = Worker(
            tasks.records, tasks.news, {**operations.kinds(self._app), **others},
            lease_seconds=settings.lease_seconds, watch=Counting(self.metrics()),
            admit=Admission(self._app, settings.workers, frozenset(others)),
        )  # fmt: skip
        self._monitor = Monitor(self._app.comfyui)
        self._monitor.start()
        self._engine = self._app.engine(worker, more=MOST_GENERATING)
        self._app.comfyui.tell_of_places(self._engine.wake)
        tasks.employ(self._engine)
        self._engine.run()
        self._upkeep = Upkeep(self._app)

    def authenticate(self, secret: str) -> "Key":
        """The usable key that `secret` is.

        Raises:
            NotAuthenticated: key_invalid, the same for a key that is unknown, wrong, revoked or expired.
        """
        from storycore.operations.key import authenticate

        return authenticate(self._app, secret)

    def has_usable_key(self) -> bool:
        """Whether anybody could be let in by a key."""
        return self._app.keys.any_usable()

    def run_once(self, request: Request[Any], key: str, *, caller: str = "") -> tuple[dict[str, Any], bool]:
        """The result of short work as JSON, and whether it was given before for the same `key`.

        Raises:
            StoryCoreError: idempotency_mismatch, idempotency_in_progress, idempotency_key_invalid; see `run`.
        """
        from storycore.operations.once import run_once

        with self._running(None) as work:
            return run_once(self._app, request, key, caller, work)

    def submit_once(self, request: Request[Any], key: str, **facts: Any) -> "tuple[TaskStatusResult, bool]":
        """Like `submit`, and whether it was accepted before for the same `key`: of such calls one task is made.

        Raises:
            StoryCoreError: idempotency_mismatch, idempotency_key_invalid; see `submit`.
        """
        from storycore.operations.once import submit_once
        from storycore.operations.task import told

        if self.draining:
            raise Unavailable("The server is stopping.", reason=Reason.DRAINING)
        task, replayed = submit_once(self._app, request, key, **facts)
        return told(task), replayed

    def submit(self, request: Request[Any], **facts: Any) -> "TaskStatusResult":
        """Long work as a task that was accepted: it is on the disk, and is done by whoever works on this database.

        Args:
            request: of an operation that is long.
            facts: `id`, `priority`, `caller`, `request_id`, `traceparent`, see `storycore.tasks.task.Order`; `stay`,
                see `storycore.tasks.queue.TaskQueue.submit`.

        Raises:
            StoryCoreError: what the operation refuses beforehand; the database does not answer.
        """
        from storycore.operations.task import told

        if self.draining:
            raise Unavailable("The server is stopping.", reason=Reason.DRAINING)
        return told(operations.submit(self._app, request, **facts))

    def wait(self, task_id: str, seconds: float) -> "TaskStatusResult":
        """The task when it has ended, or as it stands after that time.

        Raises:
            NotFound: task_not_found.
        """
        from storycore.operations.task import told

        return told(self._app.tasks.wait(task_id, seconds))

    def listening(
        self, task_id: str, callback: Callable[[], None], *, to_its_end: bool = False
    ) -> AbstractContextManager[None]:
        """While the block runs, `callback` is called, from any thread, after what this process does to the task.

        Args:
            task_id: which task; it may not have been accepted yet.
            callback: must not block.
            to_its_end: only when it may have ended.
        """
        return self._app.tasks.listening(task_id, callback, to_its_end=to_its_end)

    def events(
        self, request: "TaskEventsRequest", *, stop: Callable[[], bool] = lambda: False
    ) -> "Iterator[EventEntry]":
        """What happens to a task, as it happens, to its end, or until `stop()`.

        Raises:
            NotFound: task_not_found.
        """
        from storycore.operations.task import follow

        if self._remote:
            return self._remote.events(request, stop)
        return follow(self._app, request, stop)

    def back_up(self, target: Path, *, progress: Listener | Progress | None = None) -> "KeptCopy":
        """Writes all that this process remembers to a new file, see `storycore.operations.backup`.

        Raises:
            Conflict: output_exists.
            Unavailable: database_unavailable, disk_full.
        """
        from storycore.operations.backup import back_up

        with self._running(progress) as work:
            return back_up(self._app, target, work)

    def restore(self, source: Path, *, progress: Listener | Progress | None = None) -> "KeptCopy":
        """Fills the database, which must be empty, from a backup.

        Raises:
            InvalidInput: backup_invalid.
            Conflict: database_not_empty, output_exists.
            Unavailable: database_newer, database_unavailable, disk_full.
        """
        from storycore.operations.backup import restore

        with self._running(progress) as work:
            return restore(self._app, source, work)

    def examine(self) -> "list[Finding]":
        """Whether this installation can do its work, finding by finding, see `storycore.operations.doctor`."""
        from storycore.operations.doctor import examine, server

        findings = examine(self._app)
        return (
            [*findings, server(self._remote.connection.address, self._remote.connection.version)]
            if self._remote
            else findings
        )

    def metrics(self) -> "Metrics":
        """What Prometheus may know of this process."""
        from storycore.operations.counting import metrics

        if self._metrics is None:
            self._metrics = metrics(self._app)
        return self._metrics

    def standing(self) -> "Standing":
        """How things stand now: tasks, deliveries, room on the disk.

        Raises:
            InvalidInput, Unavailable: the database can't be used.
        """
        from storycore.operations.history import standing

        return standing(self._app)

    def history(self, hours: int) -> "History":
        """What was done in the last hours.

        Raises:
            InvalidInput, Unavailable: the database can't be used.
        """
        from storycore.operations.history import history

        return history(self._app, hours)

    def asked(self, task_id: str) -> "Asked":
        """What a task was asked for.

        Raises:
            NotFound: task_not_found.
        """
        from storycore.operations.again import asked

        return asked(self._app, task_id)

    def shot_picture(self, project_path: str, number: int) -> bytes | None:
        """A small picture of a shot (number from 1), a JPEG; None for one that shows nothing but a slate.

        Raises:
            StoryCoreError: see `storycore.operations.shot_picture`.
        """
        from storycore.operations.shot_picture import shot_picture

        return shot_picture(self._app, project_path, number)

    def is_there(self, artifact_id: str) -> bool:
        """Whether a finished file still stands where it was made; what is in an object store counts as there.

        Raises:
            NotFound: artifact_not_found.
        """
        from storycore.operations.artifact import is_there

        return is_there(self._app, artifact_id)

    def waveform(self, artifact_id: str) -> list[float] | None:
        """The peaks of a finished sound, each 0.0-1.0 of full scale; None where they can't be told.

        Raises:
            NotFound: artifact_not_found.
            Cancelled: this process was told to stop.
        """
        from storycore.operations.waveform import waveform

        with self._running(None) as work:
            return waveform(self._app, artifact_id, work)

    def page_picture(self, artifact_id: str, number: int, size: "Size") -> bytes | None:
        """A page of a finished PDF (number from 1) as a JPEG, large or small; None where there is none.

        Raises:
            NotFound: artifact_not_found.
            Cancelled: this process was told to stop.
        """
        from storycore.operations.page_picture import page_picture

        with self._running(None) as work:
            return page_picture(self._app, artifact_id, number, size, work)

    def page_count(self, artifact_id: str) -> int:
        """How many pages a finished PDF has; 0 where that can't be told.

        Raises:
            NotFound: artifact_not_found.
            Cancelled: this process was told to stop.
        """
        from storycore.operations.page_picture import page_count

        with self._running(None) as work:
            return page_count(self._app, artifact_id, work)

    def thumbnail(self, artifact_id: str) -> bytes | None:
        """A small picture of a finished film or still, a JPEG; None where there can be none.

        Raises:
            NotFound: artifact_not_found.
            Cancelled: this process was told to stop.
        """
        from storycore.operations.thumbnail import thumbnail

        with self._running(None) as work:
            return thumbnail(self._app, artifact_id, work)

    def newest_events(self, *, types: list[str] | None, cursor: str | None, limit: int = 50) -> "NewestEvents":
        """What happened, from the newest on; of some kinds (`export.*`), or of all if None."""
        from storycore.operations.event import newest_events

        return newest_events(self._app, types=types, cursor=cursor, limit=limit)

    def preview(self, run_id: str) -> Path | None:
        """The latest picture of a workflow that runs in a process with this cache folder, or None."""
        from storycore.operations.generation import preview_of

        return preview_of(self._app, run_id)

    def database_problem(self) -> str | None:
        """Why the database can't be used now, in words that tell no path and no secret; None if it can."""
        try:
            self._app.tasks.records.waits()
        except StoryCoreError as fault:
            return fault.reason.value
        return None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def drain(self) -> None:
        """Takes no more work: cancels what still runs, in whatever thread, and gives tasks back to be done later."""
        self.draining = True
        for work in tuple(self._work):
            work.cancel()
        if self._monitor is not None:
            self._monitor.stop()
            self._monitor = None
        if self._upkeep is not None:
            self._upkeep.stop()
            self._upkeep = None
        if self._engine is not None:
            self._engine.stop(seconds=DRAIN_SECONDS)
            self._engine = None
            self._app.tasks.news.tell_all()
        if self._courier is not None:
            self._courier.stop(seconds=DRAIN_SECONDS)
            self._courier = None

    def send_first(self, *, seconds: float) -> int:
        """Sends what this process has for webhooks, each message once at most, for so long at most.

        For processes that end soon; one that works (`work`) sends all the time.

        Returns:
            How many deliveries still wait: `storycore serve` or `storycore worker` sends them.
        """
        from storycore.operations.first_attempts import send_first

        return 0 if self._courier else send_first(self._app, seconds)

    def close(self) -> None:
        """Drains, then closes what is open, as soon as nothing runs any more."""
        self.drain()
        if self._remote:
            self._remote.connection.close()
        self._closed = True
        self._close_if_idle()

    def _close_if_idle(self) -> None:
        if self._closed and not self._work:
            self._app.close()

    @contextlib.contextmanager
    def _running(self, wanted: Listener | Progress | None) -> Iterator[Progress]:
        work = wanted if isinstance(wanted, Progress) else Progress(wanted)
        self._work.add(work)
        try:
            yield work
        finally:
            self._work.discard(work)
            self._close_if_idle()


def _remote(address: str, key: str) -> "Remote":
    from storycore.remote.connection import Connection
    from storycore.remote.door import Remote

    return Remote(Connection(address, key))


def _outbox(app: App) -> "Outbox":
    from storycore.operations.outbox import TaskOutbox  # and with it the library of the database

    return TaskOutbox(app)
