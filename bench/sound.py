"""What it costs to bring a mix to its loudness, beside ffmpeg's own two-pass `loudnorm`.

    python3 run.py bench sound              four mixes of a minute, three rounds; takes some minutes
    python3 run.py bench sound --quick      ten seconds, one round, to see that it works; its figures mean nothing
    python3 run.py bench sound --write      also writes its part of docs/benchmarks.md

Both start from the same mix on the disk and end with an AAC file that was measured: ours measures, applies one gain,
limits true peaks, encodes, and measures the file; `loudnorm` measures in its first pass, normalises linearly and
encodes in its second, and the file is measured too. Processor time is counted, of this process and its children.
The bar is for the film of the benchmark of rendering, its music and ducked dialogue. Three more mixes show where it is
easier and where it is harder; what AAC costs depends on the mix and is the same work for both, so every mix is judged
without it as well.
"""

import argparse
import json
import re
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import _page
import _render_film
import numpy as np

from storycore.observe.progress import Progress
from storycore.project.reader import read_project
from storycore.rendering import encoder
from storycore.rendering.loudness import Loudness, measure_loudness, measure_raw
from storycore.rendering.master import Goal, Master
from storycore.rendering.mix import Mix, write_mix
from storycore.rendering.plan import timeline
from storycore.rendering.raw_sound import raw_input
from storycore.rendering.sound_file import SoundEncoding, encode_sound, write_sound
from storycore.settings import Settings

HEADING = "## Loudness: a mix of a minute brought to its target, as AAC"
FILM = "the film of the benchmark of rendering"
RATE = 48_000
TARGETS = (-14, -16, -23)
CEILING = -1.0
BAR = 0.5
COUNTED = (
    "- Both begin with a mix on the disk and end with an AAC file that was measured. Encoding AAC once is the same "
    "work for both; it stands in a column of its own and is taken off both sides in the last one, so that what is "
    "judged there is measuring, gain and limiter. What is encoded a second time counts in full."
)
AAC = SoundEncoding(codec=("-c:a", "aac", "-b:a", "192k"), container=("-f", "ipod"), lossy=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One way, once."""

    cpu_seconds: float
    reached: Loudness
    word: str = ""


def main() -> int:
    """Measures, prints, and writes if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="ten seconds, one round")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md")
    asked = parser.parse_args()
    shots, seconds, rounds = (3, 10, 1) if asked.quick else (20, 60, 3)
    settings = Settings.read()
    ffmpeg = encoder.find(settings)
    lines = [
        "| mix | target | LUFS | dBTP | CPU s | loudnorm: LUFS | dBTP | CPU s | mode | AAC alone | ratio | less AAC |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    ratios: dict[str, list[float]] = {}
    apart, worst, noise = [], 0.0, [_page.control()]
    with tempfile.TemporaryDirectory() as folder:
        found = {FILM: of_film(Path(folder, "film"), shots, settings, ffmpeg)}
        found |= {name: stored(Path(folder, name), sound, ffmpeg) for name, sound in mixes(seconds).items()}
        for name, mix in found.items():
            alone = counted(lambda mix=mix: encoded(mix, ffmpeg)).cpu_seconds
            for target in TARGETS:
                ours, theirs = compared(mix, target, ffmpeg, rounds)
                ratio = ours.cpu_seconds / theirs.cpu_seconds
                ratios.setdefault(name, []).append(ratio)
                apart.append((ours.cpu_seconds - alone) / (theirs.cpu_seconds - alone))
                worst = max(worst, abs(ours.reached.integrated_lufs - target))
                noise.append(_page.control())
                lines.append(row(name, target, ours, theirs, (alone, ratio, apart[-1])))
                print(lines[-1], flush=True)
    told = verdicts(ratios.pop(FILM), [ratio for others in ratios.values() for ratio in others], apart, worst)
    print("\n".join(told))
    if asked.write:
        made = "Made by `python3 run.py bench sound --write`."
        around = _page.circumstances(
            f"mixes of {seconds} s, stereo; {rounds} interleaved rounds, medians", noise, f"ffmpeg {ffmpeg.version}"
        )
        _page.write([*_page.opening(HEADING, made, quick=asked.quick), *around, COUNTED, "", *lines, "", *told])
    return 0


def verdicts(film: list[float], others: list[float], apart: list[float], farthest: float) -> list[str]:
    """What the table comes to.

    Args:
        film: ratios of the film, with AAC.
        others: those of the other mixes.
        apart: those of all, without AAC.
        farthest: from the target, LU.
    """
    cost = "CPU ÷ two-pass loudnorm"
    held, held_apart = (_page.met(max(found) <= BAR) for found in (film, apart))
    return [
        f"- {_spread('The film, AAC in both', film)}: {cost}, bar {BAR}: **{held}**",
        f"- {_spread('Every mix, without AAC', apart)}: {cost}, bar {BAR}: **{held_apart}**",
        f"- {_spread('The other mixes, AAC in both', others)}: {cost}; no bar, they were made to be harder or easier",
        f"- Farthest from the target: {farthest:.1f} LU, bar 0.3: **{_page.met(farthest <= 0.3)}**",
    ]


def _spread(what: str, ratios: list[float]) -> str:
    return f"{what}: median {statistics.median(ratios):.2f}, {min(ratios):.2f} to {max(ratios):.2f}"


def row(name: str, target: int, ours: Run, theirs: Run, cost: tuple[float, float, float]) -> str:
    """One line of the table."""
    return (
        f"| {name} | {target} | {ours.reached.integrated_lufs:.1f} | {ours.reached.true_peak_dbtp:.1f} "
        f"| {ours.cpu_seconds:.2f} | {theirs.reached.integrated_lufs:.1f} | {theirs.reached.true_peak_dbtp:.1f} "
        f"| {theirs.cpu_seconds:.2f} | {theirs.word} | {cost[0]:.2f} | {cost[1]:.2f} | {cost[2]:.2f} |"
    )


def mixes(seconds: int) -> dict[str, np.ndarray]:
    """A film with quiet and loud parts, speech over ducked music, and drums."""
    rng = np.random.default_rng(4)
    at = np.arange(seconds * RATE) / RATE
    pad = sum(np.sin(2 * np.pi * tone * at) for tone in (110, 138.6, 164.8, 220))[:, None] * np.array([1, 0.9])
    syllables = np.clip(np.sin(2 * np.pi * 3.1 * at), 0, 1) * (np.sin(2 * np.pi * 0.11 * at) > 0)
    voice = (syllables * np.sin(2 * np.pi * (180 + 20 * np.sin(2 * np.pi * 2 * at)) * at))[:, None]
    hits = np.exp(-(at % 0.5) * 14)[:, None] * pink(rng, len(at))
    swell = (0.15 + 0.85 * (at > seconds / 2))[:, None]
    return {
        "quiet then loud": (0.06 * pad * swell + 0.02 * hits).astype(np.float32),
        "speech and music": (0.03 * pad + 0.35 * voice).astype(np.float32),
        "drums": (0.02 * pad + 0.22 * hits).astype(np.float32),
    }


def pink(rng: np.random.Generator, count: int) -> np.ndarray:
    """Noise with the balance of music: each octave as strong as the next."""
    spectrum = np.fft.rfft(rng.standard_normal((count, 2)), axis=0)
    spectrum /= np.sqrt(np.maximum(np.fft.rfftfreq(count, 1 / RATE), 20))[:, None]
    sound = np.fft.irfft(spectrum, n=count, axis=0)
    return sound / sound.std()


def of_film(folder: Path, shots: int, settings: Settings, ffmpeg: encoder.Ffmpeg) -> Mix:
    """The mix that an export of that film makes."""
    project = read_project(_render_film.make(folder / "project", shots), settings)
    line = timeline(project.shots, project.frame_rate)
    mixed = folder / "mix"
    mixed.mkdir()
    return write_mix(project, line, mixed, ffmpeg=ffmpeg, progress=Progress())


def stored(folder: Path, sound: np.ndarray, ffmpeg: encoder.Ffmpeg) -> Mix:
    """A mix on the disk, as `write_mix` leaves it."""
    folder.mkdir()
    path = folder / "mix.f32"
    sound.astype("<f4").tofile(path)
    loudness = measure_raw(ffmpeg, path, channels=2, samples=len(sound), progress=Progress())
    return Mix(
        path=path, channels=2, samples=len(sound), stems={}, stem_channels=2, loudness=loudness, unheard=(), odd=()
    )


def compared(mix: Mix, target: int, ffmpeg: encoder.Ffmpeg, rounds: int) -> tuple[Run, Run]:
    """Both ways in turn; of each the run with the median time."""
    ours, theirs = [], []
    for _ in range(rounds):
        ours.append(counted(lambda: by_storycore(mix, target, ffmpeg)))
        theirs.append(counted(lambda: by_loudnorm(mix, target, ffmpeg)))
    median = [sorted(runs, key=lambda run: run.cpu_seconds)[len(runs) // 2] for runs in (ours, theirs)]
    return median[0], median[1]


def counted(work: Callable[[], tuple[Loudness, str]]) -> Run:
    """Processor time of some work, here and in its children."""
    before = spent()
    reached, word = work()
    return Run(cpu_seconds=spent() - before, reached=reached, word=word)


def spent() -> float:
    """Seconds of processor so far."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def by_storycore(mix: Mix, target: int, ffmpeg: encoder.Ffmpeg) -> tuple[Loudness, str]:
    """Measured, one gain, limited, encoded, measured."""
    measure_raw(ffmpeg, mix.path, channels=2, samples=mix.samples, progress=Progress())  # as `write_mix` does
    goal = Goal(loudness_lufs=target, ceiling_dbtp=CEILING)
    file = write_sound(mix, mix.path.with_name("ours.m4a"), AAC, goal, ffmpeg=ffmpeg, progress=Progress())
    return file.facts.loudness, ""


def encoded(mix: Mix, ffmpeg: encoder.Ffmpeg) -> tuple[Loudness, str]:
    """AAC alone."""
    whole = Master(path=mix.path, channels=2, samples=mix.samples, gain_db=0.0, reduced_db=0.0)
    encode_sound(whole, mix.path.with_name("alone.m4a"), AAC, ffmpeg=ffmpeg, progress=Progress())
    return mix.loudness, ""


def by_loudnorm(mix: Mix, target: int, ffmpeg: encoder.Ffmpeg) -> tuple[Loudness, str]:
    """Two passes of ffmpeg's own filter, the second one linear if it can."""
    goal = f"loudnorm=I={target}:TP={CEILING}:LRA=11:print_format=json"
    first = told(ffmpeg, [*raw_input(mix.path, 2), "-af", goal, "-f", "null", "-"])
    measured = ":".join(
        f"measured_{name}={first[f'input_{key}']}"
        for name, key in (("I", "i"), ("LRA", "lra"), ("TP", "tp"), ("thresh", "thresh"))
    )
    linear = f"{goal}:linear=true:{measured}:offset={first['target_offset']},aresample=48000"
    path = mix.path.with_name("theirs.m4a")
    second = told(ffmpeg, [*raw_input(mix.path, 2), "-af", linear, *AAC.codec, "-f", "ipod", str(path)])
    return measure_loudness(ffmpeg, encoder.source(path), Progress()), second["normalization_type"]


def told(ffmpeg: encoder.Ffmpeg, arguments: list[str]) -> dict[str, str]:
    """What `loudnorm` says at the end of a pass."""
    run = subprocess.run(
        [ffmpeg.path, "-hide_banner", "-nostdin", "-y", *arguments], capture_output=True, text=True, check=True
    )
    return json.loads(re.findall(r"\{[^{}]*\}", run.stderr)[-1])


if __name__ == "__main__":
    sys.exit(main())
