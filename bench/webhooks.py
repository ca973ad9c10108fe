"""What a delivery costs, beside a bare aiohttp loop that posts the same signed bodies to the same receiver.

    python3 run.py bench webhooks            five interleaved rounds
    python3 run.py bench webhooks --quick    one small round, to see that it works; its figures mean nothing
    python3 run.py bench webhooks --write    also writes its part of docs/benchmarks.md

Ours is the whole durable path: lease, address guard, signature, phase timings, attempt row, state. The bare loop signs
and posts, and keeps nothing. Both have 64 requests at a time; each runs in a process of its own, and they take turns.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from _page import circumstances, control, met, write

HERE = Path(__file__).resolve().parent
PARTS = HERE / "_webhook_parts.py"


def part(*words):
    run = subprocess.run([sys.executable, str(PARTS), *map(str, words)], capture_output=True, text=True, timeout=600)
    assert run.returncode == 0, run.stderr[-3000:]
    return json.loads(run.stdout.splitlines()[-1])


def measure(rounds, count, waiting, trials):
    found = {"bare": [], "ours": [], "dead": [], "noise": []}
    with subprocess.Popen(
        [sys.executable, str(PARTS), "sink"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as receiver:
        port = json.loads(receiver.stdout.readline())["port"]
        for number in range(rounds):
            print(f"round {number + 1} of {rounds} …", file=sys.stderr, flush=True)
            found["noise"].append(control())
            found["bare"].append(part("bare", port, count))
            for name, more in (("ours", 0), ("dead", waiting)):
                with tempfile.TemporaryDirectory() as folder:
                    found[name].append(part("ours", port, count, folder, more))
        with tempfile.TemporaryDirectory() as folder:
            found["answers"] = part("answers", trials, folder)
        found["memory"] = part("memory", port, 960)
        receiver.stdin.close()
    return found


def report(found, count, waiting):
    def median(name, what):
        return statistics.median(item[what] for item in found[name])

    def row(label, name):
        cpu, wall = median(name, "cpu") / count * 1e6, count / median(name, "wall")
        return (
            f"| {label} | {cpu:.0f} | {wall:.0f} | {median(name, 'cpu') / median('bare', 'cpu'):.2f} "
            f"| {median('bare', 'wall') / median(name, 'wall'):.2f} |"
        )

    def rounds_of(one, other, what):
        """The least and the most of a share, round by round."""
        shares = [a[what] / b[what] for a, b in zip(found[one], found[other], strict=True)]
        return f"{min(shares):.2f}–{max(shares):.2f} in the rounds"

    cpu = median("ours", "cpu") / median("bare", "cpu")
    rate = median("bare", "wall") / median("ours", "wall")
    dead_rate = median("ours", "wall") / median("dead", "wall")
    dead_cpu = median("dead", "cpu") / median("ours", "cpu")
    lines = ["## Webhooks", "", "Made by `python3 run.py bench webhooks --write`.", ""]
    rounds = f"{len(found['bare'])} interleaved rounds of {count} messages of 1 KB, 64 at a time, medians"
    lines += circumstances(rounds, found["noise"], f"aiohttp {version('aiohttp')}, SQLite on a disk of this machine")
    lines += ["- Processor time of whole processes; the bare loop signs and posts, and keeps nothing.", ""]
    lines += ["| | CPU µs a message | messages/s | CPU ÷ bare | rate ÷ bare |", "|---|---|---|---|---|"]
    lines += [
        row("bare aiohttp loop: sign, post", "bare"),
        row("StoryCore: lease, guard, sign, post, attempt row, state", "ours"),
        row(f"the same, {waiting:,} deliveries waiting for a dead webhook", "dead"),
        "",
    ]
    lines.append(
        f"- CPU {cpu:.2f} × bare ({rounds_of('ours', 'bare', 'cpu')}), bar 1.6: **{met(cpu <= 1.6)}**; rate "
        f"{rate:.2f} × bare ({rounds_of('bare', 'ours', 'wall')}), bar 0.6: **{met(rate >= 0.6)}**"
    )
    lines.append(
        f"- a dead webhook with {waiting:,} waiting: rate {dead_rate:.2f} × without it "
        f"({rounds_of('ours', 'dead', 'wall')}), CPU {dead_cpu:.2f} ×, bar 0.95: **{met(dead_rate >= 0.95)}**"
    )
    base = found["answers"]["baseline"]
    lines += ["", "| | median ms | p99 ms | median ÷ (one FULL commit + a bare call) |", "|---|---|---|---|"]
    for name, label in (
        ("baseline", "one FULL commit + a bare call"), ("register", "register a webhook"),
        ("first_byte", "publish, idle, to the first byte at the receiver"),
    ):  # fmt: skip
        values = sorted(found["answers"][name])
        p99 = values[min(len(values) - 1, round(len(values) * 0.99))]
        share = statistics.median(values) / statistics.median(base)
        lines.append(f"| {label} | {statistics.median(values) * 1e3:.2f} | {p99 * 1e3:.2f} | {share:.2f} |")
    for name, label in (("register", "register"), ("first_byte", "publish to first byte")):
        share = statistics.median(found["answers"][name]) / statistics.median(base)
        lines.append(f"- {label}: {share:.2f} × (one FULL commit + a bare call), bar 3: **{met(share <= 3)}**")
    grown = found["memory"]["mebibytes"]
    lines += [
        "",
        f"- 960 endless bodies, 64 at a time: {grown:.0f} MiB more at the peak, bar 32: **{met(grown <= 32)}**",
    ]
    return lines


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--quick", action="store_true")
    options.add_argument("--write", action="store_true")
    chosen = options.parse_args()
    rounds, count, waiting, trials = (1, 600, 500, 20) if chosen.quick else (5, 6000, 10_000, 200)
    lines = report(measure(rounds, count, waiting, trials), count, waiting)
    print("\n".join(lines))
    if chosen.write:
        write(lines)


if __name__ == "__main__":
    main()
