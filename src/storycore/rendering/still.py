"""Stills: a picture file decoded, fitted into the frame, and seen by a camera that moves.

Runs in the painter, a process that can be killed: files of strangers are decoded here.
"""

import contextlib
import io
import math
import warnings
from collections.abc import Sequence
from fractions import Fraction

import cv2
import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from storycore.errors import InvalidInput, Reason
from storycore.rendering.frame import Frame, Samples, from_rgb
from storycore.rendering.layout import Layout
from storycore.rendering.motion import Move, view
from storycore.rendering.wide import shown

_MOST_PIXELS = 200_000_000
Image.MAX_IMAGE_PIXELS = _MOST_PIXELS // 2  # Pillow refuses what has more than twice as many, before it is decoded
_FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "PPM", "AVIF", "TGA", "DDS")
_FAULTS = (
    *(OSError, SyntaxError, ValueError, ArithmeticError, MemoryError, EOFError, LookupError, TypeError, AttributeError),
    *(UnidentifiedImageError, Image.DecompressionBombError, cv2.error),
)
"""What decoders raise for broken files."""

_DEEP = (";16", "I;16")
_ORIENTATION = 0x0112
_TIFF = (b"II*\0", b"MM\0*")


def decode(data: bytes, name: str) -> tuple[Samples, bool]:
    """A picture file as RGB, and whether it held more light than a screen shows, which was bent down.

    It is `(height, width, 3)`, uint8, or uint16 where the file holds more; upright, on black, in sRGB.

    Args:
        data: the whole file.
        name: of the file, for messages.

    Raises:
        InvalidInput: media_invalid: no picture, broken, or larger than 200 megapixels.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _decoded(data)
    except _FAULTS as fault:
        raise InvalidInput(
            f"{name} can't be read as a picture: {str(fault)[:150]}",
            reason=Reason.MEDIA_INVALID,
            details={"media": name},
        ) from None


def celled(picture: Samples, name: str, cell: Sequence[int] | None) -> Samples:
    """One cell of a picture that is a grid; all of it if `cell` is None.

    Args:
        picture: `(height, width, 3)`.
        name: of the file, for messages.
        cell: (row, column, rows, columns).

    Raises:
        InvalidInput: media_invalid: nothing is there.
    """
    if cell is not None:
        row, column, rows, columns = cell
        height, width = picture.shape[0] // max(1, rows), picture.shape[1] // max(1, columns)
        picture = picture[row * height : (row + 1) * height, column * width : (column + 1) * width]
    if not picture.size:
        raise InvalidInput(f"{name} holds no picture there.", reason=Reason.MEDIA_INVALID, details={"media": name})
    return np.ascontiguousarray(picture)


def _decoded(data: bytes) -> tuple[Samples, bool]:
    try:
        opened = Image.open(io.BytesIO(data), formats=_FORMATS)
    except Image.DecompressionBombError:
        raise ValueError(f"it has more than {_MOST_PIXELS // 10**6} megapixels") from None
    except UnidentifiedImageError:
        if not data.startswith(_TIFF):
            raise
        return _deep(data, 1)  # three channels of floating point
    with opened as image:
        marks = [str(tile[3]) for tile in image.tile]
        if image.mode == "F" or any(mark in told for told in marks for mark in _DEEP):
            return _deep(data, 1 if data.startswith(_TIFF) else image.getexif().get(_ORIENTATION, 1))
        upright = ImageOps.exif_transpose(image)
        if upright.mode in ("LA", "RGBA", "PA") or "transparency" in upright.info:
            layered = upright.convert("RGBA")
            upright = Image.alpha_composite(Image.new("RGBA", layered.size, (0, 0, 0, 255)), layered)
        return np.asarray(_in_srgb(upright)), False


def _in_srgb(image: Image.Image) -> Image.Image:
    """A picture in the colours of screens, by the profile that it carries, if it has a usable one."""
    profile = image.info.get("icc_profile")
    if isinstance(profile, bytes) and b"sRGB" not in profile[:1024] and image.mode in ("RGB", "CMYK", "L"):
        with contextlib.suppress(ImageCms.PyCMSError, OSError, ValueError, TypeError):
            own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            found = ImageCms.profileToProfile(image, own, ImageCms.createProfile("sRGB"), outputMode="RGB")
            if found is not None:
                return found
    return image.convert("RGB")


def _deep(data: bytes, orientation: int) -> tuple[Samples, bool]:
    """A picture of 16 bits a sample, or of floating point, which Pillow would round to 8; OpenCV turns TIFF itself."""
    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if found is None:
        raise ValueError("broken picture of 16 bits")
    picture = _turned(_plain(found), orientation)
    return (picture, False) if picture.dtype in (np.uint8, np.uint16) else shown(picture)


def _plain(found: Samples) -> Samples:
    """As RGB, on black."""
    if found.ndim == 2:
        return cv2.cvtColor(found, cv2.COLOR_GRAY2RGB)
    if found.shape[2] == 4:
        most = np.iinfo(found.dtype).max if found.dtype.kind == "u" else 1.0
        opaque = found[:, :, 3:].astype(np.float32) / most
        over = found[:, :, :3] * opaque
        found = (np.rint(over) if found.dtype.kind == "u" else over).astype(found.dtype)
    return cv2.cvtColor(found, cv2.COLOR_BGR2RGB)


def _turned(picture: Samples, orientation: int) -> Samples:
    """Upright. Source: TIFF 6.0, Orientation."""
    if orientation in (2, 4, 5, 7):
        picture = picture[:, ::-1]
    quarters = {3: 2, 4: 2, 5: 1, 6: 3, 7: 3, 8: 1}.get(orientation, 0)
    return np.ascontiguousarray(np.rot90(picture, quarters))


class Still:
    """One picture in the frame, seen by a camera.

    Args:
        picture: as `decode` gives it.
        layout: of the frames.
        size: width and height of the frames, even.
        move: what the camera does.
        fit: letterbox, crop or blur.
    """

    def __init__(self, picture: Samples, layout: Layout, size: tuple[int, int], move: Move, fit: str) -> None:
        self._layout, self._move = layout, move
        width, height = size
        if fit == "crop":
            picture = _cropped(picture, width / height)
        inner = size if fit == "crop" else _fitted(picture.shape[1], picture.shape[0], size)
        self._window = ((width - inner[0]) // 4 * 2, (height - inner[1]) // 4 * 2, *inner)
        working = tuple(_even(side * move.closest, up=True) for side in inner)
        self._work = from_rgb(_resized(picture, working), layout)
        self._ground = self._background(picture, size, fit)
        self._only = self._seen(0, 1, Fraction(1)) if move.still else None

    def frame(self, number: int, frames: int, rate: Fraction) -> Frame:
        """One frame of a shot of so many frames."""
        return self._only if self._only is not None else self._seen(number, frames, rate)

    def _background(self, picture: Samples, size: tuple[int, int], fit: str) -> Frame:
        if fit != "blur" or self._window[2:] == size:
            return Frame.filled(self._layout, *size, self._layout.black)
        small = _resized(_cropped(picture, size[0] / size[1]), tuple(_even(side / 8, up=True) for side in size))
        soft = cv2.GaussianBlur(small, (0, 0), max(1.0, small.shape[1] * 0.04)) // 2
        return from_rgb(cv2.resize(soft, size, interpolation=cv2.INTER_CUBIC), self._layout)

    def _seen(self, number: int, frames: int, rate: Fraction) -> Frame:
        frame = self._ground.copy()
        _, _, inner_width, inner_height = self._window
        seen = view(self._move, number, frames, rate)
        wide, high = self._work.width / seen.zoom, self._work.height / seen.zoom
        left = (self._work.width - wide) * (0.5 + min(1.0, max(-1.0, seen.x)) / 2)
        top = (self._work.height - high) * (0.5 + min(1.0, max(-1.0, seen.y)) / 2)
        step_x, step_y = wide / inner_width, high / inner_height
        across, down = self._layout.across, self._layout.down
        luma = (step_x, left + step_x / 2 - 0.5, step_y, top + step_y / 2 - 0.5)
        sited = (
            (step_x / 2 - 0.5 + left) / 2 if across == 2 else luma[1],
            (step_y - 1 + top) / 2 if down == 2 else luma[3],
        )
        chroma = (step_x, sited[0], step_y, sited[1])
        for out, plane, place in zip(
            frame.window(*self._window), self._work.planes, (luma, chroma, chroma), strict=True
        ):
            _warp(plane, out, place)
        return frame


def _warp(plane: Samples, out: Samples, place: tuple[float, float, float, float]) -> None:
    matrix = np.array([[place[0], 0, place[1]], [0, place[2], place[3]]], np.float64)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = (out.shape[1], out.shape[0])
    cv2.warpAffine(plane, matrix, size, dst=out, flags=flags, borderMode=cv2.BORDER_REPLICATE)


def _even(value: float, *, up: bool = False) -> int:
    return max(2, 2 * (math.ceil(value / 2) if up else round(value / 2)))


def _fitted(width: int, height: int, size: tuple[int, int]) -> tuple[int, int]:
    """The largest even size of a shape that fits into the frame."""
    scale = min(size[0] / width, size[1] / height)
    return min(size[0], _even(width * scale)), min(size[1], _even(height * scale))


def _cropped(picture: Samples, aspect: float) -> Samples:
    """The middle of a picture, in the shape of the frame."""
    height, width = picture.shape[:2]
    if width / height > aspect:
        wide = max(1, round(height * aspect))
        left = (width - wide) // 2
        return picture[:, left : left + wide]
    high = max(1, round(width / aspect))
    top = (height - high) // 2
    return picture[top : top + high]


def _resized(picture: Samples, size: Sequence[int]) -> Samples:
    """A picture at another size: averaged where it shrinks, Lanczos where it grows."""
    if (picture.shape[1], picture.shape[0]) == tuple(size):
        return picture
    shrinks = size[0] * size[1] < picture.shape[0] * picture.shape[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LANCZOS4
    return cv2.resize(picture, (size[0], size[1]), interpolation=how)
