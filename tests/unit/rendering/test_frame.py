import numpy as np
import pytest

from storycore.rendering.frame import Frame, from_rgb
from storycore.rendering.layout import LAYOUTS

PATCHES = {
    (255, 255, 255): (235, 128, 128),
    (0, 0, 0): (16, 128, 128),
    (255, 0, 0): (63, 102, 240),
    (0, 255, 0): (173, 42, 26),
    (0, 0, 255): (32, 240, 118),
}
"""RGB → Y, U, V of BT.709 in limited range, as published."""


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("deep", [False, True])
def test_colours_are_those_of_bt_709(name, deep):
    layout = LAYOUTS[name]
    for rgb, yuv in PATCHES.items():
        picture = np.full((8, 8, 3), rgb, np.uint8)
        frame = from_rgb(picture.astype(np.uint16) * 257 if deep else picture, layout)
        found = [float(plane.mean()) / layout.unit for plane in frame.planes]
        assert found == pytest.approx(yuv, abs=0.6)


def test_a_ramp_of_ten_bits_keeps_all_its_steps():
    ramp = np.linspace(0, 65535, 2048).astype(np.uint16)
    picture = np.repeat(np.tile(ramp, (4, 1))[:, :, None], 3, axis=2)
    frame = from_rgb(picture, LAYOUTS["yuv422p10le"])
    encoded = np.frombuffer(frame.encoded(), np.uint16)[:2048]
    assert (encoded.min(), encoded.max(), len(set(encoded.tolist()))) == (64, 940, 877)


@pytest.mark.parametrize(("name", "bytes_each"), [("yuv420p", 1.5), ("yuv422p", 2), ("yuv444p", 3), ("yuv422p10le", 4)])
def test_a_frame_has_the_bytes_that_raw_video_has(name, bytes_each):
    frame = Frame.filled(LAYOUTS[name], 32, 16, LAYOUTS[name].black)
    assert len(bytes(frame.encoded())) == 32 * 16 * bytes_each


def test_a_window_is_a_view():
    frame = Frame.filled(LAYOUTS["yuv420p"], 32, 16, LAYOUTS["yuv420p"].black)
    for plane in frame.window(8, 4, 16, 8):
        plane.fill(200)
    assert [int((plane == 200).sum()) for plane in frame.planes] == [128, 32, 32]
