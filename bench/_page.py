"""The page of figures: each subject has a part of its own, and writing one leaves the others as they are."""

import os
import platform
import statistics
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
PAGE = HERE / "docs/benchmarks.md"
TITLE = "# Benchmarks"


def write(lines: Iterable[str]) -> None:
    """Puts a part in the place of the one with the same heading, or at the end of the page.

    Args:
        lines: the part; the first one is its heading, `## …`, and no other line begins so.
    """
    part = "\n".join(lines).strip()
    heading = part.partition("\n")[0]
    text = PAGE.read_text(encoding="utf-8") if PAGE.exists() else TITLE
    parts = [piece.strip() for piece in ("\n" + text).split("\n## ")]
    parts = [parts[0], *(f"## {piece}" for piece in parts[1:])]
    places = [place for place, piece in enumerate(parts) if piece.partition("\n")[0] == heading]
    parts[slice(places[0], places[0] + 1) if places else slice(len(parts), None)] = [part]
    PAGE.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def opening(heading: str, made: str, *, quick: bool) -> Iterable[str]:
    """The head of a part: its heading, how it was made, and a warning if that was only a try."""
    yield from (heading, "", made, "")
    if quick:
        yield from ("**Few rounds: these figures only show that the measurement works.**", "")


def circumstances(rounds: str, noise: Sequence[float], versions: str) -> Iterable[str]:
    """When, on what, and how much the machine itself adds to every figure."""
    spread = (max(noise) - min(noise)) / statistics.median(noise)
    yield f"- Date: {datetime.now(UTC).date().isoformat()}; {rounds}."
    yield f"- Python {platform.python_version()}, {versions}; {os.cpu_count()} processors, {platform.machine()}."
    if hasattr(os, "getloadavg"):
        nice = os.getpriority(os.PRIO_PROCESS, 0)
        yield f"- Others on the machine: a load of {os.getloadavg()[0]:.1f} at the end; measured at niceness {nice}."
    yield (
        f"- Noise: the same fixed work took {min(noise):.2f}–{max(noise):.2f} s of processor, a spread of "
        f"{spread:.0%} of its median. No ratio below is finer than that."
    )


def control() -> float:
    """Seconds of processor for always the same work: what the machine itself adds to every figure."""
    block, begun = bytes(1024 * 1024), time.process_time()
    digest = sha256()
    for _ in range(400):
        digest.update(block)
    count = 0
    for number in range(2_000_000):
        count += number & 7
    return time.process_time() - begun


def met(holds: bool) -> str:
    """The verdict on a bar."""
    return "holds" if holds else "missed"
