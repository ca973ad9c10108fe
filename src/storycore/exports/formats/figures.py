"""Which figures finished files have, as plain data: their names in `quality_metrics`, and in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What the value of a figure is, and so what can be asked of it."""

    NUMBER = "number"
    TEXT = "text"
    TRUTH = "truth"
    STRETCHES = "stretches"
    """Pairs of from and to; a gate asks how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure.

    Attributes:
        words: its name for people.
        kind: what its value is.
        aimed: whether it is compared with what was asked for.
        needs: the option, and its value, without which it is not measured; None if it always is.
    """

    words: str
    kind: Kind = Kind.NUMBER
    aimed: bool = False
    needs: tuple[str, str | bool] | None = None


_FULL = ("measure", "full")
_TEXT, _TRUTH, _STRETCHES = Kind.TEXT, Kind.TRUTH, Kind.STRETCHES

MARKS: Mapping[str, Figure] = {
    "content_credentials": Figure(
        words="the standing of its credentials on this machine", kind=_TEXT, needs=("credentials", "always")
    ),
}
"""Of files that can be signed."""

PICTURE: Mapping[str, Figure] = {
    "resolution": Figure(words="the size of the picture", kind=_TEXT),
    "fps": Figure(words="the frame rate"),
    "bitrate": Figure(words="the data rate", kind=_TEXT),
    "codec": Figure(words="the codec", kind=_TEXT),
    "width": Figure(words="the width of the picture", aimed=True),
    "height": Figure(words="the height of the picture", aimed=True),
    "frames": Figure(words="the number of frames", aimed=True),
    "duration": Figure(words="the length of the picture", aimed=True),
    "frame_steps": Figure(words="the number of different distances between frames"),
    "video_bitrate": Figure(words="the data rate of the picture"),
    "keyframe_interval": Figure(words="the longest distance between keyframes"),
    "pixel_format": Figure(words="the pixel format", kind=_TEXT, aimed=True),
    "colour": Figure(words="the colour tags", kind=_TEXT),
    "profile": Figure(words="the profile of the codec", kind=_TEXT),
    "ssim": Figure(words="the likeness to the drawn frames (SSIM)", needs=_FULL),
    "ssim_lowest": Figure(words="the likeness of the worst part to the drawn frames (SSIM)", needs=_FULL),
    "psnr": Figure(words="the distance from coding noise (PSNR)", needs=_FULL),
    "vmaf": Figure(words="the quality that viewers see (VMAF)", needs=("vmaf", True)),
    "black_stretches": Figure(words="the number of black stretches", kind=_STRETCHES, needs=_FULL),
    "frozen_stretches": Figure(words="the number of stretches that stand still", kind=_STRETCHES, needs=_FULL),
}
"""Of a film's picture, in any container."""

BOXES: Mapping[str, Figure] = {
    "faststart": Figure(words="whether it can be played while it still comes", kind=_TRUTH),
    "edit_lists": Figure(words="the number of edit list entries"),
    "start_timecode": Figure(words="the timecode of the first frame", kind=_TEXT, aimed=True),
}
"""Of mp4 and mov."""

MIX: Mapping[str, Figure] = {
    "audio_duration": Figure(words="the length of the sound", aimed=True),
    "integrated_loudness": Figure(words="the loudness", aimed=True),
    "loudness_range": Figure(words="the loudness range"),
    "true_peak": Figure(words="the true peak", aimed=True),
    "clipping": Figure(words="the number of clipped places"),
    "silent_stretches": Figure(words="the number of silent stretches", kind=_STRETCHES),
}
"""Of sound, alone or with a picture."""

SOUND: Mapping[str, Figure] = {
    **MARKS,
    "sample_rate": Figure(words="the sample rate", kind=_TEXT),
    "bit_depth": Figure(words="the bits of a sample"),
    "channels": Figure(words="the channels", kind=_TEXT),
    "codec": Figure(words="the codec", kind=_TEXT),
    **MIX,
}
"""Of sound alone."""

STILLS: Mapping[str, Figure] = {
    **MARKS,
    "resolution": PICTURE["resolution"],
    "color_space": Figure(words="the colour space", kind=_TEXT),
}
"""Of pictures that stand still."""
