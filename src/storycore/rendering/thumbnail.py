"""A finished film or picture, very small: a telling frame of it as a JPEG.

It is decoded by a child process with narrow limits, never in this one.
"""

import contextlib
import threading
from pathlib import Path
from typing import Final

from storycore.errors import InvalidInput, Reason
from storycore.observe.progress import Progress
from storycore.project.headers import HeaderFault, read_facts
from storycore.rendering.encoder import Ffmpeg, Limits, child, source
from storycore.units import MEBIBYTE

WIDTH: Final = 320
HEIGHT: Final = 180
MOST_SECONDS: Final = 10.0
"""Whatever takes longer is given up."""

MOST_BYTES: Final = 256 * 1024
_LIMITS: Final = Limits(memory_bytes=2048 * MEBIBYTE, cpu_seconds=10, file_bytes=0)
_FRAMES: Final = 8
"""Of so many key frames the most telling one is taken."""

_STRETCH_SECONDS: Final = 20
_WIDE: Final = f"min(min({WIDTH},iw*sar),{HEIGHT}*dar)"
_HIGH: Final = f"min(min({HEIGHT},ih),min({WIDTH},iw*sar)/dar)"
_SHOWN: Final = (
    f"setpts=N,scale=w='max(2,trunc(({_WIDE}+0.01)/2)*2)':h='max(2,trunc(({_HIGH}+0.01)/2)*2)'"
    ":flags=bicubic+accurate_rnd+full_chroma_int:out_color_matrix=bt601:out_range=pc,setsar=1"
    f",format=yuv444p,thumbnail={_FRAMES}"
)


def thumbnail(ffmpeg: Ffmpeg, path: Path, name: str, progress: Progress) -> bytes:
    """A JPEG of at most `WIDTH` by `HEIGHT` pixels and `MOST_BYTES`, in the shape of the picture, never enlarged.

    Of a film it is a key frame near the first third, where `poster` looks too, of several the most telling one.

    Args:
        ffmpeg: decodes it.
        path: absolute; its name is not believed.
        name: of the file, for messages.
        progress: can cancel.

    Raises:
        InvalidInput: media_invalid: it holds no picture, or is broken.
        DependencyFailed: encoder_missing; encoder_failed: it took too long, or too much memory.
        Cancelled: the work was asked to stop.
    """
    third = _third(path)
    found = _frame(ffmpeg, path, name, ["-ss", f"{third:.3f}"], progress) if third else b""
    found = found or _frame(ffmpeg, path, name, [], progress)  # shorter than it says
    if not found or len(found) > MOST_BYTES:
        raise InvalidInput(f"{name} has no picture.", reason=Reason.MEDIA_INVALID, details={"media": name})
    return found


def _third(path: Path) -> float:
    """A third of what the film lasts, in seconds; 0.0 for what does not last or does not say how long."""
    with contextlib.suppress(HeaderFault, OSError):
        facts = read_facts(path)
        if facts is not None and facts.duration:
            return float(facts.duration / 3)
    return 0.0


def _frame(ffmpeg: Ffmpeg, path: Path, name: str, seek: list[str], progress: Progress) -> bytes:
    arguments = [
        *source(path, "-noaccurate_seek", *seek, "-t", str(_STRETCH_SECONDS), "-skip_frame", "nokey"),
        *("-map", "0:v:0", "-an", "-sn", "-dn", "-vf", _SHOWN, "-frames:v", "1", "-map_metadata", "-1"),
        *("-fps_mode", "passthrough", "-color_range", "pc", "-c:v", "mjpeg", "-q:v", "4"),
        *("-fflags", "+bitexact", "-f", "image2pipe", "pipe:1"),
    ]
    with child(ffmpeg, arguments, reads=True, limits=_LIMITS, foreign=name, progress=progress) as running:
        over = threading.Timer(MOST_SECONDS, running.kill)
        over.start()
        try:
            found = running.output.read(MOST_BYTES + 1) if running.output else b""
            if len(found) > MOST_BYTES:
                return found
            running.finish()
        finally:
            over.cancel()
    return found
