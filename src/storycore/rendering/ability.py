"""What this ffmpeg can encode and measure here, found out by doing it, and remembered."""

import contextlib
import hashlib
import json
import tempfile
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

from storycore.errors import StoryCoreError
from storycore.rendering import likeness
from storycore.rendering.codecs import Codec, Quality, canvas_format, encoding, missing, raw_frames
from storycore.rendering.encoder import Ffmpeg, child, url
from storycore.rendering.layout import LAYOUTS
from storycore.rendering.look import Canvas

_FRAMES = 3


def encoder_for(codec: Codec, quality: Quality, ffmpeg: Ffmpeg, folder: Path, *, hardware: bool = False) -> str:
    """The encoder to use: one in hardware if that is wanted and works, else the software one.

    Args:
        codec: what is wanted.
        quality: how well.
        ffmpeg: that encodes.
        folder: where answers are remembered.
        hardware: whether encoders in hardware are tried.

    Raises:
        DependencyFailed: encoder_missing: none works.
    """
    software, *others = codec.encoders
    for name in [*(others if hardware else []), software]:
        if _works(name, codec, quality, ffmpeg, folder):
            return name
    raise missing(codec)


def measures(figures: Sequence[str], ffmpeg: Ffmpeg, folder: Path) -> bool:
    """Whether this ffmpeg can compare pictures so.

    Args:
        figures: as `likeness` names them.
        ffmpeg: that compares.
        folder: where answers are remembered.
    """
    return _remembered("compares " + " ".join(figures), ffmpeg, folder, lambda: _compares(figures, ffmpeg))


def loops_back(ffmpeg: Ffmpeg, folder: Path) -> bool:
    """Whether this ffmpeg can decode what it is encoding; those before version 7 can't."""
    return _remembered("loops back", ffmpeg, folder, lambda: _compares_beside([likeness.SSIM], ffmpeg))


def _works(name: str, codec: Codec, quality: Quality, ffmpeg: Ffmpeg, folder: Path) -> bool:
    return _remembered(f"{name}:{quality.pixel_format}", ffmpeg, folder, lambda: _tried(name, codec, quality, ffmpeg))


def _remembered(what: str, ffmpeg: Ffmpeg, folder: Path, trial: Callable[[], bool]) -> bool:
    asked = hashlib.sha256(f"{ffmpeg.path}:{ffmpeg.mark}:{what}".encode()).hexdigest()
    path = folder / f"{asked[:32]}.json"
    with contextlib.suppress(OSError, ValueError):
        known = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(known, dict) and isinstance(known.get("works"), bool):
            return bool(known["works"])
    works = trial()
    with contextlib.suppress(OSError):  # then it is found out again
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"encoder": what, "ffmpeg": ffmpeg.version, "works": works}), encoding="utf-8")
    return works


def _tried(name: str, codec: Codec, quality: Quality, ffmpeg: Ffmpeg) -> bool:
    """Whether a few frames can be encoded; that an encoder is listed proves nothing."""
    canvas = _canvas(canvas_format(codec, quality))
    arguments = [*encoding(codec, quality, canvas, name), "-movflags", "frag_keyframe+empty_moov", "pipe:1"]
    try:
        with child(ffmpeg, arguments, writes=True, reads=True) as running:
            if running.input is None or running.output is None:
                return False
            running.input.write(_frames(canvas))
            running.input.close()
            size = len(running.output.read())
            running.finish()
    except (StoryCoreError, OSError):
        return False
    return size > 0


def _compares(figures: Sequence[str], ffmpeg: Ffmpeg) -> bool:
    """Whether frames compared with themselves give all of the figures."""
    canvas = _canvas("yuv420p")
    if _compares_beside(figures, ffmpeg):
        return True
    with tempfile.TemporaryDirectory() as folder:
        same = Path(folder) / "same.avi"
        raw = [*raw_frames(canvas), "-c:v", "rawvideo", "-f", "avi", url(same)]
        told = _heard(ffmpeg, raw, canvas)
        told = [] if told is None else _heard(ffmpeg, likeness.compared(same, canvas, figures), canvas)
    return likeness.read(told or ()).keys() == set(figures)


def _compares_beside(figures: Sequence[str], ffmpeg: Ffmpeg) -> bool:
    """Whether frames compared with what is being encoded of them give all of the figures."""
    canvas = _canvas("yuv420p")
    arguments = [*raw_frames(canvas), "-c:v", "mpeg4", "-f", "null", "-", *likeness.beside(figures)]
    return likeness.read(_heard(ffmpeg, arguments, canvas) or ()).keys() == set(figures)


def _heard(ffmpeg: Ffmpeg, arguments: Sequence[str], canvas: Canvas) -> list[str] | None:
    """The log of an ffmpeg that was given a few frames; None if it failed."""
    try:
        with child(ffmpeg, arguments, writes=True, level="info") as running:
            if running.input is not None:
                running.input.write(_frames(canvas))
            running.finish()
    except (StoryCoreError, OSError):
        return None
    return list(running.lines)


def _canvas(pixel_format: str) -> Canvas:
    return Canvas(pixel_format=pixel_format, width=320, height=192, rate=Fraction(24))


def _frames(canvas: Canvas) -> bytes:
    return bytes(_FRAMES * LAYOUTS[canvas.pixel_format].frame_bytes(canvas.width, canvas.height))
