"""A package in which a single bit was flipped is either refused, or unpacks to the very same files."""

import io
import struct
import zipfile
from collections import Counter
from pathlib import Path

import pytest

from fixtures.archives import PNG, Part, archive, bag, in_folder, parts_of
from storycore.exports.verify import verify_package
from storycore.observe.progress import Progress
from storycore.settings import Settings

HARMLESS = {
    "version made by",  # which program packed it; modes are refused or ignored whatever it says
    "version needed",  # as long as it asks for nothing newer than 6.3
    "internal attributes",  # a guess whether the file is text
    "external attributes",  # permissions: files are unpacked as 0644 whatever they say; kinds are checked
    "extra field",  # times and owners; sizes and second names are checked
    "data",  # two ways to write the same deflate stream, and the bits that fill its last byte
}
"""Fields in which a flip may go unnoticed. Everything else about a package is checked."""

TIMES = struct.pack("<2HBl", 0x5455, 5, 1, 1_772_706_030)
FILES = bag({"a.txt": b"hello " * 9, "b.png": PNG[:60], "empty": b""})


def package(method: int) -> bytes:
    folders = [Part(name=name, external=0o040755 << 16 | 0x10) for name in (b"film/", b"film/data/")]
    return archive([*folders, *parts_of(FILES, method=method, extra=TIMES, local_extra=TIMES)])


def contents(data: bytes) -> dict[str, bytes] | None:
    """What Python's library unpacks, or None if it refuses."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as opened:
            return {name: opened.read(name) for name in opened.namelist()}
    except NotImplementedError:  # its word for a version or a method of packing that it does not know
        return None


def fields(data: bytes) -> list[str]:
    """Name of the field that each byte of a package belongs to."""
    names = ["end record"] * len(data)

    def paint(start: int, *spans: tuple[str, int]) -> int:
        for name, length in spans:
            names[start : start + length] = [name] * length
            start += length
        return start

    place = 0
    while data[place : place + 4] == b"PK\3\4":
        packed, _, name, extra = struct.unpack_from("<2L2H", data, place + 18)
        head = (("signature", 4), ("version needed", 2), ("local header", 24))
        place = paint(place, *head, ("name", name), ("extra field", extra), ("data", packed))
    while data[place : place + 4] == b"PK\1\2":
        name, extra = struct.unpack_from("<2H", data, place + 28)
        place = paint(
            place, ("signature", 4), ("version made by", 2), ("version needed", 2), ("list of contents", 28),
            ("internal attributes", 2), ("external attributes", 4), ("offset", 4), ("name", name),
            ("extra field", extra),
        )  # fmt: skip
    return names


def accepted_flips(data: bytes, path: Path, bits: int, wanted: set[str] | None = None) -> Counter[str]:
    """In which fields a flipped bit is accepted, of `bits` bits in each byte; that the contents stay is asserted."""
    whole, accepted = contents(data), Counter[str]()
    settings = Settings()
    for place, field in enumerate(fields(data)):
        for bit in [(3 * place + step) % 8 for step in range(bits)] if wanted is None or field in wanted else ():
            flipped = bytearray(data)
            flipped[place] ^= 1 << bit
            path.write_bytes(flipped)
            if verify_package(path, settings=settings, progress=Progress()).valid:
                accepted[field] += 1
                assert contents(bytes(flipped)) in (whole, None), (place, bit, field)
    return accepted


@pytest.mark.slow
def test_every_flipped_bit_of_stored_content_is_found(tmp_path: Path) -> None:
    assert not accepted_flips(package(0), tmp_path / "film.zip", 8, {"data"})


@pytest.mark.slow
@pytest.mark.parametrize("method", [0, 8], ids=["stored", "deflated"])
def test_a_flipped_bit_anywhere_is_found_or_harmless(method: int, tmp_path: Path) -> None:
    accepted = accepted_flips(package(method), tmp_path / "film.zip", 2)
    assert set(accepted) <= (HARMLESS if method else HARMLESS - {"data"})


def test_every_flipped_byte_of_a_folder_is_found(tmp_path: Path) -> None:
    folder = in_folder(FILES, tmp_path / "film")
    for name, data in FILES.items():
        for place in range(0, len(data), 7):
            (folder / name).write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
            assert not verify_package(folder, settings=Settings(), progress=Progress()).valid, (name, place)
        (folder / name).write_bytes(data)
    assert verify_package(folder, settings=Settings(), progress=Progress()).valid
