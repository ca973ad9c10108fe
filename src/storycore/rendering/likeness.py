"""How like the frames that were drawn an encoded picture is, as a viewer will decode it.

A segment is measured while it is encoded: ffmpeg decodes what its encoder has just made and compares it with the
frames that come in, so nothing is read or drawn twice. One that was encoded before is compared with its frames drawn
anew. What was measured is kept beside the segment. Pure.

Source: FFmpeg documentation, `-dec` (loopback decoders), filters `ssim`, `psnr`, `libvmaf`.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from storycore.rendering.codecs import TAGS, raw_frames
from storycore.rendering.encoder import url
from storycore.rendering.look import Canvas

SSIM, PSNR, VMAF = "ssim", "psnr", "vmaf"

METHODS = {
    SSIM: "decoded and compared with the frames drawn, all planes (ffmpeg ssim)",
    PSNR: "decoded and compared with the frames drawn, all planes (ffmpeg psnr)",
    VMAF: "VMAF 0.6.1 of each fifth frame, decoded, beside the frames drawn (ffmpeg libvmaf)",
}
"""How each figure is found."""

_FILTERS = {SSIM: "ssim", PSNR: "psnr", VMAF: "libvmaf=n_threads=1:n_subsample=5"}
_COUNTED = "settb=1/1000,setpts=N"  # pairs frames by their number, whatever time containers gave them
_ONE_THREAD = ("-threads", "1")  # of a decoder: others paint beside it, and frames need not go from core to core
_NOWHERE = ("-fps_mode", "passthrough", "-f", "null", "-")
_TOLD = {
    SSIM: re.compile(r"\] SSIM .*All:([\d.]+)"),
    PSNR: re.compile(r"\] PSNR .*average:([\d.]+|inf)"),
    VMAF: re.compile(r"\] VMAF score: ([\d.]+)"),
}
_PEAK = 255.0

Told = Mapping[str, float | None]
"""Figures by name; None for the PSNR of pictures that are equal, which has no bound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """What was measured of a whole picture.

    Attributes:
        figures: of the whole, each frame counting alike.
        lowest_ssim: that of the segment that is least like its frames.
    """

    figures: Told
    lowest_ssim: float | None


def beside(figures: Sequence[str]) -> list[str]:
    """Arguments after the only output of an encoding that measure it meanwhile; its bytes stay the same."""
    return [*_ONE_THREAD, "-dec", "0:0", *_compared(figures, frames="0:v", picture="dec:0")]


def compared(path: Path, canvas: Canvas, figures: Sequence[str]) -> list[str]:
    """Arguments that compare a segment with frames from stdin."""
    return [*raw_frames(canvas), *_ONE_THREAD, "-i", url(path), *_compared(figures, frames="0:v", picture="1:v")]


def _compared(figures: Sequence[str], *, frames: str, picture: str) -> list[str]:
    """Each filter passes the picture on to the next one."""
    ways = "".join(f"[f{number}]" for number in range(len(figures)))
    steps = [f"[{frames}]{TAGS},{_COUNTED},split={len(figures)}{ways}", f"[{picture}]{TAGS},{_COUNTED}[p0]"]
    steps += [f"[p{n}][f{n}]{_FILTERS[name]}[p{n + 1}]" for n, name in enumerate(figures)]
    return ["-filter_complex_threads", "1", "-filter_complex", ";".join(steps), "-map", f"[p{len(figures)}]", *_NOWHERE]


def read(lines: Sequence[str]) -> dict[str, float | None]:
    """The figures that an ffmpeg told in its log."""
    found: dict[str, float | None] = {}
    for line in lines:
        for name, pattern in _TOLD.items():
            match = pattern.search(line)
            if match is not None:
                found[name] = None if match[1] == "inf" else float(match[1])
    return found


def together(parts: Sequence[tuple[int, Told]]) -> Likeness:
    """Figures of a whole picture from those of its segments.

    Args:
        parts: frames and figures of each; the same figures of all.
    """
    frames = sum(count for count, _ in parts)
    figures: dict[str, float | None] = {}
    for name in parts[0][1] if frames else ():
        values = [(count, told[name]) for count, told in parts]
        if name == PSNR:
            figures[name] = _level(sum(count * _error(value) for count, value in values) / frames)
        else:
            figures[name] = sum(count * (value or 0.0) for count, value in values) / frames
    lowest = [told[SSIM] for _, told in parts if told.get(SSIM) is not None]
    return Likeness(figures=figures, lowest_ssim=min(it for it in lowest if it is not None) if lowest else None)


def _error(level_db: float | None) -> float:
    """Mean square of the differences, in steps of 8 bits."""
    return 0.0 if level_db is None else _PEAK**2 / 10 ** (level_db / 10)


def _level(error: float) -> float | None:
    return 10 * math.log10(_PEAK**2 / error) if error else None
