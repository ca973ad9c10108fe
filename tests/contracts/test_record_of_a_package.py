"""StoryCore's own layer of a package: the record, the crate and the media."""

import hashlib
import json
from pathlib import Path

import pytest

from fixtures.archives import PNG, bag, in_folder, write, zipped
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
        "sound.wav": b"RIFF\0\0\0\0WAVEfmt ", "panel.ppm": b"P3\n1 1\n255\n0 0 0\n", "read.txt": b"",
    }  # fmt: skip
    assert told(bag(payload), tmp_path) == (
        [],
        [("data/empty.mp4", "media_empty"), ("data/is.jpg", "media_mislabelled"), ("data/text.png", "media_unknown")],
    )
