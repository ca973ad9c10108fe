"""storycore.export.verify through the library: paths, results, and what a server may be asked for."""

import hashlib
from pathlib import Path

import pytest

from fixtures.archives import bag, in_folder, names, write, zipped
from storycore import Settings, StoryCore, StoryCoreError, VerifyRequest
from storycore.errors import Reason

FILES = bag()


@pytest.fixture
def sc(tmp_path: Path) -> StoryCore:
    """As `serve` confines it: one root and one output root."""
    (tmp_path / "films" / "exports").mkdir(parents=True)
    (tmp_path / "out").mkdir()
    settings = Settings.read(roots=(tmp_path / "films",), output_roots=(tmp_path / "out",))
    return StoryCore(settings, default_root=tmp_path / "films")


def test_a_valid_package_is_described_and_unpacked(sc: StoryCore, tmp_path: Path) -> None:
    path = write(tmp_path / "films" / "film.zip", zipped(FILES))
    target = tmp_path / "out" / "copy"
    result = sc.run(VerifyRequest(package_path="film.zip", unpack_to=str(target)))
    assert result.model_dump(exclude={"verify_time_ms"}) == {
        "valid": True, "path": str(path), "kind": "zip", "files_checked": len(FILES),
        "checksum": f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}",
        "bytes_checked": sum(map(len, FILES.values())), "algorithms": ["sha256"], "faults": [], "warnings": [],
        "credentials": None, "unpacked_to": str(target),
    }  # fmt: skip
    again = sc.run(VerifyRequest(package_path=str(target)))
    assert (again.valid, again.kind, again.checksum, again.verdict) == (True, "folder", "", True)


def test_a_package_that_is_not_valid_is_a_result_and_is_not_unpacked(sc: StoryCore, tmp_path: Path) -> None:
    write(tmp_path / "films" / "film.zip", zipped({**FILES, "data/project.json": b"{}"}))
    result = sc.run(VerifyRequest(package_path="film.zip", unpack_to="exports/copy"))
    assert (result.valid, result.verdict, result.unpacked_to) == (False, False, None)
    assert [(it.path, it.reason) for it in result.faults] == [
        ("data/project.json", "checksum_mismatch"), ("bag-info.txt", "oxum_mismatch"),
    ]  # fmt: skip
    assert names(tmp_path / "films" / "exports") == []


@pytest.mark.parametrize(
    ("package", "target", "reason"),
    [
        ("gone.zip", None, Reason.FILE_NOT_FOUND),
        ("../outside.zip", None, Reason.PATH_OUTSIDE_ROOT),
        ("/etc/passwd", None, Reason.PATH_OUTSIDE_ROOT),
        ("film.zip", "copy", Reason.PATH_OUTSIDE_ROOT),
        ("film.zip", "/tmp/copy", Reason.PATH_OUTSIDE_ROOT),
        ("film.zip", "exports", Reason.PATH_OUTSIDE_ROOT),
        ("film.zip", "exports/there", Reason.OUTPUT_EXISTS),
        ("folder", "exports/copy", Reason.PATH_INVALID),
    ],
)
def test_what_may_not_be_is_refused_with_its_reason(
    package: str, target: str | None, reason: Reason, sc: StoryCore, tmp_path: Path
) -> None:
    write(tmp_path / "films" / "film.zip", zipped(FILES))
    in_folder(FILES, tmp_path / "films" / "folder")
    (tmp_path / "films" / "exports" / "there").mkdir()
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(StoryCoreError) as caught:
        sc.run(VerifyRequest(package_path=package, unpack_to=target))
    assert (caught.value.reason, sorted(tmp_path.rglob("*"))) == (reason, before)
