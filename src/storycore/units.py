"""Numbers as people and machines write them: sizes, durations, timecode, instants.

Time on a timeline is a `Fraction` of a second or a count of frames with a rate, never a float. Instants are aware
UTC datetimes.
"""

from datetime import UTC, datetime
from fractions import Fraction

MEBIBYTE = 1024 * 1024
SECOND_NS = 1_000_000_000


def round_half_up(value: Fraction) -> int:
    """Nearest whole number; halves go up, so that cut points never depend on neighbours.

    Source: spec of the timeline, "round half up of the cumulative rational time × frame rate".
    """
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)


def seconds(value: float | str | Fraction) -> Fraction:
    """Exact seconds from a number as it was written.

    A float is taken at its shortest decimal form, so 0.1 is one tenth and not its binary neighbour.

    Raises:
        ValueError: not a finite number.
    """
    return value if isinstance(value, Fraction) else Fraction(str(value))


def timecode(time_seconds: Fraction, frame_rate: Fraction) -> str:
    """Non-drop timecode `HH:MM:SS:FF` of a time on a timeline.

    Frames are counted at the nominal (rounded up) rate, as SMPTE ST 12-1 does for 23.976 and 29.97.
    """
    nominal = -(-frame_rate.numerator // frame_rate.denominator)
    whole, frames = divmod(round_half_up(time_seconds * frame_rate), nominal)
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours:02d}:{minute:02d}:{second:02d}:{frames:02d}"


def human_bytes(size_bytes: int) -> str:
    """Size in decimal units with one digit, `1.2 GB`; below 1000 bytes exact."""
    if size_bytes < 1000:
        return f"{size_bytes} B"
    size = float(size_bytes)
    unit = "B"
    for unit in ("kB", "MB", "GB", "TB", "PB"):  # noqa: B007 - the unit reached is the answer
        size /= 1000
        if size < 999.95:
            break
    return f"{size:.1f} {unit}"


def human_seconds(value: float) -> str:
    """Duration for people: `0.8 s`, `42 s`, `3 min 05 s`, `2 h 10 min`."""
    if value < 10:
        return f"{value:.1f} s"
    whole = round(value)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def rough_seconds(value: float) -> str:
    """A guessed duration for people, no finer than a guess is: `5 s`, `1 min 30 s`, `12 min`."""
    grain = 5 if value < 60 else 10 if value < 300 else 60
    whole = max(grain, round(value / grain) * grain)
    return f"{whole} s" if whole < 10 else human_seconds(whole).removesuffix(" 00 s")


def now() -> datetime:
    """This instant, aware, in UTC."""
    return datetime.now(UTC)


def iso(instant: datetime) -> str:
    """Instant in ISO 8601 with an explicit `+00:00`, which Python before 3.11 reads too."""
    return instant.astimezone(UTC).isoformat()


def stamp(instant: datetime) -> str:
    """UTC instant for file names: `20261124T020135Z`."""
    return instant.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
