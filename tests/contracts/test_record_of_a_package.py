"""StoryCore's own layer of a package: the record, the crate and the media."""

import hashlib
import json
from pathlib import Path

import pytest

from fixtures.archives import PNG, bag, in_folder, write, zipped
from fixtures.media_files import film_bytes, image_bytes, wav_bytes
from storycore.exports.verify import verify_package
from storycore.observe.progress import Progress
from storycore.settings import Settings

RECORD, CRATE = "storycore/manifest.json", "ro-crate-metadata.json"


def package(payload: dict[str, bytes], change=None, **more: bytes) -> dict[str, bytes]:
    items = [
        {"path": name, "size_bytes": len(data), "sha256": hashlib.sha256(data).hexdigest(), "role": "media"}
        for name, data in payload.items()
    ]
    document = {"format": "storycore.manifest/1", "files": items}
    if change:
        change(document)
    return bag({**payload, RECORD: json.dumps(document).encode(), CRATE: b'{"@graph": []}', **more})


def told(files: dict[str, bytes], tmp_path: Path) -> tuple[list[tuple[str, str]], ...]:
    verdicts = [
        verify_package(path, settings=Settings(), progress=Progress())
        for path in (write(tmp_path / "film.zip", zipped(files)), in_folder(files, tmp_path / "film"))
    ]
    pairs = [
        tuple(sorted((it.path, it.reason.value) for it in listed) for listed in (found.faults, found.warnings))
        for found in verdicts
    ]
    assert pairs[0] == pairs[1]
    return pairs[0]


def test_a_record_that_agrees_is_accepted(tmp_path: Path) -> None:
    assert told(package({"a.png": PNG, "b.txt": b"x"}), tmp_path) == ([], [])


CHANGES = {
    "another size": (lambda it: it["files"][0].update(size_bytes=1), [("data/a.png", "record_mismatch")]),
    "another sum": (lambda it: it["files"][0].update(sha256="0" * 64), [("data/a.png", "record_mismatch")]),
    "one too many": (
        lambda it: it["files"].append({**it["files"][0], "path": "gone.png"}), [("data/gone.png", "record_mismatch")],
    ),
    "one left out": (lambda it: it["files"].pop(), [("data/b.txt", "record_mismatch")]),
    "no list": (lambda it: it.pop("files"), [(f"data/{RECORD}", "record_malformed")]),
    "size as text": (lambda it: it["files"][0].update(size_bytes="1"), [(f"data/{RECORD}", "record_malformed")]),
    "path as number": (lambda it: it["files"][0].update(path=5), [(f"data/{RECORD}", "record_malformed")]),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_a_record_that_disagrees_is_a_fault(name: str, tmp_path: Path) -> None:
    change, faults = CHANGES[name]
    assert told(package({"a.png": PNG, "b.txt": b"x"}, change), tmp_path) == (faults, [])


@pytest.mark.parametrize("text", [b"", b"{", b"[1]", b'{"a": NaN}', b"[" * 100_000, b"\xff", b'{"a":1,"a":2}', b"5"])
def test_a_crate_that_is_no_object_is_a_fault(text: bytes, tmp_path: Path) -> None:
    files = bag({"a.txt": b"x", CRATE: text})
    assert told(files, tmp_path)[0][0] == (f"data/{CRATE}", "record_malformed")


def test_media_that_are_not_what_they_say_are_a_warning(tmp_path: Path) -> None:
    payload = {
        "empty.mp4": b"", "text.png": b"test content 1", "is.jpg": PNG, "fine.png": PNG, "fine.srt": b"1\n",
        "sound.wav": wav_bytes(), "panel.ppm": b"P3\n1 1\n255\n0 0 0\n", "read.txt": b"",
    }  # fmt: skip
    assert told(bag(payload), tmp_path) == (
        [],
        [("data/empty.mp4", "media_empty"), ("data/is.jpg", "media_mislabelled"), ("data/text.png", "media_unknown")],
    )


MEDIA = {
    "picture.png": lambda: image_bytes("PNG"),
    "picture.jpg": lambda: image_bytes("JPEG"),
    "sound.wav": wav_bytes,
    "film.mp4": lambda: film_bytes("mp4", video="mpeg4"),
}


@pytest.mark.parametrize("name", MEDIA)
def test_media_that_are_whole_are_no_warning(name: str, tmp_path: Path) -> None:
    assert told(bag({name: MEDIA[name]()}), tmp_path) == ([], [])


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
@pytest.mark.parametrize("name", MEDIA)
def test_media_that_were_cut_off_before_packing_are_a_warning(name: str, share: float, tmp_path: Path) -> None:
    data = MEDIA[name]()
    files = bag({name: data[: int(share * len(data))]})
    assert told(files, tmp_path) == ([], [(f"data/{name}", "media_broken")])


def test_media_with_broken_headers_are_a_warning(tmp_path: Path) -> None:
    payload = {"a.png": PNG[:16] + bytes(8) + PNG[24:], "b.wav": wav_bytes()[:44].replace(b"fmt ", b"xxxx")}
    assert told(bag(payload), tmp_path)[1] == [("data/a.png", "media_broken"), ("data/b.wav", "media_broken")]


def test_a_large_film_is_judged_by_its_two_ends(tmp_path: Path) -> None:
    film = MEDIA["film.mp4"]()
    filling = (3 << 20).to_bytes(4, "big") + b"free" + bytes((3 << 20) - 8)
    start = int.from_bytes(film[:4], "big")
    whole = film[:start] + filling + film[start:]
    assert told(bag({"a.mp4": whole, "b.mp4": whole[: 2 << 20]}), tmp_path) == ([], [("data/b.mp4", "media_broken")])
