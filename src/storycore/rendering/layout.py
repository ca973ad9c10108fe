"""How the planes of frames lie in memory. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How the planes of a frame lie in memory.

    Attributes:
        pixel_format: as ffmpeg calls it.
        bits: of one sample, as encoded.
        across: columns of the picture to one of chroma.
        down: rows of the picture to one of chroma.
    """

    pixel_format: str
    bits: int
    across: int
    down: int

    def frame_bytes(self, width: int, height: int) -> int:
        """Size of one frame, as the encoder takes it."""
        chroma = (width // self.across) * (height // self.down)
        return (width * height + 2 * chroma) * (1 if self.bits == 8 else 2)

    @property
    def unit(self) -> int:
        """One step of 8 bits, in samples as drawn."""
        return 1 if self.bits == 8 else 256

    @property
    def black(self) -> tuple[int, int, int]:
        """Y, U, V of black."""
        return 16 * self.unit, 128 * self.unit, 128 * self.unit

    @property
    def white(self) -> tuple[int, int, int]:
        """Y, U, V of white."""
        return 235 * self.unit, 128 * self.unit, 128 * self.unit


LAYOUTS = {
    layout.pixel_format: layout
    for layout in (
        Layout(pixel_format="yuv420p", bits=8, across=2, down=2),
        Layout(pixel_format="yuv422p", bits=8, across=2, down=1),
        Layout(pixel_format="yuv444p", bits=8, across=1, down=1),
        Layout(pixel_format="yuv420p10le", bits=10, across=2, down=2),
        Layout(pixel_format="yuv422p10le", bits=10, across=2, down=1),
        Layout(pixel_format="yuv444p10le", bits=10, across=1, down=1),
    )
}
"""Layouts by ffmpeg's name of the pixel format."""
