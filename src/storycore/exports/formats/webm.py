"""webm: VP9 or AV1 with Opus, for browsers."""

from typing import Literal

from pydantic import Field, field_validator

from storycore.exports.formats import film_sounds as sounds
from storycore.exports.formats.options import rate_of_opus
from storycore.exports.formats.video_file import FilmOptions, VideoFile


class WebmOptions(FilmOptions):
    """Options of webm."""

    video_codec: Literal["vp9", "av1"] = Field(default="vp9", description="Codec of the picture.")
    audio_codec: Literal["opus", "none"] = Field(default="opus", description="Codec of the sound; none for no sound.")
    sample_rate_hz: Literal[48000] = Field(default=48000, description="Samples per second; Opus knows no other.")

    _rate = field_validator("audio_bitrate_bps")(rate_of_opus)


FORMAT = VideoFile(
    name="webm",
    suffix=".webm",
    media_type="video/webm",
    options=WebmOptions,
    captions="webvtt",
    muxer="webm",
    arguments=("-cues_to_front", "1"),
    sounds={"opus": sounds.opus},
)
