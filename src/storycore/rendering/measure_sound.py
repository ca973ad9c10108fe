"""What a finished file sounds like: read back by decoding all of it, and by its headers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import reduce
from pathlib import Path

import numpy as np
import numpy.typing as npt

from storycore.errors import DependencyFailed, Reason
from storycore.observe.progress import Progress
from storycore.project.headers import HeaderFault, MediaFacts, read_facts
from storycore.rendering.au_stream import OUTPUT, AuStream, read_au
from storycore.rendering.encoder import Ffmpeg, child, source
from storycore.rendering.gain import Samples
from storycore.rendering.loudness import FILTER, Loudness, read_summary

SILENT_DBFS = -60.0
"""Peaks below this are silence."""

SILENT_SECONDS = 1
"""Shorter silences are not told of."""

_FULL_SCALE = 32767 / 32768  # what 16 bits can hold at most
_RUN = 3  # samples at full scale, one after the other, that are clipped and no mere peak
_WINDOWS = 100  # per second


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundFacts:
    """What was read back from a file.

    Attributes:
        headers: what it says about itself.
        samples: of each channel, counted by decoding.
        rate_hz: as decoded.
        channels: as decoded.
        loudness: integrated, range, true peak.
        clipped: places at which three samples or more in a row stand at full scale.
        silences: from and to, in seconds.
    """

    headers: MediaFacts
    samples: int
    rate_hz: int
    channels: int
    loudness: Loudness
    clipped: int
    silences: tuple[tuple[Fraction, Fraction], ...]

    @property
    def duration(self) -> Fraction:
        """Seconds that are heard."""
        return Fraction(self.samples, self.rate_hz)


def measure_sound(ffmpeg: Ffmpeg, path: Path, progress: Progress) -> SoundFacts:
    """Facts of the first sound track of a file of ours.

    Raises:
        DependencyFailed: encoder_failed: it can't be decoded.
        StoryCoreError: see `encoder.child`.
    """
    arguments = [*source(path), "-map", "0:a:0", "-af", FILTER, *OUTPUT]
    with child(ffmpeg, arguments, progress=progress, reads=True, level="info") as running:
        sound = read_au(running, 1.0)
        heard = _listen(sound) if sound else None
        running.finish()
        if sound is None or heard is None:
            raise DependencyFailed(f"{path.name} holds no sound.", reason=Reason.ENCODER_FAILED)
        loudness = read_summary(running.lines)
    return SoundFacts(
        headers=_headers(path),
        samples=heard.samples,
        rate_hz=sound.rate_hz,
        channels=sound.channels,
        loudness=loudness,
        clipped=heard.clipped,
        silences=tuple(silences(heard.peaks, SILENT_SECONDS)),
    )


def sound_in(ffmpeg: Ffmpeg, film: Path, sound: Path, facts: SoundFacts, progress: Progress) -> SoundFacts:
    """Facts of the sound in a finished film, of which another file was copied into it.

    What was measured in that file holds for the film if both have the same bytes of coded sound; if they have not, the
    film's own sound is decoded and measured.

    Args:
        ffmpeg: reads both.
        film: absolute.
        sound: absolute; what was copied.
        facts: of `sound`.
        progress: can cancel.

    Raises:
        DependencyFailed: encoder_failed: the film's sound can't be read back.
        StoryCoreError: see `encoder.child`.
    """
    if _coded(ffmpeg, film, progress) == _coded(ffmpeg, sound, progress):
        return facts
    return measure_sound(ffmpeg, film, progress)


def _coded(ffmpeg: Ffmpeg, path: Path, progress: Progress) -> bytes:
    """SHA-256 of all packets of a file's sound, whatever they are wrapped in."""
    arguments = [*source(path), "-map", "0:a:0", "-c", "copy", "-f", "streamhash", "-hash", "sha256", "pipe:1"]
    with child(ffmpeg, arguments, reads=True, progress=progress) as running:
        told = b"" if running.output is None else running.output.read()
        running.finish()
    if not told:
        raise DependencyFailed(f"The sound of {path.name} can't be read back.", reason=Reason.ENCODER_FAILED)
    return told


def _headers(path: Path) -> MediaFacts:
    try:
        found = read_facts(path)
    except (HeaderFault, OSError) as fault:
        raise DependencyFailed(f"{path.name} can't be read back: {fault}", reason=Reason.ENCODER_FAILED) from fault
    if found is None:
        raise DependencyFailed(f"{path.name} can't be read back.", reason=Reason.ENCODER_FAILED)
    return found


@dataclass(slots=True)
class _Heard:
    samples: int = 0
    clipped: int = 0
    peaks: list[float] = field(default_factory=list)  # of each hundredth of a second


def _listen(sound: AuStream) -> _Heard:
    heard = _Heard()
    before = np.zeros((_RUN, sound.channels), np.bool_)
    window = max(1, sound.rate_hz // _WINDOWS)
    for block in sound.blocks:
        peaks = _peaks(block, window)
        if before.any() or max(peaks, default=0.0) >= _FULL_SCALE:
            full = np.concatenate((before, np.abs(block) >= _FULL_SCALE))
            heard.clipped += clipped_places(full)
            before = full[-_RUN:]
        else:
            before = np.zeros((_RUN, sound.channels), np.bool_)
        heard.samples += len(block)
        heard.peaks += peaks
    return heard


def clipped_places(full: npt.NDArray[np.bool_]) -> int:
    """Runs of `_RUN` or more that are reached after the first `_RUN` samples; those are what was before."""
    runs = full[:-2] & full[1:-1] & full[2:]
    return int(np.count_nonzero(runs[1:] & ~runs[:-1]))


def _peaks(block: Samples, window: int) -> list[float]:
    highest = reduce(np.maximum, np.abs(block).T)  # column by column: much faster than along the rows
    return [float(peak) for peak in np.maximum.reduceat(highest, np.arange(0, len(highest), window))]


def silences(peaks: Sequence[float], least_seconds: int) -> Iterator[tuple[Fraction, Fraction]]:
    """From and to of each silence, in seconds.

    Args:
        peaks: of each hundredth of a second.
        least_seconds: shorter ones are left out.
    """
    quiet = np.concatenate(([False], np.asarray(peaks) < 10 ** (SILENT_DBFS / 20), [False]))
    edges = np.flatnonzero(quiet[1:] != quiet[:-1])
    for first, end in zip(edges[::2], edges[1::2], strict=True):
        if end - first >= least_seconds * _WINDOWS:
            yield Fraction(int(first), _WINDOWS), Fraction(int(end), _WINDOWS)
