"""Every archive that means harm is refused for its own reason, and nothing of it reaches the disk."""

import hashlib
from pathlib import Path

import pytest

from fixtures.archives import HOSTILE, bag, in_folder, write, zipped
from storycore.errors import StoryCoreError
from storycore.exports.unpack import unpack
from storycore.exports.verify import verify_package
from storycore.observe.progress import Progress
from storycore.settings import Settings


def _tree(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_archive_is_refused_for_its_own_reason(name: str, tmp_path: Path) -> None:
    make, reason = HOSTILE[name]
    path = write(tmp_path / "evil.zip", make())
    verdict = verify_package(path, settings=Settings(), progress=Progress())
    assert reason in [fault.reason.value for fault in verdict.faults]
    assert verdict.checksum == f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_of_a_hostile_archive_is_written_anywhere(name: str, tmp_path: Path) -> None:
    path = write(tmp_path / "evil.zip", HOSTILE[name][0]())
    assert not unpack(path, tmp_path / "deep" / "er" / "target", settings=Settings(), progress=Progress()).valid
    assert _tree(tmp_path) == ["evil.zip"]
    assert not Path("/tmp/evil.txt").exists()


def test_a_file_that_unpacks_to_more_than_declared_is_not_read_further(tmp_path: Path) -> None:
    told: list[int] = []
    path = write(tmp_path / "evil.zip", HOSTILE["data too long"][0]())
    verdict = verify_package(path, settings=Settings(), progress=Progress(lambda it: told.append(it.done)))
    assert "size_mismatch" in [fault.reason.value for fault in verdict.faults]
    assert max(told) <= verdict.bytes_checked + 10


def test_more_entries_than_allowed_are_refused_unread(tmp_path: Path) -> None:
    files = {f"data/{number}": b"" for number in range(1100)}
    settings = Settings(max_project_files=10)
    zip_path = write(tmp_path / "many.zip", zipped(files))
    folder = in_folder(files, tmp_path / "many")
    reasons = [
        [fault.reason.value for fault in verify_package(path, settings=settings, progress=Progress()).faults]
        for path in (zip_path, folder)
    ]
    assert reasons[0] == ["too_many_files"]
    assert reasons[1][0] == "too_many_files"


def test_a_list_of_contents_larger_than_its_bound_is_refused_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a.zip", zipped(bag()))
    monkeypatch.setattr("storycore.exports.checking.archive_index.MAX_DIRECTORY_BYTES", 400)
    verdict = verify_package(path, settings=Settings(), progress=Progress())
    assert [fault.reason.value for fault in verdict.faults] == ["archive_malformed"]
    assert "at most 400 are read" in verdict.faults[0].message


def test_a_truncated_archive_is_refused_at_every_length(tmp_path: Path) -> None:
    whole = zipped(bag({"a.txt": b"hello"}))
    path = tmp_path / "cut.zip"
    accepted = []
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        if verify_package(path, settings=Settings(), progress=Progress()).valid:
            accepted.append(length)
    assert accepted == []


def test_findings_are_listed_up_to_a_bound_that_is_told(tmp_path: Path) -> None:
    files = bag() | {f"data/extra {number}": b"" for number in range(1500)}
    verdict = verify_package(write(tmp_path / "f.zip", zipped(files)), settings=Settings(), progress=Progress())
    assert len(verdict.faults) == 1001
    assert (verdict.faults[-1].reason.value, verdict.faults[-1].message) == (
        "too_many_findings",
        "501 more faults are not listed.",
    )


def test_what_is_no_file_is_no_package_and_does_not_block(tmp_path: Path) -> None:
    import os

    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    verdict = verify_package(pipe, settings=Settings(), progress=Progress())
    assert [fault.reason.value for fault in verdict.faults] == ["not_a_package"]
    with pytest.raises(StoryCoreError):
        unpack(pipe, tmp_path / "target", settings=Settings(), progress=Progress())
