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
    from storycore.keys.key import Key
    from storycore.observe.metrics import Metrics
    from storycore.operations.task import EventEntry, TaskEventsRequest, TaskStatusResult
    from storycore.tasks.engine import Engine

R = TypeVar("R", bound=Result)

_NONE: frozenset[str] = frozenset()

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

    Attributes:
        draining: whether it was told to take no more work.
    """

    def __init__(self, settings: Settings | None = None, *, default_root: Path | None = None) -> None:
        self._app = App(settings or Settings.read(), default_root=default_root)
        self._work: set[Progress] = set()
        self._engine: Engine | None = None
        self._metrics: Metrics | None = None
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
            return operations.run(self._app, request, work)

    def stream(self, request: Request[R], to: BinaryIO, *, progress: Listener | Progress | None = None) -> R:
        """Like `run`, but writes the product to `to` as it is made; nothing is stored here.

        Raises:
            StoryCoreError: one tree; `to` may then have received a part, which fails verification.
        """
        with self._running(progress) as work:
            return operations.stream(self._app, request, to, work)

    def work(self) -> None:
        """From now on, until `close`, this process does submitted tasks, those of others on the same database too.

        Raises:
            InvalidInput, Unavailable: the database can't be used.
        """
        from storycore.operations.counting import Counting
        from storycore.tasks.worker import Worker

        tasks, settings = self._app.tasks, self._app.settings
        worker = Worker(
            tasks.records, tasks.news, operations.kinds(self._app), lease_seconds=settings.lease_seconds,
            watch=Counting(self.metrics()),
        )  # fmt: skip
        self._engine = self._app.engine(worker)
        tasks.employ(self._engine)
        self._engine.run()

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
            facts: `priority`, `caller`, `request_id`, `traceparent`, see `storycore.tasks.task.Order`.

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

    def listening(self, task_id: str, callback: Callable[[], None]) -> AbstractContextManager[None]:
        """While the block runs, `callback` is called, from any thread, after what this process does to the task."""
        return self._app.tasks.listening(task_id, callback)

    def events(
        self, request: "TaskEventsRequest", *, stop: Callable[[], bool] = lambda: False
    ) -> "Iterator[EventEntry]":
        """What happens to a task, as it happens, to its end, or until `stop()`.

        Raises:
            NotFound: task_not_found.
        """
        from storycore.operations.task import follow

        return follow(self._app, request, stop)

    def metrics(self, more: frozenset[str] = _NONE) -> "Metrics":
        """What Prometheus may know of this process; `more` is what calls can be for beside operations."""
        from storycore.operations.counting import metrics

        if self._metrics is None:
            self._metrics = metrics(self._app, more)
        return self._metrics

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
        if self._engine is not None:
            self._engine.stop(seconds=DRAIN_SECONDS)
            self._engine = None
            self._app.tasks.news.tell_all()

    def close(self) -> None:
        """Drains, then closes what is open."""
        self.drain()
        if not self._work:
            self._app.close()

    @contextlib.contextmanager
    def _running(self, wanted: Listener | Progress | None) -> Iterator[Progress]:
        work = wanted if isinstance(wanted, Progress) else Progress(wanted)
        self._work.add(work)
        try:
            yield work
        finally:
            self._work.discard(work)
