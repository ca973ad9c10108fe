"""The door to ffmpeg: every picture and sound is decoded and encoded by a child process that is started here.

No shell; a process group of its own; nothing is read from a terminal; what it may open is listed. Files are passed as
`file:` URLs, so that a name which begins with `-` or reads like `concat:a|b` is a name. Stopping it is SIGKILL: it
needs no farewell, since what it writes is temporary.
"""

import collections
import contextlib
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, NoReturn, TypedDict

from typing_extensions import Unpack

from storycore.errors import Cancelled, DependencyFailed, InvalidInput, Reason, Unavailable
from storycore.observe import tracing
from storycore.observe.progress import Progress
from storycore.settings import Settings
from storycore.units import MEBIBYTE

DEMUXERS = (
    "mov,matroska,avi,mpegts,mpeg,mpegvideo,mxf,ogg,flv,gif,apng,wav,w64,aiff,mp3,flac,aac,caf,"
    "png_pipe,jpeg_pipe,webp_pipe,tiff_pipe,bmp_pipe,exr_pipe,dpx_pipe,hdr_pipe,psd_pipe,ppm_pipe,pgm_pipe,pbm_pipe"
)
"""Containers that media of strangers may have. None of them names other files or places on the net."""

_MOST_PIXELS = 16384 * 16384
_KEPT_LINES = 400
_LOOK_SECONDS = 0.05
_PROGRESS = re.compile(
    r"^(frame|fps|bitrate|total_size|out_time|out_time_us|out_time_ms|dup_frames|drop_frames|speed|progress"
    r"|stream_\w+)=\s*(\S+)$"
)
_SPEAKER = re.compile(r"^(?:\[[^\]]* @ 0x[0-9a-f]+\] ?)+")
_ENDING = re.compile(
    r"Conversion failed|Nothing was written into output|Task finished with error|Terminating thread"
    r"|Error parsing options for|Failed to set value|To ignore this, add a trailing"
    r"|Codec \(\w+\) not on whitelist|Could not find codec parameters|Consider increasing the value"
    r"|\s*Last message repeated"
    r"|Could not open encoder before EOF|Error opening (?:input|output) file|Error reinitializing filters"
)
"""What ffmpeg says after it has said what is wrong, or though nothing is."""
_THRIFTY = {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": "131072"}
"""Frames that were encoded are given back to the system at once. Source: GNU C Library manual, Memory Allocation
Tunables; others read none of these."""
_KILLED, _TERMINATED = -9, -15
"""Exit codes for SIGKILL and SIGTERM: somebody ended it, whatever it was reading."""
_WENT = 255
"""Exit code of an ffmpeg that was asked to end. Source: FFmpeg, `fftools/ffmpeg.c`, main."""
_CPU_GRACE_SECONDS = 5
"""Between being told that its processor time is over, which is the media's fault, and being killed."""
_FULL = re.compile(r"No space left on device|File too large|Disk quota exceeded")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a child may use, where the system can hold it to that (Linux).

    Attributes:
        memory_bytes: of address space.
        cpu_seconds: of processor time.
        file_bytes: of the largest file that it writes.
    """

    memory_bytes: int = 16 * 1024 * MEBIBYTE
    cpu_seconds: int = 24 * 3600
    file_bytes: int = 4 * 1024 * 1024 * MEBIBYTE


ENCODING = Limits()
DECODING = Limits(memory_bytes=4 * 1024 * MEBIBYTE, cpu_seconds=6 * 3600, file_bytes=0)
"""For media of strangers: it writes to a pipe only."""


_SAMPLES, _SAMPLE_BYTES = 64, 16 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Ffmpeg:
    """An ffmpeg that can be run.

    Attributes:
        path: absolute.
        version: its own word for it.
        mark: tells this very build from any other; the same wherever it was installed.
    """

    path: Path
    version: str
    mark: str


def find(settings: Settings) -> Ffmpeg:
    """The ffmpeg to use: the one that the settings name, else the one that came with StoryCore, else one on PATH.

    Raises:
        DependencyFailed: encoder_missing: there is none, or it does not run.
    """
    return _asked(_where(settings.ffmpeg))


def encoders(ffmpeg: Ffmpeg) -> frozenset[str]:
    """Names of the encoders that it was built with; whether one in hardware works here is another matter.

    Raises:
        DependencyFailed: encoder_missing: it does not run.
    """
    try:
        told = subprocess.run(  # noqa: S603 - the binary that was found, no shell
            [str(ffmpeg.path), "-hide_banner", "-encoders"],
            stdin=subprocess.DEVNULL, capture_output=True, check=True, timeout=60,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        raise DependencyFailed(f"ffmpeg can't be run: {ffmpeg.path}", reason=Reason.ENCODER_MISSING) from None
    return frozenset(re.findall(r"^ [VAS][A-Z.]{5} (\S+)", told.stdout.decode("utf-8", "replace"), re.MULTILINE))


def source(path: Path, *options: str) -> list[str]:
    """Arguments that name a file of strangers as an input.

    Args:
        path: absolute.
        options: of this input, such as `-ss`.
    """
    return [
        *("-protocol_whitelist", "file,pipe", "-format_whitelist", DEMUXERS, "-max_pixels", str(_MOST_PIXELS)),
        *(*options, "-i", url(path)),
    ]


def url(path: Path) -> str:
    """A file as ffmpeg takes it, whatever its name reads like."""
    return f"file:{path}"


class Child:
    """A running ffmpeg. Made by `child`.

    Attributes:
        input: what it reads from its stdin; None unless that was asked for.
        output: what it writes to its stdout; None unless that was asked for.
        lines: the last lines that it wrote to stderr.
        told: its last word on progress: `frame`, `out_time_us`, ….
    """

    def __init__(self, process: "subprocess.Popen[bytes]", *, foreign: str, group: bool, limits: Limits) -> None:
        self.input: IO[bytes] | None = process.stdin
        self.output: IO[bytes] | None = process.stdout
        self.lines: collections.deque[str] = collections.deque(maxlen=_KEPT_LINES)
        self.told: dict[str, str] = {}
        self._process = process
        self._foreign = foreign
        self._limits, self._begun = limits, time.monotonic()
        self._group = group
        self._listener = threading.Thread(target=self._listen, name="ffmpeg", daemon=True)
        self._listener.start()

    @property
    def ended(self) -> bool:
        """Whether the process has ended, well or not."""
        return self._process.poll() is not None

    def finish(self) -> None:
        """Waits until it has ended well.

        Raises:
            Unavailable: disk_full.
            InvalidInput: media_invalid: it was reading media of strangers.
            DependencyFailed: encoder_failed; also if somebody killed it, whatever it was reading.
        """
        if self.input is not None:
            with contextlib.suppress(OSError):
                self.input.close()
        code = self._process.wait()
        self._listener.join()
        if code:
            self.fail()

    def fail(self) -> NoReturn:
        """Raises what `finish` does; for a caller whose pipe broke."""
        code = self._process.wait()
        self._listener.join(timeout=1)
        raise fault_of(list(self.lines), _TERMINATED if self._was_asked_to_end(code) else code, foreign=self._foreign)

    def _was_asked_to_end(self, code: int) -> bool:
        """Whether somebody sent it SIGTERM or its like: it takes that, and goes without a word.

        When its processor time is over it goes in the same way; but so much of that can't have passed yet.
        """
        most = (time.monotonic() - self._begun) * (os.cpu_count() or 1)
        return code == _WENT and not self.lines and most < self._limits.cpu_seconds

    def kill(self) -> None:
        """Ends it, and what it started, at once; harmless if it has ended; any thread may."""
        if self.ended:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if self._group and os.name != "nt":
                os.killpg(self._process.pid, signal.SIGKILL)
            else:
                self._process.kill()

    def close(self) -> None:
        """Ends it if it still runs, and forgets it."""
        self.kill()
        self._process.wait()
        self._listener.join()
        for pipe in (self.input, self.output):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _listen(self) -> None:
        pipe = self._process.stderr
        if pipe is None:
            return
        with pipe:
            for raw in pipe:
                line = raw.decode("utf-8", "replace").rstrip()
                found = _PROGRESS.match(line)
                if found:
                    self.told[found[1]] = found[2]
                elif line:
                    self.lines.append(line[:500])


class How(TypedDict, total=False):
    """How a child runs.

    Attributes:
        progress: kills it as soon as this is cancelled, whatever the caller waits for.
        writes: the caller writes to its stdin, `-i pipe:0` among the arguments.
        reads: the caller reads from its stdout, `pipe:1` among the arguments.
        folder: where it works; relative names count from there.
        limits: what it may use.
        level: of its log; "warning" if left out.
        foreign: name of the media of strangers that it reads, for messages; a failure is then the media's, unless it
            was killed.
        group: whether it leads a process group of its own; True if left out.
    """

    progress: Progress | None
    writes: bool
    reads: bool
    folder: Path | None
    limits: Limits
    level: str
    foreign: str
    group: bool


@contextlib.contextmanager
def child(ffmpeg: Ffmpeg, arguments: Sequence[str], **how: Unpack[How]) -> Iterator[Child]:
    """A running ffmpeg, which is dead and reaped when the block ends, however that is.

    Args:
        ffmpeg: as `find` gives it.
        arguments: after the general ones.
        how: see `How`.

    Raises:
        DependencyFailed: encoder_missing.
        Cancelled: the work was asked to stop.
    """
    command = [
        *(str(ffmpeg.path), "-hide_banner", "-nostdin", "-y", "-nostats", "-loglevel", how.get("level", "warning")),
        *("-progress", "pipe:2", "-stats_period", "0.2", *arguments),
    ]
    attributes: tracing.Attributes = {
        "storycore.encoder.version": ffmpeg.version,
        "storycore.encoder.foreign": bool(how.get("foreign")),
    }
    with tracing.leaf("ffmpeg", tracing.Kind.INTERNAL, attributes=attributes):
        process = _start(command, how)
        limits = how.get("limits", ENCODING)
        confine(process.pid, limits)
        running = Child(process, foreign=how.get("foreign", ""), group=how.get("group", True), limits=limits)
        done = threading.Event()
        progress = how.get("progress")
        if progress is not None:
            threading.Thread(target=_watch, args=(running, progress, done), name="ffmpeg-watch", daemon=True).start()
        try:
            yield running
        except (OSError, ValueError, InvalidInput, DependencyFailed):
            if progress is not None:
                progress.check()  # a pipe that broke because of the cancellation is the cancellation
            raise
        finally:
            done.set()
            running.close()


def run(ffmpeg: Ffmpeg, arguments: Sequence[str], **how: Unpack[How]) -> Child:
    """Runs an ffmpeg to its end and gives it back, for its last lines.

    Args:
        ffmpeg: as `find` gives it.
        arguments: after the general ones.
        how: see `How`.

    Raises:
        StoryCoreError: see `Child.finish`; Cancelled.
    """
    with child(ffmpeg, arguments, **how) as running:
        running.finish()
    return running


def fault_of(lines: Sequence[str], code: int, *, foreign: str = "") -> InvalidInput | DependencyFailed | Unavailable:
    """The error for an ffmpeg that ended badly.

    Args:
        lines: the last of its stderr.
        code: its exit code; negative for a signal.
        foreign: as `child` takes it.
    """
    spoken = [_SPEAKER.sub("", line) for line in lines]
    said = next((line for line in reversed(spoken) if line and not _ENDING.match(line)), "")
    if any(_FULL.search(line) for line in lines):
        return Unavailable("No room left to write.", reason=Reason.DISK_FULL)
    if foreign and code not in (_KILLED, _TERMINATED):
        return InvalidInput(
            f"{foreign} can't be read as picture or sound: {said[:200]}", reason=Reason.MEDIA_INVALID,
            details={"media": foreign},
        )  # fmt: skip
    how = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
    return DependencyFailed(
        f"ffmpeg {how}: {said[:300]}" if said else f"ffmpeg {how}.",
        reason=Reason.ENCODER_FAILED,
        details={"encoder_log": list(lines)[-20:]},
    )


def confine(pid: int, limits: Limits) -> None:
    """Holds a process to limits, where the system can."""
    if sys.platform != "linux":
        return
    import resource

    held = (
        (resource.RLIMIT_AS, limits.memory_bytes, 0),
        (resource.RLIMIT_CPU, limits.cpu_seconds, _CPU_GRACE_SECONDS),
        (resource.RLIMIT_FSIZE, limits.file_bytes, 0),
        (resource.RLIMIT_CORE, 0, 0),
    )
    for kind, most, grace in held:
        with contextlib.suppress(OSError, ValueError):  # it has ended already, or a lower limit holds
            resource.prlimit(pid, kind, (most, most + grace))


def _where(chosen: Path | None) -> Path:
    if chosen is not None:
        return chosen
    with contextlib.suppress(ImportError, RuntimeError):
        from imageio_ffmpeg import get_ffmpeg_exe

        return Path(get_ffmpeg_exe())
    on_path = shutil.which("ffmpeg")
    if on_path:
        return Path(on_path)
    raise DependencyFailed("There is no ffmpeg.", reason=Reason.ENCODER_MISSING)


@cache
def _asked(path: Path) -> Ffmpeg:
    try:
        samples = _samples(path)
        told = subprocess.run(  # noqa: S603 - the binary that the settings name, no shell
            [str(path), "-hide_banner", "-version"], capture_output=True, check=True, timeout=60
        )
    except (OSError, subprocess.SubprocessError):
        raise DependencyFailed(f"ffmpeg can't be run: {path}", reason=Reason.ENCODER_MISSING) from None
    first = told.stdout.decode("utf-8", "replace").splitlines()[:1]
    version = first[0].removeprefix("ffmpeg version ").split(" ")[0] if first else "unknown"
    digest = hashlib.sha256(told.stdout + samples).hexdigest()  # what it tells names all that it was built with
    return Ffmpeg(path=path.absolute(), version=version, mark=f"{version}:{digest[:32]}")


def _samples(path: Path) -> bytes:
    """The length of a file, and a part of its bytes from all over it: all of them would take longer than many a film.

    Raises:
        OSError: it can't be read.
    """
    with path.open("rb") as file:
        length = file.seek(0, os.SEEK_END)
        found = [str(length).encode()]
        for number in range(_SAMPLES):
            file.seek(max(0, length - _SAMPLE_BYTES) * number // (_SAMPLES - 1))
            found.append(file.read(_SAMPLE_BYTES))
    return b"".join(found)


def _start(command: list[str], how: How) -> "subprocess.Popen[bytes]":
    pipe, none = subprocess.PIPE, subprocess.DEVNULL
    flags = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0) | getattr(subprocess, "CREATE_NO_WINDOW", 0)
    try:
        return subprocess.Popen(  # noqa: S603 - no shell; every name of a stranger stands behind `file:`
            command,
            stdin=pipe if how.get("writes") else none,
            stdout=pipe if how.get("reads") else none,
            stderr=pipe,
            cwd=how.get("folder"),
            env=_environment(),
            start_new_session=how.get("group", True) and os.name != "nt",
            creationflags=flags,
        )
    except OSError as fault:
        raise DependencyFailed(f"ffmpeg can't be run: {fault.strerror}", reason=Reason.ENCODER_MISSING) from None


def _environment() -> dict[str, str]:
    """No setting of the person's reaches ffmpeg, nor a proxy that it could talk to."""
    kept = ("PATH", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR", "HOME", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES")
    return {name: os.environ[name] for name in kept if name in os.environ} | _THRIFTY


def _watch(running: Child, progress: Progress, done: threading.Event) -> None:
    while not done.wait(_LOOK_SECONDS):
        try:
            progress.check()
        except Cancelled:
            running.kill()
            return
