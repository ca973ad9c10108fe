"""Which compressor a level stands for, and which contents are not worth compressing.

    level 0      stored
    levels 1-3   ISA-L at its level 3: fast
    levels 4-9   zlib-ng 4-9: smaller

At levels 4-9, large content in which looking for repetitions gains nothing, noisy sound for instance, is only given
shorter codes: that takes a fraction of the time for the same size. The same content gives the same bytes for the same
level and the same versions of these libraries, in every process and however many threads there are. That is why ISA-L's
own levels 1 and 2, hardly faster, are not used: in one process of ten they pack some content a byte or two otherwise,
by the addresses that the process was given.
"""

import struct
import threading
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple, Protocol

from storycore.units import MEBIBYTE

_RAW = -15  # deflate without a zlib header, window of 32 KiB
_ISAL_LEVEL = 3
_MEMORY = 8  # of 9: blocks of a length that suits both texts and sound
FREE_BYTES = 256 * MEBIBYTE
"""So much of a package is packed as tightly as can be; checkers take what unpacks to 200 times its size for a bomb."""

_MOST_SHRINKING = 150
_AIM = 120
_STORED_PART = 128  # one byte in so many is stored
_LEAST_SAVING = 64  # a sample must get smaller by one part in this many
_LEAST_GAIN = 200  # looking for repetitions must make it smaller by one more part in this many

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
        light: another one, much faster, for content in which nothing repeats itself; None where all are fast.
        tempered: another one, that never makes content more than about 130 times smaller.
    """

    whole: Callable[[bytes | memoryview], bytes]
    stream: Callable[[], Compressor]
    light: Callable[[], Compressor] | None
    tempered: Callable[[], Compressor]


_FIRST_USE = threading.Lock()
"""The libraries choose their routines when they are first used; threads must not meet half a choice."""


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
    if level <= 3:
        from isal import isal_zlib

        return _of(isal_zlib, _ISAL_LEVEL)
    from zlib_ng import zlib_ng

    return _of(zlib_ng, level)._replace(
        light=lambda: zlib_ng.compressobj(level, zlib_ng.DEFLATED, _RAW, _MEMORY, zlib_ng.Z_HUFFMAN_ONLY)
    )


class _Tempered:
    """Deflate that stores the first 8 KiB of a MiB wherever all before has shrunk more than 120 times.

    Hours of silence or of black shrink a thousand times, and then look like a decompression bomb to those who unpack
    them. Each full flush ends on a whole byte and forgets what came before, so that a stored block may follow.
    """

    def __init__(self, stream: Any, full_flush: int) -> None:
        self._stream, self._full_flush = stream, full_flush
        self._taken = self._given = 0

    def compress(self, data: bytes | memoryview, /) -> bytes:
        view = memoryview(data)
        return b"".join(self._piece(view[start : start + MEBIBYTE]) for start in range(0, len(view), MEBIBYTE))

    def flush(self) -> bytes:
        rest: bytes = self._stream.flush()
        return rest

    def _piece(self, piece: memoryview) -> bytes:
        if self._taken > _AIM * self._given:
            most = len(piece) // _STORED_PART
            parts = (self._stream.flush(self._full_flush), _stored(piece[:most]), self._stream.compress(piece[most:]))
            packed = b"".join(parts)
        else:
            packed = self._stream.compress(piece)
        self._taken += len(piece)
        self._given += len(packed)
        return packed


def tempered(data: bytes, deflated: bytes, packer: Deflate) -> bytes:
    """What is packed in place of `deflated` in a package of more than `FREE_BYTES`: that, or what is less dense.

    Args:
        data: the content, at most 8 MiB.
        deflated: the same, deflated.
        packer: what deflated it.
    """
    if len(data) <= _MOST_SHRINKING * len(deflated):
        return deflated
    most = min(len(data) // _STORED_PART, 0xFFFF)
    return _stored(memoryview(data)[:most]) + packer.whole(memoryview(data)[most:])


def _stored(data: memoryview) -> bytes:
    """A block that is not the last one; RFC 1951, 3.2.4."""
    return struct.pack("<B2H", 0, len(data), len(data) ^ 0xFFFF) + data


def crc32() -> Callable[..., int]:
    """CRC-32 by ISA-L, `(data, start=0) -> int`: several times as fast as the standard library's."""
    from isal import isal_zlib

    found: Callable[..., int] = isal_zlib.crc32
    return found


def _of(library: Any, level: int) -> Deflate:
    with _FIRST_USE:
        library.compress(b"", level, _RAW)
    return Deflate(
        whole=lambda data: library.compress(data, level, _RAW),
        stream=lambda: library.compressobj(level, library.DEFLATED, _RAW, _MEMORY),
        light=None,
        tempered=lambda: _Tempered(library.compressobj(level, library.DEFLATED, _RAW, _MEMORY), library.Z_FULL_FLUSH),
    )


def fitting(level: int, sample: bytes, unpacked_bytes: int) -> Callable[[], Compressor] | None:
    """Makes the compressor for large content like this sample; None if deflating is not worth it.

    Args:
        level: 0-9.
        sample: parts spread over all of the content.
        unpacked_bytes: of the package so far, this content included.
    """
    packer = deflate(level)
    if packer is None:
        return None
    full = len(packer.whole(sample))
    if full >= len(sample) - len(sample) // _LEAST_SAVING:
        return None
    stream = packer.stream if unpacked_bytes <= FREE_BYTES else packer.tempered  # no sample knows of all the silence
    if packer.light is None:
        return stream
    light = packer.light()
    quick = len(light.compress(sample)) + len(light.flush())
    return packer.light if quick <= full + full // _LEAST_GAIN else stream


def is_compressed(media_type: str | None, head: bytes) -> bool:
    """Whether content is compressed already, judged by its first bytes and never by its name.

    Args:
        media_type: what `project.content.media_type` made of `head`.
        head: the first bytes.
    """
    return media_type in _COMPRESSED_TYPES or (media_type is None and head.startswith(_COMPRESSED_STARTS))


SAMPLE_BYTES = MEBIBYTE
"""How much of a large file `fitting` wants to see, in parts spread over all of it."""
