"""mkv: FFV1 and FLAC without any loss, to be kept; or H.264 or H.265."""

from typing import Literal

from pydantic import Field

from storycore.exports.formats import film_sounds as sounds
from storycore.exports.formats.options import DeepSoundOptions
from storycore.exports.formats.video_file import FilmOptions, VideoFile


class MkvOptions(FilmOptions, DeepSoundOptions):
    """Options of mkv."""

    video_codec: Literal["ffv1", "h264", "h265"] = Field(
        default="ffv1", description="Codec of the picture; ffv1 loses nothing of the frames."
    )
    audio_codec: Literal["flac", "none"] = Field(default="flac", description="Codec of the sound; flac loses nothing.")
    pixel_format: Literal["yuv420p", "yuv422p10le", "yuv444p", "yuv444p10le"] | None = Field(
        default=None, description="Of the picture; yuv422p10le with ffv1."
    )


FORMAT = VideoFile(
    name="mkv",
    suffix=".mkv",
    media_type="video/x-matroska",
    options=MkvOptions,
    captions="srt",
    muxer="matroska",
    sounds={"flac": sounds.flac},
)
