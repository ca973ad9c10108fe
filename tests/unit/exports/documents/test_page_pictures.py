"""Pages are drawn apart, as what they are, and a hostile PDF costs no more than it may."""

import io
import threading

import pytest
from PIL import Image
from pypdf import PdfReader, PdfWriter

from storycore.errors import Cancelled, InvalidInput
from storycore.exports.documents.page_pictures import SIDES, draw
from storycore.observe.progress import Progress


def pdf(pages: str, *, count: int, box: str = "0 0 300 200", content: bytes = b"1 0 0 rg 0 0 150 200 re f") -> bytes:
    """A PDF of one page, which its tree may name as often as it likes; the left half is red."""
    parts = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{pages}] /Count {count} >>".encode(),
        f"<< /Type /Page /Parent 2 0 R /MediaBox [{box}] /Contents 4 0 R >>".encode(),
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(content), content),
    ]
    body, places = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, 1):
        places.append(len(body))
        body += b"%d 0 obj\n%b\nendobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % at for at in places)
    return body + b"xref\n0 5\n0000000000 65535 f \n" + table + (
        b"trailer << /Size 5 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % len(body)
    )  # fmt: skip


def drawn(tmp_path, content: bytes, *, first=1, last=1):
    """How many pages there are, and the pictures that were made."""
    (tmp_path / "it.pdf").write_bytes(content)
    folder = tmp_path / "pages"
    folder.mkdir()
    count = draw(tmp_path / "it.pdf", folder, first=first, last=last, progress=Progress())
    return count, {path.name: Image.open(io.BytesIO(path.read_bytes())) for path in sorted(folder.iterdir())}


def test_a_page_is_drawn_large_and_small_as_it_is(tmp_path):
    count, made = drawn(tmp_path, pdf("3 0 R", count=1))
    assert (count, {name: picture.size for name, picture in made.items()}) == (
        1, {"1-large.jpg": (1600, 1067), "1-small.jpg": (320, 213)},
    )  # fmt: skip
    large = made["1-large.jpg"]
    assert (large.format, large.mode, SIDES["large"]) == ("JPEG", "RGB", 1600)
    left, right = large.getpixel((400, 500)), large.getpixel((1200, 500))
    assert left[0] > 250
    assert max(left[1:]) < 5
    assert min(right) > 250


def test_of_a_hundred_thousand_pages_only_those_asked_for_are_drawn(tmp_path):
    content = pdf("3 0 R " * 100_000, count=100_000)
    count, made = drawn(tmp_path, content, first=99_999, last=100_006)
    assert (count, sorted(made)) == (
        100_000, ["100000-large.jpg", "100000-small.jpg", "99999-large.jpg", "99999-small.jpg"],
    )  # fmt: skip


@pytest.mark.parametrize("box", ["0 0 900000 300000", "0 0 0.001 0.001", "0 0 14400 2"])
def test_a_page_of_any_size_has_a_picture_of_a_size_that_is_known(tmp_path, box):
    _, made = drawn(tmp_path, pdf("3 0 R", count=1, box=box))
    assert all(max(picture.size) <= 1600 for picture in made.values())


def test_what_does_not_end_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr("storycore.exports.documents.page_pictures._MOST_SECONDS", 1.0)
    shades = b"1 0 0 1 0 0 cm 0 0 300 200 re f* 10 10 m 290 190 l 3 w S " * 400_000
    with pytest.raises(InvalidInput, match="more time or memory"):
        drawn(tmp_path, pdf("3 0 R", count=1, content=shades))


@pytest.mark.parametrize("content", [b"", b"not a PDF", b"%PDF-1.7\n", pdf("3 0 R", count=1)[:200]])
def test_what_is_no_pdf_is_told(tmp_path, content):
    with pytest.raises(InvalidInput, match="can't be drawn"):
        drawn(tmp_path, content)


def test_what_is_locked_by_a_password_is_told(tmp_path):
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf("3 0 R", count=1))))
    writer.encrypt("secret", algorithm="RC4-128")
    locked = io.BytesIO()
    writer.write(locked)
    with pytest.raises(InvalidInput, match="password"):
        drawn(tmp_path, locked.getvalue())


def test_it_stops_when_it_is_told_to(tmp_path):
    (tmp_path / "it.pdf").write_bytes(pdf("3 0 R", count=1))
    progress, before = Progress(), set(threading.enumerate())
    progress.cancel()
    with pytest.raises(Cancelled):
        draw(tmp_path / "it.pdf", tmp_path, first=1, last=1, progress=progress)
    assert set(threading.enumerate()) <= before  # nothing listens on
