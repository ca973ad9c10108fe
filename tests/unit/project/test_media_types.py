"""Media types are measured, not believed."""

import pytest

from storycore.project.media_types import expected, kind_of, measured

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


@pytest.mark.parametrize(
    ("path", "head", "found"),
    [
        ("a.png", PNG, "image/png"),
        ("a.txt", PNG, "image/png"),
        ("a.png", b"test content 7", "text/plain"),
        ("a.json", b'{"a": 1}', "application/json"),
        ("A.JSON", b"\xef\xbb\xbf[]", "application/json"),
        ("a.md", "é".encode(), "text/markdown"),
        ("a.md", b"\1\2\0x", "application/octet-stream"),
        ("a.mp4", b"\x07" * 9 + b"\0" * 9, "application/octet-stream"),
        ("a.ttf", b"\0\1\0\0\0", "font/ttf"),
        ("noname", b"", "text/plain"),
        ("dir.json/noname", b"x", "text/plain"),
        ("a.txt", b"x" * 4095 + "é".encode()[:1], "text/plain"),
        ("a.txt", b"x\xc3", "application/octet-stream"),
    ],
)
def test_content_decides_and_the_name_only_among_texts(path, head, found):
    assert measured(path, head, kind_of(head)) == found


@pytest.mark.parametrize(
    ("path", "found"), [("a.PNG", "image/png"), ("b/c.json", "application/json"), ("x", "application/octet-stream")]
)
def test_a_plan_tells_what_names_promise(path, found):
    assert expected(path) == found
