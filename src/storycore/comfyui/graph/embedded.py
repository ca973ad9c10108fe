"""Texts that ComfyUI writes into the pictures and films it makes: `prompt` and `workflow`.

Only headers are read, within limits; what can't be understood is told as a fault and nothing else.

Source: PNG (W3C) §11.3.3 tEXt, zTXt, iTXt; WebP container (RFC 9649) §2.7 and TIFF 6.0 §2 for its EXIF chunk; Apple
QuickTime File Format, "Metadata" (keys, ilst), for films.
"""

import struct
import zlib
from collections.abc import Iterator

from storycore.project.headers.facts import HeaderFault
from storycore.project.headers.isobmff import Box, boxes
from storycore.project.headers.window import Window

NAMES = ("prompt", "workflow")
"""The keys under which ComfyUI puts the API format and the UI format."""

MAX_TEXT_BYTES = 8 * 1024 * 1024
"""Longest text that is taken, unpacked."""

_MOST_CHUNKS = 4096
_MOST_ENTRIES = 512
_ASCII = 2


def texts_of(window: Window, media_type: str) -> dict[str, bytes]:
    """The texts called `prompt` and `workflow` in a picture or a film; empty if there are none.

    Raises:
        HeaderFault: its headers are broken, or larger than any that ComfyUI writes.
    """
    try:
        found: dict[str, bytes] = {}
        for name, text in _READERS[media_type](window) if media_type in _READERS else ():
            if name in NAMES:
                found.setdefault(name, text)
    except (struct.error, zlib.error, ValueError, IndexError) as fault:
        raise HeaderFault(str(fault) if isinstance(fault, HeaderFault) else "the headers make no sense") from fault
    return found


def _png(window: Window) -> Iterator[tuple[str, bytes]]:
    at = 8
    for _ in range(_MOST_CHUNKS):
        length, kind = struct.unpack(">I4s", window.at(at, 8))
        if kind in (b"IDAT", b"IEND"):  # ComfyUI writes its texts before the picture
            return
        if kind in (b"tEXt", b"zTXt", b"iTXt"):
            yield from _png_text(kind, window.at(at + 8, length))
        at += 12 + length


def _png_text(kind: bytes, chunk: bytes) -> Iterator[tuple[str, bytes]]:
    key, mark, rest = chunk.partition(b"\0")
    name = key.decode("latin-1")
    if not mark or name not in NAMES:
        return
    if kind == b"tEXt":
        yield name, rest.decode("latin-1").encode()
    elif kind == b"zTXt":
        yield name, _unpacked(rest[1:]).decode("latin-1").encode()
    else:
        _, _, text = rest[2:].split(b"\0", 2)
        yield name, _unpacked(text) if rest[0] else text


def _unpacked(packed: bytes) -> bytes:
    unpacker = zlib.decompressobj()
    text = unpacker.decompress(packed, MAX_TEXT_BYTES)
    if unpacker.unconsumed_tail:
        raise HeaderFault("a text that unpacks to more than any workflow has")
    return text


def _webp(window: Window) -> Iterator[tuple[str, bytes]]:
    at = 12
    for _ in range(_MOST_CHUNKS):
        if at + 8 > window.size:
            return
        kind, length = struct.unpack("<4sI", window.at(at, 8))
        if kind == b"EXIF":
            yield from _exif(window.at(at + 8, length).removeprefix(b"Exif\0\0"))
        at += 8 + length + (length & 1)


def _exif(block: bytes) -> Iterator[tuple[str, bytes]]:
    """The texts of the first directory; ComfyUI puts `prompt:` and `workflow:` before its own."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(block[:4])
    if order is None:
        raise HeaderFault("an EXIF block that is no TIFF structure")
    (start,) = struct.unpack_from(order + "I", block, 4)
    (count,) = struct.unpack_from(order + "H", block, start)
    for index in range(min(count, _MOST_ENTRIES)):
        entry = start + 2 + 12 * index
        _, kind, length, place = struct.unpack_from(order + "HHII", block, entry)
        if kind == _ASCII:
            at = place if length > 4 else entry + 8
            name, mark, text = block[at : at + length].rstrip(b"\0").partition(b":")
            if mark and name.isascii():
                yield name.decode().lower(), text


def _film(window: Window) -> Iterator[tuple[str, bytes]]:
    moov = _first(window, Box(b"", 0, window.size), b"moov")
    if moov is None:
        return
    for holder in (moov, _first(window, moov, b"udta")):
        meta = _first(window, holder, b"meta") if holder is not None else None
        if meta is not None:
            yield from _film_texts(window, _without_version(window, meta))


def _film_texts(window: Window, meta: Box) -> Iterator[tuple[str, bytes]]:
    keys, values = _first(window, meta, b"keys"), _first(window, meta, b"ilst")
    if keys is None or values is None:
        return
    names = _film_names(window, keys)
    for item in boxes(window, values.at, values.end):
        number = int.from_bytes(item.name, "big")
        data = _first(window, item, b"data")
        if data is not None and 1 <= number <= len(names) and names[number - 1] in NAMES:
            yield names[number - 1], window.at(data.at + 8, data.end - data.at - 8)


def _film_names(window: Window, keys: Box) -> list[str]:
    (count,) = struct.unpack(">I", window.at(keys.at + 4, 4))
    at, found = keys.at + 8, []
    for _ in range(min(count, _MOST_ENTRIES)):
        (length,) = struct.unpack(">I", window.at(at, 4))
        if length < 8 or at + length > keys.end:
            raise HeaderFault("a key longer than the list of keys")
        found.append(window.at(at + 8, length - 8).decode("utf-8", "replace"))
        at += length
    return found


def _without_version(window: Window, meta: Box) -> Box:
    """The content of a meta box: MP4 has a version before it, QuickTime has none."""
    plain = meta.end - meta.at >= 8 and window.at(meta.at + 4, 4) == b"hdlr"
    return meta if plain else Box(meta.name, meta.at + 4, meta.end)


def _first(window: Window, box: Box, name: bytes) -> Box | None:
    return next((inner for inner in boxes(window, box.at, box.end) if inner.name == name), None)


_READERS = {
    "image/png": _png,
    "image/webp": _webp,
    "video/mp4": _film,
    "video/quicktime": _film,
    "audio/mp4": _film,
}

READABLE = frozenset(_READERS)
"""Media types in which texts are looked for."""
