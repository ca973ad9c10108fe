"""What this ffmpeg can encode here, found out by doing it, and remembered."""

import contextlib
import hashlib
import json
from fractions import Fraction
from pathlib import Path

from storycore.errors import StoryCoreError
from storycore.rendering.codecs import Codec, Quality, canvas_format, encoding, missing
from storycore.rendering.encoder import Ffmpeg, child
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


def _works(name: str, codec: Codec, quality: Quality, ffmpeg: Ffmpeg, folder: Path) -> bool:
    asked = hashlib.sha256(f"{ffmpeg.path}:{ffmpeg.mark}:{name}:{quality.pixel_format}".encode()).hexdigest()
    path = folder / f"{asked[:32]}.json"
    with contextlib.suppress(OSError, ValueError):
        known = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(known, dict) and isinstance(known.get("works"), bool):
            return bool(known["works"])
    works = _tried(name, codec, quality, ffmpeg)
    with contextlib.suppress(OSError):  # then it is found out again
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"encoder": name, "ffmpeg": ffmpeg.version, "works": works}), encoding="utf-8")
    return works


def _tried(name: str, codec: Codec, quality: Quality, ffmpeg: Ffmpeg) -> bool:
    """Whether a few frames can be encoded; that an encoder is listed proves nothing."""
    canvas = Canvas(pixel_format=canvas_format(codec, quality), width=320, height=192, rate=Fraction(24))
    data = bytes(LAYOUTS[canvas.pixel_format].frame_bytes(canvas.width, canvas.height))
    arguments = [*encoding(codec, quality, canvas, name), "-movflags", "frag_keyframe+empty_moov", "pipe:1"]
    try:
        with child(ffmpeg, arguments, writes=True, reads=True) as running:
            if running.input is None or running.output is None:
                return False
            for _ in range(_FRAMES):
                running.input.write(data)
            running.input.close()
            size = len(running.output.read())
            running.finish()
    except (StoryCoreError, OSError):
        return False
    return size > 0
