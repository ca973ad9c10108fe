"""mp4: H.264, H.265 or AV1 with AAC, ready to be played while it still comes."""

from typing import Literal

from pydantic import Field

from storycore.exports.formats import film_sounds as sounds
from storycore.exports.formats.options import BoxOptions
from storycore.exports.formats.video_file import FilmOptions, VideoFile


class Mp4Options(FilmOptions, BoxOptions):
    """Options of mp4."""

    video_codec: Literal["h264", "h265", "av1"] = Field(default="h264", description="Codec of the picture.")
    audio_codec: Literal["aac", "none"] = Field(default="aac", description="Codec of the sound; none for no sound.")
    pixel_format: Literal["yuv420p", "yuv420p10le"] | None = Field(
        default=None, description="Of the picture; 10 bits with h265 and av1."
    )


FORMAT = VideoFile(
    name="mp4",
    suffix=".mp4",
    media_type="video/mp4",
    options=Mp4Options,
    captions="mov_text",
    boxed=True,
    muxer="mp4",
    arguments=("-movflags", "+faststart"),
    sounds={"aac": sounds.aac},
)
