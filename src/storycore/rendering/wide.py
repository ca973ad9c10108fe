"""Stills of the film trade: OpenEXR, Radiance HDR, DPX, Photoshop. A child of ffmpeg reads them; runs in the painter.

What holds light without bounds (EXR, HDR, float TIFF) is brought to the range of the frames: values that a screen can
show stay as they are, and only what is brighter is bent down, without changing its hue.

Source of the transfer curve: IEC 61966-2-1 (sRGB), since all other stills come so.
"""

from pathlib import Path

import cv2
import numpy as np

from storycore.errors import InvalidInput, Reason
from storycore.rendering.encoder import DECODING, Ffmpeg, child, source
from storycore.rendering.frame import Samples

_LIGHT = (b"\x76\x2f\x31\x01", b"#?RADIANCE", b"#?RGBE")
_DEEP = (b"SDPX", b"XPDS", b"8BPS")
_KNEE = 0.8
"""Light up to here stays as it is."""
_MOST_BYTES = 2 * 1024 * 1024 * 1024
_BRIGHTEST = 65504.0  # of a half float; what is beyond is taken for it


def is_wide(head: bytes) -> bool:
    """Whether a file that begins so is read here."""
    return head.startswith((*_LIGHT, *_DEEP))


def decode_wide(ffmpeg: Ffmpeg, path: Path, name: str, head: bytes) -> tuple[Samples, bool]:
    """A picture as RGB, `(height, width, 3)` uint16, and whether its light was bent.

    Args:
        ffmpeg: that reads it.
        path: absolute.
        name: of the file, for messages.
        head: its first bytes.

    Raises:
        InvalidInput: media_invalid.
    """
    light = head.startswith(_LIGHT)
    how = ("-c:v", "pfm", "-pix_fmt", "gbrpf32le") if light else ("-c:v", "ppm", "-pix_fmt", "rgb48be")
    arguments = [*source(path), "-map", "0:v:0", "-frames:v", "1", *how, "-f", "image2pipe", "pipe:1"]
    with child(ffmpeg, arguments, reads=True, limits=DECODING, foreign=name, group=False) as running:
        data = b"" if running.output is None else running.output.read(_MOST_BYTES)
        running.finish()
    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED) if data else None
    if found is None or found.ndim != 3:
        raise InvalidInput(f"{name} holds no picture.", reason=Reason.MEDIA_INVALID, details={"media": name})
    picture = cv2.cvtColor(found, cv2.COLOR_BGR2RGB)
    return shown(picture) if light else (picture, False)


def shown(light: Samples) -> tuple[Samples, bool]:
    """Linear light as a screen shows it, uint16, and whether some of it was too bright and was bent.

    Args:
        light: `(height, width, 3)` float RGB; 1.0 is white.
    """
    finite = np.nan_to_num(light.astype(np.float32), nan=0.0, posinf=_BRIGHTEST, neginf=0.0)
    finite = np.clip(finite, 0.0, _BRIGHTEST)
    brightest = finite.max(axis=2, keepdims=True)
    most = float(brightest.max(initial=0.0))
    if most > 1.0:
        span = (most - _KNEE) / (1 - _KNEE)
        over = np.maximum(brightest - _KNEE, 0) / (1 - _KNEE)
        # Of slope 1 at the knee, and 1 at the brightest.
        bent = _KNEE + (1 - _KNEE) * over * (1 + over / span**2) / (1 + over)
        finite = finite * np.where(brightest > _KNEE, bent / np.maximum(brightest, _KNEE), 1.0)
    curved = np.where(finite <= 0.0031308, finite * 12.92, 1.055 * np.power(finite, 1 / 2.4) - 0.055)
    return np.rint(np.clip(curved, 0, 1) * 65535).astype(np.uint16), most > 1.0
