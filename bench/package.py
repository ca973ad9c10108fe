"""How much processor time packing takes, beside zip, 7-Zip and the standard library.

    python3 run.py bench package            both trees, five rounds; takes about a quarter of an hour
    python3 run.py bench package --quick    small trees, to see that it works; its figures mean nothing
    python3 run.py bench package --write    also writes its part of docs/benchmarks.md

Every contender is a process of its own and is counted whole, start-up included; all take turns in each round, so that
a busy machine is busy for everyone. Processor time is what counts: it hardly depends on what else the machine does,
while wall time does. Ours also computes the SHA-256 of every file and of the package; the others don't.
"""

import argparse
import importlib.metadata
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import _page
from _trees import mixed, sizes, small_files

HERE = Path(__file__).resolve().parent.parent
COMPILED = tempfile.TemporaryDirectory(prefix="storycore-bench-compiled-")
DATABASE = "tasks.db"
LIBRARIES = ("isal", "zlib-ng", "pydantic")

WEIGHED = """
import os, sys
import storycore.operations.package, storycore.library, storycore.cli.operation_command
import storycore.__main__

def peak():
    try:
        lines = open("/proc/self/status").read().splitlines()
    except OSError:
        return 0
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))

idle = peak()
main = storycore.__main__.main

def measured():
    try:
        main()
    finally:
        print(peak() - idle)

storycore.__main__.main = measured
storycore.__main__.program()
"""
ZIPFILE = """
import os, sys, zipfile
tree, out = sys.argv[1:]
with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as target:
    for folder, _, names in os.walk(tree):
        for name in sorted(names):
            path = os.path.join(folder, name)
            kind = zipfile.ZIP_STORED if name.endswith((".png", ".mp4")) else zipfile.ZIP_DEFLATED
            target.write(path, os.path.relpath(path, tree), kind)
"""


@dataclass(frozen=True)
class Run:
    """One process: seconds of processor and of the wall, bytes of the result, and the last number it said."""

    cpu: float
    wall: float
    size: int
    said: int


@dataclass
class Contender:
    """Somebody who packs a tree; `command` gets the tree and the target."""

    name: str
    command: Callable[[Path, Path], list[str]]
    folder: bool = False  # runs inside the tree
    keeps: bool | None = None  # for ours, whether it keeps a record, in a database beside the tree
    memory: int = 0  # KiB over idle, for ours; in a run of its own, since looking costs time
    runs: list[Run] = field(default_factory=list)
    first: Run | None = None  # that of a database which had to be made; not among `runs`

    def weighed(self, tree: Path, out: Path) -> list[str]:
        """The command of ours, which says at its end how much memory it took."""
        python, _, _, *words = self.command(tree, out)
        return [python, "-c", WEIGHED, *words]

    def cpu(self) -> float:
        return statistics.median(run.cpu for run in self.runs)

    def wall(self) -> float:
        return statistics.median(run.wall for run in self.runs)

    def spread(self) -> str:
        values = [run.cpu for run in self.runs]
        return f"{min(values):.2f}–{max(values):.2f}"


@dataclass(frozen=True)
class Bar:
    """What must hold of one of ours, relative to zip."""

    contender: str
    cpu: float
    size: float


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--quick", action="store_true", help="small trees, two rounds")
    words.add_argument("--rounds", type=int, default=5)
    words.add_argument("--write", action="store_true", help="write its part of docs/benchmarks.md")
    words.add_argument("--only", choices=("t1", "t2"), help="one tree")
    asked = words.parse_args()
    rounds = 2 if asked.quick else asked.rounds
    with tempfile.TemporaryDirectory(prefix="storycore-bench-") as place:
        text = "\n".join(report(Path(place), rounds, quick=asked.quick, only=asked.only))
    print(text)
    if asked.write:
        _page.write(text.splitlines())
    return 0


def report(place: Path, rounds: int, *, quick: bool, only: str | None) -> Iterator[str]:
    noise: list[float] = []
    subjects = {
        "t1": ("t1: a film project of about 1 GB: 1080p stills, clips, sound, float plates, shot data",
               lambda folder: mixed(folder, scale=0.04 if quick else 1), against_media(),
               (Bar("StoryCore level 3", 0.35, 1.02), Bar("StoryCore level 6", 0.6, 1.005))),
        "t2": ("t2: 20,000 small JSON files",
               lambda folder: small_files(folder, count=1000 if quick else 20_000), against_small(),
               (Bar("StoryCore level 1", 0.9, 1.03), Bar("StoryCore level 3", 0.9, 1.03))),
    }  # fmt: skip
    tables = []
    for name, (title, make, contenders, bars) in subjects.items():
        if only in (None, name):
            tree = place / name
            make(tree)
            race(tree, place, contenders, rounds, noise)
            tables += ["", f"### {title}", "", *table(tree, contenders), "", *verdicts(contenders, bars)]
            shutil.rmtree(tree)
    yield from ("## Packages", "", *preface(rounds, noise, quick=quick), *tables)


def against_media() -> list[Contender]:
    return [
        *ours(3, 6),
        Contender("zip -r -6 -n .png:.mp4", lambda _, out: ["zip", "-q", "-r", "-6", "-n", ".png:.mp4", str(out), "."],
                  folder=True),
        *others(),
    ]  # fmt: skip


def against_small() -> list[Contender]:
    zip6 = Contender("zip -r -6", lambda _, out: ["zip", "-q", "-r", "-6", str(out), "."], folder=True)
    return [*ours(1, 3, 6), *ours_recorded(1, 6), zip6, *others()]


def ours(*levels: int) -> Iterator[Contender]:
    """The command with STORYCORE_DATABASE_URL=none: it packs, and keeps no record."""
    for level in levels:
        yield Contender(f"StoryCore level {level}", partial(typed, level), keeps=False)


def ours_recorded(*levels: int) -> Iterator[Contender]:
    """The command as people type it: kept as a task, with the library of the database and its transactions."""
    for level in levels:
        yield Contender(f"StoryCore level {level}, on record", partial(typed, level), keeps=True)


def typed(level: int, tree: Path, out: Path) -> list[str]:
    """The command, whole."""
    words = ["export", "package", str(tree), "-o", str(out), "--level", str(level), "--include-source", "--quiet"]
    return [sys.executable, "-m", "storycore", *words]


def others() -> Iterator[Contender]:
    seven = shutil.which("7zz") or shutil.which("7z") or "7zz"
    yield Contender(
        f"{Path(seven).name} -tzip -mx5",
        lambda _, out: [seven, "a", "-tzip", "-mx5", "-bso0", "-bsp0", str(out), "."],
        folder=True,
    )
    yield Contender("zipfile, level 6", lambda tree, out: [sys.executable, "-c", ZIPFILE, str(tree), str(out)])


def race(tree: Path, place: Path, contenders: list[Contender], rounds: int, noise: list[float]) -> None:
    """Every contender in turn, round after round; those that are not installed are left out with a word."""
    for contender in list(contenders):
        program = contender.command(tree, place)[0]
        if not shutil.which(program):
            print(f"{contender.name}: skipped, {program} is not installed", file=sys.stderr)
            contenders.remove(contender)
    total = sum(sizes(tree))  # and so every file is in the memory of the system
    for path in tree.rglob("*"):
        if path.is_file():
            path.read_bytes()
    warm_up(tree, place, contenders)
    for number in range(rounds):
        noise.append(_page.control())
        for contender in contenders:
            run = measure(contender, contender.command, tree, place / "out.zip")
            contender.runs.append(run)
            print(f"{tree.name} {number + 1}/{rounds} {contender.name}: {run.cpu:.2f} s CPU, {run.wall:.2f} s, "
                  f"{run.size / total:.4f}", file=sys.stderr)  # fmt: skip


def warm_up(tree: Path, place: Path, contenders: list[Contender]) -> None:
    """Python compiles what it has not compiled yet; databases are made, which is measured apart."""
    for contender in contenders:
        if contender.keeps is not None:
            measure(contender, contender.weighed, tree, place / "out.zip")
            if contender.keeps:
                for path in place.glob(f"{DATABASE}*"):
                    path.unlink()
                contender.first = measure(contender, contender.weighed, tree, place / "out.zip")
            contender.memory = max(measure(contender, contender.weighed, tree, place / "out.zip").said for _ in "ab")


def measure(contender: Contender, command: Callable[[Path, Path], list[str]], tree: Path, target: Path) -> Run:
    target.unlink(missing_ok=True)
    database = f"sqlite:///{tree.parent / DATABASE}" if contender.keeps else "none"
    begun = time.perf_counter()
    process = subprocess.Popen(
        command(tree, target),
        cwd=tree if contender.folder else None,
        env={**environment(), "STORYCORE_DATABASE_URL": database},
        stdout=subprocess.PIPE,
    )
    said = process.stdout.read() if process.stdout else b""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - begun
    if process.returncode != 0:
        raise SystemExit(f"{contender.name} failed with {process.returncode}")
    size = target.stat().st_size
    target.unlink()
    return Run(usage.ru_utime + usage.ru_stime, wall, size, int((said.split() or [0])[-1]))


def environment() -> dict[str, str]:
    """As for any installed program: what was compiled once is not compiled again."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPATH": str(HERE / "src"), "PYTHONPYCACHEPREFIX": COMPILED.name}


def table(tree: Path, contenders: list[Contender]) -> Iterator[str]:
    base = zip_of(contenders)
    total = sum(sizes(tree))
    yield f"{total:,} bytes in {sum(1 for _ in sizes(tree)):,} files."
    yield ""
    yield "| | CPU s, median | min–max | CPU ÷ zip | wall ÷ zip | size | size ÷ zip | MiB over idle |"
    yield "|---|---|---|---|---|---|---|---|"
    for item in contenders:
        size = item.runs[0].size
        memory = item.memory / 1024
        against = (
            (f"{item.cpu() / base.cpu():.3f}", f"{item.wall() / base.wall():.3f}", f"{size / base.runs[0].size:.4f}")
            if base
            else ("–", "–", "–")
        )
        yield (
            f"| {item.name} | {item.cpu():.2f} | {item.spread()} | {against[0]} | {against[1]} | {size / total:.4f} | "
            f"{against[2]} | {f'{memory:.0f}' if memory else '–'} |"
        )


def verdicts(contenders: list[Contender], bars: tuple[Bar, ...]) -> Iterator[str]:
    base = zip_of(contenders)
    if base is None:
        yield "zip is not installed, so the bars can't be judged."
        return
    for bar in bars:
        item = next(item for item in contenders if item.name == bar.contender)
        cpu, size = item.cpu() / base.cpu(), item.runs[0].size / base.runs[0].size
        memory = item.memory / 1024
        yield (
            f"- {bar.contender}: CPU {cpu:.3f} × zip, bar {bar.cpu}: **{_page.met(cpu <= bar.cpu)}**; "
            f"size {size:.4f} × zip, bar {bar.size}: **{_page.met(size <= bar.size)}**; "
            f"memory {memory:.0f} MiB over idle, bar 64: **{_page.met(memory <= 64)}**"
        )
    judged = {bar.contender for bar in bars}
    for item in contenders:
        if item.keeps is not None and item.name not in judged:
            memory = item.memory / 1024
            yield f"- {item.name}, not judged: CPU {item.cpu() / base.cpu():.3f} × zip; {memory:.0f} MiB over idle"
        if item.first:
            figures = f"{item.first.cpu:.2f} s, {item.first.said / 1024:.0f} MiB over idle"
            yield f"- {item.name}, the first command of all, not judged: {figures}"


def zip_of(contenders: list[Contender]) -> Contender | None:
    return next((item for item in contenders if item.name.startswith("zip -r")), None)


def preface(rounds: int, noise: list[float], *, quick: bool) -> Iterator[str]:
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in LIBRARIES)
    yield "Made by `python3 run.py bench package --write`; the trees are made anew each time, the same ones."
    yield ""
    if quick:
        yield "**Small trees: these figures only show that the measurement works.**"
        yield ""
    yield from _page.circumstances(f"{rounds} interleaved rounds, medians", noise, versions)
    yield (
        "- Processor time of whole processes, start-up included. Ours includes the SHA-256 of every file and of the "
        "package, the manifests, the crate and the description; the others make none of these."
    )
    yield (
        "- Each of ours ran before it was counted: Python had compiled it, and *on record* found its database as the "
        "command before had left it. The first command of all, which also makes the database, is told apart. Memory "
        "is looked at in runs of its own."
    )
    yield (
        "- The bar for small files is for packing at a fast level, as its size bar allows for, and for a command that, "
        "like its peers, keeps no record (`STORYCORE_DATABASE_URL=none`). A command without options packs at level 6 "
        "and keeps one: what that costs stands below, not judged by that bar."
    )


if __name__ == "__main__":
    sys.exit(main())
