"""A mix as a finished sound file, at its loudness and below its peak, as measured in that file."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from storycore.observe.progress import Progress
from storycore.rendering.encoder import Ffmpeg, run, url
from storycore.rendering.loudness import Loudness, measure_loudness
from storycore.rendering.master import BLOCK, Goal, Master, Mastering
from storycore.rendering.measure_sound import SoundFacts, measure_sound
from storycore.rendering.mix import Mix
from storycore.rendering.raw_sound import raw_input
from storycore.rendering.sounds import SAMPLE_RATE
from storycore.units import round_half_up

_BIT_EXACT = ("-fflags", "+bitexact", "-flags:a", "+bitexact", "-map_metadata", "-1")
_LOSSY_DB = 0.5  # what coding with losses adds to peaks, most of the time
_MOST_LOSSY_DB = 2.0
_ROUNDING_DB = 0.1  # what resampling and rounding add
_SPARE_DB = 0.5  # more than the peak was too high, since the next one is another
_CLEAR_DB = 3.0  # farther below the ceiling than coding lifts peaks that nobody limited
_NEAR_LU = 0.25  # nearer than this is not worth encoding it again
_MORE_DB = 0.6  # by which the highest of many peaks is higher than that of a few, for each e-fold of them
_MOST_MORE_DB = 2.0
_TRIES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundEncoding:
    """How a sound is written.

    Attributes:
        codec: arguments that choose the codec and how it works.
        container: arguments that choose the container.
        rate_hz: samples per second.
        bits: of a sample, where rounding to them needs dither: 16; else 0.
        lossy: whether peaks come out higher than they went in.
        late: samples by which it is heard late in a container that can't tell of it; they are left out at the start.
        late_counts: whether that time counts as part of its length, so that the end needs no filling.
    """

    codec: tuple[str, ...]
    container: tuple[str, ...]
    rate_hz: int = SAMPLE_RATE
    bits: int = 0
    lossy: bool = False
    late: int = 0
    late_counts: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundFile:
    """A finished file.

    Attributes:
        facts: as read back from it.
        master: what was encoded.
    """

    facts: SoundFacts
    master: Master


def write_sound(  # noqa: PLR0913 - what, where, how, by what, and who is told
    mix: Mix,
    path: Path,
    encoding: SoundEncoding,
    goal: Goal,
    *,
    ffmpeg: Ffmpeg,
    tags: Sequence[str] = (),
    progress: Progress,
    until: float = 0.99,
) -> SoundFile:
    """Masters and encodes a mix, and measures the file; what missed the goal is corrected, and it is done again.

    Guarantee: the same mix, encoding and goal give the same bytes.

    Args:
        mix: as `write_mix` gives it.
        path: absolute; written over.
        encoding: how.
        goal: loudness and peak that the file is to have.
        ffmpeg: encodes and measures.
        tags: as `tags.arguments` gives them.
        progress: told how far it is; can cancel.
        until: share of the whole work that is done when it is written.

    Raises:
        StoryCoreError: see `encoder.child`.
    """
    progress.begin("encoding sound", until=until)
    inner = first_aim(goal, mix.loudness, lossy=encoding.lossy)
    with Mastering(mix, ffmpeg=ffmpeg, progress=progress) as mastering:
        master = mastering.master(inner)
        if encoding.lossy and mix.samples > 2 * BLOCK and _is_near(mix.loudness, master.gain_db, goal):
            tasted = better_aim(inner, goal, _taste(master, inner, path, encoding, ffmpeg=ffmpeg, progress=progress))
            if tasted != inner:
                inner = tasted
                master = mastering.master(inner)
        for left in reversed(range(_TRIES)):
            encode_sound(master, path, encoding, ffmpeg=ffmpeg, tags=tags, progress=progress)
            file = SoundFile(facts=measure_sound(ffmpeg, path, progress), master=master)
            progress.check()
            better = better_aim(inner, goal, file.facts.loudness)
            if better == inner or not left:
                return file
            inner = better
            master = mastering.master(inner)
    raise AssertionError


def _is_near(found: Loudness, gain_db: float, goal: Goal) -> bool:
    """Whether peaks come so near the ceiling that coding may lift some above it."""
    peak = found.true_peak_dbtp
    return found.integrated_lufs is not None and peak is not None and peak + gain_db > goal.ceiling_dbtp - _CLEAR_DB


def _taste(  # noqa: PLR0913 - what, for what, where, how, by what, and who is told
    master: Master, aim: Goal, path: Path, encoding: SoundEncoding, *, ffmpeg: Ffmpeg, progress: Progress
) -> Loudness:
    """What all of a file will most likely be like, by what coding makes of the loudest four seconds."""
    first = master.loudest
    part = replace(master, samples=min(BLOCK, master.samples - first))
    encode_sound(part, path, encoding, ffmpeg=ffmpeg, first=first, progress=progress)
    coded = measure_loudness(ffmpeg, ["-i", url(path)], progress)
    if coded.true_peak_dbtp is not None:
        more = min(_MOST_MORE_DB, _MORE_DB * math.log(1 / master.share))
        coded = replace(coded, true_peak_dbtp=coded.true_peak_dbtp + more)
    own = measure_loudness(ffmpeg, _part(master, first, part.samples), progress)
    if None in (aim.loudness_lufs, coded.integrated_lufs, own.integrated_lufs):
        return replace(coded, integrated_lufs=None)
    lost = (own.integrated_lufs or 0.0) - (coded.integrated_lufs or 0.0)
    return replace(coded, integrated_lufs=(aim.loudness_lufs or 0.0) - lost)


def _part(sound: Master, first: int, samples: int | None = None) -> list[str]:
    """Arguments that name samples of a master, from `first` on, as an input."""
    begun = ["-ss", f"{first / SAMPLE_RATE:.6f}"] if first else []
    until = [] if samples is None else ["-t", f"{samples / SAMPLE_RATE:.6f}"]
    return [*begun, *until, *raw_input(sound.path, sound.channels)]


def first_aim(goal: Goal, found: Loudness, *, lossy: bool) -> Goal:
    """What to master to first, so that the finished file most likely meets the goal.

    Coding lifts peaks, and the more so the more of them were limited.

    Args:
        goal: what the finished file is to have.
        found: what the mix has.
        lossy: whether it is encoded with losses.
    """
    if not lossy:
        return replace(goal, ceiling_dbtp=goal.ceiling_dbtp - _ROUNDING_DB)
    gain_db = 0.0
    if goal.loudness_lufs is not None and found.integrated_lufs is not None:
        gain_db = goal.loudness_lufs - found.integrated_lufs
    over = max(0.0, (found.true_peak_dbtp or goal.ceiling_dbtp) + gain_db - goal.ceiling_dbtp)
    return replace(goal, ceiling_dbtp=goal.ceiling_dbtp - min(_MOST_LOSSY_DB, _LOSSY_DB + over / 4))


def better_aim(inner: Goal, goal: Goal, found: Loudness) -> Goal:
    """What to master to next; `inner` itself if the file is good enough.

    Args:
        inner: what it was mastered to.
        goal: what the finished file is to have.
        found: what the finished file has.
    """
    over = 0.0 if found.true_peak_dbtp is None else found.true_peak_dbtp - goal.ceiling_dbtp
    if over > 0:
        inner = replace(inner, ceiling_dbtp=inner.ceiling_dbtp - over - _SPARE_DB)
    if goal.loudness_lufs is None or inner.loudness_lufs is None or found.integrated_lufs is None:
        return inner
    off = goal.loudness_lufs - found.integrated_lufs
    return replace(inner, loudness_lufs=inner.loudness_lufs + off) if abs(off) > _NEAR_LU else inner


def encode_sound(  # noqa: PLR0913 - what, where, how, by what, and who is told
    sound: Master,
    path: Path,
    encoding: SoundEncoding,
    *,
    ffmpeg: Ffmpeg,
    tags: Sequence[str] = (),
    first: int = 0,
    progress: Progress,
) -> None:
    """Encodes 48 kHz float32 samples, from `first` on, into a file, as long as they are to the sample."""
    arguments = [
        *_part(sound, first),
        *("-af", ",".join(_steps(sound.samples, encoding)), *encoding.codec, *_BIT_EXACT, *tags),
        *(*encoding.container, url(path)),
    ]
    run(ffmpeg, arguments, progress=progress)


def _steps(samples: int, encoding: SoundEncoding) -> list[str]:
    """Filters; what they do to the length is undone."""
    steps, count = [f"atrim=end_sample={samples}"], round_half_up(Fraction(samples * encoding.rate_hz, SAMPLE_RATE))
    if encoding.rate_hz != SAMPLE_RATE:
        steps = [
            f"aresample={encoding.rate_hz}:resampler=soxr:precision=28",
            f"apad=whole_len={count}",
            f"atrim=end_sample={count}",
        ]
    if encoding.late:
        steps += [f"atrim=start_sample={encoding.late}", "asetpts=PTS-STARTPTS"]
        steps.append(f"apad=whole_len={max(1, count - encoding.late * encoding.late_counts)}")
    if encoding.bits == 16:
        steps.append("aresample=osf=s16:dither_method=triangular")
    return steps
