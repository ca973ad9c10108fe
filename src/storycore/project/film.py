"""Facts of the whole film: names, dates, frame rate, picture size, version."""

import re
from fractions import Fraction
from typing import Any

from storycore.errors import InvalidInput, Reason
from storycore.project import aliases
from storycore.project.draft import Notes
from storycore.project.fields import Fields, read_number, read_ratio
from storycore.units import round_half_up

_NTSC = {Fraction(24000, 1001), Fraction(30000, 1001), Fraction(48000, 1001), Fraction(60000, 1001)} | {
    Fraction(120000, 1001)
}
_SIZE = re.compile(r"(\d{2,5})\s*[xX×*]\s*(\d{2,5})")
_ASPECT = re.compile(r"(\d{1,4}(?:\.\d{1,3})?)\s*[:/]\s*(\d{1,4}(?:\.\d{1,3})?)")
_NAMED_SIZES = {
    "480p": (854, 480),
    "720p": (1280, 720),
    "hd": (1280, 720),
    "1080p": (1920, 1080),
    "fullhd": (1920, 1080),
    "1440p": (2560, 1440),
    "2160p": (3840, 2160),
    "4k": (3840, 2160),
    "uhd": (3840, 2160),
    "8k": (7680, 4320),
}
_NAMED_ASPECTS = {
    "landscape": (Fraction(16), Fraction(9)),
    "portrait": (Fraction(9), Fraction(16)),
    "square": (Fraction(1), Fraction(1)),
    "cinematic": (Fraction(21), Fraction(9)),
}
_DEFAULT_SIZE = (1920, 1080)
_SIZES = range(16, 32_769)
_VERSION = re.compile(r"v?(\d{1,6})(?:\.\d{1,6}){0,3}", re.IGNORECASE)
_FIRST_YEAR = 1900


def read_version(fields: Fields, file: str, notes: Notes) -> str:
    """The schema version as written, "" if none is; odd ones are told.

    Versions count from 1; one that begins with a year (2026.1.26) is a date and says nothing about the form.

    Raises:
        InvalidInput: project_invalid: version 2 or later.
    """
    found = fields.first(aliases.VERSION)
    if found is None:
        notes.warn(file, "", "version_missing", "No schema_version is written; it is read as 1.0.")
        return ""
    text = str(found.value).strip()[:100] if isinstance(found.value, (str, int, float)) else ""
    match = _VERSION.fullmatch(text)
    major = int(match[1]) if match else None
    if major is not None and 2 <= major < _FIRST_YEAR:
        raise InvalidInput(
            f"{file} is of version {text}; this StoryCore reads version 1.",
            reason=Reason.PROJECT_INVALID,
            remediation="Update StoryCore, or export the project again in version 1.0.",
            details={"file": file, "pointer": found.pointer, "schema_version": text},
        )
    if major != 1 or not isinstance(found.value, str):
        fields.warn(found, "version_odd", f"{text[:40] or 'this'} is an odd version; it is read as 1.0")
    return text


def read_frame_rate(fields: Fields, default: Fraction) -> Fraction:
    """Frames per second, exact: 23.976 and its kin become 24000/1001 and so on."""
    for found in fields.candidates(aliases.FRAME_RATE):
        value = read_ratio(found.value)
        if value is None or not 1 <= value <= 1000:
            fields.warn(found, "wrong_type", "this is no frame rate")
            continue
        near = min(_NTSC, key=lambda rate: abs(rate - value))
        return near if abs(near - value) < Fraction(1, 200) else value.limit_denominator(1001)
    return default


def read_size(fields: Fields) -> tuple[int, int]:
    """Width and height of the picture; an aspect ratio alone gives the size that fits 1920 × 1080 around it."""
    for found in fields.candidates(aliases.RESOLUTION):
        size = _size(found.value)
        if size:
            return size
        fields.warn(found, "wrong_type", "this is no picture size")
    written = (fields.whole(aliases.RESOLUTION_WIDTH), fields.whole(aliases.RESOLUTION_HEIGHT))
    size = _acceptable(*written)
    if size:
        return size
    return next(
        (size for found in fields.candidates(aliases.ASPECT) if (size := _of_aspect(found.value))), _DEFAULT_SIZE
    )


def _size(value: Any) -> tuple[int, int] | None:
    if isinstance(value, dict):
        return _acceptable(*(_whole(value.get(name)) for name in ("width", "height")))
    if not isinstance(value, str):
        return None
    match = _SIZE.fullmatch(value.strip())
    if match:
        return _acceptable(int(match[1]), int(match[2]))
    return _NAMED_SIZES.get(value.strip().lower().replace(" ", ""))


def _whole(value: Any) -> int | None:
    number = read_number(value)
    return number.numerator if number is not None and number.denominator == 1 else None


def _acceptable(width: int | None, height: int | None) -> tuple[int, int] | None:
    return (width, height) if width in _SIZES and height in _SIZES and width and height else None


def _of_aspect(value: Any) -> tuple[int, int] | None:
    if not isinstance(value, str):
        return None
    text = value.strip().lower()
    match = _ASPECT.fullmatch(text)
    across, down = (Fraction(match[1]), Fraction(match[2])) if match else _NAMED_ASPECTS.get(text, (Fraction(0),) * 2)
    if not across or not down:
        return None
    longest, shortest = map(Fraction, _DEFAULT_SIZE)
    width = min(longest, shortest * across / down) if across >= down else shortest
    return _acceptable(_even(width), _even(width * down / across))


def _even(value: Fraction) -> int:
    return 2 * round_half_up(value / 2)
