"""Options that several formats share, one model for each side of a film: time, picture, sound, captions.

A format's own model inherits from those that it understands, and so knows exactly their options. Where an option is
left out, the format takes what the project says, and 1920×1080 at 24 frames a second where that says nothing.
"""

from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, Strict, ValidationInfo, WithJsonSchema

from storycore.exports.formats.format import FormatOptions
from storycore.exports.interchange.counting import Counting

Whole = Annotated[int, Strict()]
Number = Annotated[float, Field(allow_inf_nan=False)]
Switch = Annotated[bool, Strict()]

_NTSC = {Fraction(text): Fraction(rate, 1001) for text, rate in (
    ("23.976", 24000), ("23.98", 24000), ("29.97", 30000), ("47.952", 48000), ("59.94", 60000), ("119.88", 120000),
)}  # fmt: skip
"""How people write rates of the NTSC family, and what they mean. Source: SMPTE ST 12-1, rates over 1.001."""


def _rate(value: Any) -> Fraction:
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Fraction)):
        raise ValueError("a number, or a fraction such as 30000/1001, is needed")  # noqa: TRY004 - pydantic takes this
    try:
        rate = Fraction(str(value).replace(" ", ""))
    except (ValueError, ZeroDivisionError):
        raise ValueError("a number, or a fraction such as 30000/1001, is needed") from None
    rate = _NTSC.get(rate, rate)
    if not 1 <= rate <= 240 or rate.denominator > 1001 or rate.numerator > 240_000:
        raise ValueError("between 1 and 240 frames per second are possible, such as 24, 12.5 or 30000/1001")
    return rate


FrameRate = Annotated[
    Fraction,
    BeforeValidator(_rate),
    WithJsonSchema({"anyOf": [{"type": "number", "minimum": 1, "maximum": 240}, {"type": "string"}]}),
]


def _timecode(text: str) -> str:
    try:
        Counting(rate=Fraction(60)).frame(text)
    except ValueError:
        raise ValueError("a timecode such as 01:00:00:00 is needed") from None
    return text


Timecode = Annotated[str, Strict(), Field(max_length=11), AfterValidator(_timecode)]
"""`HH:MM:SS:FF`; with `;` before the frames numbers are dropped. Whether the rate has it is seen later."""


Language = Annotated[str, Strict(), Field(pattern=r"^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*$")]
"""A BCP 47 tag."""


def _range(value: tuple[float, float]) -> tuple[float, float]:
    if value[0] < 0:
        raise ValueError("the film begins at 0 s")
    if not value[0] < value[1]:
        raise ValueError("the end must come after the beginning")
    return value


class TimeOptions(FormatOptions):
    """Of whatever has a length."""

    time_range: Annotated[tuple[Number, Number], AfterValidator(_range)] | None = Field(
        default=None, description="Seconds of the film to begin at and to end before; the whole film if left out."
    )

    def seconds(self) -> tuple[Fraction, Fraction] | None:
        """The range as exact seconds of the film."""
        if self.time_range is None:
            return None
        begin, end = (Fraction(str(value)) for value in self.time_range)
        return begin, end


class MarkOptions(FormatOptions):
    """Of whatever shows or sounds, and can say how it was made."""

    credentials: Literal["auto", "always", "never"] | None = Field(
        default=None,
        description="Content credentials: auto where media are known to be generated, always, or never; as the "
        "setting says if left out.",
    )
    ai_made: Literal["recorded", "all", "some", "none"] = Field(
        default="recorded",
        description="What of it generative AI made: as the project and its files record it, or all, some or none.",
    )


class PictureOptions(TimeOptions, MarkOptions):
    """Of moving and still pictures."""

    width: Whole | None = Field(default=None, ge=16, le=8192, multiple_of=2, description="Pixels, even.")
    height: Whole | None = Field(default=None, ge=16, le=8192, multiple_of=2, description="Pixels, even.")
    fps: FrameRate | None = Field(default=None, description="Frames per second: 24, 29.97, 30000/1001, ….")
    fit: Literal["letterbox", "crop", "blur"] = Field(
        default="letterbox", description="How a picture of another shape fills the frame."
    )
    slate: Switch = Field(default=False, description="Begin with a slate that names the film.")
    burn_in: Literal["none", "timecode", "shot", "timecode_and_shot"] = Field(
        default="none", description="What is written into the picture."
    )
    watermark: Annotated[str, Strict()] = Field(
        default="", max_length=60, description="Words laid over the picture, faintly."
    )
    ai_label: Literal["none", "slate", "corner"] = Field(
        default="none",
        description="Words that viewers see: that it was made with generative AI, on a slate before the film, or small "
        "in a corner all the way.",
    )
    ai_words: Annotated[str, Strict()] = Field(
        default="", max_length=60, description="Those words; Made with generative AI if empty."
    )


class VideoOptions(PictureOptions):
    """Of a film that is encoded with some loss, or none."""

    crf: Whole | None = Field(
        default=None,
        ge=0,
        le=63,
        description="Quality; 0 is best, 1 with H.264; usual and worst depend on the codec; not for ProRes and FFV1.",
    )
    bitrate_bps: Whole | None = Field(
        default=None,
        ge=10_000,
        le=800_000_000,
        description="Most bits per second of the picture; not for ProRes, FFV1 and MPEG-4.",
    )
    effort: Literal["fast", "normal", "slow"] = Field(
        default="normal",
        description="How hard the encoder tries: slower gives smaller files of the same quality. ProRes, FFV1 and "
        "MPEG-4 know one way only.",
    )
    keyframe_seconds: Number = Field(default=2.0, ge=0.02, le=20, description="Most seconds between keyframes.")
    hardware: Switch = Field(default=False, description="Use an encoder in hardware, if one proves to work.")
    title: Annotated[str, Strict()] = Field(default="", max_length=200, description="Tag; the film's title if empty.")
    per_shot: Switch = Field(
        default=False, description="One file for each shot, whole and without its transitions, instead of one film."
    )
    measure: Literal["none", "quick", "full"] = Field(
        default="quick",
        description="none: nothing of the picture; quick: by packets and boxes; full: also decode all of it, compare "
        "it with the frames that were drawn, and look for black and frozen stretches.",
    )
    vmaf: Switch = Field(default=False, description="Also measure VMAF, if this ffmpeg can; takes its time.")


class BoxOptions(FormatOptions):
    """Of films in boxes: mp4, mov."""

    edit_lists: Switch = Field(
        default=True,
        description="Whether edit lists may be used. Some platforms want none; the first 21 ms of AAC are then silent.",
    )
    start_timecode: Timecode | None = Field(
        default=None,
        description="Timecode of the first frame, as a track of its own, HH:MM:SS:FF; HH:MM:SS;FF counts in drop-frame "
        "timecode, at 29.97 and 59.94. No such track if left out.",
    )


class VoiceOptions(TimeOptions, MarkOptions):
    """Of whatever is heard."""

    dub_language: Language | None = Field(
        default=None, description="BCP 47 language of the voices that are heard; the film's own if left out."
    )


class MasterOptions(VoiceOptions):
    """Of sound, however it is written."""

    sample_rate_hz: Literal[44100, 48000, 96000] = Field(default=48000, description="Samples per second.")
    channels: Literal[1, 2, 6, 8] = Field(default=2, description="1, 2, 6 (5.1) or 8 (7.1): FL FR FC LFE BL BR SL SR.")
    loudness_lufs: Number | None = Field(
        default=None, ge=-40, le=-5, description="Integrated loudness to reach; as mixed if left out."
    )
    true_peak_dbtp: Number = Field(default=-1.0, ge=-9, le=0, description="Highest true peak.")
    dynamic: Switch = Field(default=False, description="Even out the loudness over time, too.")


class SoundOptions(MasterOptions):
    """Of sound that is compressed with some loss, alone or with pictures."""

    audio_bitrate_bps: Whole | None = Field(
        default=None, ge=16_000, le=640_000, description="Bits per second of compressed sound."
    )


def rate_of_opus(value: int | None, info: ValidationInfo) -> int | None:
    """The bit rate, unless it is more than Opus can be told."""
    most = 256_000 * int(info.data.get("channels", 2))
    if value is not None and value > most:
        raise ValueError(f"Opus takes at most {most} bits per second for so many channels")
    return value


_AAC_FRAME_BITS, _AAC_FRAME_SAMPLES = 6144, 1024
"""What a frame of one channel can hold, and how much sound it is. Source: ISO/IEC 14496-3, 4.5.3 (decoder input)."""


def fault_of_aac(bits_per_second: int | None, channels: int, sample_rate_hz: int) -> str:
    """Why AAC can't have so many bits; "" if it can."""
    most = channels * sample_rate_hz * _AAC_FRAME_BITS // _AAC_FRAME_SAMPLES
    if bits_per_second is None or bits_per_second <= most:
        return ""
    return f"AAC has at most {most} bits per second for so many channels"


def rate_of_aac(value: int | None, info: ValidationInfo) -> int | None:
    """The bit rate, unless it is more than AAC can have."""
    fault = fault_of_aac(value, int(info.data.get("channels", 2)), int(info.data.get("sample_rate_hz", 48_000)))
    if fault:
        raise ValueError(fault)
    return value


class DeepSoundOptions(SoundOptions):
    """Of sound that may come without any loss, with pictures."""

    bit_depth: Literal[16, 24] = Field(default=24, description="Bits of a sample of sound without loss: 16 or 24.")


class WordOptions(FormatOptions):
    """Of the words that viewers read."""

    caption_language: Language = Field(
        default="und", description="BCP 47 language of the captions; the film's own, und if left out."
    )


class CaptionOptions(WordOptions):
    """Of the words that viewers read with a film."""

    captions: Literal["none", "sidecar", "soft", "burn"] = Field(
        default="none", description="sidecar: a file beside it; soft: can be switched on; burn: in the picture."
    )
