import io
from fractions import Fraction

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms

from storycore.errors import InvalidInput, Reason
from storycore.rendering.layout import LAYOUTS
from storycore.rendering.motion import STILL, Move, view
from storycore.rendering.still import Still, celled, decode

LAYOUT = LAYOUTS["yuv420p"]


def saved(image, form, **options):
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "PPM"])
@pytest.mark.parametrize("mode", ["RGB", "L", "P"])
def test_pictures_of_every_kind_become_rgb(form, mode):
    if (form, mode) in {("JPEG", "P"), ("PPM", "P"), ("WEBP", "P")}:
        pytest.skip("that form holds no palette")
    picture = decode(saved(Image.new("RGB", (32, 16), (204, 204, 204)).convert(mode), form), "a")[0]
    assert (picture.shape, picture.dtype) == ((16, 32, 3), np.uint8)
    assert np.abs(picture.astype(int) - 204).max() <= 8


def test_an_ascii_pixmap_is_read():
    assert decode(b"P3\n2 1\n255\n255 0 0  0 0 255\n", "a")[0].tolist() == [[[255, 0, 0], [0, 0, 255]]]


def test_what_is_see_through_stands_on_black():
    picture = decode(saved(Image.new("RGBA", (8, 8), (255, 255, 255, 128)), "PNG"), "a")[0]
    assert picture[0, 0].tolist() == [128, 128, 128]


def test_a_turned_picture_stands_upright():
    exif = Image.Exif()
    exif[0x0112] = 6
    assert decode(saved(Image.new("RGB", (32, 16)), "JPEG", exif=exif), "a")[0].shape == (32, 16, 3)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_picture_of_sixteen_bits_stands_as_pillow_turns_one_of_eight(orientation):
    corner = np.zeros((4, 6), np.uint8)
    corner[0, 0], corner[0, 5] = 200, 90
    exif = Image.Exif()
    exif[0x0112] = orientation
    deep = saved(Image.fromarray(corner.astype(np.uint16) * 257), "TIFF", exif=exif)
    plain = saved(Image.fromarray(corner), "PNG", exif=exif)
    assert (decode(deep, "a")[0] // 257).tolist() == decode(plain, "a")[0].tolist()


def test_colours_of_a_profile_are_those_of_screens():
    picture = Image.new("RGB", (8, 8), (180, 90, 60))
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    assert decode(saved(picture, "JPEG", quality=100, icc_profile=lab.tobytes()), "a")[0][4, 4] == pytest.approx(
        (180, 90, 60), abs=2
    )
    ink = Image.new("CMYK", (8, 8), (0, 200, 200, 0))
    red, green, blue = decode(saved(ink, "JPEG", quality=100), "a")[0][4, 4].astype(int)
    assert (red > 200, green < 80, blue < 80) == (True, True, True)
    assert decode(saved(picture, "JPEG", icc_profile=b"broken" * 50), "a")[0].shape == (8, 8, 3)


def test_floating_point_is_light():
    light = np.full((8, 8, 3), 0.2158605, np.float32)  # 128 of 255 in sRGB
    for made in (light, light[:, :, 0]):
        _, data = cv2.imencode(".tiff", made)
        picture, bent = decode(data.tobytes(), "a")
        assert (picture[4, 4] // 257).tolist() == [128, 128, 128]
        assert not bent


def test_sixteen_bits_stay_sixteen_bits():
    deep = np.arange(64 * 3, dtype=np.uint16).reshape(8, 8, 3) * 300
    _, data = cv2.imencode(".png", deep)
    assert decode(data.tobytes(), "a")[0].tolist() == deep[:, :, ::-1].tolist()


def test_a_cell_of_a_grid_is_cut_out():
    grid = Image.new("RGB", (64, 32))
    grid.paste((0, 255, 0), (32, 0, 64, 16))
    assert celled(decode(saved(grid, "PNG"), "a")[0], "a", (0, 1, 2, 2)).mean((0, 1)).tolist() == [0, 255, 0]


@pytest.mark.parametrize(
    "data", [b"", b"text", b"\x89PNG\r\n\x1a\n" + bytes(50), saved(Image.new("RGB", (99, 99)), "PNG")[:60]]
)
def test_what_is_no_picture_is_refused_by_name(data):
    with pytest.raises(InvalidInput, match=r"^odd\.png can't be read") as fault:
        decode(data, "odd.png")
    assert (fault.value.reason, fault.value.details) == (Reason.MEDIA_INVALID, {"media": "odd.png"})


@pytest.mark.parametrize("side", [14_200, 60_000, 200_000])
def test_a_picture_of_too_many_pixels_is_refused_in_plain_words_before_it_is_decoded(side):
    with pytest.raises(InvalidInput) as fault:
        decode(b"P6 %d %d 255\n" % (side, side), "huge.ppm")
    assert fault.value.message == "huge.ppm can't be read as a picture: it has more than 200 megapixels"


def test_a_picture_of_nearly_two_hundred_megapixels_is_not_called_too_large():
    with pytest.raises(InvalidInput) as fault:
        decode(b"P5 20000 9990 255\n", "cut_short.pgm")
    assert "megapixels" not in fault.value.message
    assert "pixels" not in fault.value.message


@pytest.mark.parametrize(("fit", "left", "middle"), [("letterbox", 16, 235), ("crop", 235, 235), ("blur", None, 235)])
def test_a_square_in_a_wide_frame(fit, left, middle):
    still = Still(np.full((90, 90, 3), 255, np.uint8), LAYOUT, (160, 90), STILL, fit)
    luma = still.frame(0, 1, Fraction(24)).planes[0]
    assert luma[45, 80] == middle
    assert 16 < luma[45, 4] < 235 if left is None else luma[45, 4] == left


def test_moves_are_steady_to_a_fiftieth_of_a_pixel():
    """Dots under a slow zoom, tracked and compared with where they must be."""
    rows, columns = np.mgrid[0:648, 0:1152]
    dots = [(250.0, 200.0), (900.0, 450.0), (350.0, 500.0)]
    grey = np.clip(sum(np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 50) for x, y in dots) * 255, 0, 255)
    picture = np.repeat(grey.astype(np.uint8)[:, :, None], 3, axis=2)
    move, count = Move(zoom=(1.0, 1.05)), 24
    still = Still(picture, LAYOUT, (960, 540), move, "crop")
    for x, y in dots:
        track = []
        for number in range(count):
            wide = 1152 / view(move, number, count, Fraction(24)).zoom
            scale = 960 / wide
            ideal = ((x + 0.5 - (1152 - wide) / 2) * scale - 0.5, (y + 0.5 - (648 - wide * 9 / 16) / 2) * scale - 0.5)
            track.append(np.subtract(_centre(still.frame(number, count, Fraction(24)).planes[0], *ideal), ideal))
        assert np.sqrt((np.diff(np.array(track), axis=0) ** 2).mean()) <= 0.02


def _centre(plane, x, y, reach=24):
    left, top = round(x) - reach, round(y) - reach
    part = np.maximum(plane[top : top + 2 * reach + 1, left : left + 2 * reach + 1].astype(float) - 36, 0)
    rows, columns = np.mgrid[0 : part.shape[0], 0 : part.shape[1]]
    return left + (part * columns).sum() / part.sum(), top + (part * rows).sum() / part.sum()


def test_chroma_moves_with_luma():
    """A red edge under a zoom stands at the same place in all planes."""
    picture = np.zeros((108, 192, 3), np.uint8)
    picture[:, 96:, 0] = 255
    still = Still(picture, LAYOUT, (192, 108), Move(zoom=(1.0, 1.2), x=(0.6, 0.6)), "crop")
    for number in range(0, 24, 6):
        luma, _, red = still.frame(number, 24, Fraction(24)).planes
        assert _edge(luma[54]) == pytest.approx(2 * _edge(red[27]), abs=0.6)


def _edge(row):
    low, high = float(row.min()), float(row.max())
    return float(np.interp((low + high) / 2, row.astype(float), np.arange(len(row))))
