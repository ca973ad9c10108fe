"""How steady a slow zoom is: dots that are followed from frame to frame, in ours and in zoompan's."""

import subprocess
import tempfile
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from storycore.rendering.motion import Move, view

DOTS = [(500.0, 400.0), (1800.0, 900.0), (700.0, 1000.0), (1700.0, 300.0)]
FRAMES = 48


def jitter(ffmpeg: Path) -> tuple[float, float]:
    """Frame-to-frame deviation from the ideal path, px rms, of dots under a slow zoom: ours, and zoompan's."""
    from storycore.rendering.layout import LAYOUTS
    from storycore.rendering.still import Still

    rows, columns = np.mgrid[0:1296, 0:2304]
    picture = sum(np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 72) for x, y in DOTS)
    grey = np.clip(picture * 255, 0, 255).astype(np.uint8)
    move = Move(zoom=(1.0, 1.05))
    seen = Still(np.repeat(grey[:, :, None], 3, axis=2), LAYOUTS["yuv420p"], (1920, 1080), move, "crop")
    drawn = [seen.frame(n, FRAMES, Fraction(24)).planes[0] for n in range(FRAMES)]
    mine = _deviation(drawn, [view(move, n, FRAMES, Fraction(24)).zoom for n in range(FRAMES)])
    with tempfile.TemporaryDirectory() as folder:
        cv2.imwrite(f"{folder}/dots.png", grey)
        zoom = f"zoompan=z='1+0.05*on/{FRAMES - 1}':x='iw/2-iw/zoom/2':y='ih/2-ih/zoom/2':d={FRAMES}:s=1920x1080:fps=24"
        made = subprocess.run(
            [str(ffmpeg), "-v", "error", "-i", f"{folder}/dots.png", "-vf", f"format=yuv420p,{zoom}", "-frames:v",
             str(FRAMES), "-f", "rawvideo", "-pix_fmt", "gray", "-"], capture_output=True, check=True,
        )  # fmt: skip
    frames = np.frombuffer(made.stdout, np.uint8).reshape(-1, 1080, 1920)
    return mine, _deviation(frames, [1 + 0.05 * n / (FRAMES - 1) for n in range(FRAMES)])


def _deviation(frames, zooms) -> float:
    steps = []
    for x, y in DOTS:
        track = []
        for frame, zoom in zip(frames, zooms, strict=True):
            wide, high = 2304 / zoom, 1296 / zoom
            ideal = (
                (x + 0.5 - (2304 - wide) / 2) / wide * 1920 - 0.5,
                (y + 0.5 - (1296 - high) / 2) / high * 1080 - 0.5,
            )
            track.append(np.array(_centre(frame, *ideal)) - ideal)
        steps.append(np.diff(np.array(track), axis=0))
    return float(np.sqrt((np.array(steps) ** 2).mean()))


def _centre(frame, x: float, y: float, reach: int = 30) -> tuple[float, float]:
    left, top = round(x) - reach, round(y) - reach
    part = frame[top : top + 2 * reach + 1, left : left + 2 * reach + 1].astype(np.float64)
    part = np.maximum(part - 36, 0)
    rows, columns = np.mgrid[0 : part.shape[0], 0 : part.shape[1]]
    return left + (part * columns).sum() / part.sum(), top + (part * rows).sum() / part.sum()
