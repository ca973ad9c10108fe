"""The library: one typed door. `sc.run(PackageRequest(...))` answers with a `PackageResult`."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self, TypeVar

from storycore.app import App
from storycore.observe.progress import Listener, Progress
from storycore.operations import run as operations
from storycore.operations.request import Request, Result
from storycore.settings import Settings

R = TypeVar("R", bound=Result)


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
    """

    def __init__(self, settings: Settings | None = None, *, default_root: Path | None = None) -> None:
        self._app = App.open(settings or Settings.read(), default_root=default_root)
        self._work: set[Progress] = set()

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

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Cancels what still runs, in whatever thread; it ends as cancelled and leaves nothing."""
        for work in tuple(self._work):
            work.cancel()

    @contextlib.contextmanager
    def _running(self, wanted: Listener | Progress | None) -> Iterator[Progress]:
        work = wanted if isinstance(wanted, Progress) else Progress(wanted)
        self._work.add(work)
        try:
            yield work
        finally:
            self._work.discard(work)
