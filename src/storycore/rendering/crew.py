"""Several painters at work on the segments of one film."""

import contextlib
import itertools
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from storycore.errors import DependencyFailed, Reason, StoryCoreError, from_dict
from storycore.observe import tracing
from storycore.observe.progress import Progress
from storycore.rendering.encoder import Ffmpeg, Limits, confine
from storycore.rendering.likeness import Told
from storycore.rendering.look import Canvas, Piece, to_plain
from storycore.units import MEBIBYTE

_LOOK_SECONDS = 0.03
_LIMITS = Limits(memory_bytes=16 * 1024 * MEBIBYTE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """What one ffmpeg makes of the frames of a piece.

    Attributes:
        arguments: of ffmpeg.
        path: absolute, of the file that it writes; None if it only measures.
        measures: whether its log tells how like the frames the picture is.
    """

    arguments: Sequence[str]
    path: Path | None
    measures: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One piece to paint.

    Attributes:
        piece: what it shows.
        canvas: that it is drawn on.
        outputs: at least one.
    """

    piece: Piece
    canvas: Canvas
    outputs: list[Output]


class Painted(NamedTuple):
    """One job that is done.

    Attributes:
        number: of the job.
        error: that it ended in; None if it went well.
        figures: of each output, in order, what was measured.
        bent: names of the files so far that held more light than frames can.
        ends: names of the clips so far whose last frame was seen, each with the second at which it ended.
    """

    number: int
    error: StoryCoreError | None
    figures: Sequence[Told]
    bent: Sequence[str]
    ends: Mapping[str, str]


class Painter:
    """One process that paints.

    Args:
        ffmpeg: that it decodes and encodes with.
        number: among the crew.
        tell: takes `(number, message)`; a message of None means that the process has ended.
        log: where its stderr goes.
    """

    def __init__(
        self, ffmpeg: Ffmpeg, number: int, tell: Callable[[tuple[int, dict[str, Any] | None]], None], log: Path
    ) -> None:
        self._log = log
        with log.open("wb") as errors:
            self._process = subprocess.Popen(  # noqa: S603 - this very Python, no shell
                [
                    sys.executable,
                    "-P",
                    "-m",
                    "storycore.rendering.painter",
                    str(ffmpeg.path),
                    ffmpeg.version,
                    ffmpeg.mark,
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=os.name != "nt",
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
                text=True,
                encoding="utf-8",
            )
        confine(self._process.pid, _LIMITS)
        self._listener = threading.Thread(target=self._listen, args=(number, tell), daemon=True)
        self._listener.start()

    def give(self, number: int, job: Job) -> None:
        """Orders one job; its messages will carry `number`."""
        told = {
            "job": number,
            "piece": to_plain(job.piece),
            "canvas": to_plain(job.canvas),
            "outputs": [{"arguments": list(one.arguments), "measures": one.measures} for one in job.outputs],
        }
        pipe = self._process.stdin
        if pipe is not None:
            with contextlib.suppress(BrokenPipeError):  # its end is told by the listener
                pipe.write(json.dumps(told) + "\n")
                pipe.flush()

    def fault(self) -> DependencyFailed:
        """The error for a painter that ended by itself."""
        code = self._process.wait()
        with contextlib.suppress(OSError):
            lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()[-20:]
            how = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
            return DependencyFailed(f"A painter {how}.", reason=Reason.ENCODER_FAILED, details={"encoder_log": lines})
        return DependencyFailed("A painter ended.", reason=Reason.ENCODER_FAILED)

    def kill(self) -> None:
        """Ends it and the encoders that it started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.name == "nt":
                self._process.kill()
            else:
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._listener.join()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _listen(self, number: int, tell: Callable[[tuple[int, dict[str, Any] | None]], None]) -> None:
        pipe = self._process.stdout
        with contextlib.suppress(ValueError, OSError):
            for line in pipe or ():
                tell((number, json.loads(line)))
        tell((number, None))


def paint(
    jobs: Mapping[int, Job], ffmpeg: Ffmpeg, *, painters: int, folder: Path, progress: Progress
) -> Iterator[Painted]:
    """Paints jobs, and tells of each as it is done.

    Guarantee: when this ends, however it does, no process that it started is left.

    Args:
        jobs: by number, in the order of the film: neighbours show the same stills.
        ffmpeg: that decodes and encodes.
        painters: how many processes at most.
        folder: for their logs.
        progress: counts frames; can cancel.

    Raises:
        Cancelled: the work was asked to stop.
        DependencyFailed: encoder_failed: a painter died.
    """
    count = max(1, min(painters, len(jobs)))
    attributes: tracing.Attributes = {"storycore.paint.pieces": len(jobs), "storycore.paint.painters": count}
    with tracing.leaf("paint", tracing.Kind.INTERNAL, attributes=attributes):
        yield from _painted(jobs, ffmpeg, count, folder, progress)


def _painted(
    jobs: Mapping[int, Job], ffmpeg: Ffmpeg, count: int, folder: Path, progress: Progress
) -> Iterator[Painted]:
    heard: queue.SimpleQueue[tuple[int, dict[str, Any] | None]] = queue.SimpleQueue()
    shares = _shares(list(jobs), count)
    crew: list[Painter] = []
    try:
        for number, share in enumerate(shares):
            crew.append(Painter(ffmpeg, number, heard.put, folder / f"painter-{number}.log"))
            crew[-1].give(share[0], jobs[share.popleft()])
        open_jobs = len(jobs)
        while open_jobs:
            progress.check()
            with contextlib.suppress(queue.Empty):
                number, message = heard.get(timeout=_LOOK_SECONDS)
                if message is None:
                    raise crew[number].fault()
                progress.advance(message.get("frames", 0))
                if "frames" in message:
                    continue
                open_jobs -= 1
                following = _next(shares, number)
                if following is not None:
                    crew[number].give(following, jobs[following])
                error = message.get("error")
                fault = from_dict(error) if error else None
                figures, bent, ends = message.get("figures", ()), message.get("bent", ()), message.get("ends", {})
                yield Painted(message["job"], fault, figures, bent, ends)
    finally:
        for painter in crew:
            painter.kill()


def _shares(numbers: Sequence[int], count: int) -> list[deque[int]]:
    """Runs of neighbours, one for each painter."""
    bounds = [len(numbers) * part // count for part in range(count + 1)]
    return [deque(numbers[begin:end]) for begin, end in itertools.pairwise(bounds)]


def _next(shares: Sequence[deque[int]], number: int) -> int | None:
    """The next of a painter's own share, else the last of the longest other one."""
    if shares[number]:
        return shares[number].popleft()
    longest = max(shares, key=len)
    return longest.pop() if longest else None
