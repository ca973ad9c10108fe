"""XMP and tags are put where readers look for them, and everything else stays."""

import io
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from PIL import Image

from storycore.metadata.evidence import GENERATED
from storycore.metadata.xmp import Patch, copy, packet, places, texts
from storycore.rendering.tags import clean

RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}li"


def patched(data: bytes, patches: list[Patch]) -> bytes:
    target = io.BytesIO()
    copy(io.BytesIO(data), target, patches)
    return target.getvalue()


def picture(kind: str) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (4, 4), "red").save(made, kind)
    return made.getvalue()


@given(st.text(max_size=80), st.text(max_size=80))
def test_any_words_make_xml_that_says_them(title: str, artist: str) -> None:
    words = {"title": clean(title), "artist": clean(artist)}
    tree = etree.fromstring(packet(GENERATED, words).split(b"?>", 1)[1])
    assert [it.text for it in tree.iter(RDF)] == [text for text in words.values() if text]
    assert tree.findtext(".//{*}DigitalSourceType") == GENERATED


@given(st.binary(max_size=60), st.lists(st.tuples(st.integers(0, 9), st.binary(max_size=5)), max_size=4))
def test_a_copy_differs_only_where_patches_say(data: bytes, given_: list[tuple[int, bytes]]) -> None:
    patches = [Patch(min(at * 6, len(data)), 0, new) for at, new in given_]
    made = patched(data, patches)
    assert len(made) == len(data) + sum(len(new) for _, new in given_)
    for patch in patches:
        assert patch.data in made


def test_a_png_shows_the_same_picture_and_its_tags() -> None:
    data, xmp = picture("PNG"), packet(GENERATED, {})
    words = {"title": "Tïtle", "artist": "Ada", "language": "fr"}
    made = patched(data, [*places(io.BytesIO(data), "image/png", xmp), *texts(io.BytesIO(data), "image/png", words)])
    with Image.open(io.BytesIO(made)) as image:
        image.load()
        assert image.getpixel((0, 0)) == (255, 0, 0)
        assert (image.text["Title"], image.text["Author"]) == ("Tïtle", "Ada")
        assert image.text["XML:com.adobe.xmp"].encode() == xmp
    at = 8
    while at < len(made):
        (length,) = struct.unpack_from(">I", made, at)
        chunk = made[at + 4 : at + 8 + length]
        assert struct.unpack_from(">I", made, at + 8 + length) == (zlib.crc32(chunk),)
        at += 12 + length


def test_a_gif_shows_the_same_picture_and_a_comment_of_any_length() -> None:
    data = picture("GIF")
    words = {"title": "T" * 300, "description": "D" * 300}
    kept = [*places(io.BytesIO(data), "image/gif", packet(GENERATED, {})), *texts(io.BytesIO(data), "image/gif", words)]
    with Image.open(io.BytesIO(patched(data, kept))) as image:
        image.load()
        assert image.info["comment"] == b" - ".join((b"T" * 300, b"D" * 300))
    assert packet(GENERATED, {}) in patched(data, kept)


@pytest.mark.parametrize("version", [3, 4])
def test_an_id3_tag_grows_by_one_frame(version: int) -> None:
    tag = b"TIT2" + struct.pack(">I", 2) + b"\0\0\0T"
    data = b"ID3" + bytes([version, 0, 0]) + bytes([0, 0, 0, len(tag)]) + tag + b"\xff\xfb" + bytes(50)
    xmp = packet("", {"title": "x" * 400})
    made = patched(data, places(io.BytesIO(data), "audio/mpeg", xmp))
    length = sum(byte << shift for byte, shift in zip(made[6:10], (21, 14, 7, 0), strict=True))
    assert made[10 + length : 12 + length] == b"\xff\xfb"
    assert made[10:14] == b"PRIV"
    assert made[20 : 24 + len(xmp)] == b"XMP\0" + xmp


@pytest.mark.parametrize("size", [20, 21])
def test_a_riff_counts_what_was_added(size: int) -> None:
    data = b"RIFF" + struct.pack("<I", size - 8) + b"WAVE" + bytes(size - 12)
    made = patched(data, places(io.BytesIO(data), "audio/wav", packet("", {})))
    assert struct.unpack_from("<I", made, 4) == (len(made) - 8,)


@pytest.mark.parametrize("start", [b"RF64" + bytes(60), b"RIFF" + struct.pack("<I", 4) + b"AVI " + bytes(60)])
def test_what_can_not_carry_a_packet_stays_as_it_is(start: bytes) -> None:
    """Files of more than 4 GiB, and those of several RIFFs."""
    assert places(io.BytesIO(start), "audio/wav", b"xmp") == []
    assert places(io.BytesIO(start), "video/webm", b"xmp") == []
