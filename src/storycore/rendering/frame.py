"""Frames: the planes of one picture in the form that an encoder takes, and pictures made into planes.

Colour is BT.709, limited range; chroma is sited left, as H.264 and its kin assume. Values of layouts deeper than 8
bits are kept at 16 bits while frames are drawn, and rounded to the layout's depth when they are handed over.

Source: ITU-R BT.709-6 §3 (coefficients, quantisation); ITU-T H.273 §8.7 (chroma sample location 0).
"""

from typing import Any, Self

import cv2
import numpy as np
import numpy.typing as npt

from storycore.rendering.layout import Layout

Samples = npt.NDArray[Any]
"""Of one plane, `(height, width)`, or of one picture, `(height, width, 3)`; uint8 or uint16."""

_KR, _KB = 0.2126, 0.0722
_KG = 1 - _KR - _KB


class Frame:
    """The three planes of a picture in one run of memory, as raw video has them.

    Attributes:
        layout: how they lie.
        width: even.
        height: even.
        memory: all samples, one after the other.
        planes: Y, U and V as views into it.
    """

    __slots__ = ("height", "layout", "memory", "planes", "width")

    def __init__(self, layout: Layout, width: int, height: int, memory: Samples | None = None) -> None:
        luma, chroma = width * height, (width // layout.across) * (height // layout.down)
        self.layout, self.width, self.height = layout, width, height
        self.memory: Samples = np.empty(luma + 2 * chroma, dtype(layout)) if memory is None else memory
        small = (height // layout.down, width // layout.across)
        self.planes: tuple[Samples, Samples, Samples] = (
            self.memory[:luma].reshape(height, width),
            self.memory[luma : luma + chroma].reshape(small),
            self.memory[luma + chroma :].reshape(small),
        )

    @classmethod
    def filled(cls, layout: Layout, width: int, height: int, colour: tuple[int, int, int]) -> Self:
        """A frame of one colour, given as Y, U, V in samples as drawn."""
        frame = cls(layout, width, height)
        for plane, value in zip(frame.planes, colour, strict=True):
            plane.fill(value)
        return frame

    def copy(self) -> "Frame":
        """A frame of its own with the same samples."""
        return Frame(self.layout, self.width, self.height, self.memory.copy())

    def window(self, x: int, y: int, width: int, height: int) -> tuple[Samples, Samples, Samples]:
        """A rectangle of the three planes, as views; all four numbers are even."""
        across, down = self.layout.across, self.layout.down
        luma, blue, red = self.planes
        rows, columns = slice(y // down, (y + height) // down), slice(x // across, (x + width) // across)
        return luma[y : y + height, x : x + width], blue[rows, columns], red[rows, columns]

    def encoded(self) -> memoryview:
        """The bytes that the encoder takes, of the layout's own depth."""
        if self.layout.bits == 8:
            return self.memory.data
        shift = 16 - self.layout.bits
        rounded: Samples = (self.memory + np.uint16(1 << shift - 1)) >> np.uint16(shift)
        return rounded.data.cast("B")


def dtype(layout: Layout) -> type[np.uint8] | type[np.uint16]:
    """Of samples while frames are drawn."""
    return np.uint8 if layout.bits == 8 else np.uint16


def from_rgb(picture: Samples, layout: Layout) -> Frame:
    """A picture as planes.

    Args:
        picture: `(height, width, 3)` RGB, uint8 or uint16 of the full range, of even sides.
        layout: how the planes shall lie.
    """
    height, width = picture.shape[:2]
    frame = Frame(layout, width, height)
    deep = picture.dtype == np.uint16
    matrix = _matrix(layout.unit / (257 if deep else 1))
    matrix[:, 3] *= layout.unit
    if picture.dtype == dtype(layout):
        converted = cv2.transform(picture, matrix)
    else:
        exact = cv2.transform(picture.astype(np.float32), matrix)
        converted = np.clip(np.rint(exact), 0, np.iinfo(dtype(layout)).max).astype(dtype(layout))
    luma, blue, red = cv2.split(converted)
    frame.planes[0][:] = luma
    for plane, full in zip(frame.planes[1:], (blue, red), strict=True):
        plane[:] = _subsampled(full, layout)
    return frame


def _matrix(scale: float) -> npt.NDArray[np.float64]:
    """RGB of 0-255 to Y, U, V in steps of 8 bits, times `scale`; the offsets stand in the last column, unscaled."""
    luma = np.array([_KR, _KG, _KB]) * 219 / 255
    blue = np.array([-_KR, -_KG, 1 - _KB]) / (2 * (1 - _KB)) * 224 / 255
    red = np.array([1 - _KR, -_KG, -_KB]) / (2 * (1 - _KR)) * 224 / 255
    offsets = np.array([[16.0], [128.0], [128.0]])
    return np.hstack([np.vstack([luma, blue, red]) * scale, offsets])


def _subsampled(plane: Samples, layout: Layout) -> Samples:
    """A chroma plane at the layout's own size: columns filtered around the left one, rows averaged."""
    if layout.across == 1:
        return plane
    row = np.array([[0.25, 0.5, 0.25]])
    kernel = np.repeat(row, layout.down, axis=0) / layout.down
    smooth = cv2.filter2D(plane, -1, kernel, anchor=(1, 0), borderType=cv2.BORDER_REPLICATE)
    return smooth[:: layout.down, ::2]
