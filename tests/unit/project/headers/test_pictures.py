"""Header readers of still pictures, held against Pillow."""

import io
import struct
from pathlib import Path

import pytest
from PIL import Image, ImageOps

from fixtures.media_files import film_bytes, image_bytes, stills
from storycore.project.headers import HeaderFault, MediaFacts, facts_of
from storycore.project.model import MediaKind

STILLS = stills()
SAMPLES = Path(__file__).parents[4] / ".." / "shared" / "samples"

COLORS = {
    "L": "grey",
    "RGB": "rgb",
    "RGBA": "rgb+alpha",
    "P": "palette",
    "I;16": "grey",
    "CMYK": "cmyk",
    "1": "mono",
}


def facts(data: bytes) -> MediaFacts:
    found = facts_of(io.BytesIO(data))
    assert found is not None
    return found


@pytest.mark.parametrize("name", STILLS)
def test_size_and_kind_are_those_that_pillow_reads(name):
    found = facts(STILLS[name])
    with Image.open(io.BytesIO(STILLS[name])) as picture:
        expected = (MediaKind.IMAGE, picture.size, picture.get_format_mimetype())
    netpbm = "image/x-portable-anymap" if name.startswith("binary") else found.media_type
    assert (found.kind, (found.width, found.height)) == expected[:2]
    assert found.media_type in (expected[2], netpbm)


@pytest.mark.parametrize(
    ("name", "color", "depth"),
    [
        ("grey.png", "grey", 8),
        ("rgba.png", "rgb+alpha", 8),
        ("palette.png", "palette", 8),
        ("deep.png", "grey", 16),
        ("baseline.jpg", "ycbcr", 8),
        ("grey.jpg", "grey", 8),
        ("cmyk.jpg", "cmyk", 8),
        ("lossy.webp", "ycbcr", 8),
        ("lossless.webp", "rgb", 8),
        ("extended.webp", "rgb+alpha", 8),
        ("picture.gif", "palette", 6),
        ("picture.bmp", "rgb", 8),
        ("little.tif", "rgb", 8),
        ("deflated.tif", "rgb+alpha", 8),
        ("binary.ppm", "rgb", 8),
        ("binary.pgm", "grey", 8),
        ("binary.pbm", "mono", 1),
        ("picture.avif", None, 8),
    ],
)
def test_colour_and_depth_are_told(name, color, depth):
    found = facts(STILLS[name])
    assert (found.color, found.bit_depth) == (color, depth)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "TIFF"])
def test_a_turned_picture_has_the_size_that_is_shown(form, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = image_bytes(form, exif=exif)
    with Image.open(io.BytesIO(data)) as picture:
        shown = ImageOps.exif_transpose(picture).size
    found = facts(data)
    assert ((found.width, found.height), found.orientation) == (shown, orientation)


@pytest.mark.parametrize(
    "text",
    [
        b"P3\n# made by hand\n12 7\n255\n",
        b"P3 # a\n12# b\r7 # c\n 255 ",
        b"P6\t12\n\n7\n#x\n#y\n255\n",
        b"P5\n12 7 255\n",
    ],
)
def test_comments_may_stand_anywhere_in_an_anymap_header(text):
    found = facts(text)
    assert (found.width, found.height, found.bit_depth) == (12, 7, 8)


def test_text_bitmap_has_no_highest_value():
    found = facts(b"P1\n# cut\n6 10\n0 1 0")
    assert (found.width, found.height, found.bit_depth, found.color) == (6, 10, 1, "mono")


def test_exr_tells_its_display_window():
    found = facts(film_bytes("image2pipe", video="exr", frames=1, pixels="gbrpf32le"))
    assert (found.media_type, found.width, found.height, found.bit_depth) == ("image/x-exr", 96, 54, 32)


def test_a_tiff_of_the_other_byte_order_is_read():
    tags = [(256, 96), (257, 54), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1), (278, 54), (279, 96 * 54)]
    start = 8 + 96 * 54
    entries = b"".join(struct.pack(">HHII", tag, 4, 1, value) for tag, value in tags)
    data = struct.pack(">2sHI", b"MM", 42, start) + bytes(96 * 54) + struct.pack(">H", len(tags)) + entries + bytes(4)
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.size == (96, 54)
    found = facts(data)
    assert (found.width, found.height, found.bit_depth, found.color) == (96, 54, 8, "grey")


def test_photoshop_documents_tell_their_size():
    data = b"8BPS" + struct.pack(">H6xHIIHH", 1, 3, 54, 96, 16, 3) + bytes(4)
    with Image.open(io.BytesIO(data[:22] + struct.pack(">HH", 8, 3) + bytes(40))) as picture:
        assert picture.size == (96, 54)
    found = facts(data)
    assert (found.width, found.height, found.bit_depth, found.color) == (96, 54, 16, "rgb")


def test_a_bitmap_whose_rows_run_from_the_top_has_a_positive_height():
    data = bytearray(image_bytes("BMP"))
    struct.pack_into("<i", data, 22, -54)
    assert facts(bytes(data)).height == 54


@pytest.mark.parametrize(
    "data",
    [
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBBBBB", 13, b"IHDR", 0, 5, 8, 2, 0, 0, 0),
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBBBBB", 13, b"IHDR", 1 << 31, 5, 8, 2, 0, 0, 0),
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff\xda\0\x02" + bytes(100),
        b"P3\n99999999999 1\n255\n",
        b"P3\n#" + bytes(100_000),
        b"II*\0\xff\xff\xff\x7f",
        b"RIFF\x10\0\0\0WEBPVP9 " + bytes(30),
    ],
)
def test_broken_headers_are_a_header_fault(data):
    with pytest.raises(HeaderFault):
        facts_of(io.BytesIO(data))


@pytest.mark.parametrize("data", [b"", b"{}", b"test content 7", b"%PDF-1.7 ", b"PK\x03\x04" + bytes(40)])
def test_what_is_no_media_has_no_facts(data):
    assert facts_of(io.BytesIO(data)) is None


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the sample projects are not beside this checkout")
def test_pictures_of_the_samples_are_read_as_pillow_reads_them():
    paths = [path for path in SAMPLES.rglob("*") if path.suffix in (".png", ".ppm")]
    assert paths
    for path in paths:
        with Image.open(path) as picture, path.open("rb") as file:
            found = facts_of(file)
            assert found is not None
            assert (found.width, found.height) == picture.size
