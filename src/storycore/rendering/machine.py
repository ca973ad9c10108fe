"""What else than a film and its encoder decides about the bytes of a segment: this machine, and its libraries."""

import hashlib
import importlib.metadata
import platform
from functools import cache
from pathlib import Path

from storycore.rendering import fonts, lettering

_LIBRARIES = ("numpy", "opencv-python-headless", "pillow", *fonts.PACKAGES)


@cache
def machine() -> str:
    """Libraries, fonts, and the processor's family, in words."""
    versions = [f"{name} {importlib.metadata.version(name)}" for name in _LIBRARIES]
    return ", ".join([*versions, lettering.versions(), platform.machine(), _processor()])


def _processor() -> str:
    """Which instructions there are: libraries choose their routines by them."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor()
    flags = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    return hashlib.sha256(flags.encode()).hexdigest()[:16]
