"""How large a film will be, guessed: from what of it was rendered before, else from what its codec usually takes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from storycore.exports.formats.options import SoundOptions
from storycore.exports.formats.sound_format import bitrate

_BITS_PER_PIXEL = {
    "h264": 0.086, "h265": 0.036, "vp9": 0.045, "av1": 0.034, "mpeg4": 0.127, "ffv1": 6.2, "prores": 4.1,
}  # fmt: skip
"""Of each codec at its usual quality, measured on the film of `run.py bench render`; others differ several times."""

_HALF = 6
"""By how much the quality goes down for half of the bits, in H.264's kin."""

_FROM_SEGMENTS = "what of it was rendered before"
_FROM_CODEC = "what the codec usually takes; real films differ by several times"
_FROM_SOUND = "the rate of its sound"


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """The size of a file that is not there yet.

    Attributes:
        size_bytes: estimated.
        basis: what the estimate stands on, for people.
    """

    size_bytes: int
    basis: str


def guess_film(
    pictures: Sequence[Any], segments: Sequence[tuple[int, str]], held: Mapping[str, int | None], options: Any
) -> Guess | None:
    """The size of a film with its sound; None for what is no film file.

    Args:
        pictures: that it is made of.
        segments: frames and key of each segment of theirs.
        held: bytes of each segment that was rendered before, by key.
        options: of the format.
    """
    if not hasattr(options, "crf"):
        return None
    known = [(frames, size) for frames, key in segments if (size := held[key]) is not None]
    frames = sum(frames for frames, _ in segments)
    if known:
        picture = sum(size for _, size in known) * frames / sum(frames for frames, _ in known)
    else:
        picture = sum(_usual_bytes(one) for one in pictures)
    line = pictures[0].line
    if options.bitrate_bps is not None:
        picture = min(picture, options.bitrate_bps * float(line.duration) / 8 * len(pictures))
    heard = guess_sound(options, options.audio_codec, line.duration)
    sound = heard.size_bytes if heard is not None else 0
    return Guess(size_bytes=round(picture + sound), basis=_FROM_SEGMENTS if known else _FROM_CODEC)


def guess_sound(options: Any, codec: str, duration: Fraction) -> Guess | None:
    """The size of sound; what is compressed without loss counts as if it were not. None for what is no sound file.

    Args:
        options: of the format.
        codec: of the sound; the format's name where it says all.
        duration: seconds.
    """
    if codec == "none" or not hasattr(options, "loudness_lufs"):
        return None
    if isinstance(options, SoundOptions) and codec not in ("pcm", "flac"):
        bits = float(bitrate(options))
    else:
        bits = options.sample_rate_hz * options.channels * getattr(options, "bit_depth", 16)
    return Guess(size_bytes=round(bits * float(duration) / 8), basis=_FROM_SOUND)


def _usual_bytes(picture: Any) -> float:
    codec, crf = picture.codec, picture.quality.crf
    pixels = picture.canvas.width * picture.canvas.height * picture.line.frames
    finer = 1.0 if crf is None or codec.crf is None else 2 ** ((codec.crf[0] - crf) / _HALF)
    return float(pixels * _BITS_PER_PIXEL[codec.name] / 8 * finer)
