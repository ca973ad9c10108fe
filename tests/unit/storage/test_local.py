"""Files are written whole or not at all."""

import errno
import re
import sys

import pytest

from storycore.errors import AccessDenied, Conflict, InvalidInput, Unavailable
from storycore.storage.local import explain, new_file, require_room


def test_a_file_appears_only_when_it_is_whole(tmp_path):
    path = tmp_path / "a/b/film.zip"
    with new_file(path) as file:
        file.write(b"film")
        assert not path.exists()
    assert (path.read_bytes(), list(path.parent.iterdir())) == (b"film", [path])


def test_after_an_error_nothing_is_left(tmp_path):
    with pytest.raises(RuntimeError), new_file(tmp_path / "a/b/film.zip") as file:
        file.write(b"film")
        raise RuntimeError
    assert list(tmp_path.glob("[!h]*")) == []


def test_folders_that_were_there_stay(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(KeyboardInterrupt), new_file(tmp_path / "a/b/film.zip"):
        raise KeyboardInterrupt
    assert [path.name for path in tmp_path.glob("a/**")] == ["a"]


def test_a_file_that_stands_there_is_never_replaced(tmp_path):
    path = tmp_path / "film.zip"
    path.write_bytes(b"old")
    with pytest.raises(Conflict), new_file(path):
        pass
    assert path.read_bytes() == b"old"


def test_a_file_that_came_meanwhile_is_never_replaced(tmp_path):
    path = tmp_path / "film.zip"
    with pytest.raises(Conflict), new_file(path) as file:
        file.write(b"new")
        path.write_bytes(b"other")
    assert ([item.name for item in tmp_path.glob("*.zip*")], path.read_bytes()) == (["film.zip"], b"other")


def test_a_dangling_link_is_a_file_that_stands_there(tmp_path):
    path = tmp_path / "film.zip"
    path.symlink_to(tmp_path / "nowhere")
    with pytest.raises(Conflict), new_file(path):
        pass
    assert not (tmp_path / "nowhere").exists()


def test_a_part_of_the_path_that_is_a_file_is_told(tmp_path):
    (tmp_path / "a").write_bytes(b"")
    with pytest.raises(InvalidInput), new_file(tmp_path / "a/film.zip"):
        pass


@pytest.mark.skipif(sys.platform != "linux", reason="/sys is a place that nobody may write, on Linux only")
def test_a_folder_that_may_not_be_written_is_told():
    from pathlib import Path

    with pytest.raises(AccessDenied), new_file(Path("/sys/film.zip")):
        pass


@pytest.mark.parametrize(
    ("number", "family"),
    [
        (errno.ENOSPC, Unavailable),
        (errno.EFBIG, Unavailable),
        (errno.EROFS, AccessDenied),
        (errno.ENOTDIR, InvalidInput),
        (errno.ELOOP, InvalidInput),
    ],
)
def test_errors_of_the_disk_are_told_in_our_words(number, family, tmp_path):
    with pytest.raises(family):
        explain(OSError(number, "x"), tmp_path / "film.zip")


def test_an_error_of_the_disk_that_we_do_not_know_stays_what_it_is(tmp_path):
    with pytest.raises(OSError, match="Input/output") as fault:
        explain(OSError(errno.EIO, "Input/output error"), tmp_path / "film.zip")
    assert fault.value.errno == errno.EIO


def test_what_can_not_fit_is_refused_before_a_byte_is_written(tmp_path):
    with pytest.raises(Unavailable) as fault:
        require_room(tmp_path / "new/folder", 2**60, "The film")
    assert re.fullmatch("The film needs at least .*B, more than is free there.", fault.value.message)
    require_room(tmp_path / "new/folder", 1, "The film")
    assert list(tmp_path.glob("[!h]*")) == []
