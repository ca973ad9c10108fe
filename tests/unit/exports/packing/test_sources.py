"""Sources are read as they were listed, or not at all."""

import os
import socket
from pathlib import Path

import pytest

from storycore.errors import AccessDenied, Conflict, Reason
from storycore.exports.packing.sources import SourceFolder
from storycore.project.files import walk

OPEN_FILES = Path("/proc/self/fd")


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "film"
    (place / "a/b").mkdir(parents=True)
    (place / "a/b/one.txt").write_text("one")
    (place / "a/two.txt").write_text("two")
    (place / "big.raw").write_bytes(bytes(range(256)) * 40_000)
    return place


def listed(folder, name):
    return next(file for file in walk(folder, max_files=100).files if file.path == name)


def refused(folder, file, *, large=False):
    with SourceFolder(folder) as sources, pytest.raises(Conflict) as fault:
        if large:
            with sources.open(file) as source:
                for _ in source.parts():
                    pass
        else:
            sources.read(file)
    assert fault.value.details == {"path": file.path}
    return fault.value.reason


def test_files_are_read_whole_and_in_parts(folder):
    files = walk(folder, max_files=100).files
    with SourceFolder(folder) as sources:
        assert [sources.read(file) for file in files[:2]] == [b"one", b"two"]
        with sources.open(files[2]) as source:
            assert (b"".join(source.parts()), source.head()[:3]) == (bytes(range(256)) * 40_000, b"\0\1\2")
            assert len(source.sample()) == 2**20


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("change", ["gone", "grown", "shrunk", "touched", "replaced", "fifo", "link", "folder"])
def test_a_file_that_is_not_what_was_listed_is_refused(folder, change, large):
    path = folder / "big.raw"
    file = listed(folder, "big.raw")
    facts = path.stat()
    if change == "grown":
        path.write_bytes(path.read_bytes() + b"x")
    elif change == "shrunk":
        os.truncate(path, 10)
    elif change == "touched":
        os.utime(path, ns=(0, 1))
    else:
        data = path.read_bytes()
        path.rename(folder / "moved")
        if change == "replaced":
            path.write_bytes(data)
        elif change == "fifo":
            os.mkfifo(path)
        elif change == "link":
            path.symlink_to("moved")
        elif change == "folder":
            path.mkdir()
    if change not in ("touched", "fifo", "folder", "gone"):
        os.utime(path, ns=(facts.st_mtime_ns, facts.st_mtime_ns))
    assert refused(folder, file, large=large) is Reason.SOURCE_CHANGED


def test_a_socket_is_refused_without_blocking(folder):
    file = listed(folder, "a/two.txt")
    (folder / "a/two.txt").unlink()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "a/two.txt"))
        assert refused(folder, file) is Reason.SOURCE_CHANGED


@pytest.mark.parametrize("swapped", ["a", "a/b"])
def test_a_folder_that_was_swapped_for_a_link_leads_nowhere(folder, tmp_path, swapped):
    file = listed(folder, "a/b/one.txt")
    (folder / swapped).rename(tmp_path / "outside")
    (folder / swapped).symlink_to(tmp_path / "outside")
    assert refused(folder, file) is Reason.SOURCE_CHANGED


def test_a_project_folder_that_is_gone_is_told(folder, tmp_path):
    folder.rename(tmp_path / "elsewhere")
    with pytest.raises(Conflict), SourceFolder(folder):
        pass


@pytest.mark.parametrize("size", [5, 2**20 + 5])
def test_a_large_file_that_changes_while_it_is_read_is_refused(folder, size):
    file = listed(folder, "big.raw")
    with SourceFolder(folder) as sources, pytest.raises(Conflict), sources.open(file) as source:
        for _ in source.parts():
            os.truncate(folder / "big.raw", size)


@pytest.mark.skipif(not OPEN_FILES.is_dir(), reason="this system does not list what a process has open")
def test_no_descriptor_is_left_open(folder):
    before = sorted(OPEN_FILES.iterdir())
    test_files_are_read_whole_and_in_parts(folder)
    test_a_project_folder_stays_usable_after_a_refusal(folder)
    assert sorted(OPEN_FILES.iterdir()) == before


def test_a_project_folder_stays_usable_after_a_refusal(folder):
    gone, there = listed(folder, "a/b/one.txt"), listed(folder, "a/two.txt")
    with SourceFolder(folder) as sources:
        with pytest.raises(Conflict):
            sources.read(gone._replace(path="a/c/one.txt"))
        with pytest.raises(Conflict):
            sources.read(gone._replace(size_bytes=9))
        assert sources.read(there) == b"two"


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root can become nobody")
def test_a_file_that_may_not_be_read_is_told(folder):
    (folder / "a/two.txt").chmod(0)
    file, reason = listed(folder, "a/two.txt"), None
    os.seteuid(65_534)
    try:
        with SourceFolder(folder) as sources:
            sources.read(file)
    except AccessDenied as fault:
        reason = fault.reason
    except Conflict:
        pytest.skip("the temporary folder is closed to others, so the file can't even be reached")
    finally:
        os.seteuid(0)
    assert reason is Reason.PERMISSION_DENIED
