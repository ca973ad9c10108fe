"""Size and checksum of a finished file, read back from it."""

import hashlib
from typing import BinaryIO, NamedTuple

_PART = 1 << 20


class Finished(NamedTuple):
    """What a file is.

    Attributes:
        size_bytes: all of it.
        sha256: 64 hex digits.
    """

    size_bytes: int
    sha256: str


def finished(file: BinaryIO) -> Finished:
    """Facts of an open file, whoever wrote it."""
    digest, size = hashlib.sha256(), 0
    file.seek(0)
    while part := file.read(_PART):
        digest.update(part)
        size += len(part)
    return Finished(size, digest.hexdigest())
