"""Words on the picture: slates, titles, burned-in timecode, set in the carried fonts.

Texts of strangers are drawn letter by letter, never read as instructions; control characters are left out.
"""

from collections.abc import Sequence
from itertools import islice
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageColor, ImageDraw

from storycore.rendering.frame import Frame, Samples, from_rgb
from storycore.rendering.layout import Layout
from storycore.rendering.lettering import Lettering, lines
from storycore.rendering.words import Words, clean

_GROUND, _INK, _QUIET, _LAMP = (24, 24, 26), (240, 240, 238), (150, 150, 150), (255, 176, 74)


class Overlay:
    """A picture with transparency that is laid over frames.

    Args:
        picture: `(height, width, 4)` RGBA uint8, not premultiplied.
        layout: of the frames.
        place: left and top in the frame; made even.
    """

    def __init__(self, picture: Samples, layout: Layout, place: tuple[int, int]) -> None:
        height, width = (-(-side // 2) * 2 for side in picture.shape[:2])
        padded = np.zeros((height, width, 4), np.uint8)
        padded[: picture.shape[0], : picture.shape[1]] = picture
        self._place = (place[0] // 2 * 2, place[1] // 2 * 2)
        self._frame = from_rgb(np.ascontiguousarray(padded[:, :, :3]), layout)
        opaque: npt.NDArray[Any] = padded[:, :, 3].astype(np.float32) / 255
        small = cv2.resize(opaque, (width // layout.across, height // layout.down), interpolation=cv2.INTER_AREA)
        self._opaque: tuple[npt.NDArray[Any], ...] = (opaque, small, small)

    def draw(self, frame: Frame) -> None:
        """Lays it over a frame, as far as it is inside."""
        x, y = self._place
        width = min(self._frame.width, frame.width - x)
        height = min(self._frame.height, frame.height - y)
        if width <= 0 or height <= 0 or x < 0 or y < 0:
            return
        for out, drawn, opaque in zip(
            frame.window(x, y, width, height), self._frame.window(0, 0, width, height), self._opaque, strict=True
        ):
            share = opaque[: out.shape[0], : out.shape[1]]
            out[:] = np.rint(out + (drawn.astype(np.float32) - out) * share)


def overlay(
    words: Words, layout: Layout, size: tuple[int, int], language: str = "", *, level: int | None = None
) -> Overlay | None:
    """Words as an overlay for frames of a size; None if nothing of them can be seen. `level` is that of `lines`."""
    text = clean(words.text)
    if not text:
        return None
    height = max(6, round(words.size * size[1]))
    step = round(height * 1.3)
    look = Lettering(height=height, weight=words.weight, language=language)
    found = list(islice(lines(text, look, size[0] * 0.9, level), size[1] // step + 2))  # more can't be seen
    width = min(size[0], round(max(line.width for line in found)) + height)
    image = Image.new("RGBA", (max(2, width), step * len(found) + height // 3), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    if words.ground:
        draw.rounded_rectangle((0, 0, image.width - 1, image.height - 1), height // 6, fill=_colour(words.ground, 200))
    ink = _colour(words.colour, 255)
    image.paste((*ink[:3], 0), (0, 0, *image.size)) if not words.ground else None
    for number, line in enumerate(found):
        place = (image.width / 2, height // 6 + step * (number + 0.5))
        shadow = max(1, height // 18)
        if not words.ground:
            dark = (0, 0, 0, 170)  # all around, or white words can't be read on white
            line.draw(draw, place, dark, stroke=shadow)
            line.draw(draw, (place[0] + shadow, place[1] + shadow), dark)
        line.draw(draw, place, ink)
    picture = np.asarray(image).copy()
    picture[:, :, 3] = np.rint(picture[:, :, 3] * min(1.0, max(0.0, words.opacity)))
    left = round(words.x * size[0] - image.width / 2)
    top = round(words.y * size[1] - image.height / 2)
    free = round(words.margin * min(size))
    left = min(max(free, left), max(0, size[0] - image.width - free))
    top = min(max(free, top), max(0, size[1] - image.height - free))
    return Overlay(picture, layout, (left, top))


def slate(title: str, below: Sequence[str], size: tuple[int, int], language: str = "") -> Samples:
    """A slate as RGB: a title, and quieter lines below it.

    Args:
        title: the largest words on it.
        below: quieter words, each on its own line.
        size: width and height, even.
        language: BCP 47 tag of the film.
    """
    width, height = size
    image = Image.new("RGB", size, _GROUND)
    draw = ImageDraw.Draw(image)
    large = Lettering(height=max(7, round(height * 0.085)), weight=600, language=language)
    small = Lettering(height=max(6, round(height * 0.038)), weight=400, language=language)
    titles = list(islice(lines(clean(title) or "Untitled", large, round(width * 0.84)), 3))
    quiet = list(
        islice((line for text in below for line in lines(clean(text), small, round(width * 0.84)) if line.text), 6)
    )
    steps = (round(height * 0.11), round(height * 0.055))
    y = height / 2 - (steps[0] * len(titles) + steps[1] * (len(quiet) + 1)) / 2
    for line in titles:
        line.draw(draw, (width / 2, y + steps[0] / 2), _INK)
        y += steps[0]
    bar = max(1, round(height / 240))
    draw.rectangle(
        (round(width * 0.46), round(y + steps[1] / 2) - bar, round(width * 0.54), round(y + steps[1] / 2)), fill=_LAMP
    )
    y += steps[1]
    for line in quiet:
        line.draw(draw, (width / 2, y + steps[1] / 2), _QUIET)
        y += steps[1]
    return np.asarray(image).copy()


def _colour(text: str, opacity: int) -> tuple[int, int, int, int]:
    try:
        found = ImageColor.getrgb(text.strip()[:40])
    except ValueError:
        found = (255, 255, 255)
    return (*found[:3], found[3] if len(found) == 4 else opacity)
