"""What rendering costs, beside ffmpeg's own filter graph, MoviePy 2 and melt; and how steady its moves are.

    python3 run.py bench render             20 shots, a minute of 1080p
    python3 run.py bench render --shots 6   a shorter film, for slow peers
    python3 run.py bench render --marks     only what signing costs
    python3 run.py bench render --write     also writes docs/benchmarks.md

All make the same film: stills with a move each, dissolves, music, dialogue; x264 veryfast, crf 20, AAC 192k. Each is a
process of its own and counted whole, start-up and children included; ffmpeg's graph and we take turns. MoviePy is asked
of the Python that STORYCORE_BENCH_MOVIEPY names, melt of the system; what is not there is left out.
"""

import argparse
import os
import platform
import statistics
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import av
import cv2

sys.path.insert(0, str(Path(__file__).parent))

import _page
from _render_cost import LONGEST, Cost, cancelling, ours, run, spent, verdict
from _render_film import make, still
from _render_jitter import jitter
from _render_marks import marking, marks
from _render_peers import melt, moviepy, zoompan

from storycore.observe.progress import Progress
from storycore.rendering import encoder
from storycore.rendering.machine import machine
from storycore.rendering.measure import measure_film, measure_stretches
from storycore.rendering.measure_sound import measure_sound
from storycore.settings import Settings

SSIM_ALONE = """
import storycore.__main__
from storycore.exports.formats import filming
from storycore.rendering.likeness import SSIM
filming._figures = lambda *_: (SSIM,)
storycore.__main__.program()
"""


def measuring(found: encoder.Ffmpeg, path: Path, full: float) -> str:
    """What reading the finished file back costs: packets, boxes, loudness, peaks, silence, clipping."""
    before = spent()
    measure_film(found, path, Progress())
    measure_sound(found, path, Progress())
    return verdict("base metrics ÷ full, processor time", (spent() - before) / full, 0.02)


def comparing(place: Path, shots: int, rounds: int, found: encoder.Ffmpeg):
    """What likeness adds to a cold export: SSIM by itself, which has a bar, and all that `measure=full` does.

    Each is the difference of two cold exports of one round; nobody but this can ask for SSIM without PSNR.
    """
    film, costs = make(place / "likeness", shots), {"plain": [], "ssim": [], "full": []}
    for number in range(rounds):
        for name, spent_by in costs.items():
            out, cache = place / f"compared-{name}{number}", place / f"{name}-cache{number}"
            asked = "measure=full" if name == "full" else "measure=quick"
            program = ("-c", SSIM_ALONE) if name == "ssim" else ("-m", "storycore")
            spent_by.append(ours(film, out, cache, asked, program=program).cpu)
    before = spent()
    measure_stretches(found, place / "compared-full0/Bench.mp4", Progress())
    once_more = spent() - before
    usual = statistics.median(costs["plain"])
    ssim, full = ([one / plain - 1 for one, plain in zip(costs[name], costs["plain"], strict=True)]
                  for name in ("ssim", "full"))  # fmt: skip
    yield _ratio(f"SSIM ÷ full, processor time, {shots} shots, {rounds} rounds", ssim, 0.15)
    yield (
        f"- all of `measure=full` ÷ full, processor time: {statistics.median(full):.4g}, of which "
        f"{once_more / usual:.4g} are black and frozen stretches, and the rest SSIM and PSNR"
    )


def lengthening(place: Path, minutes: int):
    """Cost per minute of a long film, beside one of two minutes; both small, so that an hour can be run at all."""
    costs, small = {}, ("width=640", "height=360")
    # A picture each: equal ones are rendered once. All are drawn before anything is measured.
    films = {length: make(place / f"minutes{length}", length * 10, each=6.5) for length in (2, minutes)}
    for length, film in films.items():
        costs[length] = ours(film, place / f"long{length}", place / f"long-cache{length}", *small)
        if not costs[length].whole:
            raise SystemExit(f"{length} minutes of film took longer than a benchmark waits")
    short, long = costs[2], costs[minutes]
    told = f"{minutes} minutes, {minutes * 10} shots of 640×360, beside 2 minutes"
    yield verdict("processor time per minute of a long film ÷ a short one's", long.cpu / minutes / (short.cpu / 2), 1.1,
               f"{told}: {long.cpu:.1f} s and {short.cpu:.1f} s")  # fmt: skip
    yield verdict("private memory of a long film ÷ a short one's", long.mebibytes / short.mebibytes, 1.1,
               f"{long.mebibytes:.0f} and {short.mebibytes:.0f} MiB")  # fmt: skip


def facts(path: Path) -> tuple[int, float]:
    """Frames, and how far the sound's length is from the picture's, in ms."""
    with av.open(str(path)) as film:
        video, audio = film.streams.video[0], film.streams.audio[0]
        frames = sum(1 for packet in film.demux(video) if packet.size)
        off = float(video.duration * video.time_base) - float(audio.duration * audio.time_base)
    return frames, abs(off) * 1000


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--shots", type=int, default=20, help="of the film; 0: leave this part out")
    words.add_argument("--rounds", type=int, default=3, help="of us and ffmpeg's graph in turns")
    words.add_argument("--peers", type=int, default=6, help="shots of the film that MoviePy and melt make; 0: none")
    words.add_argument("--minutes", type=int, default=60, help="length of the long film; 0: none")
    words.add_argument("--marks", action="store_true", help="only what signing costs")
    words.add_argument("--write", action="store_true", help="write docs/benchmarks.md; parts left out stay as they are")
    asked = words.parse_args()
    with tempfile.TemporaryDirectory(prefix="storycore-bench-") as folder:
        place = Path(folder)
        parts = [measured(place, asked.shots, asked.rounds)] if asked.shots else []
        parts += [beside(place, asked.peers)] if asked.peers else []
        parts += [lasting(place, asked.minutes)] if asked.minutes else []
        for part in [marks(place, asked.shots)] if asked.marks else parts:
            lines = []
            for line in part:
                print(line, flush=True)
                lines.append(line)
            print(flush=True)
            if asked.write:
                _page.write(lines)


class Round(NamedTuple):
    """What the film of one round cost: all of it, nothing of it changed, one shot changed, and ffmpeg's graph."""

    full: Cost
    again: Cost
    one: Cost
    graph: Cost


def taking_turns(place: Path, film: Path, shots: int, rounds: int, ffmpeg: str):
    """We and ffmpeg's graph in turns, each time from an empty cache; the files of each round stay in its folder."""
    changed = still(film, shots // 2)
    keep = changed.read_bytes()
    image = cv2.circle(cv2.imread(str(changed)), (900, 600), 150, (0, 0, 255), -1)
    for number in range(rounds):
        here = place / f"round{number}"
        here.mkdir()
        full, again = (ours(film, here / name, here / "cache") for name in ("cold", "warm"))
        cv2.imwrite(str(changed), image)
        one = ours(film, here / "changed", here / "cache")
        changed.write_bytes(keep)
        yield Round(full, again, one, run(zoompan(ffmpeg, film, shots, here / "graph.mp4")))


def measured(place: Path, shots: int, rounds: int):
    """The part about one film, line by line."""
    found = encoder.find(Settings.read())
    film = make(place / "film", shots)
    frames = shots * 84 - (shots - 1) * 12
    yield "## Films: what rendering costs"
    yield ""
    yield f"Made by `python3 run.py bench render --shots {shots} --write`."
    yield f"{shots} stills of 2304×1296, a zoom each, dissolves, music and dialogue: {frames} frames of 1080p at 24 a"
    yield "second, x264 veryfast crf 20."
    yield ""
    noise = [_page.control()]
    costs = list(taking_turns(place, film, shots, rounds, found.path))
    noise += [_page.control() for _ in range(3)]
    yield from _page.circumstances(f"{rounds} interleaved rounds, medians", noise, f"ffmpeg {found.version}")
    yield ""
    made = place / "round0/cold/Bench.mp4"
    yield "| | CPU s | min–max | wall s | private MiB | size MB |"
    yield "|---|---|---|---|---|---|"
    yield _row("StoryCore", [it.full for it in costs], made)
    yield _row("ffmpeg, zoompan and xfade in one graph", [it.graph for it in costs], place / "round0/graph.mp4")
    yield ""
    mine, theirs = jitter(found.path)
    counted, off = facts(made)
    cancelled = cancelling(film, place)
    full = statistics.median(it.full.cpu for it in costs)
    films = [place / f"round{number}" / name / "Bench.mp4" for number in range(rounds) for name in ("cold", "warm")]
    same = all(path.read_bytes() == made.read_bytes() for path in films)
    yield "### Bars of rendering"
    yield ""
    yield _ratio(
        "processor time of a full export ÷ ffmpeg's own graph", [it.full.cpu / it.graph.cpu for it in costs], 1.1
    )
    yield _ratio("wall time of a full export ÷ ffmpeg's own graph", [it.full.wall / it.graph.wall for it in costs], 1)
    yield _ratio("private memory at its peak ÷ the graph's",
                 [it.full.mebibytes / it.graph.mebibytes for it in costs], 0.6)  # fmt: skip
    yield verdict("jitter of a zoom, px rms", mine, 0.02, f"zoompan {theirs:.3f}")
    yield _ratio("one shot changed ÷ full, processor time", [it.one.cpu / it.full.cpu for it in costs], 0.12)
    yield _ratio("nothing changed ÷ full, processor time", [it.again.cpu / it.full.cpu for it in costs], 0.04)
    yield f"- a cold cache and a warm one give the same bytes, every round: **{_page.met(same)}**"
    yield f"- frames: {counted} of {frames}: **{_page.met(counted == frames)}**"
    yield verdict("sound longer or shorter than the picture, ms", off, 21)
    yield measuring(found, made, full)
    yield from marking(place, min(shots, 6), 3)
    yield from comparing(place, min(shots, 6), 5, found)
    yield "- two workers on several machines ≥ 1.6 × one: measured with the benchmark of many workers, not here"
    yield verdict("from Ctrl-C until every process is gone, s (bar for an idle machine)", cancelled, 0.1)


def _ratio(what: str, values: list[float], bar: float) -> str:
    return verdict(what, statistics.median(values), bar, f"{min(values):.4g} to {max(values):.4g} in the rounds")


def _circumstances(found: encoder.Ffmpeg):
    yield f"- Date: {datetime.now(UTC):%Y-%m-%d}; one round; {os.cpu_count()} processors, {platform.machine()},"
    yield f"  load {os.getloadavg()[0]:.1f} when it began: trust processor time, not wall time."
    yield f"- ffmpeg {found.version}, {machine().split(', ')[1]}, Python {platform.python_version()}"
    yield ""


def beside(place: Path, shots: int):
    """The part about slow peers, line by line."""
    yield "## Films: beside MoviePy and melt"
    yield ""
    yield f"Made by `python3 run.py bench render --peers {shots} --write`: that film, with {shots} shots."
    yield ""
    yield from _circumstances(encoder.find(Settings.read()))
    film = make(place / "short", shots)
    found = {"MoviePy 2": moviepy(film, shots, place / "moviepy.mp4"), "melt": melt(film, shots, place / "melt.mp4")}
    for name in [name for name, command in found.items() if command is None]:
        yield f"{name} is not at hand and was left out."
    asked = {name: command for name, command in found.items() if command is not None}
    if not asked:
        return
    mine = ours(film, place / "s", place / "short-cache")
    yield "| | CPU s | wall s | private MiB | ours ÷ theirs, CPU | wall |"
    yield "|---|---|---|---|---|---|"
    yield f"| StoryCore | {mine.cpu:.1f} | {mine.wall:.1f} | {mine.mebibytes:.0f} | – | – |"
    for name, command in asked.items():
        cost = run(command)
        shown = "" if cost.whole else f" (stopped after {LONGEST} s)"
        bar = 0.2 if name.startswith("MoviePy") else 0.33
        cpu, wall = mine.cpu / cost.cpu, mine.wall / cost.wall
        told = f"{cost.cpu:.1f} | {cost.wall:.1f} | {cost.mebibytes:.0f}"
        held = f"{cpu:.3f}, bar {bar}: **{_page.met(cpu <= bar)}** | {wall:.3f}, bar 1: **{_page.met(wall < 1)}**"
        yield f"| {name}{shown} | {told} | {held} |"


def lasting(place: Path, minutes: int):
    """The part about long films, line by line."""
    yield "## Films: long ones"
    yield ""
    yield f"Made by `python3 run.py bench render --minutes {minutes} --write`."
    yield ""
    yield from _circumstances(encoder.find(Settings.read()))
    yield from lengthening(place, minutes)


def _row(name: str, costs: list[Cost], path: Path) -> str:
    cpu, wall = ([getattr(cost, kind) for cost in costs] for kind in ("cpu", "wall"))
    told = f"{statistics.median(cpu):.1f} | {min(cpu):.1f}–{max(cpu):.1f} | {statistics.median(wall):.1f}"
    memory = max(cost.mebibytes for cost in costs)
    return f"| {name} | {told} | {memory:.0f} | {path.stat().st_size / 1e6:.1f} |"


if __name__ == "__main__":
    main()
