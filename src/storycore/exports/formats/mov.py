"""mov: a ProRes master with uncompressed sound; or H.264 or H.265, with AAC too."""

from typing import Literal

from pydantic import Field

from storycore.exports.formats import film_sounds as sounds
from storycore.exports.formats.options import BoxOptions, DeepSoundOptions
from storycore.exports.formats.video_file import FilmOptions, VideoFile


class MovOptions(FilmOptions, DeepSoundOptions, BoxOptions):
    """Options of mov."""

    video_codec: Literal["prores", "h264", "h265"] = Field(
        default="prores", description="Codec of the picture; prores is 422 HQ, 10 bits."
    )
    audio_codec: Literal["pcm", "aac", "none"] = Field(
        default="pcm", description="Codec of the sound; pcm loses nothing."
    )


FORMAT = VideoFile(
    name="mov",
    suffix=".mov",
    media_type="video/quicktime",
    options=MovOptions,
    captions="mov_text",
    boxed=True,
    muxer="mov",
    arguments=("-movflags", "+faststart+write_colr"),
    sounds={"pcm": sounds.pcm, "aac": sounds.aac},
)
