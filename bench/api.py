"""How long answers take that callers wait for, beside a bare route.

    python3 run.py bench api            five hundred rounds; about a minute
    python3 run.py bench api --quick    few rounds, to see that it works; its figures mean nothing
    python3 run.py bench api --write    also writes its part of docs/benchmarks.md

All take turns in each round over connections that stay open. From what the caller sees, the way through this machine's
own network is taken off, and one wait for the disk, since each of these operations keeps something; names are not
looked up, the server is called by its number. Both are measured in the same run. Connecting looks at a scripted
ComfyUI, and triggering sends to `storycore webhook sink`, on this machine: what those take themselves is not taken off.
"""

import argparse
import contextlib
import importlib.metadata
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parent))

import _page
from _calls import Caller, Subject, bare, echo, post, race, server

LIBRARIES = ("fastapi", "uvicorn", "sqlalchemy", "pydantic", "aiohttp")
COMFYUI = _page.HERE / "tests/fixtures/comfyui_server.py"
REGISTER = "storycore.integration.webhook.register"


@dataclass(frozen=True)
class Bar:
    """An operation, and what its callers expect of it."""

    name: str
    most_ms: float


BARS = (
    Bar("storycore.export.metadata", 50),
    Bar("storycore.integration.comfyui.connect", 100),
    Bar(REGISTER, 10),
    Bar("storycore.integration.webhook.trigger", 50),
)
"""One line for each operation that existing callers wait for, in the order of `bodies`."""


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
    with contextlib.ExitStack() as stack:
        sink = stack.enter_context(server("-m", "storycore", "webhook", "sink", "--port", "0", cwd=place))
        comfyui = stack.enter_context(scripted_comfyui(place))
        environment = {
            "STORYCORE_DATABASE_URL": f"sqlite:///{place / 'tasks.db'}", "STORYCORE_CACHE_FOLDER": str(place / "cache"),
            "STORYCORE_WEBHOOK_ALLOW": f"127.0.0.1:{sink[1]}", "STORYCORE_COMFYUI_ALLOW": f"127.0.0.1:{comfyui}",
        }  # fmt: skip
        ours = stack.enter_context(server("-m", "storycore", "serve", "--port", "0", cwd=films, **environment))
        subjects = [
            Subject("network", stack.enter_context(echo(place)), post("/echo", {"name": "x"})),
            Subject("bare", stack.enter_context(bare(place)), post("/bare", {"name": "x"})),
            *(
                Subject(bar.name, ours, post(f"/v1/{bar.name}", body))
                for bar, body in zip(BARS, bodies(ours, sink, comfyui), strict=True)
            ),
        ]
        check(subjects[2:])
        race(subjects, rounds)
    return subjects


def check(subjects: list[Subject]) -> None:
    """Ends the program if one of them is answered that it did not work."""
    for subject in subjects:
        caller = Caller(subject.address)
        data = json.loads(caller.call(subject.request)[1])["data"]
        caller.close()
        if not data.get("connected", True) or not data.get("success", True):
            raise SystemExit(f"{subject.name}: {data}")


def bodies(ours: tuple[str, int], sink: tuple[str, int], comfyui: int) -> Iterator[dict[str, object]]:
    """What is asked of each operation."""
    hook: dict[str, object] = {"url": f"http://127.0.0.1:{sink[1]}/hook", "event_types": ["pipeline.completed"]}
    yield {"project_path": "film"}
    yield {"host": "127.0.0.1", "port": comfyui}
    yield hook
    caller = Caller(ours)
    answer = json.loads(caller.call(post(f"/v1/{REGISTER}", hook))[1])
    caller.close()
    yield {
        "webhook_id": answer["data"]["webhook_id"], "event_type": "pipeline.completed",
        "payload": {"pipeline": "nightly"},
    }  # fmt: skip


@contextlib.contextmanager
def scripted_comfyui(place: Path) -> Iterator[int]:
    """Port of a scripted ComfyUI in a process of its own."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
    folder = place / "comfyui"
    folder.mkdir()
    process = subprocess.Popen([sys.executable, str(COMFYUI), str(port), str(folder)])
    try:
        while process.poll() is None:
            with contextlib.suppress(ConnectionError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
        yield port
    finally:
        process.terminate()
        process.wait()


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
