"""How ffmpeg is told what a file of bare samples holds."""

from collections.abc import Mapping
from pathlib import Path

from storycore.rendering.encoder import url
from storycore.rendering.sounds import SAMPLE_RATE

LAYOUTS: Mapping[int, str] = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}
"""Channels → the name of their layout; its order is that of WAVE files."""


def raw_input(path: Path, channels: int) -> list[str]:
    """Arguments that name a file of ours, of float32 samples at 48 kHz, as an input."""
    return ["-f", "f32le", "-sample_rate", str(SAMPLE_RATE), "-ch_layout", LAYOUTS[channels], "-i", url(path)]
