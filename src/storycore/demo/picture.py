"""Pictures for the demo film: six scenes painted from gradients and shapes."""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageDraw, ImageFilter

Colour = tuple[int, int, int]
NIGHT: Colour = (12, 16, 32)
AMBER: Colour = (255, 186, 92)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What is to be seen.

    Attributes:
        sky: colours from the top down.
        hills: colour of the hills; None for none.
        sun: (x, y, radius) of the sun or moon in shares of the picture; None for none.
        tower: (x, scale) of the lighthouse; None for none.
        beam: whether its light shines.
        robot: (x, y, scale); None for none.
        boat: (x, scale); None for none.
        waves: height of the waves, 0.0-1.0.
        room: whether this is inside the lantern room.
    """

    sky: tuple[Colour, ...]
    hills: Colour | None = None
    sun: tuple[float, float, float] | None = None
    tower: tuple[float, float] | None = None
    beam: bool = False
    robot: tuple[float, float, float] | None = None
    boat: tuple[float, float] | None = None
    waves: float = 0.2
    room: bool = False


SCENES: tuple[Scene, ...] = (
    Scene(
        sky=((38, 32, 70), (168, 84, 88), (250, 176, 104)), hills=(46, 36, 58), sun=(0.3, 0.6, 0.06), tower=(0.74, 0.8)
    ),
    Scene(sky=((20, 24, 52), (88, 60, 92)), hills=(28, 26, 46), tower=(0.62, 1.35), robot=(0.3, 0.86, 1.3)),
    Scene(sky=((10, 14, 26), (40, 52, 68)), boat=(0.56, 1.3), waves=1.0),
    Scene(sky=((16, 18, 30), (34, 30, 40)), robot=(0.3, 0.8, 1.8), room=True),
    Scene(sky=(NIGHT, (40, 44, 84)), hills=(16, 18, 34), tower=(0.28, 1.1), beam=True, boat=(0.82, 0.5), waves=0.5),
    Scene(
        sky=((112, 164, 206), (252, 222, 180)), hills=(96, 128, 122), sun=(0.72, 0.32, 0.07), tower=(0.2, 0.7),
        boat=(0.6, 1.0), robot=(0.36, 0.9, 0.8), waves=0.1,
    ),
)  # fmt: skip


def draw(scene: Scene, width: int, height: int) -> Image.Image:
    """The scene as a picture, `(height, width, 3) uint8 RGB`; the same pixels every time."""
    picture = _gradient(scene.sky, width, height)
    pen = ImageDraw.Draw(picture)
    if scene.sun:
        _glow(picture, *_at(scene.sun, width, height), AMBER)
    if scene.hills:
        _hills(pen, scene.hills, width, height)
    if scene.room:
        _room(pen, width, height)
    else:
        _sea(pen, scene, width, height)
    if scene.boat:
        _boat(pen, scene.boat[0] * width, height * 0.78, scene.boat[1] * height / 6)
    if scene.tower:
        _tower(picture, scene, width, height)
    if scene.robot:
        x, y, scale = scene.robot
        _robot(picture, x * width, y * height, scale * height / 8)
    return _grain(picture)


def _at(place: tuple[float, float, float], width: int, height: int) -> tuple[float, float, float]:
    return place[0] * width, place[1] * height, place[2] * width


def _gradient(colours: Sequence[Colour], width: int, height: int) -> Image.Image:
    column = Image.new("RGB", (1, len(colours)))
    column.putdata(list(colours))
    tall = column.resize((1, height), Image.Resampling.BILINEAR)
    return tall.resize((width, height))


def _glow(picture: Image.Image, x: float, y: float, radius: float, colour: Colour) -> None:
    light = Image.new("RGB", picture.size)
    pen = ImageDraw.Draw(light)
    for ring, share in ((3.0, 0.25), (1.8, 0.45), (1.0, 1.0)):
        size = radius * ring
        pen.ellipse((x - size, y - size, x + size, y + size), fill=tuple(round(part * share) for part in colour))
    picture.paste(ImageChops.screen(picture, light.filter(ImageFilter.GaussianBlur(radius / 3))))


def _hills(pen: ImageDraw.ImageDraw, colour: Colour, width: int, height: int) -> None:
    for layer in range(3):
        shade = tuple(round(part * (1 - 0.22 * layer)) for part in colour)
        base = height * (0.62 + 0.06 * layer)
        ridge = [
            (x, base + height * 0.07 * math.sin(x / width * (5 + 2 * layer) + layer * 2) * math.cos(x / width * 3))
            for x in range(0, width + 8, 8)
        ]
        pen.polygon([*ridge, (width, height), (0, height)], fill=shade)


def _sea(pen: ImageDraw.ImageDraw, scene: Scene, width: int, height: int) -> None:
    top = height * 0.78
    for row in range(14):
        y = top + row * height * 0.018
        share = 0.3 + 0.02 * row
        colour = tuple(round((high + low) * share) for high, low in zip(scene.sky[0], scene.sky[-1], strict=True))
        swing = scene.waves * height * 0.02
        line = [(x, y + swing * math.sin(x / 60 + row * 1.3) * (1 + row / 6)) for x in range(0, width + 10, 10)]
        pen.polygon([*line, (width, height), (0, height)], fill=colour)


def _room(pen: ImageDraw.ImageDraw, width: int, height: int) -> None:
    for column in range(7):
        x = width * column / 6
        pen.line((x, 0, x, height * 0.72), fill=(70, 62, 60), width=10)
    pen.rectangle((0, height * 0.72, width, height), fill=(44, 36, 36))
    pen.rectangle((width * 0.58, height * 0.5, width * 0.76, height * 0.86), fill=(86, 78, 74))
    pen.ellipse(
        (width * 0.56, height * 0.18, width * 0.78, height * 0.56), fill=(50, 56, 66), outline=(150, 150, 150), width=6
    )


def _boat(pen: ImageDraw.ImageDraw, x: float, y: float, size: float) -> None:
    pen.polygon(
        [(x - size, y), (x + size, y), (x + size * 0.7, y + size * 0.4), (x - size * 0.7, y + size * 0.4)],
        fill=(120, 52, 40),
    )
    pen.line((x, y, x, y - size * 1.3), fill=(60, 44, 36), width=max(2, round(size / 20)))
    pen.polygon([(x, y - size * 1.25), (x, y - size * 0.15), (x + size * 0.75, y - size * 0.25)], fill=(236, 228, 208))


def _tower(picture: Image.Image, scene: Scene, width: int, height: int) -> None:
    if scene.tower is None:
        return
    x, size = scene.tower[0] * width, scene.tower[1] * height / 2.2
    foot, top = height * 0.8, height * 0.8 - size
    if scene.beam:
        light = Image.new("RGB", picture.size)
        ImageDraw.Draw(light).polygon(
            [(x, top), (width * 1.1, top - height * 0.1), (width * 1.1, top + height * 0.5)], fill=(150, 118, 62)
        )
        picture.paste(ImageChops.screen(picture, light.filter(ImageFilter.GaussianBlur(18))))
    pen = ImageDraw.Draw(picture)
    broad, narrow = size * 0.13, size * 0.08
    pen.polygon([(x - broad, foot), (x + broad, foot), (x + narrow, top), (x - narrow, top)], fill=(222, 214, 200))
    for band in range(3):
        y = top + size * (0.15 + 0.3 * band)
        pen.rectangle((x - broad * 0.95, y, x + broad * 0.95, y + size * 0.1), fill=(176, 64, 54))
    pen.rectangle(
        (x - narrow * 1.2, top - size * 0.12, x + narrow * 1.2, top), fill=AMBER if scene.beam else (60, 60, 70)
    )
    pen.polygon(
        [(x - narrow * 1.5, top - size * 0.12), (x + narrow * 1.5, top - size * 0.12), (x, top - size * 0.24)],
        fill=(90, 40, 40),
    )
    if scene.beam:
        _glow(picture, x, top - size * 0.05, size * 0.09, AMBER)


def _robot(picture: Image.Image, x: float, y: float, size: float) -> None:
    pen = ImageDraw.Draw(picture)
    body = (150, 158, 166)
    pen.rounded_rectangle(
        (x - size * 0.5, y - size, x + size * 0.5, y), size * 0.18, fill=body, outline=(70, 74, 82), width=4
    )
    pen.rounded_rectangle(
        (x - size * 0.38, y - size * 1.75, x + size * 0.38, y - size * 1.08),
        size * 0.16,
        fill=body,
        outline=(70, 74, 82),
        width=4,
    )
    for side in (-1, 1):
        pen.line(
            (x + side * size * 0.5, y - size * 0.7, x + side * size * 0.8, y - size * 0.25),
            fill=(110, 116, 124),
            width=max(3, round(size / 9)),
        )
        pen.rectangle(
            (x + side * size * 0.28 - size * 0.12, y, x + side * size * 0.28 + size * 0.12, y + size * 0.18),
            fill=(90, 94, 100),
        )
    _glow(picture, x, y - size * 1.42, size * 0.14, AMBER)


def _grain(picture: Image.Image) -> Image.Image:
    """A little film grain, from a small tile so that it is quick."""
    chance = random.Random(24)  # noqa: S311 - the same grain every time
    tile = Image.frombytes("L", (128, 128), bytes(128 + chance.randint(-5, 5) for _ in range(128 * 128)))
    grain = Image.new("L", picture.size, 128)
    for left in range(0, picture.width, 128):
        for top in range(0, picture.height, 128):
            grain.paste(tile, (left, top))
    return ImageChops.add(picture, Image.merge("RGB", (grain, grain, grain)), 1, -128)
