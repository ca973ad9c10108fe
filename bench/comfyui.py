"""How much StoryCore adds to a ComfyUI server, beside a bare loop that posts, waits and fetches.

    python3 run.py bench comfyui                       on the scripted server of the tests
    python3 run.py bench comfyui --url http://…:8188   on a real one, which the bars are for
    python3 run.py bench comfyui --write               also writes its part of docs/benchmarks.md

The bare loop keeps one connection and one socket, and knows nothing: no checks, no records, no retries, no sidecars.
Ours is the whole product: each workflow is checked against the server, kept as a task, survives crashes and brings its
files home with their checksums. Both take turns in each round, so that a busy machine is busy for both.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

import aiohttp

sys.path.insert(0, str(Path(__file__).parent))

from _page import circumstances, control, met, write

from storycore import BatchRequest, ConnectRequest, Settings, StoryCore, WorkflowRequest
from storycore.observe import logging

HERE = Path(__file__).resolve().parent.parent
SERVER = HERE / "tests/fixtures/comfyui_server.py"
BARS = {"trivial, uncached": 1.25, "SaveImage 512 × 512, fetched": 1.1}

Graph = dict[str, Any]


def main() -> int:
    """Measures, and prints what it found; gives the exit code."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--url", default="", help="a real ComfyUI server")
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--jobs", type=int, default=40, help="workflows a round")
    options.add_argument("--write", action="store_true")
    chosen = options.parse_args()
    with contextlib.ExitStack() as stack:
        url = chosen.url or stack.enter_context(scripted())
        lines = list(report(url, chosen.rounds, chosen.jobs, real=bool(chosen.url)))
    print("\n".join(lines))
    if chosen.write:
        write(lines)
    return 0


def report(url: str, rounds: int, jobs: int, *, real: bool) -> Iterator[str]:
    """The measurement as a part of the page."""
    with urlopen(f"{url}/system_stats", timeout=30) as answer:
        version = json.load(answer)["system"]["comfyui_version"]
    yield "## ComfyUI: what StoryCore adds to a server\n"
    yield "Made by `python3 run.py bench comfyui --write`.\n"
    what = f"ComfyUI {version} on the same machine" if real else "**the scripted server of the tests, no real one**"
    noise = [control() for _ in range(5)]
    rows = list(table(url, rounds, jobs))
    told = f"{rounds} interleaved rounds of {jobs} workflows, each with a colour that no other has; medians of rounds"
    yield from circumstances(told, noise, f"aiohttp {aiohttp.__version__}")
    yield f"- Server: {what}, which computes on the same processors (give it the same niceness)."
    if hasattr(os, "getloadavg") and os.getloadavg()[0] > 2 * (os.cpu_count() or 1):
        yield "- **The machine was busy: that slows the bare loop down. On a quiet one ratios are higher.**"
    yield "- In a row: the next is posted when the last is home. Queue: each a task of its own, as `serve` does."
    yield "- Batch: one task for all, as `storycore comfyui batch` does; the bar is for that, which is what a loop is."
    yield "- Processor: milliseconds that our own process works for one workflow of a batch, whatever else runs here.\n"
    yield "| workflow | bare loop, ms | in a row | ÷ bare | queue | ÷ bare | batch | ÷ bare | bar | | processor |"
    yield "|---|---|---|---|---|---|---|---|---|---|---|"
    yield from rows


def table(url: str, rounds: int, jobs: int) -> Iterator[str]:
    """A line for each kind of workflow."""
    for name, make in (("trivial, uncached", trivial), ("SaveImage 512 × 512, fetched", saved)):
        found = measure(url, make, rounds, jobs)
        bare, *ours = found.seconds
        figures = " | ".join(f"{it * 1000:.1f} | {it / bare:.2f}" for it in ours)
        yield (
            f"| {name} | {bare * 1000:.1f} | {figures} | {BARS[name]} | **{met(ours[-1] / bare <= BARS[name])}** | "
            f"{found.processor * 1000:.1f} |"
        )


def trivial() -> Graph:
    """A graph that does next to nothing and saves nothing."""
    return {
        "1": node("EmptyImage", width=8, height=8, batch_size=1, color=random.randrange(2**24)),
        "2": node("PreviewAny", source=["1", 0]),
    }


def saved() -> Graph:
    """A graph that saves a picture."""
    return {
        "1": node("EmptyImage", width=512, height=512, batch_size=1, color=random.randrange(2**24)),
        "3": node("SaveImage", images=["1", 0], filename_prefix=f"bench/{uuid.uuid4()}"),
    }


def node(class_type: str, **inputs: Any) -> dict[str, Any]:
    """A node of a graph."""
    return {"class_type": class_type, "inputs": inputs}


@dataclass(frozen=True, kw_only=True)
class Found:
    """What was measured.

    Attributes:
        seconds: a workflow, medians: of the bare loop, of ours in a row, as a queue, as a batch.
        processor: seconds of our process for one workflow of a batch, median.
    """

    seconds: list[float]
    processor: float


def measure(url: str, make: Callable[[], Graph], rounds: int, jobs: int) -> Found:
    """Lets all take turns."""
    found: list[list[float]] = [[], [], [], []]
    worked, processor = [0.0, 0.0, 0.0, 0.0], list[float]()
    with tempfile.TemporaryDirectory(prefix="storycore-bench-") as folder, ours(url, Path(folder)) as core:
        contenders: tuple[Callable[[list[Graph]], object], ...] = (
            lambda graphs: asyncio.run(bare(url, graphs, Path(folder))),
            lambda graphs: in_a_row(core, graphs),
            lambda graphs: as_a_queue(core, graphs),
            lambda graphs: as_a_batch(core, graphs),
        )
        for number in range(rounds + 1):
            for at, contender in enumerate(contenders):
                graphs = [make() for _ in range(jobs if number else 3)]
                begun, worked[at] = time.perf_counter(), -time.process_time()
                contender(graphs)
                worked[at] += time.process_time()
                if number:  # the first round only warms up
                    found[at].append((time.perf_counter() - begun) / jobs)
            processor += [worked[-1] / jobs] if number else []
    return Found(seconds=[statistics.median(it) for it in found], processor=statistics.median(processor))


async def bare(url: str, graphs: list[Graph], folder: Path) -> None:
    """Posts, waits at the socket, reads the history and fetches the files, one workflow after the other."""
    client_id = uuid.uuid4().hex
    async with aiohttp.ClientSession() as session, session.ws_connect(f"{url}/ws?clientId={client_id}") as socket:
        for graph in graphs:
            body = {"prompt": graph, "client_id": client_id}
            async with session.post(f"{url}/prompt", json=body) as answer:
                prompt_id = (await answer.json())["prompt_id"]
            async for message in socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    told = json.loads(message.data)
                    data = told.get("data", {})
                    if told["type"] == "executing" and data.get("node") is None and data.get("prompt_id") == prompt_id:
                        break
            async with session.get(f"{url}/history/{prompt_id}") as answer:
                outputs = (await answer.json())[prompt_id]["outputs"]
            for told in outputs.values():
                for file in told.get("images", ()):
                    async with session.get(f"{url}/view", params=file) as answer:
                        (folder / f"{uuid.uuid4()}.png").write_bytes(await answer.read())


@contextlib.contextmanager
def ours(url: str, folder: Path) -> Iterator[StoryCore]:
    """StoryCore, with workers and a database of its own, connected."""
    logging.configure("warning")
    settings = Settings.read(database_url=f"sqlite:///{folder / 'storycore.db'}", generated_folder=folder / "generated")
    parts = urlsplit(url)
    with StoryCore(settings) as core:
        core.run(ConnectRequest(host=parts.hostname, port=parts.port))
        core.work()
        yield core


def in_a_row(core: StoryCore, graphs: list[Graph]) -> None:
    """One workflow after the other, each waited for."""
    for graph in graphs:
        core.run(WorkflowRequest(workflow_definition=graph))


def as_a_queue(core: StoryCore, graphs: list[Graph]) -> None:
    """All at once, as tasks."""
    ids = [core.submit(WorkflowRequest(workflow_definition=graph)).task_id for graph in graphs]
    for task_id in ids:
        assert core.wait(task_id, 300).status == "completed"


def as_a_batch(core: StoryCore, graphs: list[Graph]) -> None:
    """One workflow with a row for each, as far as they differ."""
    rows = [{"1.color": graph["1"]["inputs"]["color"]} for graph in graphs]
    assert core.run(BatchRequest(workflow_definition=graphs[0], rows=rows)).failed == 0


@contextlib.contextmanager
def scripted() -> Iterator[str]:
    """The scripted server, as a process of its own."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="storycore-bench-comfyui-") as folder:
        process = subprocess.Popen([sys.executable, str(SERVER), str(port), folder])
        try:
            for _ in range(200):
                with contextlib.suppress(OSError):
                    urlopen(f"http://127.0.0.1:{port}/prompt", timeout=5).close()
                    break
                threading.Event().wait(0.1)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()
            process.wait()


if __name__ == "__main__":
    sys.exit(main())
