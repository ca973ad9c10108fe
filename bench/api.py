"""How long answers take that callers wait for, beside a bare route.

    python3 run.py bench api            five hundred rounds; about a minute
    python3 run.py bench api --quick    few rounds, to see that it works; its figures mean nothing
    python3 run.py bench api --write    also writes its part of docs/benchmarks.md

All take turns in each round over connections that stay open. From what the caller sees, the way through this machine's
own network is taken off, and one wait for the disk, since each of these operations is kept as a task; names are not
looked up, the server is called by its number. Both are measured in the same run.
"""

import argparse
import contextlib
import importlib.metadata
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parent))

import _page
from _calls import Subject, bare, echo, post, race, server

LIBRARIES = ("fastapi", "uvicorn", "sqlalchemy", "pydantic")


@dataclass(frozen=True)
class Bar:
    """An operation, what it is asked, and what its callers expect of it."""

    name: str
    body: dict[str, object]
    most_ms: float


BARS = (
    Bar("storycore.export.metadata", {"project_path": "film"}, 50),
)  # fmt: skip
"""One line for each operation that existing callers wait for."""


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--quick", action="store_true", help="few rounds")
    words.add_argument("--rounds", type=int, default=500)
    words.add_argument("--write", action="store_true", help="write its part of docs/benchmarks.md")
    asked = words.parse_args()
    rounds = 30 if asked.quick else asked.rounds
    with tempfile.TemporaryDirectory(prefix="storycore-bench-", dir=_page.HERE.parent) as place:
        lines = list(report(Path(place), rounds, quick=asked.quick))
    print("\n".join(lines))
    if asked.write:
        _page.write(lines)
    return 0


def report(place: Path, rounds: int, *, quick: bool) -> Iterator[str]:
    noise = [_page.control()]
    loopback, route, *ours = measure(place, rounds)
    synced = sync_ms(place, rounds)
    noise.append(_page.control())
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in LIBRARIES)
    yield from _page.opening(
        "## API", "Made by `python3 run.py bench api --write`, on the film of `storycore demo`.", quick=quick
    )
    yield from _page.circumstances(f"{rounds} interleaved rounds, medians", noise, versions)
    yield (
        f"- Taken off: the way through the machine's own network, {loopback.median_ms():.2f} ms, and one wait for the "
        f"disk (4 KiB and fsync), {synced:.2f} ms."
    )
    yield ""
    yield "| | seen by the caller ms | p99 ms | taken off ms | the answer itself ms | ÷ bare route | bar ms | |"
    yield "|---|---|---|---|---|---|---|---|"
    base = route.median_ms() - loopback.median_ms()
    yield (
        f"| A bare route | {route.median_ms():.2f} | {route.quantile_ms(0.99):.2f} | {loopback.median_ms():.2f} | "
        f"{base:.2f} | 1.0 | – | – |"
    )
    for bar, subject in zip(BARS, ours, strict=True):
        off = loopback.median_ms() + synced
        itself = subject.median_ms() - off
        yield (
            f"| `{bar.name}` | {subject.median_ms():.2f} | {subject.quantile_ms(0.99):.2f} | {off:.2f} | "
            f"{itself:.2f} | {itself / base:.1f} | {bar.most_ms:g} | **{_page.met(itself <= bar.most_ms)}** |"
        )


def measure(place: Path, rounds: int) -> list[Subject]:
    films = place / "films"
    films.mkdir()
    make_film(films / "film")
    environment = {
        "STORYCORE_DATABASE_URL": f"sqlite:///{place / 'tasks.db'}", "STORYCORE_CACHE_FOLDER": str(place / "cache"),
    }  # fmt: skip
    with contextlib.ExitStack() as stack:
        ours = stack.enter_context(server("-m", "storycore", "serve", "--port", "0", cwd=films, **environment))
        subjects = [
            Subject("network", stack.enter_context(echo(place)), post("/echo", {"name": "x"})),
            Subject("bare", stack.enter_context(bare(place)), post("/bare", {"name": "x"})),
            *(Subject(bar.name, ours, post(f"/v1/{bar.name}", bar.body)) for bar in BARS),
        ]
        race(subjects, rounds)
    return subjects


def make_film(folder: Path) -> None:
    from storycore.demo.film import make_film as draw

    draw(folder)


def sync_ms(place: Path, rounds: int) -> float:
    """One wait for the disk, in milliseconds."""
    taken, block = [], os.urandom(4096)
    with (place / "synced").open("wb", buffering=0) as file:
        for _ in range(rounds):
            begun = time.perf_counter()
            file.write(block)
            os.fsync(file.fileno())
            taken.append((time.perf_counter() - begun) * 1000)
    return median(taken)


if __name__ == "__main__":
    sys.exit(main())
