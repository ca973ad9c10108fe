"""What a file is by its first bytes; its name is not believed.

Source: the magic numbers of each format's own specification.
"""

import os
import stat
import struct
from io import BufferedReader
from pathlib import Path

HEAD_BYTES = 4096
"""How much of a file `media_type` wants to see."""

_STARTS: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"\x76\x2f\x31\x01", "image/x-exr"),
    (b"8BPS", "image/vnd.adobe.photoshop"),
    (b"fLaC", "audio/flac"),
    (b"OggS", "audio/ogg"),
    (b"ID3", "audio/mpeg"),
    (b".snd", "audio/basic"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"\x1f\x8b", "application/gzip"),
)
_RIFF = {b"WAVE": "audio/wav", b"WEBP": "image/webp", b"AVI ": "video/x-msvideo"}
_FORM = {b"AIFF": "audio/aiff", b"AIFC": "audio/aiff"}
_IMAGE_BRANDS = {
    b"avif": "image/avif",
    b"avis": "image/avif",
    **dict.fromkeys((b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"), "image/heic"),
}
_AUDIO_BRANDS = {b"M4A ", b"M4B ", b"F4A "}


def media_type(head: bytes) -> str | None:
    """IANA media type of a file that begins with `head` (up to `HEAD_BYTES`), or None if it is not one we know.

    Text (JSON, subtitles, scripts) is not recognised here; a text named `.png` gives None.
    """
    for start, found in _STARTS:
        if head.startswith(start) and (found != "image/bmp" or _is_bmp(head)):
            return _ogg(head) if found == "audio/ogg" else found
    return _boxes(head) or _frames(head)


def open_regular(path: Path) -> BufferedReader:
    """A regular file, open for reading. Never blocks, whatever was put under the name meanwhile.

    Raises:
        OSError: it can't be opened, or it is a pipe, a device, a folder or, where the system can tell, a link.
    """
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
    descriptor = os.open(path, flags | getattr(os, "O_CLOEXEC", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(f"{path.name} is not a regular file")
    return os.fdopen(descriptor, "rb")


def _boxes(head: bytes) -> str | None:
    """Containers and the portable pixmaps: their marks stand beside the start."""
    found = None
    if head[:4] in (b"RIFF", b"RF64"):
        found = _RIFF.get(head[8:12])
    elif head[:4] == b"FORM":
        found = _FORM.get(head[8:12])
    elif head[4:8] == b"ftyp":
        found = _iso_base_media(head)
    elif head[4:8] in (b"moov", b"mdat", b"wide", b"free"):
        found = "video/quicktime"
    elif head.startswith(b"\x1aE\xdf\xa3"):
        found = "video/webm" if b"webm" in head[:64] else "video/x-matroska"
    elif head[:1] == b"P" and head[1:2] in b"123456" and head[2:3].isspace():
        found = "image/x-portable-anymap"
    return found


def _is_bmp(head: bytes) -> bool:
    return len(head) >= 18 and struct.unpack_from("<I", head, 14)[0] in (12, 40, 52, 56, 64, 108, 124)


def _ogg(head: bytes) -> str:
    return "video/ogg" if b"\x80theora" in head[:128] else "audio/ogg"


def _iso_base_media(head: bytes) -> str:
    brand = head[8:12]
    if brand in (b"mif1", b"msf1") and b"avif" in head[16 : min(64, int.from_bytes(head[:4], "big"))]:
        return "image/avif"  # a general brand first, the codec's own among the compatible ones
    if brand in _IMAGE_BRANDS:
        return _IMAGE_BRANDS[brand]
    if brand in _AUDIO_BRANDS:
        return "audio/mp4"
    return "video/quicktime" if brand == b"qt  " else "video/mp4"


def _frames(head: bytes) -> str | None:
    """Formats without a magic number: MPEG audio frames and MPEG transport streams."""
    if len(head) >= 4 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:
        version, layer, bitrate = head[1] >> 3 & 3, head[1] >> 1 & 3, head[2] >> 4
        if layer == 0 and version != 1 and head[1] & 0xF0 == 0xF0:
            return "audio/aac"
        return "audio/mpeg" if version != 1 and layer != 0 and bitrate != 15 else None
    if len(head) > 376 and head[0] == head[188] == head[376] == 0x47:
        return "video/mp2t"
    return None
