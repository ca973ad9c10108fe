"""Which compressor a level stands for, and which contents are not worth compressing.

    level 0      stored
    levels 1-3   ISA-L 1-3: fast
    levels 4-9   zlib-ng 4-9: smaller

The same content gives the same bytes for the same level and the same versions of these libraries, however many
threads there are.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple, Protocol

from storycore.units import MEBIBYTE

_RAW = -15  # deflate without a zlib header, window of 32 KiB
_LEAST_SAVING = 64  # a sample must get smaller by one part in this many

_COMPRESSED_TYPES = frozenset(
    {
        "image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/heic",
        "audio/mpeg", "audio/mp4", "audio/aac", "audio/ogg", "audio/flac",
        "video/mp4", "video/quicktime", "video/webm", "video/x-matroska", "video/ogg", "video/mp2t",
        "application/zip", "application/gzip",
    }
)  # fmt: skip
_COMPRESSED_STARTS = (
    b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"BZh", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", b"\x04\x22\x4d\x18",
    b"wOFF", b"wOF2", b"\0\0\x01\xba", b"\0\0\x01\xb3",
)  # xz, zstd, bzip2, 7z, rar, lz4, web fonts, MPEG  # fmt: skip


class Compressor(Protocol):
    """Raw deflate of a stream."""

    def compress(self, data: bytes | memoryview, /) -> bytes:
        """What is ready after more input."""
        ...

    def flush(self) -> bytes:
        """The rest; nothing may follow."""
        ...


class Deflate(NamedTuple):
    """Raw deflate (RFC 1951) at one level.

    Attributes:
        whole: all of it at once.
        stream: a new compressor for content that comes in parts.
    """

    whole: Callable[[bytes | memoryview], bytes]
    stream: Callable[[], Compressor]


@cache
def deflate(level: int) -> Deflate | None:
    """The compressor of a level; None for level 0, which stores.

    Raises:
        ValueError: not a level.
    """
    if level == 0:
        return None
    if not 1 <= level <= 9:
        raise ValueError(f"compression level {level} is not between 0 and 9")
    library = _isal() if level <= 3 else _zlib_ng()

    def whole(data: bytes | memoryview) -> bytes:
        packed: bytes = library.compress(data, level, _RAW)
        return packed

    def stream() -> Compressor:
        compressor: Compressor = library.compressobj(level, library.DEFLATED, _RAW)
        return compressor

    return Deflate(whole, stream)


def _isal() -> Any:
    from isal import isal_zlib

    return isal_zlib


def _zlib_ng() -> Any:
    from zlib_ng import zlib_ng

    return zlib_ng


def is_compressed(media_type: str | None, head: bytes) -> bool:
    """Whether content is compressed already, judged by its first bytes and never by its name.

    Args:
        media_type: what `project.content.media_type` made of `head`.
        head: the first bytes.
    """
    return media_type in _COMPRESSED_TYPES or (media_type is None and head.startswith(_COMPRESSED_STARTS))


def shrinks(sample: bytes) -> bool:
    """Whether content like this sample is worth deflating, found with the fastest compressor."""
    fastest = deflate(1)
    return fastest is not None and len(fastest.whole(sample)) < len(sample) - len(sample) // _LEAST_SAVING


SAMPLE_BYTES = MEBIBYTE
"""How much of a large file `shrinks` wants to see, in parts spread over all of it."""
