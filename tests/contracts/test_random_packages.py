"""Whatever is done to a package, checking it ends well: with a verdict, within bounds, and with nothing written."""

import io
import shutil
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fixtures.archives import HOSTILE, Part, archive, bag, in_folder, parts_of, sealed, write, zipped
from storycore.exports.unpack import unpack
from storycore.exports.verify import verify_package
from storycore.observe.progress import Progress
from storycore.settings import Settings

SEEDS = [zipped(bag()), archive(parts_of(bag(), method=8), zip64=True), *(make() for make, _ in HOSTILE.values())]
SEEDS = [seed for seed in SEEDS if 0 < len(seed) < 50_000]
ENOUGH = settings(
    max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)


@st.composite
def mutations(draw: st.DrawFn) -> bytes:
    data = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 6))):
        place = draw(st.integers(0, max(0, len(data) - 1)))
        match draw(st.sampled_from(["set", "wide", "cut", "insert", "copy"])):
            case "set":
                data[place : place + 1] = bytes([draw(st.sampled_from([0, 1, 2, 0x2F, 0x7F, 0x80, 0xFF]))])
            case "wide":
                data[place : place + 4] = draw(
                    st.sampled_from([b"\xff" * 4, bytes(4), b"PK\1\2", b"PK\5\6", b"\0\0\0\x80"])
                )
            case "cut":
                del data[place : place + draw(st.integers(1, 60))]
            case "insert":
                data[place:place] = draw(st.binary(max_size=30))
            case _:
                other = draw(st.integers(0, max(0, len(data) - 1)))
                data[place:place] = data[other : other + 60]
    return bytes(data)


@pytest.mark.slow
@ENOUGH
@given(data=mutations())
def test_a_mutated_archive_gives_a_verdict_within_bounds(data: bytes, tmp_path: Path) -> None:
    path, target = write(tmp_path / "film.zip", data), tmp_path / "copy"
    told = []
    verdict = unpack(path, target, settings=Settings(), progress=Progress(lambda it: told.append(it.done)))
    assert max(told, default=0) <= 200 * len(data) + (256 << 20)
    assert len(verdict.faults) <= 1001
    assert {entry.name for entry in tmp_path.iterdir()} <= {"film.zip", "copy"}
    assert target.exists() == verdict.valid
    if verdict.valid:
        with zipfile.ZipFile(io.BytesIO(data)) as other:
            same = {it.filename: other.read(it) for it in other.infolist() if not it.is_dir()}
        assert {len(it.read_bytes()) for it in target.rglob("*") if it.is_file()} == {len(it) for it in same.values()}
        shutil.rmtree(target)


TEXTS = st.one_of(
    st.binary(max_size=200),
    st.text(alphabet=st.sampled_from("abcdef0123456789 \t\r\n*./~%\\:-é\u0301"), max_size=300).map(str.encode),
)
NAMES = ["bagit.txt", "bag-info.txt", "manifest-sha256.txt", "tagmanifest-sha256.txt", "fetch.txt", "manifest-md5.txt"]
NAMES += ["data/storycore/manifest.json", "data/ro-crate-metadata.json", "data/x.png"]


@pytest.mark.slow
@ENOUGH
@given(name=st.sampled_from(NAMES), text=TEXTS, start=st.booleans())
def test_any_text_in_a_bag_gives_a_verdict(name: str, text: bytes, start: bool, tmp_path: Path) -> None:
    files = sealed(bag())
    old = files.get(name, b"")
    files[name] = old + text if start else text + old
    folder = tmp_path / "bag"
    shutil.rmtree(folder, ignore_errors=True)
    verdicts = [
        verify_package(path, settings=Settings(), progress=Progress())
        for path in (write(tmp_path / "bag.zip", zipped(files)), in_folder(files, folder))
    ]
    assert [it.reason for it in verdicts[0].faults] == [it.reason for it in verdicts[1].faults] or not (
        verdicts[0].valid or verdicts[1].valid
    )


@ENOUGH
@given(name=st.binary(max_size=60))
def test_any_name_is_safe_or_refused(name: bytes, tmp_path: Path) -> None:
    path = write(tmp_path / "film.zip", archive([*parts_of(bag()), Part(name=b"film/data/" + name)]))
    verdict = verify_package(path, settings=Settings(), progress=Progress())
    assert not verdict.valid
    assert [fault.path.encode().decode() for fault in verdict.faults] == [fault.path for fault in verdict.faults]
