"""Whether the pictures, clips and sounds of a package are what their names say, by their first and last bytes.

A file is read once, front to back, as a ZIP wants it. What is kept of it meanwhile, its two ends, is enough for
nearly all headers; where a reader asks for something between them, nothing is said of the file.
"""

import io
import os
import struct
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import Final

from typing_extensions import override

from storycore.exports.checking.verdict import Finding
from storycore.project.content import HEAD_BYTES, media_type
from storycore.project.files import MEDIA_SUFFIXES, Role, role_of
from storycore.project.headers import HeaderFault, facts_of

END_BYTES: Final = 512 * 1024
"""How much of the start, and how much of the end, of a media file is kept while it is read."""
_NETPBM: Final = frozenset({"image/x-portable-anymap"})
_ISO: Final = frozenset({"video/mp4", "video/quicktime", "audio/mp4"})
_KINDS: Final[Mapping[str, frozenset[str]]] = {
    ".png": frozenset({"image/png"}),
    ".jpg": frozenset({"image/jpeg"}),
    ".jpeg": frozenset({"image/jpeg"}),
    ".webp": frozenset({"image/webp"}),
    ".gif": frozenset({"image/gif"}),
    ".bmp": frozenset({"image/bmp"}),
    ".tif": frozenset({"image/tiff"}),
    ".tiff": frozenset({"image/tiff"}),
    ".exr": frozenset({"image/x-exr"}),
    ".ppm": _NETPBM,
    ".pgm": _NETPBM,
    ".pbm": _NETPBM,
    ".pnm": _NETPBM,
    ".avif": frozenset({"image/avif"}),
    ".heic": frozenset({"image/heic"}),
    ".mp4": _ISO,
    ".m4v": _ISO,
    ".mov": _ISO,
    ".m4a": _ISO,
    ".mkv": frozenset({"video/x-matroska", "video/webm"}),
    ".webm": frozenset({"video/webm", "video/x-matroska"}),
    ".avi": frozenset({"video/x-msvideo"}),
    ".ts": frozenset({"video/mp2t"}),
    ".ogv": frozenset({"video/ogg", "audio/ogg"}),
    ".ogg": frozenset({"audio/ogg", "video/ogg"}),
    ".opus": frozenset({"audio/ogg"}),
    ".wav": frozenset({"audio/wav"}),
    ".flac": frozenset({"audio/flac"}),
    ".mp3": frozenset({"audio/mpeg"}),
    ".aac": frozenset({"audio/aac", "audio/mpeg", "audio/mp4"}),
}
"""What a file of a suffix can be. Suffixes of text and of formats without a magic number are not looked at."""
_OPEN_SIZE: Final = 0x7FFF0000
"""Sizes from here on stand for "not known when it was written" in RIFF files."""
_MOST_BOXES: Final = 1000


def is_media(path: str) -> bool:
    """Whether a file of the payload, named inside data/, should be a picture, a clip or a sound by its name."""
    return os.path.splitext(path)[1].lower() in MEDIA_SUFFIXES and role_of(path) is Role.MEDIA  # noqa: PTH122 - a hot path


class Ends(io.BytesIO):
    """The first and the last bytes of a file that is read once, to be read like the file itself.

    Attributes:
        missed: whether bytes between them were asked for; what was concluded from that is worth nothing.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.missed = False
        self._size = size
        self._tail_at = max(END_BYTES, size - END_BYTES)
        self._head, self._tail = bytearray(), bytearray()
        self._at = self._fed = 0

    def add(self, chunk: bytes) -> None:
        """Takes the next bytes of the file."""
        self._head += chunk[: max(0, END_BYTES - self._fed)]
        if self._fed + len(chunk) > self._tail_at:
            self._tail += chunk[max(0, self._tail_at - self._fed) :]
        self._fed += len(chunk)

    @override
    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        self._at = offset + (self._size if whence == os.SEEK_END else 0)
        return self._at

    @override
    def read(self, size: int | None = -1, /) -> bytes:
        end = self._size if size is None or size < 0 else min(self._at + size, self._size)
        found = b""
        if self._at < len(self._head):
            found = bytes(self._head[self._at : end])
        at = self._at + len(found)
        if at < end and at >= self._tail_at:
            found += self._tail[at - self._tail_at : end - self._tail_at]
        self.missed = self.missed or self._at + len(found) < end
        self._at += len(found)
        return found

    def tail(self) -> bytes:
        """The last bytes."""
        self.seek(max(0, self._size - END_BYTES))
        return self.read()


def media_fault(path: str, ends: Ends, size: int) -> tuple[Finding, str] | None:
    """What a person should know about a media file that was read to its end; None if nothing."""
    suffix = PurePosixPath(path).suffix.lower()
    expected = _KINDS.get(suffix)
    if size == 0:
        return Finding.MEDIA_EMPTY, "It is empty."
    if not expected:
        return None
    ends.seek(0)
    found = media_type(ends.read(HEAD_BYTES))
    if found is None:
        return Finding.MEDIA_UNKNOWN, f"Its content is nothing that a {suffix} file can be."
    if found not in expected:
        return Finding.MEDIA_MISLABELLED, f"Its content is {found}, not what {suffix} says."
    broken = _broken(found, ends, size)
    return (Finding.MEDIA_BROKEN, f"It will hardly play or show: {broken}.") if broken else None


def _broken(found: str, ends: Ends, size: int) -> str | None:
    try:
        facts_of(ends)
    except HeaderFault as fault:
        if not ends.missed:
            return str(fault)
    cut = _CUT.get(found)
    return "it was cut off" if cut is not None and cut(ends, size) else None


def _cut_png(ends: Ends, _: int) -> bool:
    return b"IEND\xaeB`\x82" not in ends.tail()


def _cut_jpeg(ends: Ends, _: int) -> bool:
    return b"\xff\xd9" not in ends.tail()


def _cut_riff(ends: Ends, size: int) -> bool:
    ends.seek(4)
    declared = int.from_bytes(ends.read(4), "little")
    return size + 1 < declared + 8 and declared < _OPEN_SIZE  # the last odd byte may lack its filling


def _cut_iso(ends: Ends, size: int) -> bool:
    """Whether a box at the top is longer than the file."""
    at = 0
    for _ in range(_MOST_BOXES):
        ends.seek(at)
        head = ends.read(16)
        if len(head) < 8 or at + 8 > size:
            return False
        length = struct.unpack(">I", head[:4])[0]
        if length == 1 and len(head) == 16:
            length = struct.unpack(">Q", head[8:])[0]
        if length == 0:
            return False  # up to the end of the file
        at += max(length, 8)
        if at > size:
            return True
    return False


_CUT: Final[Mapping[str, Callable[[Ends, int], bool]]] = {
    "image/png": _cut_png,
    "image/jpeg": _cut_jpeg,
    "image/webp": _cut_riff,
    "audio/wav": _cut_riff,
    "video/x-msvideo": _cut_riff,
    **dict.fromkeys(("video/mp4", "video/quicktime", "audio/mp4", "image/avif", "image/heic"), _cut_iso),
}
"""How each kind shows that its end is missing; the readers of headers don't look there."""
