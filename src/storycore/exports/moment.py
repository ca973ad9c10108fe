"""When a result says that it was made: a fact of the project, not of the clock.

So the same film gives the same bytes, whenever it is written.
"""

import os
from collections.abc import Iterable

from storycore.errors import InvalidInput, Reason
from storycore.project.files import SourceFile
from storycore.units import SECOND_NS


def source_date_epoch() -> int | None:
    """The moment that a reproducible build asks for, in nanoseconds. Source: reproducible-builds.org.

    Raises:
        InvalidInput: setting_invalid: SOURCE_DATE_EPOCH is not a count of seconds.
    """
    text = os.environ.get("SOURCE_DATE_EPOCH", "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 11):
        raise InvalidInput("SOURCE_DATE_EPOCH must be a count of seconds since 1970.", reason=Reason.SETTING_INVALID)
    return int(text) * SECOND_NS


def moment_ns(files: Iterable[SourceFile]) -> int:
    """That moment, else the youngest of some files, in nanoseconds since 1970.

    Raises:
        InvalidInput: setting_invalid.
    """
    epoch = source_date_epoch()
    return epoch if epoch is not None else max((file.modified_ns for file in files), default=0)
