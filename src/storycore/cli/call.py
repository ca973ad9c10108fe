"""One call from the command line: build the request, run it, show what came of it."""

import contextlib
import signal
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from storycore.cli.bar import follow
from storycore.cli.stops import stops
from storycore.cli.words import show_error, show_json, told
from storycore.errors import InvalidInput, Reason, StoryCoreError
from storycore.library import StoryCore
from storycore.observe.progress import Progress
from storycore.operations import envelope
from storycore.operations.catalog import Operation
from storycore.operations.request import Request, Result
from storycore.units import now

if TYPE_CHECKING:
    from storycore.operations.task import TaskEventsRequest

SEND_SECONDS = 10
"""How long a command sends messages to webhooks before it ends."""


def _too_late(_number: int, _frame: object) -> None:
    """Lets a signal pass."""


@contextlib.contextmanager
def _heeding_ctrl_c() -> Iterator[None]:
    """Ctrl-C is an exception in the block, even if it came too late for what was before."""
    before = signal.getsignal(signal.SIGINT)
    if before is not _too_late:
        yield
        return
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@dataclass(frozen=True)
class Call:
    """How one operation is called.

    Attributes:
        operation: which one.
        request_type: its request.
        as_json: print the envelope instead of words.
        quiet: no progress and no summary.
        server: URL of the server that does it; None for what the settings say.
    """

    operation: Operation
    request_type: type[Request[Any]]
    as_json: bool
    quiet: bool
    server: str | None = None

    def make(self, values: Callable[[], dict[str, Any]]) -> int:
        """Runs the call and gives the exit code; shows the result or the error."""
        with contextlib.ExitStack() as end:
            return self._make(values, end)

    def _make(self, values: Callable[[], dict[str, Any]], end: contextlib.ExitStack) -> int:
        started, request_id = time.monotonic(), uuid.uuid4().hex
        to_stdout = False
        try:
            given = values()
            to_stdout = bool(self.operation.stream) and given.get("output_path") == "-"
            result = self._stream(given, end) if to_stdout else self._run(given, end)
            if result is None:
                return 0
            self._show(result, envelope.metadata(request_id, now(), time.monotonic() - started), to_stdout=to_stdout)
        except BrokenPipeError:
            raise
        except (Exception, KeyboardInterrupt) as fault:  # noqa: BLE001 - people get words, never a traceback
            facts = envelope.metadata(request_id, now(), time.monotonic() - started)
            return self._fail(told(fault), facts, to_stdout=to_stdout)
        return 0 if result.verdict else 1

    def _run(self, values: dict[str, Any], end: contextlib.ExitStack) -> Result | None:
        if values.get("output_path") == "-":
            raise InvalidInput(
                "This can't be written to the standard output.",
                reason=Reason.PATH_INVALID,
                remediation="Name a folder or a file with -o.",
            )
        if self.operation.answer == "file":
            return self._fetch(values, end)
        request: Any = self.request_type(**values)
        with StoryCore(server=self.server) as core:
            try:
                with self._interruptible(end) as progress:
                    if self.operation.answer == "events":
                        self._watch(core, request)
                        return None
                    result: Result = core.run(request, progress=progress)
            finally:
                self._tell_webhooks(core)
            return result

    def _fetch(self, values: dict[str, Any], end: contextlib.ExitStack) -> Result:
        from storycore.operations.artifact import ArtifactDownloadRequest

        target = Path(values.pop("output", "."))
        request = ArtifactDownloadRequest(**values)
        with StoryCore(server=self.server) as core, self._interruptible(end) as progress:
            found: Result = core.download(request.artifact_id, target, progress=progress)
            progress.finish()
            return found

    def _watch(self, core: StoryCore, request: "TaskEventsRequest") -> None:
        """Prints what happens as it happens: a line of JSON each, or a line of words."""
        from storycore.cli.show_tasks import event_line

        for event in core.events(request):
            click.echo(event.model_dump_json() if self.as_json else event_line(event))
            sys.stdout.flush()

    def _tell_webhooks(self, core: StoryCore) -> None:
        """First attempts at webhooks that hear of this command; nothing else sends them when this process has ended."""
        try:
            try:
                with _heeding_ctrl_c():
                    left = core.send_first(seconds=SEND_SECONDS)
            except KeyboardInterrupt:  # no more is sent; how many wait is told all the same
                left = core.send_first(seconds=0)
        except (Exception, KeyboardInterrupt):  # noqa: BLE001 - they stay in the database, and the result stands
            return
        if left and not self.quiet:
            one = "1 message to a webhook waits" if left == 1 else f"{left} messages to webhooks wait"
            click.echo(f"{one}; `storycore serve` or `storycore worker` sends them.", err=True)

    def _stream(self, values: dict[str, Any], end: contextlib.ExitStack) -> Result | None:
        if sys.__stdout__ is None:  # closed by whoever started us; what is written now goes nowhere
            raise InvalidInput(
                "The standard output is closed.",
                reason=Reason.PATH_INVALID,
                remediation="Send it to a file or a program, or name a folder with -o.",
            )
        if sys.stdout.isatty():
            raise InvalidInput(
                "A package is not written to a terminal.",
                reason=Reason.PATH_INVALID,
                remediation="Send it to a file or a program: `storycore export package film/ -o - > film.zip`.",
            )
        request = self.request_type(**{name: value for name, value in values.items() if name != "output_path"})
        with StoryCore(server=self.server) as core, self._interruptible(end) as progress:
            result: Result | None = core.stream(request, sys.stdout.buffer, progress=progress)
            sys.stdout.buffer.flush()
            return result

    @contextlib.contextmanager
    def _interruptible(self, end: contextlib.ExitStack) -> Iterator[Progress]:
        """Progress that the first Ctrl-C cancels; the second one stops at once. Short work is just interrupted.

        After work that ended well a Ctrl-C comes too late: until `end`, what stands is told, and not that it was
        stopped.
        """
        if not self.operation.long and self.operation.answer != "file":
            yield Progress()
            return
        with follow(quiet=self.quiet) as listener:
            progress = Progress(listener)

            def stop(_number: int, _frame: object) -> None:
                signal.signal(signal.SIGINT, signal.default_int_handler)
                progress.cancel()
                click.echo("\nStopping … press Ctrl-C again to stop at once.", err=True)

            before = {number: signal.signal(number, stop) for number in stops()}
            try:
                yield progress
                end.callback(signal.signal, signal.SIGINT, before.pop(signal.SIGINT))
                signal.signal(signal.SIGINT, _too_late)
            finally:
                for number, handler in before.items():
                    signal.signal(number, handler)

    def _show(self, result: Result, facts: dict[str, Any], *, to_stdout: bool) -> None:
        if self.as_json:
            show_json(envelope.success(result, facts), err=to_stdout)
        else:
            from storycore.cli.show import show

            show(self.operation.name, result, quiet=self.quiet, err=to_stdout)
        sys.stdout.flush()  # a full disk behind a pipe shows itself only now

    def _fail(self, fault: StoryCoreError, facts: dict[str, Any], *, to_stdout: bool) -> int:
        if self.as_json:
            try:
                show_json(envelope.failure(fault, facts), err=to_stdout)
            except OSError:  # where the answer should go is what failed
                show_error(fault)
        else:
            show_error(fault)
        return fault.facts.exit_code
