"""What one process and its children cost, and how soon they are gone when somebody stops them."""

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

LONGEST = 900


@dataclass
class Cost:
    """Of one process and its children."""

    cpu: float
    wall: float
    mebibytes: float
    whole: bool = True


def run(command: list[str], **environment: str) -> Cost:
    """Runs a process to its end, or for 15 minutes of wall time."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    process = subprocess.Popen(
        command, env={**os.environ, "QT_QPA_PLATFORM": "offscreen", **environment}, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    peak, done = [0.0], threading.Event()
    watcher = threading.Thread(target=_watch, args=(process.pid, peak, done))
    watcher.start()
    whole = True
    try:
        code = process.wait(LONGEST)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        code, whole = process.wait(), False
    done.set()
    watcher.join()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if whole and code:
        raise SystemExit(f"{command[0]} ended with {code}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(cpu, time.monotonic() - started, peak[0], whole)


def _watch(pid: int, peak: list[float], done: threading.Event) -> None:
    """Private memory of a process and all its children, looked at 20 times a second."""
    while not done.wait(0.05):
        total = 0
        try:
            family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        except psutil.Error:
            continue
        for one in family:
            try:
                memory = one.memory_info()
                total += memory.rss - getattr(memory, "shared", 0)
            except psutil.Error:
                continue
        peak[0] = max(peak[0], total / 2**20)


def ours(film: Path, out: Path, cache: Path, *asked: str, program: tuple[str, str] = ("-m", "storycore")) -> Cost:
    """The command line, as a user runs it."""
    options = [word for name in ("effort=fast", "crf=20", "loudness_lufs=-16", "true_peak_dbtp=-1.5", *asked)
               for word in ("-O", name)]  # fmt: skip
    command = [sys.executable, *program, "export", "format", str(film), "--to", "mp4", "-o", str(out), "-q"]
    database = f"sqlite:///{cache.parent / 'bench.db'}"
    return run([*command, *options], STORYCORE_CACHE_FOLDER=str(cache), STORYCORE_DATABASE_URL=database)


def spent() -> float:
    """Processor seconds so far, of this process and its children."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def cancelling(film: Path, folder: Path) -> float:
    """Seconds from Ctrl-C in mid-render until nothing of it runs any more."""
    command = [sys.executable, "-m", "storycore", "export", "format", str(film), "--to", "mp4", "-o", str(folder / "c")]
    process = subprocess.Popen(
        command, env={**os.environ, "STORYCORE_CACHE_FOLDER": str(folder / "cancelled"),
                      "STORYCORE_DATABASE_URL": f"sqlite:///{folder / 'bench.db'}"},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    whole: list[psutil.Process] = []
    deadline = time.monotonic() + 120
    while not any("ffmpeg" in one.name() for one in whole) and time.monotonic() < deadline:
        threading.Event().wait(0.2)
        whole = psutil.Process(process.pid).children(recursive=True)
    threading.Event().wait(1)
    whole = psutil.Process(process.pid).children(recursive=True)
    begun = time.monotonic()
    process.send_signal(signal.SIGINT)
    while any(map(_runs, whole)) and time.monotonic() - begun < 60:
        threading.Event().wait(0.002)
    took = time.monotonic() - begun
    process.wait(60)
    assert not any(map(_runs, whole))
    assert not (folder / "c").exists()
    return took


def _runs(process: psutil.Process) -> bool:
    """Whether a process is alive; one that is dead may wait for somebody to ask how it ended."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def verdict(what: str, value: float, bar: float, more: str = "") -> str:
    """One line of the page: a figure beside the most that it may be."""
    word = "holds" if value <= bar else "missed"
    return f"- {what}: {value:.4g}, bar {bar:g}: **{word}**" + (f" ({more})" if more else "")
