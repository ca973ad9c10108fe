"""How long a caller waits for a task that has little to do, beside a bare route with one durable commit.

    python3 run.py bench tasks            a thousand rounds; about a minute
    python3 run.py bench tasks --quick    few rounds, to see that it works; its figures mean nothing
    python3 run.py bench tasks --write    also writes its part of docs/benchmarks.md

All take turns in each round over connections that stay open, so that a busy machine is busy for everyone. A task is
accepted durably, taken by a worker, done, and recorded as done; then its caller is answered. That is what is measured,
by an operation that does nothing, entered into the catalogue like any other.
"""

import argparse
import importlib.metadata
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import _page
from _calls import HERE, Subject, bare, post, race, server

BAR = 3.0
LIBRARIES = ("fastapi", "uvicorn", "sqlalchemy", "pydantic")

SERVE = f"""
import sys
sys.path.insert(0, {str(HERE / "bench")!r})
import storycore.operations.catalog as catalog
catalog.OPERATIONS += (
    catalog.Operation("storycore.bench.nothing", "POST", "_nothing:nothing", "_nothing:NothingRequest",
                      "Do nothing", long=True),
)
catalog.SCOPES["storycore.bench.nothing"] = "admin"

from storycore.__main__ import main
sys.argv[1:] = ["serve", "--port", "0"]
main()
"""


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--quick", action="store_true", help="few rounds")
    words.add_argument("--rounds", type=int, default=1000)
    words.add_argument("--write", action="store_true", help="write its part of docs/benchmarks.md")
    asked = words.parse_args()
    rounds = 50 if asked.quick else asked.rounds
    with tempfile.TemporaryDirectory(prefix="storycore-bench-", dir=HERE.parent) as place:
        lines = list(report(Path(place), rounds, quick=asked.quick))
    print("\n".join(lines))
    if asked.write:
        _page.write(lines)
    return 0


def report(place: Path, rounds: int, *, quick: bool) -> Iterator[str]:
    noise = [_page.control()]
    subjects = measure(place, rounds)
    noise.append(_page.control())
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in LIBRARIES)
    yield from _page.opening("## Tasks", "Made by `python3 run.py bench tasks --write`.", quick=quick)
    yield from _page.circumstances(f"{rounds} interleaved rounds", noise, versions)
    yield "- Seen by the caller, over a connection that stays open; SQLite on the same disk for all."
    yield ""
    yield from table(subjects)
    yield ""
    yield from verdict(subjects)


def measure(place: Path, rounds: int) -> list[Subject]:
    films = place / "films"
    films.mkdir()
    database = {"STORYCORE_DATABASE_URL": f"sqlite:///{place / 'tasks.db'}"}
    with ExitStack() as stack:
        ours = stack.enter_context(server("-c", SERVE, cwd=films, **database))
        peer = stack.enter_context(bare(place))
        subjects = [
            Subject("A bare route", peer, post("/bare", {"name": "x"})),
            Subject("A bare route and one FULL commit", peer, post("/committed", {"name": "x"})),
            Subject("A task that does nothing", ours, post("/v1/storycore.bench.nothing", {})),
        ]
        race(subjects, rounds)
    return subjects


def table(subjects: list[Subject]) -> Iterator[str]:
    base = subjects[1].median_ms()
    yield "| | median ms | p90 ms | p99 ms | median ÷ route with commit |"
    yield "|---|---|---|---|---|"
    for item in subjects:
        yield (
            f"| {item.name} | {item.median_ms():.2f} | {item.quantile_ms(0.9):.2f} | {item.quantile_ms(0.99):.2f} | "
            f"{item.median_ms() / base:.2f} |"
        )


def verdict(subjects: list[Subject]) -> Iterator[str]:
    ratio = subjects[2].median_ms() / subjects[1].median_ms()
    verdict = _page.met(ratio <= BAR)
    yield f"- An interactive task: {ratio:.2f} × a bare route with one FULL commit, bar {BAR:g}: **{verdict}**"


if __name__ == "__main__":
    sys.exit(main())
