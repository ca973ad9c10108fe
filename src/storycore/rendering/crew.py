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
from typing import Any, NamedTuple, Self

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


More = Callable[[bool], Mapping[int, Job]]
"""Gives further jobs, for one painter, if it is told that one has nothing to do; else, or if there are none, none."""


def paint(  # noqa: PLR0913 - all that a crew stands on
    jobs: Mapping[int, Job],
    ffmpeg: Ffmpeg,
    *,
    painters: int,
    folder: Path,
    progress: Progress,
    more: More | None = None,
) -> Iterator[Painted]:
    """Paints jobs, and tells of each as it is done.

    Guarantee: when this ends, however it does, no process that it started is left.

    Args:
        jobs: by number, in the order of the film: neighbours show the same stills.
        ffmpeg: that decodes and encodes.
        painters: how many processes at most.
        folder: for their logs.
        progress: counts frames; can cancel.
        more: is asked now and then, many times a second; it ends when all is done and this gives none.

    Raises:
        Cancelled: the work was asked to stop.
        DependencyFailed: encoder_failed: a painter died.
    """
    count = painters if more else min(painters, len(jobs))
    attributes: tracing.Attributes = {"storycore.paint.pieces": len(jobs), "storycore.paint.painters": max(1, count)}
    with (
        tracing.leaf("paint", tracing.Kind.INTERNAL, attributes=attributes),
        _Crew(jobs, ffmpeg, count, folder, more or _none) as crew,
    ):
        while crew.busies():
            progress.check()
            yield from crew.hear(progress)


def _none(_idle: bool) -> Mapping[int, Job]:
    return {}


class _Crew:
    """One call of `paint`."""

    def __init__(self, jobs: Mapping[int, Job], ffmpeg: Ffmpeg, most: int, folder: Path, more: More) -> None:
        self._jobs, self._ffmpeg, self._folder, self._more = dict(jobs), ffmpeg, folder, more
        self._heard: queue.SimpleQueue[tuple[int, dict[str, Any] | None]] = queue.SimpleQueue()
        self._shares = _shares(list(jobs), max(1, most))
        self._painters: dict[int, Painter] = {}
        self._idle = set(range(len(self._shares)))
        self._open = len(jobs)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_ended: object) -> None:
        for painter in self._painters.values():
            painter.kill()

    def busies(self) -> bool:
        """Sees that whoever is idle gets a job, as far as there are any; False when all is done."""
        for number in sorted(self._idle):
            self._give(number)
        if not self._idle:
            self._more(False)
        return self._open > 0

    def hear(self, progress: Progress) -> Iterator[Painted]:
        """Waits a moment for word of a painter."""
        try:
            number, message = self._heard.get(timeout=_LOOK_SECONDS)
        except queue.Empty:
            return
        if message is None:
            raise self._painters[number].fault()
        progress.advance(message.get("frames", 0))
        if "frames" in message:
            return
        self._open -= 1
        self._idle.add(number)
        self._give(number)
        error = message.get("error")
        figures, bent, ends = message.get("figures", ()), message.get("bent", ()), message.get("ends", {})
        yield Painted(message["job"], from_dict(error) if error else None, figures, bent, ends)

    def _give(self, number: int) -> None:
        """Gives an idle painter its next job: of its own share, of what comes in, else of the longest other share."""
        share = self._shares[number]
        if not share:
            new = self._more(True)
            self._jobs |= new
            self._open += len(new)
            share.extend(new)
        following = _next(self._shares, number)
        if following is None:
            return
        if number not in self._painters:
            log = self._folder / f"painter-{number}.log"
            self._painters[number] = Painter(self._ffmpeg, number, self._heard.put, log)
        self._idle.discard(number)
        self._painters[number].give(following, self._jobs[following])


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
