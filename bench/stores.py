"""A package that goes straight to an object store, beside the plain put of the same bytes by the library we use.

    python3 run.py bench stores             5 GiB at level 0 to SeaweedFS, three rounds; needs about 30 GiB of disk
    python3 run.py bench stores --gib 1     less; what is written with --write comes from 5 GiB
    python3 run.py bench stores --write     also writes its part of docs/benchmarks.md

The server runs on this machine and takes its share of it. Both contenders are processes of their own and take turns.
Memory is the most that the process held over what it held when it had loaded everything.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

import _page

from fixtures.projects import make_project
from fixtures.stores import S3Server, seaweedfs

PEAK = """
import json, os, sys, threading, time

def held(name):
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))

def measured(work):
    idle, begun, used = held("VmRSS"), time.perf_counter(), time.process_time()
    open("/proc/self/clear_refs", "w").write("5")  # the peak counts from here
    work()
    print(json.dumps({"seconds": time.perf_counter() - begun, "cpu": time.process_time() - used,
                      "memory_kib": held("VmHWM") - idle}))
"""
OURS = (
    PEAK
    + """
import storycore.operations.package, storycore.exports.package, obstore
from storycore import PackageRequest, StoryCore
with StoryCore() as core:
    core.run(PackageRequest(project_path=sys.argv[3], output_path=sys.argv[2] + "-first.zip"))  # loads everything
    request = PackageRequest(project_path=sys.argv[1], output_path=sys.argv[2], compression_level=0)
    measured(lambda: core.run(request))
"""
)
PLAIN = (
    PEAK
    + """
import obstore
from pathlib import Path
from obstore.store import S3Store
bucket, key = sys.argv[2].removeprefix("s3://").split("/", 1)
store = S3Store(bucket, client_options={"allow_http": True, "timeout": "600s"})
obstore.put(store, key + "-first", b"loads everything")
measured(lambda: obstore.put(store, key, Path(sys.argv[1])))
"""
)
BARS = {"memory": 64 * 1024, "speed": 0.7}


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--gib", type=float, default=5)
    words.add_argument("--rounds", type=int, default=3)
    words.add_argument("--write", action="store_true", help="write its part of docs/benchmarks.md")
    asked = words.parse_args()
    with tempfile.TemporaryDirectory(prefix="storycore-bench-") as place, seaweedfs(volumes=400) as server:
        text = "\n".join(report(Path(place), server, round(asked.gib * 2**30), asked.rounds))
    print(text)
    if asked.write:
        _page.write(text.splitlines())
    return 0


def report(place: Path, server: S3Server, size: int, rounds: int) -> Iterator[str]:
    film, small = make_project(place / "film"), make_project(place / "small")
    noise(film / "take.mp4", size)
    os.environ |= {**server.environment, "STORYCORE_STORES": server.url,
                   "STORYCORE_DATABASE_URL": f"sqlite:///{place / 'bench.db'}"}  # fmt: skip
    found: dict[str, list[dict[str, float]]] = {"ours": [], "plain": []}
    for number in range(rounds):
        for name, words in {"ours": (OURS, film), "plain": (PLAIN, film / "take.mp4")}.items():
            target = f"{server.url}/{name}-{number}.zip"
            command = [sys.executable, "-c", words[0], str(words[1]), target, str(small)]
            run = subprocess.run(command, capture_output=True, text=True)
            assert run.returncode == 0, run.stderr
            found[name].append(json.loads(run.stdout))
            server.client.delete_object(Bucket=server.bucket, Key=target.removeprefix(f"s3://{server.bucket}/"))
            print(f"{name}: {found[name][-1]}", file=sys.stderr)
    ours, plain = (statistics.median(run["seconds"] for run in found[name]) for name in ("ours", "plain"))
    memory = max(run["memory_kib"] for run in found["ours"])
    yield from (
        "## Packages to an object store",
        "",
        (
            f"{size / 2**30:g} GiB of noise at level 0 to SeaweedFS on the same machine ({os.cpu_count()} processors), "
            f"{rounds} rounds in turns. *Plain* is `obstore.put` of the same file."
        ),
        "",
        "| | wall, median | from-to | processor | memory over idle |",
        "|---|---|---|---|---|",
        *(row(label, found[name]) for name, label in (("ours", "StoryCore, package"), ("plain", "obstore, plain put"))),
        "",
        f"- Speed: {plain / ours:.2f} of a plain put (bar: at least {BARS['speed']}): "
        + ("holds" if plain / ours >= BARS["speed"] else "**missed**"),
        f"- Memory: {memory / 1024:.0f} MiB over idle (bar: at most {BARS['memory'] // 1024}): "
        + ("holds" if memory <= BARS["memory"] else "**missed**"),
        "",
    )


def row(label: str, runs: list[dict[str, float]]) -> str:
    walls = [run["seconds"] for run in runs]
    cpu = statistics.median(run["cpu"] for run in runs)
    memory = max(run["memory_kib"] for run in runs) / 1024
    return (f"| {label} | {statistics.median(walls):.1f} s | {min(walls):.1f}-{max(walls):.1f} | {cpu:.1f} s "
            f"| {memory:.0f} MiB |")  # fmt: skip


def noise(path: Path, size: int) -> None:
    """A clip that does not shrink; the same block in other orders would, were it compressed."""
    with path.open("wb") as file:
        file.write(b"\0\0\0\x18ftypisom")
        left = size - 12
        while left:
            file.write(os.urandom(min(left, 2**24)))
            left -= min(left, 2**24)


if __name__ == "__main__":
    started = time.monotonic()
    code = main()
    print(f"{time.monotonic() - started:.0f} s", file=sys.stderr)
    sys.exit(code)
