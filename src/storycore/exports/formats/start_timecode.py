"""The timecode of a film's first frame, for programs that lay it beside others by it. Pure."""

from fractions import Fraction

from storycore.errors import InvalidInput, Reason
from storycore.exports.formats.format import FormatOptions
from storycore.exports.interchange.counting import Counting, drops, known, shown


def start_timecode(options: FormatOptions, rate: Fraction) -> str:
    """The timecode as it is written, "" for none.

    Args:
        options: of any format; those without `start_timecode` want none.
        rate: frames per second.

    Raises:
        InvalidInput: out_of_range: no timecode counts so many frames per second, or it has no such number.
    """
    asked: str | None = getattr(options, "start_timecode", None)
    if asked is None:
        return ""
    if not known(rate):
        raise _refused(
            f"timecode does not count {shown(rate)} frames per second.",
            "Choose fps in conversion_options: whole numbers up to 60 and those over 1.001 have timecode; or leave "
            "start_timecode out.",
        )
    counting = Counting(rate=rate, drop=";" in asked)
    if counting.drop and not drops(rate):
        raise _refused(f"numbers are dropped at 29.97 and 59.94 only, not at {shown(rate)}.", "Write HH:MM:SS:FF.")
    try:
        return counting.text(counting.frame(asked))
    except ValueError as fault:
        raise _refused(f"{fault}.", "Choose another start_timecode in conversion_options.") from None


def _refused(why: str, remedy: str) -> InvalidInput:
    return InvalidInput(
        f"conversion_options.start_timecode: {why}",
        reason=Reason.OUT_OF_RANGE,
        remediation=remedy,
        details={"pointer": "/conversion_options/start_timecode"},
    )
