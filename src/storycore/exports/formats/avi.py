"""avi: MPEG-4 with uncompressed sound or MP3, for players of another time."""

from typing import Literal

from pydantic import Field

from storycore.exports.formats import film_sounds as sounds
from storycore.exports.formats.video_file import FilmOptions, VideoFile


class AviOptions(FilmOptions):
    """Options of avi."""

    video_codec: Literal["mpeg4"] = Field(default="mpeg4", description="Codec of the picture.")
    audio_codec: Literal["mp3", "pcm", "none"] = Field(
        default="pcm", description="Codec of the sound; pcm has 16 bits."
    )
    captions: Literal["none", "sidecar", "burn"] = Field(default="none", description="sidecar: a file beside it.")
    channels: Literal[1, 2] = Field(default=2, description="1 or 2.")


FORMAT = VideoFile(
    name="avi",
    suffix=".avi",
    media_type="video/x-msvideo",
    options=AviOptions,
    muxer="avi",
    arguments=("-avoid_negative_ts", "disabled"),  # else the lead-in of MP3 would move the picture
    sounds={"mp3": sounds.mp3, "pcm": sounds.pcm16},
    counts_frames=True,
)
