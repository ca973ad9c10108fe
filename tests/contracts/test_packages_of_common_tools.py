"""Packages that common programs make are accepted, whatever way of writing a ZIP they choose."""

import io
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import bagit
import pytest

from fixtures.archives import (
    FOLDER,
    PNG,
    STREAMED,
    UTF8,
    Part,
    archive,
    bag,
    deflated,
    in_folder,
    parts_of,
    write,
    zip64_field,
    zipped,
)  # fmt: skip
from storycore.exports.checking.verdict import Verdict
from storycore.exports.unpack import unpack
from storycore.exports.verify import verify_package
from storycore.observe.progress import Progress
from storycore.settings import Settings

# bagit 1.9 calls re.sub in a way that Python 3.13 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:'count' is passed as positional argument:DeprecationWarning")

PAYLOAD = {"project.json": b"{}", "shots/shot 1.png": PNG, "big.txt": b"film " * 50_000, "empty.txt": b""}


def checked(path: Path) -> Verdict:
    return verify_package(path, settings=Settings(), progress=Progress())


class _Pipe(io.RawIOBase):
    """Takes bytes and can't seek, as a socket."""

    def __init__(self) -> None:
        self.taken = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data) -> int:
        self.taken += bytes(data)
        return len(data)


def streamed(files: dict[str, bytes]) -> bytes:
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as made:  # type: ignore[type-var]
        for name, data in files.items():
            with made.open(f"film/{name}", "w", force_zip64=name.endswith(".txt")) as entry:
                entry.write(data)
    return bytes(pipe.taken)


def wide(files: dict[str, bytes]) -> bytes:
    """Zip64 everywhere, though nothing is large: sizes in the local headers, the list and the end."""
    full = {"size": 0xFFFFFFFF, "packed_bytes": 0xFFFFFFFF}
    parts = [
        Part(
            name=f"film/{name}".encode(), data=data, local=full, central=full,
            extra=zip64_field(len(data), len(data)), local_extra=zip64_field(len(data), len(data)),
        )
        for name, data in files.items()
    ]  # fmt: skip
    return archive(parts, zip64=True)


def with_descriptors(form: str) -> Callable[[dict[str, bytes]], bytes]:
    return lambda files: archive(parts_of(files, method=8, flags=UTF8 | STREAMED, descriptor=form))


def stored_blocks(files: dict[str, bytes]) -> bytes:
    return archive(
        [
            Part(name=f"film/{name}".encode(), data=data, method=8, packed=deflated(data, 0))
            for name, data in files.items()
        ]
    )


def with_folders(files: dict[str, bytes]) -> bytes:
    folders = [Part(name=name, external=FOLDER | 0x10) for name in (b"film/", b"film/data/", b"film/data/empty/")]
    return archive([*folders, *parts_of(files)])


WRITERS = {
    "zipfile stored": lambda files: zipped(files, method=zipfile.ZIP_STORED),
    "zipfile deflated": zipped,
    "zipfile streamed": streamed,
    "Zip64 throughout": wide,
    "descriptor of 16 bytes": with_descriptors("s3"),
    "descriptor of 12 bytes": with_descriptors("3"),
    "descriptor of 24 bytes": with_descriptors("s6"),
    "descriptor of 20 bytes": with_descriptors("6"),
    "stored deflate blocks": stored_blocks,
    "folders and an empty one": with_folders,
    "other order": lambda files: zipped(dict(reversed(files.items()))),
    "a comment": lambda files: archive(parts_of(files), comment=b"made by hand"),
    "extra fields aligned by zeros": lambda files: archive(parts_of(files, local_extra=b"\0\0\0")),
    "no marks of Unix": lambda files: archive(parts_of(files, external=0x20)),
    "another top folder": lambda files: zipped(files, "a film ~ of %s/"),
}


@pytest.mark.parametrize("name", WRITERS)
def test_ways_to_write_a_zip_are_accepted(name: str, tmp_path: Path) -> None:
    verdict = checked(write(tmp_path / "film.zip", WRITERS[name](bag(PAYLOAD))))
    assert (verdict.faults, verdict.files_checked, verdict.algorithms) == ((), 8, ("sha256",))


PROGRAMS = {
    "zip": "zip -qr film.zip film",
    "zip without folders": "zip -qrD film.zip film",
    "zip stored": "zip -qr0 film.zip film",
    "zip to a pipe": "zip -qr - film | cat > film.zip",
    "zip with Zip64": "zip -qr -fz film.zip film",
    "7-Zip": "7zz a -tzip -bso0 film.zip film",
    "7-Zip at its best": "7zz a -tzip -mx9 -bso0 film.zip film",
    "Python": f"{sys.executable} -m zipfile -c film.zip film",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_folder_bagged_by_bagit_and_packed_by_a_program_is_accepted(name: str, tmp_path: Path) -> None:
    program = PROGRAMS[name].split()[0]
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not on this machine")
    folder = tmp_path / "film"
    for path, data in {**PAYLOAD, "é 日本.txt": b"x"}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        write(folder / path, data)
    bagit.make_bag(str(folder), {"Contact-Name": "É"}, checksums=["sha256", "sha512"])
    subprocess.run(PROGRAMS[name], shell=True, check=True, cwd=tmp_path)
    for package in (tmp_path / "film.zip", folder):
        verdict = checked(package)
        assert (verdict.faults, verdict.files_checked) == ((), 11)


def test_an_unpacked_package_is_a_valid_bag_for_others(tmp_path: Path) -> None:
    target = tmp_path / "copy"
    path = write(tmp_path / "film.zip", zipped(bag(PAYLOAD)))
    assert unpack(path, target, settings=Settings(), progress=Progress()).valid
    assert bagit.Bag(str(target)).validate()
    assert checked(target).valid
    if shutil.which("sha256sum"):
        subprocess.run(["sha256sum", "-c", "--quiet", "manifest-sha256.txt"], check=True, cwd=target)


def test_silence_may_shrink_a_thousandfold(tmp_path: Path) -> None:
    path = write(tmp_path / "film.zip", zipped(bag({"silence.wav": b"RIFF" + bytes(4) + b"WAVE" + bytes(16 << 20)})))
    assert path.stat().st_size < 100_000
    assert checked(path).faults == ()


def test_bits_of_a_folder_are_not_followed_or_waited_for(tmp_path: Path) -> None:
    folder = in_folder(bag({"a": b"x"}), tmp_path / "film")
    (folder / "data" / "link").symlink_to("/etc/passwd")
    (folder / "data" / "folder").symlink_to(tmp_path)
    (folder / "tag link").symlink_to("bagit.txt")
    os.mkfifo(folder / "data" / "pipe")
    found = {(fault.path, fault.reason.value) for fault in checked(folder).faults}
    assert found == {
        ("data/link", "link"), ("data/folder", "link"), ("tag link", "link"), ("data/pipe", "not_a_file"),
    }  # fmt: skip


def test_a_listed_file_that_is_a_link_is_a_fault(tmp_path: Path) -> None:
    folder = in_folder(bag({"a": b"x"}), tmp_path / "film")
    (folder / "data" / "a").rename(folder / "b")
    (folder / "data" / "a").symlink_to("../b")
    assert [fault.reason.value for fault in checked(folder).faults] == ["link", "file_missing", "oxum_mismatch"]
