"""What a finished film is: read back packet by packet, and from its boxes, by code that did not write it."""

import itertools
import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from storycore.errors import DependencyFailed, Reason
from storycore.observe.progress import Progress
from storycore.project.headers import HeaderFault
from storycore.rendering import container
from storycore.rendering.encoder import Ffmpeg, child, run, source

_VIDEO = re.compile(
    r"Stream #0:\d+.*?: Video: (?P<codec>\w+)(?: \((?P<profile>[^)/]+)\))?.*?, "
    r"(?P<pixels>\w+)(?:\((?P<colour>[^)]*)\))?, (?P<width>\d+)x(?P<height>\d+)"
)
_TIMECODE = re.compile(r"^\s+timecode\s+: (\d\d:\d\d:\d\d[:;]\d\d)\s*$")
_PACKET = re.compile(r"^\d+, +(-?\d+), +(-?\d+), +(-?\d+), +(\d+), 0x[0-9a-f]+(, F=0x0)?")
_BLACK = re.compile(r"black_start:([\d.]+) black_end:([\d.]+)")
_FREEZE_BEGIN = re.compile(r"freeze_start: ([\d.]+)")
_FREEZE_END = re.compile(r"freeze_end: ([\d.]+)")
_MOST_STRETCHES = 200
_BASE = re.compile(r"^#tb \d+: (\d+)/(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmFacts:
    """What was read back from a file.

    Attributes:
        codec: of the picture, as ffmpeg calls it.
        profile: of the codec, may be empty.
        pixel_format: of the picture.
        colour: tags of the picture: `tv, bt709, progressive`.
        width: in pixels.
        height: in pixels.
        frames: how many packets the picture has.
        first: time of the first frame, in seconds.
        duration: from the first frame to the end of the last one, in seconds.
        steps: the different distances from one frame to the next, in ticks.
        tick: seconds of one tick.
        longest_group: most frames from one keyframe to the next.
        video_bytes: of the picture alone.
        faststart: whether playing can begin before all of it has come; None where the container knows no such thing.
        edits: edit list entries of all tracks; None where the container has none.
        timecode: of the first frame, as a track of the file says; "" without one.
    """

    codec: str
    profile: str
    pixel_format: str
    colour: str
    width: int
    height: int
    frames: int
    first: Fraction
    duration: Fraction
    steps: tuple[int, ...]
    tick: Fraction
    longest_group: int
    video_bytes: int
    faststart: bool | None
    edits: int | None
    timecode: str = ""

    @property
    def fps(self) -> Fraction:
        """Frames per second: exact where ticks are, else the nearest rate that is in use."""
        if len(self.steps) == 1 and self.steps[0]:
            return 1 / (self.steps[0] * self.tick)
        exact = self.frames / self.duration if self.duration else Fraction(0)
        return min(_RATES, key=lambda rate: abs(rate - exact)) if exact else exact

    @property
    def bitrate_bps(self) -> int:
        """Of the picture alone."""
        return round(self.video_bytes * 8 / self.duration) if self.duration else 0


_RATES = tuple(Fraction(rate) for rate in range(1, 241)) + tuple(
    Fraction(rate * 1000, 1001) for rate in (24, 30, 48, 60, 120)
)


def measure_film(ffmpeg: Ffmpeg, path: Path, progress: Progress) -> FilmFacts:
    """Facts of the picture of a file of ours; nothing is decoded.

    Raises:
        DependencyFailed: encoder_failed: it can't be read back.
        Cancelled.
    """
    packets = _Packets()
    arguments = [*source(path), "-map", "0:v:0", "-c", "copy", "-f", "framecrc", "pipe:1"]
    with child(ffmpeg, arguments, reads=True, level="info", progress=progress) as running:
        for line in running.output or ():
            packets.add(line.decode("ascii", "replace"))
        running.finish()
    told = next((match for line in running.lines if (match := _VIDEO.search(line))), None)
    if told is None or not packets.times:
        raise DependencyFailed(f"{path.name} can't be read back.", reason=Reason.ENCODER_FAILED)
    boxes = _boxes(path)
    times = sorted(packets.times)
    return FilmFacts(
        codec=told["codec"],
        profile=told["profile"] or "",
        pixel_format=told["pixels"],
        colour=told["colour"] or "",
        width=int(told["width"]),
        height=int(told["height"]),
        frames=len(times),
        first=times[0] * packets.tick,
        duration=(times[-1] - times[0] + packets.length) * packets.tick,
        steps=tuple(sorted({after - before for before, after in itertools.pairwise(times)})),
        tick=packets.tick,
        longest_group=packets.longest_group(),
        video_bytes=packets.size_bytes,
        faststart=None if boxes is None else boxes.faststart,
        edits=None if boxes is None else sum(track.edits for track in boxes.tracks),
        timecode=next((match[1] for line in running.lines if (match := _TIMECODE.match(line))), ""),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretches:
    """Where a film shows little, in seconds from and to.

    Attributes:
        black: black for half a second or more.
        frozen: the same for two seconds or more.
    """

    black: tuple[tuple[float, float], ...]
    frozen: tuple[tuple[float, float], ...]


def measure_stretches(ffmpeg: Ffmpeg, path: Path, progress: Progress) -> Stretches:
    """Black and frozen stretches of a film, by decoding all of it; 200 of each at most.

    Raises:
        DependencyFailed: encoder_failed: it can't be decoded.
        Cancelled.
    """
    looked = "blackdetect=d=0.5:pix_th=0.05,freezedetect=n=-60dB:d=2"
    ran = run(
        ffmpeg, [*source(path), "-map", "0:v:0", "-vf", looked, "-f", "null", "-"], level="info", progress=progress
    )
    lines = "\n".join(ran.lines)
    end = float(ran.told.get("out_time_us", "0").replace("N/A", "0")) / 1e6
    begins = [float(found) for found in _FREEZE_BEGIN.findall(lines)]
    ends = [float(found) for found in _FREEZE_END.findall(lines)]
    return Stretches(
        black=tuple((float(begin), float(until)) for begin, until in _BLACK.findall(lines))[:_MOST_STRETCHES],
        frozen=tuple(itertools.zip_longest(begins, ends, fillvalue=end))[:_MOST_STRETCHES],
    )


class _Packets:
    """Packets of one stream, as ffmpeg's framecrc lists them."""

    def __init__(self) -> None:
        self.times: list[int] = []
        self.tick = Fraction(1)
        self.length = 0
        self.size_bytes = 0
        self._keys: list[int] = []

    def add(self, line: str) -> None:
        found = _PACKET.match(line)
        if found is not None:
            if found[5] is None:
                self._keys.append(len(self.times))
            self.times.append(int(found[2]))
            self.length = int(found[3])
            self.size_bytes += int(found[4])
            return
        base = _BASE.match(line)
        if base is not None:
            self.tick = Fraction(int(base[1]), int(base[2]))

    def longest_group(self) -> int:
        ends = [*self._keys[1:], len(self.times)]
        return max((end - begin for begin, end in zip(self._keys, ends, strict=True)), default=0)


def _boxes(path: Path) -> container.Boxes | None:
    try:
        return container.read(path)
    except (HeaderFault, OSError):
        return None
