"""Options that say nothing to the codec that was chosen, or what it does not have."""

from collections.abc import Mapping
from typing import Any

from storycore.exports.formats.options import VideoOptions, fault_of_aac
from storycore.project.model import ProjectWarning
from storycore.rendering.codecs import CODECS
from storycore.rendering.film import Picture

_LOSSLESS_SOUND = {"pcm": "uncompressed sound", "flac": "FLAC"}
_LOSSY_SOUND = {"aac": "AAC", "opus": "Opus", "mp3": "MP3"}


def unheeded(options: Any) -> Mapping[str, str]:
    """Options of a film that change nothing with its codecs, each with the codec and why.

    Args:
        options: `VideoOptions`, with or without those of sound.
    """
    found = {}
    codec = CODECS[getattr(options, "video_codec", "h264")]
    if codec.crf is None:
        found["crf"] = f"{codec.title} has no crf: its quality is fixed"
    if not codec.bounded:
        found["bitrate_bps"] = f"{codec.title} takes no bitrate_bps: its rate follows from the picture"
    sound = getattr(options, "audio_codec", "")
    if sound in _LOSSLESS_SOUND:
        found["audio_bitrate_bps"] = f"{_LOSSLESS_SOUND[sound]} takes no audio_bitrate_bps: nothing is lost in it"
    if sound in _LOSSY_SOUND:
        found["bit_depth"] = f"{_LOSSY_SOUND[sound]} has no bit_depth"
    if sound == "none":
        found |= dict.fromkeys(("audio_bitrate_bps", "bit_depth"), "there is no sound with audio_codec=none")
    return found


def hardware_warnings(picture: Picture, options: VideoOptions) -> tuple[ProjectWarning, ...]:
    """That there is no encoder in hardware, if one was wanted; or what that one does not heed: quality and effort.

    Whether there is one is known only when it has been tried, so this is no reason to refuse them.
    """
    if picture.encoder == picture.codec.encoders[0]:
        message = f"No encoder in hardware works here for {picture.codec.title}; {picture.encoder} was used."
        missing = ProjectWarning(file="project.json", pointer="", reason="hardware_missing", message=message)
        return (missing,) if options.hardware else ()
    asked = [name for name in ("crf", "effort") if getattr(options, name) != VideoOptions.model_fields[name].default]
    if not asked:
        return ()
    message = f"{picture.encoder} encodes in hardware and does not heed {' and '.join(asked)}; bitrate_bps is heeded."
    return (ProjectWarning(file="project.json", pointer="", reason="option_unheeded", message=message),)


def impossible(options: Any) -> Mapping[str, str]:
    """Options whose value the codec does not have, each with the codec and what it has."""
    codec = CODECS[getattr(options, "video_codec", "h264")]
    crf, pixels = options.crf, getattr(options, "pixel_format", None)
    found = {}
    if crf is not None and codec.crf is not None and not codec.best_crf <= crf <= codec.crf[1]:
        found["crf"] = f"{codec.title} has crf {codec.best_crf} to {codec.crf[1]}, not {crf}"
    if pixels is not None and pixels not in codec.pixel_formats:
        found["pixel_format"] = f"{codec.title} does not take {pixels}, but {', '.join(codec.pixel_formats)}"
    if getattr(options, "audio_codec", "") == "aac":
        fault = fault_of_aac(options.audio_bitrate_bps, options.channels, options.sample_rate_hz)
        found |= {"audio_bitrate_bps": fault} if fault else {}
    return found
