"""Clips: a film file decoded by a child, and brought to the size, rate and colour of the frames.

What differs between clips is made equal here, before anything is joined: size, rate, pixel format, colour, rotation,
sample aspect, interlacing.
"""

import contextlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np

from storycore.errors import InvalidInput, Reason
from storycore.rendering.encoder import DECODING, Child, Ffmpeg, child, run, source
from storycore.rendering.frame import Frame
from storycore.rendering.layout import Layout

_VIDEO = re.compile(r"Stream #0:\d+.*: Video: (?P<codec>\w+)(?P<facts>.*)")
_HDR = re.compile(r"smpte2084|arib-std-b67")
_MATRIX = re.compile(r"bt709|bt470bg|smpte170m|bt2020|smpte240m|fcc|gbr")
_SIZE = re.compile(r", (\d+)x(\d+)")
_ENDING_SECONDS = 3
_FIELDS = re.compile(r"\b(top first|bottom first|top coded first|bottom coded first)")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipFacts:
    """What was found out about a clip's picture.

    Attributes:
        codec: as ffmpeg calls it.
        hdr: whether it has more range than the frames; it is then tone-mapped.
        interlaced: whether its frames are fields.
        matrix: the colour matrix to assume, or "auto" where the clip says it, or is too small to guess.
    """

    codec: str
    hdr: bool
    interlaced: bool
    matrix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipWanted:
    """Which part of a clip is shown, and how.

    Attributes:
        begin: seconds into the clip.
        rate: frames per second that are wanted.
        size: width and height of the frames.
        fit: letterbox, crop or blur.
        facts: of the clip.
    """

    facts: ClipFacts
    begin: Fraction
    rate: Fraction
    size: tuple[int, int]
    fit: str


def look(ffmpeg: Ffmpeg, path: Path, name: str) -> ClipFacts:
    """What a clip is, by decoding its first frame.

    Raises:
        InvalidInput: media_invalid.
    """
    arguments = [*source(path), "-map", "0:v:0", "-frames:v", "1", "-f", "null", "-"]
    ran = run(ffmpeg, arguments, limits=DECODING, level="info", foreign=name, group=False)
    found = next((match for line in ran.lines if (match := _VIDEO.search(line))), None)
    if found is None or ran.told.get("frame", "0") == "0":
        raise InvalidInput(f"{name} has no picture.", reason=Reason.MEDIA_INVALID, details={"media": name})
    facts = found["facts"]
    size = _SIZE.search(facts)
    guessed = size is not None and int(size[2]) >= 720 and not _MATRIX.search(facts)
    return ClipFacts(
        codec=found["codec"],
        hdr=bool(_HDR.search(facts)),
        interlaced=bool(_FIELDS.search(facts)),
        matrix="bt709" if guessed else "auto",
    )


Ending = Callable[[], contextlib.AbstractContextManager[Child]]


class Clip:
    """Frames of a clip, read one after the other; where the clip is too short, its last frame stands.

    Args:
        running: a child that writes frames to its stdout.
        ending: starts one that writes those of the clip's last seconds.
        layout: of the frames.
        size: width and height of the frames.
        name: of the file, for messages.
    """

    def __init__(self, running: Child, ending: Ending, layout: Layout, size: tuple[int, int], name: str) -> None:
        self._running, self._ending, self._layout, self._size, self._name = running, ending, layout, size, name
        self._last: Frame | None = None
        self._over = False
        self._seen = 0

    @property
    def seen(self) -> int | None:
        """Frames that there were until the clip was over; None if it was not, or before its first one."""
        return self._seen if self._over and self._seen else None

    def next(self) -> Frame:
        """The frame that comes next.

        Raises:
            InvalidInput: media_invalid: there is none at all.
            DependencyFailed: encoder_failed: the decoder was killed.
        """
        found = None if self._over else self._read()
        if found is not None:
            self._last = found
            self._seen += 1
        elif self._last is None:  # the clip was over before it began here
            self._running.finish()
            self._last = self._final()
            self._over = True
        elif not self._over:
            with contextlib.suppress(InvalidInput):  # a damaged one is shown as far as it goes
                self._running.finish()
            self._over = True
        return self._last

    def _final(self) -> Frame:
        with self._ending() as running:
            self._running, last = running, None
            while (frame := self._read()) is not None:
                last = frame
            running.finish()
        if last is None:
            raise InvalidInput(
                f"{self._name} has no picture.", reason=Reason.MEDIA_INVALID, details={"media": self._name}
            )
        return last

    def _read(self) -> Frame | None:
        frame = Frame(self._layout, *self._size)
        pipe = self._running.output
        view = frame.memory.view(np.uint8).data
        at = 0
        while pipe is not None and at < len(view):
            count = pipe.readinto(view[at:])  # type: ignore[attr-defined]  # a buffered reader has it
            if not count:
                return None
            at += count
        return frame


@contextlib.contextmanager
def opened(ffmpeg: Ffmpeg, path: Path, name: str, wanted: ClipWanted, layout: Layout) -> Iterator[Clip]:
    """A clip, decoded from `wanted.begin` on.

    Raises:
        InvalidInput: media_invalid.
    """
    pixels = layout.pixel_format if layout.bits == 8 else layout.pixel_format.replace("10le", "16le")
    early = max(Fraction(0), wanted.begin - 2)

    def decoded(seek: list[str], filters: list[str]) -> contextlib.AbstractContextManager[Child]:
        arguments = [
            *source(path, *seek),
            *("-map", "0:v:0", "-an", "-sn", "-dn", "-vf", ",".join([*filters, f"format={pixels}"])),
            *("-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", pixels, "pipe:1"),
        ]
        return child(ffmpeg, arguments, reads=True, limits=DECODING, foreign=name, group=False)

    seek = ["-ss", f"{float(early):.6f}"] if early else []
    counted = ["-copyts", "-start_at_zero"]
    moved, rate = f"setpts='PTS-({wanted.begin})/TB'", f"fps={wanted.rate}:round=near"
    shown = _shown(wanted, pixels)
    ending = partial(decoded, ["-sseof", f"-{_ENDING_SECONDS}", *counted], [moved, rate, *shown])
    with decoded([*seek, *counted], [moved, f"{rate}:start_time=0", *shown]) as running:
        yield Clip(running, ending, layout, wanted.size, name)


def _shown(wanted: ClipWanted, pixels: str) -> list[str]:
    facts = wanted.facts
    width, height = wanted.size
    steps = []
    if facts.interlaced:
        steps.append("bwdif=mode=send_frame")
    if facts.hdr:
        steps += [
            "zscale=t=linear:npl=100", "format=gbrpf32le", "zscale=p=bt709", "tonemap=hable:desat=0",
            "zscale=t=bt709:m=bt709:r=tv", "format=yuv444p10le",
        ]  # fmt: skip
    steps.append("scale=w='max(2,iw*sar)':h=ih,setsar=1")
    colour = f"flags=bicubic+accurate_rnd:in_color_matrix={facts.matrix}:out_color_matrix=bt709:out_range=tv"
    inner = f"w='{_even(f'min({width},{height}*iw/ih)')}':h='{_even(f'min({height},{width}*ih/iw)')}'"
    fitted = f"scale={inner}:{colour}"
    # Cut before it is scaled: a strip of film, scaled to fill the frame, would not fit into memory.
    part = f"w='min(iw,max(2,ih*{width}/{height}))':h='min(ih,max(2,iw*{height}/{width}))'"
    filled = f"crop={part},scale={width}:{height}:{colour}"
    middle = "x='floor((ow-iw)/4)*2':y='floor((oh-ih)/4)*2'"
    if wanted.fit == "crop":
        steps.append(filled)
    elif wanted.fit == "blur":
        ground = f"{filled},gblur=sigma={max(1, width // 25)},lutyuv=y='minval+(val-minval)/2'"
        deep = pixels.replace("p16le", "p10").removesuffix("p")  # `overlay` takes eight bits unless told
        laid = f"x='floor((W-w)/4)*2':y='floor((H-h)/4)*2':format={deep}"  # other names than those of `pad`
        steps.append(f"split[a][b];[a]{ground}[ground];[b]{fitted}[inner];[ground][inner]overlay={laid}")
    else:
        steps.append(f"{fitted},pad={width}:{height}:{middle}:color=black")
    return steps


def _even(pixels: str) -> str:
    """An expression for the even number of pixels that is at most another one, and at least 2."""
    return f"max(2,trunc(({pixels}+0.01)/2)*2)"
