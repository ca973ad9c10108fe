"""Gates: what is refused beforehand, and what is judged in words."""

import pytest

from storycore.exports.formats.figures import BOXES, MIX, PICTURE
from storycore.exports.gates import Gate, fault_of, judge

KNOWN = {**PICTURE, **BOXES, **MIX}


@pytest.mark.parametrize(
    ("gate", "fault"),
    [
        ({"figure": "true_peek", "at_most": -1}, "there is no figure 'true_peek'; did you mean true_peak?"),
        ({"figure": "zzz", "at_most": -1}, "there is no figure 'zzz'; there are: audio_duration, "),
        ({"figure": "width"}, "width needs one of equals, at_least, at_most, on_target"),
        ({"figure": "codec", "at_least": 3}, "codec is no number, so it has no bounds; say equals"),
        ({"figure": "faststart", "equals": "yes"}, 'faststart is never "yes": its value is of another kind (truth)'),
        ({"figure": "width", "equals": "1920"}, 'width is never "1920": its value is of another kind (number)'),
        ({"figure": "width", "at_least": 3, "at_most": 2}, "width can't be at least 3.0 and at most 2.0"),
        ({"figure": "codec", "on_target": True}, "codec has no target that it could be on"),
        ({"figure": "ssim", "at_least": 0.9}, 'ssim is measured only with measure = "full" in [options]'),
        ({"figure": "vmaf", "at_least": 90}, "vmaf is measured only with vmaf = true in [options]"),
    ],
)
def test_a_gate_that_can_never_be_judged_says_why(gate, fault):
    assert fault_of(Gate(**gate), KNOWN, {}).startswith(fault)


@pytest.mark.parametrize(
    "gate",
    [
        {"figure": "width", "equals": 1920},
        {"figure": "faststart", "equals": True},
        {"figure": "codec", "equals": "h264"},
        {"figure": "silent_stretches", "at_most": 0},
        {"figure": "frames", "on_target": True},
        {"figure": "ssim", "at_least": 0.97},
    ],
)
def test_a_gate_that_can_be_judged_has_no_fault(gate):
    assert fault_of(Gate(**gate), KNOWN, {"measure": "full"}) == ""


METRICS = {
    "codec": "h264",
    "faststart": {"value": False, "unit": ""},
    "integrated_loudness": {"value": -20.1, "unit": "LUFS", "target": -14.0, "verdict": "6.1 LU too quiet"},
    "true_peak": {"value": None, "unit": "dBTP"},
    "psnr": {"value": None, "unit": "dB", "verdict": "identical"},
    "black_stretches": {"value": [[0, 1], [3, 4]], "unit": "s"},
    "loudness_range": {"value": 3.0, "unit": "LU"},
    "audio_duration": {"value": 3.0, "unit": "s"},
}


@pytest.mark.parametrize(
    ("gate", "passed", "message"),
    [
        ({"figure": "codec", "equals": "h265"}, False, "the codec is h264, and must be h265"),
        ({"figure": "codec", "equals": "h264"}, True, "the codec is h264"),
        ({"figure": "faststart", "equals": True}, False,
         "whether it can be played while it still comes is no, and must be yes"),
        ({"figure": "integrated_loudness", "at_least": -14.5, "at_most": -13.5}, False,
         "the loudness is -20.1 LUFS, and must be between -14.5 and -13.5 LUFS"),
        ({"figure": "integrated_loudness", "on_target": True}, False, "the loudness is -20.1 LUFS: 6.1 LU too quiet"),
        ({"figure": "audio_duration", "on_target": True}, False,
         "the length of the sound is 3.0 s: no target was given"),
        ({"figure": "true_peak", "at_most": -1}, True, "the true peak: there is none, nothing is heard"),
        ({"figure": "psnr", "at_least": 40}, True, "the distance from coding noise (PSNR): identical"),
        ({"figure": "black_stretches", "at_most": 0}, False,
         "the number of black stretches is 2, and must be at most 0"),
        ({"figure": "audio_duration", "at_least": 12345678, "at_most": 1e15}, False,
         "the length of the sound is 3.0 s, and must be between 12345678 and 1000000000000000 s"),
        ({"figure": "ssim", "at_least": 0.9}, False, "the likeness to the drawn frames (SSIM) was not measured"),
    ],
)  # fmt: skip
def test_what_became_of_a_gate_is_told_in_words(gate, passed, message):
    assert judge([Gate(**gate)], METRICS, KNOWN) == [(gate["figure"], passed, message)]


def test_a_figure_that_a_kind_of_file_does_not_have_is_not_judged():
    assert judge([Gate(figure="width", equals=3)], METRICS, MIX) == []
