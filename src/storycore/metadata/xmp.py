"""What a picture, a sound or a film says about itself in XMP, and where in a file of its kind that stands. Pure.

Files are not changed here: what is to be put into them is told as patches, which are applied while a file is copied.

Source: ISO 16684-1 (XMP); XMP Specification Part 3 (places in files); IPTC Photo Metadata 2023.1 (DigitalSourceType);
PNG 1.2 §4.2.3; GIF89a §24, §26; ID3v2.4 §4.27 (PRIV).
"""

import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import BinaryIO, Final

_PART: Final = 1 << 20
_UUID: Final = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_IN_BOXES: Final = frozenset({"video/mp4", "video/quicktime", "audio/mp4"})
_IN_RIFF: Final = frozenset({"audio/wav", "video/x-msvideo"})
_IHDR_END: Final = 33  # signature, and a chunk of 13 bytes with its length, type and checksum
_MOST_RIFF: Final = 0xFFFFFFFF
_MAGIC_TRAILER: Final = b"\x01" + bytes(range(255, -1, -1)) + b"\x00"


@dataclass(frozen=True, slots=True)
class Patch:
    """A change of a file.

    Attributes:
        offset: of the file as it is.
        length: bytes that are left out there.
        data: that stand there instead.
    """

    offset: int
    length: int
    data: bytes


def packet(source_type: str, words: Mapping[str, str]) -> bytes:
    """An XMP packet.

    Args:
        source_type: IRI of the IPTC digital source type, "" for none.
        words: title, artist, description, copyright, date and language as far as they are known; texts of strangers.
    """
    parts = [
        _alternative("dc:title", words.get("title", "")),
        _list("dc:creator", words.get("artist", "")),
        _alternative("dc:description", words.get("description", "")),
        _alternative("dc:rights", words.get("copyright", "")),
        _list("dc:language", words.get("language", ""), "Bag"),
        f"<xmp:CreateDate>{_text(words['date'])}</xmp:CreateDate>" if words.get("date") else "",
        f"<Iptc4xmpExt:DigitalSourceType>{_text(source_type)}</Iptc4xmpExt:DigitalSourceType>" if source_type else "",
    ]
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"'
        ' xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">'
        f"{''.join(parts)}</rdf:Description></rdf:RDF></x:xmpmeta>"
        '<?xpacket end="r"?>'
    ).encode()


def places(file: BinaryIO, media_type: str, xmp: bytes) -> list[Patch]:
    """How a packet gets into a file; nothing if files of its kind can't carry one.

    Args:
        file: open for reading.
        media_type: of the file, which is one that StoryCore wrote.
        xmp: as `packet` gives it.
    """
    head, size = _ends(file)
    if media_type in _IN_BOXES:
        return [Patch(size, 0, struct.pack(">I4s", 24 + len(xmp), b"uuid") + _UUID + xmp)]
    if media_type in _IN_RIFF:
        return _riff(head, size, xmp)
    if media_type == "image/png":
        return [Patch(_IHDR_END, 0, _chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp))]
    if media_type == "image/gif":
        return [Patch(_colours_end(head), 0, b"\x21\xff\x0bXMP DataXMP" + xmp + _MAGIC_TRAILER)]
    if media_type == "audio/mpeg":
        return _id3(head, xmp)
    return []


def texts(file: BinaryIO, media_type: str, words: Mapping[str, str]) -> list[Patch]:
    """How plain tags get into a PNG (text chunks) or a GIF (a comment), which encoders leave out."""
    head, _ = _ends(file)
    if media_type == "image/png":
        names = {"title": "Title", "artist": "Author", "description": "Description", "copyright": "Copyright",
                 "date": "Creation Time", "software": "Software"}  # fmt: skip
        chunks = [
            _chunk(b"iTXt", names[name].encode() + b"\0\0\0\0\0" + text.encode())
            for name, text in words.items()
            if name in names and text
        ]
        return [Patch(_IHDR_END, 0, b"".join(chunks))] if chunks else []
    if media_type == "image/gif":
        shown = [text for name in ("title", "artist", "description", "copyright") if (text := words.get(name, ""))]
        return [Patch(_colours_end(head), 0, _comment(" - ".join(shown).encode()))] if shown else []
    return []


def copy(source: BinaryIO, target: BinaryIO, patches: Sequence[Patch]) -> None:
    """Copies a file, changed as patches say; those at one place follow each other as they are given."""
    at = 0
    source.seek(0)
    for patch in sorted(patches, key=lambda it: it.offset):
        _copy(source, target, patch.offset - at)
        target.write(patch.data)
        source.seek(patch.length, 1)
        at = patch.offset + patch.length
    while part := source.read(_PART):
        target.write(part)


def _copy(source: BinaryIO, target: BinaryIO, length: int) -> None:
    while length > 0 and (part := source.read(min(_PART, length))):
        target.write(part)
        length -= len(part)


def _ends(file: BinaryIO) -> tuple[bytes, int]:
    size = file.seek(0, 2)
    file.seek(0)
    return file.read(64), size


def _colours_end(head: bytes) -> int:
    """Where a GIF's own table of colours ends; what stands there is read before the first picture."""
    return 13 + (3 << (head[10] & 7) + 1 if head[10] & 0x80 else 0)


def _riff(head: bytes, size: int, xmp: bytes) -> list[Patch]:
    """A chunk at the end; none in a file of several RIFFs, or of more than they can count."""
    (told,) = struct.unpack_from("<I", head, 4)
    chunk = b"_PMX" + struct.pack("<I", len(xmp)) + xmp + b"\0" * (len(xmp) % 2)
    if head[:4] != b"RIFF" or told + 8 != size or told + len(chunk) > _MOST_RIFF:
        return []
    return [Patch(4, 4, struct.pack("<I", told + len(chunk))), Patch(size, 0, chunk)]


def _id3(head: bytes, xmp: bytes) -> list[Patch]:
    """A frame in the tag at the beginning, or in a new one."""
    length, data = 4 + len(xmp), b"\0\0XMP\0" + xmp
    frame = b"PRIV" + _synchsafe(length) + data
    if head[:3] != b"ID3":
        return [Patch(0, 0, b"ID3\x04\0\0" + _synchsafe(len(frame)) + frame)]
    if head[3] not in (3, 4) or head[5]:
        return []
    if head[3] == 3:  # where the length of a frame is a plain number
        frame = b"PRIV" + struct.pack(">I", length) + data
    told = sum(byte << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
    return [Patch(6, 4, _synchsafe(told + len(frame))), Patch(10, 0, frame)]


def _synchsafe(value: int) -> bytes:
    return bytes(value >> shift & 0x7F for shift in (21, 14, 7, 0))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _comment(text: bytes) -> bytes:
    blocks = [text[at : at + 255] for at in range(0, len(text), 255)]
    return b"\x21\xfe" + b"".join(bytes([len(block)]) + block for block in blocks) + b"\0"


def _alternative(name: str, text: str) -> str:
    return f'<{name}><rdf:Alt><rdf:li xml:lang="x-default">{_text(text)}</rdf:li></rdf:Alt></{name}>' if text else ""


def _list(name: str, text: str, kind: str = "Seq") -> str:
    return f"<{name}><rdf:{kind}><rdf:li>{_text(text)}</rdf:li></rdf:{kind}></{name}>" if text else ""


def _text(text: str) -> str:
    return escape(text, quote=False)
