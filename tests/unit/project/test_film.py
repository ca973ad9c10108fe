from fractions import Fraction

import pytest

from storycore.project.draft import Notes, Piece
from storycore.project.fields import Fields
from storycore.project.film import read_frame_rate, read_size


def fields(raw) -> Fields:
    return Fields([Piece(raw=raw, file="project.json")], Notes())


@pytest.mark.parametrize(
    ("written", "rate"),
    [
        (24, Fraction(24)), (23.976, Fraction(24000, 1001)), (23.98, Fraction(24000, 1001)),
        ("24000/1001", Fraction(24000, 1001)),
        (29.97, Fraction(30000, 1001)), (59.94, Fraction(60000, 1001)), ("25", Fraction(25)), (12.5, Fraction(25, 2)),
        (0, Fraction(48)), (-5, Fraction(48)), (1e9, Fraction(48)), ("fast", Fraction(48)), (True, Fraction(48)),
    ],
)  # fmt: skip
def test_frame_rates_are_exact_and_absurd_ones_leave_the_default(written, rate):
    assert read_frame_rate(fields({"fps": written}), Fraction(48)) == rate


@pytest.mark.parametrize(
    ("raw", "size"),
    [
        ({"resolution": "1280x720"}, (1280, 720)), ({"resolution": {"width": 640, "height": 480}}, (640, 480)),
        ({"resolution_width": 1080, "resolution_height": 1920}, (1080, 1920)), ({"aspect_ratio": "9:16"}, (1080, 1920)),
        ({"aspect_ratio": "1:1"}, (1080, 1080)), ({"aspect_ratio": "4:3"}, (1440, 1080)),
        ({"format": "portrait"}, (1080, 1920)),
        ({"aspect_ratio": "21:9"}, (1920, 822)), ({"resolution": "4K"}, (3840, 2160)),
        ({"resolution": "0x0"}, (1920, 1080)),
        ({"resolution": "99999x2"}, (1920, 1080)), ({"aspect_ratio": "0:9"}, (1920, 1080)), ({}, (1920, 1080)),
        ({"config": {"target_resolution": "1920 × 1080"}}, (1920, 1080)), ({"format": {"a": 1}}, (1920, 1080)),
    ],
)  # fmt: skip
def test_the_picture_has_the_size_that_is_written_or_the_one_that_fits_its_aspect(raw, size):
    assert read_size(fields(raw)) == size
